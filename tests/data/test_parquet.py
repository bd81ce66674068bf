import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from keras_genzoo.data import load_dataset, open_source, tables
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded

PNGS = [encoded(np.full((8, 8), value, np.uint8)) for value in range(20)]


def table(rows, labels=None, *, names=None, image="image", label="label", struct=True):
    """A table of images as Hugging Face's datasets writes it."""
    images = [PNGS[row] for row in rows]
    column = pa.array([{"bytes": one, "path": None} for one in images]) if struct else images
    columns = {image: column} | ({} if labels is None else {label: labels})
    made = pa.table(columns)
    if names is None:
        return made
    features = {image: {"_type": "Image"}, label: {"names": names, "_type": "ClassLabel"}}
    return made.replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )


def write(path, *args, group=3, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(*args, **options), path, row_group_size=group)


def values(source):
    images, labels = source.fetch(np.arange(source.num_images))
    return images[:, 0, 0, 0].tolist(), labels.tolist()


@pytest.fixture
def shards(tmp_path):
    """A folder of two shards of training images and one of test images, with named classes."""
    for number, rows in enumerate((range(7), range(7, 12))):
        name = f"train-{number:05}-of-00002.parquet"
        write(tmp_path / "set" / "data" / name, rows, [n % 2 for n in rows], names=["cat", "dog"])
    write(tmp_path / "set" / "data" / "test-00000-of-00001-a1b2.parquet", [15], [1],
          names=["cat", "dog"])  # fmt: skip
    return tmp_path / "set"


def test_shards_are_one_split(shards):
    source = open_source(shards)
    assert (source.image_shape, source.class_names) == ((8, 8, 1), ["cat", "dog"])
    assert values(source) == (list(range(12)), [n % 2 for n in range(12)])
    assert source.describe(8) == f"row 1 of {shards / 'data' / 'train-00001-of-00002.parquet'}"
    assert values(open_source(shards, "test")) == ([15], [1])
    with pytest.raises(GenzooError, match="no split 'validation'; it has: train, test"):
        open_source(shards, "validation")
    batches = list(load_dataset(shards, batch_size=5, shuffle=False, with_labels=True))
    assert [len(images) for images, _ in batches] == [5, 5, 2]


def test_a_missing_shard_is_named(shards):
    (shards / "data" / "train-00001-of-00002.parquet").unlink()
    with pytest.raises(GenzooError, match=r"lacks train-00001-of-00002.parquet"):
        open_source(shards)


@pytest.mark.parametrize("struct", [True, False])
def test_columns_are_found_by_name_and_type(tmp_path, struct):
    path = tmp_path / "some.parquet"
    write(path, [3, 4, 5], [10, 30, 10], image="img", struct=struct)
    source = open_source(path)
    assert source.class_names == ["10", "30"]
    assert values(source) == ([3, 4, 5], [0, 1, 0])
    write(path, [3, 4, 5], ["b", "a", "b"], label="labels", struct=struct)
    assert open_source(path).class_names == ["a", "b"]
    write(path, [3, 4, 5], [0.5, 1.5, 0.5], struct=struct)
    assert open_source(path).num_classes is None


def test_folders_may_name_the_splits(tmp_path):
    write(tmp_path / "train" / "0000.parquet", [1, 2], [5, 9])
    write(tmp_path / "test" / "0000.parquet", [3], [9])
    assert open_source(tmp_path).num_images == 2
    assert values(open_source(tmp_path, "test")) == ([3], [1])
    write(tmp_path / "test" / "0000.parquet", [3], [7])
    with pytest.raises(GenzooError, match="split test, has the label 7"):
        open_source(tmp_path, "test")


def test_a_split_may_have_labels_that_training_lacks(tmp_path):
    write(tmp_path / "train" / "0000.parquet", [1, 2])
    write(tmp_path / "test" / "0000.parquet", [3, 4], [9, 5])
    assert open_source(tmp_path).num_classes is None
    assert values(open_source(tmp_path, "test")) == ([3, 4], [1, 0])


def test_labels_kept_back_are_none(tmp_path):
    write(tmp_path / "a.parquet", [1, 2], [-1, -1], names=["cat", "dog"])
    source = open_source(tmp_path)
    assert (source.num_classes, source.labels_note) == (None, "every label is -1, which means none")
    write(tmp_path / "a.parquet", [1, 2], [1, -1], names=["cat", "dog"])
    with pytest.raises(GenzooError, match="one is -1"):
        open_source(tmp_path)
    write(tmp_path / "a.parquet", [1, 2], [1, None], names=["cat", "dog"])
    with pytest.raises(GenzooError, match=r"1 rows of .* have no 'label'"):
        open_source(tmp_path)


def test_more_rows_than_bytes_are_refused(tmp_path):
    pq.write_table(pa.table({"image": pa.array([b""] * 100_000)}), tmp_path / "a.parquet")
    with pytest.raises(GenzooError, match=r"a.parquet is damaged: it declares 100,000 rows in"):
        open_source(tmp_path / "a.parquet")


@pytest.mark.parametrize("features", [[], 7, {"image": 1}])
def test_what_the_hub_never_wrote_of_columns_is_passed_over(tmp_path, features):
    image = np.zeros((4, 4, 3), np.uint8)
    made = pa.table({"image": [{"bytes": encoded(image), "path": None}]})
    known = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(made.replace_schema_metadata(known), tmp_path / "a.parquet")
    assert open_source(tmp_path / "a.parquet").num_images == 1


def test_memory_stays_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "KEPT_BYTES", 1000)
    monkeypatch.setattr(tables, "usable_memory", lambda: 16_000)
    write(tmp_path / "a.parquet", range(20), group=2)
    source = open_source(tmp_path / "a.parquet")
    order = np.random.RandomState(0).permutation(20)
    assert source.fetch(order)[0][:, 0, 0, 0].tolist() == order.tolist()
    assert source._table._kept_bytes <= 1000
    assert source._table._kept_bytes == sum(one.nbytes for one in source._table._kept.values())


def test_rows_without_an_image_are_skipped(tmp_path):
    column = pa.array([{"bytes": PNGS[1], "path": "a"}, {"bytes": None, "path": "b.png"},
                       {"bytes": b"text", "path": "c"}])  # fmt: skip
    pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    reasons = [reason for _, reason in source.check()]
    assert reasons == ["the row holds no image, or but the path of one", "not an image"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": ["a"]}, "no column of images.*its columns are text"),
        ({"a": [b"x"], "b": [b"y"]}, "several columns of images .a, b."),
        ({"image": pa.array([], pa.binary())}, "holds no images"),
    ],
)
def test_other_tables_are_refused(tmp_path, columns, words):
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(GenzooError, match=words):
        open_source(tmp_path / "a.parquet")


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    write(path, range(6), group=3)
    sound = path.read_bytes()
    for data in (b"", b"text", sound[:-1], sound[10:]):
        path.write_bytes(data)
        with pytest.raises(GenzooError, match=f"cannot read {path}|none of the 6 images"):
            open_source(path)


def test_the_fingerprint_follows_content_and_not_place(tmp_path):
    files = (("a/some", [1, 2]), ("b/some", [1, 2]), ("b/renamed", [1, 2]), ("c/some", [1, 3]))
    for name, rows in files:
        write(tmp_path / f"{name}.parquet", rows)
    first, same, renamed, other = (
        open_source(tmp_path / f"{name}.parquet").fingerprint for name, _ in files
    )
    assert first == same == renamed != other


def test_parquet_beside_images_is_about_them(folder):
    path = folder({"a.png": PNGS[1], "metadata.parquet": b"x", "b/c.png": PNGS[2]})
    with pytest.raises(GenzooError, match="beside class folders"):
        open_source(path)


def test_images_that_differ_from_the_others_are_named(tmp_path):
    odd = encoded(np.zeros((9, 8, 3), np.uint8))
    column = pa.array([{"bytes": one, "path": None} for one in [*PNGS, odd, *PNGS]])
    pq.write_table(pa.table({"image": column}), tmp_path / "a.parquet")
    source = open_source(tmp_path / "a.parquet")
    labels, size, colour = source.notes
    assert labels == "no classes"
    assert "1 image of another size than 8x8" in size
    assert "such as row 20 of" in size
    assert "1 image in colour among grey ones" in colour
