"""IDX files: those of MNIST, and of whoever follows it."""

import gzip
import struct

import numpy as np
import pytest

from keras_genzoo import memory
from keras_genzoo.data import open_source, read_idx, request
from keras_genzoo.data.registry import find_kind
from keras_genzoo.errors import GenzooError

IMAGES = np.random.RandomState(0).randint(0, 256, (12, 5, 6), np.uint8)
LABELS = (np.arange(12) % 3 + 1).astype(np.uint8)


def idx(array, kind=0x08):
    """The bytes of an IDX file."""
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def mnist(tmp_path):
    """A function that writes a small data set into a folder, by how its files are named."""

    def write(images, labels, *, where="set", splits=("train", "t10k"), prefix=""):
        folder = tmp_path / where
        folder.mkdir(parents=True, exist_ok=True)
        for split, count in zip(splits, (12, 5), strict=True):
            for pattern, array in ((images, IMAGES), (labels, LABELS)):
                name = prefix + pattern.format(split)
                data = idx(array[:count])
                (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return folder

    return write


@pytest.mark.parametrize(
    ("images", "labels", "options"),
    [
        ("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz", {}),
        ("{}-images-idx3-ubyte", "{}-labels-idx1-ubyte", {}),
        ("{}-images.idx3-ubyte", "{}-labels.idx1-ubyte", {"where": "set/raw"}),
        (
            "{}-images-idx3-ubyte.gz",
            "{}-labels-idx1-ubyte.gz",
            {"prefix": "emnist-letters-", "splits": ("train", "test")},
        ),
    ],
)
def test_a_folder_of_idx_files_has_the_splits_that_they_name(
    mnist, images, labels, options, tmp_path
):
    mnist(images, labels, **options)
    train, test = (open_source(tmp_path / "set", split) for split in ("train", "test"))
    assert (train.num_images, test.num_images, test.split) == (12, 5, "test")
    for source in (train, test):
        assert (source.image_shape, source.class_names) == ((5, 6, 1), ["1", "2", "3"])
        found, numbers = source.fetch(np.arange(5))
        np.testing.assert_array_equal(found[..., 0], IMAGES[:5])
        np.testing.assert_array_equal(numbers, LABELS[:5] - 1)
    with pytest.raises(GenzooError, match="no split 'none'; it has: train, test"):
        open_source(tmp_path / "set", "none")
    with pytest.raises(GenzooError, match=r"no split 'train\[:5\]'"):
        open_source(tmp_path / "set", "train[:5]")


def test_one_file_is_the_split_train(mnist):
    folder = mnist("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz")
    source = open_source(str(folder / "t10k-images-idx3-ubyte.gz"))
    assert (source.num_images, source.num_classes, source.split) == (5, 3, "train")


def test_files_without_labels_have_no_classes(mnist):
    folder = mnist("{}-images-idx3-ubyte", "{}-others")
    assert open_source(folder).num_classes is None


def test_several_data_sets_in_one_folder_are_refused(mnist):
    for name in ("emnist-letters-", "emnist-digits-"):
        folder = mnist("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz", prefix=name)
    with pytest.raises(GenzooError, match=r"several data sets \(emnist-digits, emnist-letters\)"):
        open_source(folder)
    assert open_source(folder / "emnist-letters-train-images-idx3-ubyte.gz").num_images == 12


def test_rows_of_labels_begin_with_the_class(mnist):
    folder = mnist("{}-images-idx3-ubyte", "{}-none")
    rows = np.stack([LABELS, LABELS + 9], 1).astype(">i4")
    (folder / "train-labels-idx2-int").write_bytes(idx(rows, 0x0C))
    np.testing.assert_array_equal(open_source(folder).fetch(np.arange(12))[1], LABELS - 1)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (idx(IMAGES)[:-1], "is cut short"),
        (idx(IMAGES)[:9], "is cut short"),
        (idx(IMAGES) + b"x", "goes on behind the 12 items"),
        (b"", "is no IDX file"),
        (b"a text that is no array", "is no IDX file"),
        (idx(IMAGES)[:2] + b"\x0d" + idx(IMAGES)[3:], "is no IDX file of bytes"),
        (struct.pack(">HBB3I", 0, 8, 3, 2**32 - 1, 2**16, 2**16), "is cut short"),
    ],
)
def test_damaged_and_foreign_files_are_refused(tmp_path, data, words, packed):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(GenzooError, match=words):
        open_source(tmp_path)


def test_a_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    data = bytearray(gzip.compress(idx(IMAGES)))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(GenzooError, match=r"cannot read|cut short"):
        open_source(path)


def test_more_than_memory_holds_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "usable_memory", lambda: 100)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(IMAGES))
    with pytest.raises(GenzooError, match="GiB in memory"):
        open_source(tmp_path)


def test_what_the_system_has_installed_needs_no_folder(mnist, tmp_path, monkeypatch):
    monkeypatch.setattr(request, "SYSTEM_FOLDERS", (str(tmp_path),))
    mnist("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz", where="fashion-mnist")
    source = open_source("fashion_mnist", "test", data_dir=tmp_path / "none")
    assert (source.name, source.num_images, source.num_classes) == ("fashion_mnist", 5, 10)
    assert source.class_names[9] == "Ankle boot"
    np.testing.assert_array_equal(source.fetch(np.arange(5))[1], LABELS[:5])


@pytest.mark.parametrize("place", ["manual_dir", "prepared"])
def test_what_a_person_has_prepared_or_names_goes_before_the_system_s(
    mnist, tmp_path, monkeypatch, place
):
    monkeypatch.setattr(request, "SYSTEM_FOLDERS", (str(tmp_path),))
    mnist("{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz", where="mnist")
    if place == "prepared":
        (tmp_path / "tfds" / "mnist" / "3.0.1").mkdir(parents=True)
        (tmp_path / "tfds" / "mnist" / "3.0.1" / "dataset_info.json").write_text("{}")
    manual_dir = tmp_path if place == "manual_dir" else None
    wanted = request.DataRequest("mnist", False, tmp_path / "tfds", manual_dir)
    assert find_kind(wanted).opens.endswith("PreparedSource")


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_published_files_are_read(test_data, name):
    source = open_source(test_data / name, "test")
    assert (source.num_images, source.image_shape, source.num_classes) == (10_000, (28, 28, 1), 10)
    assert set(np.bincount(source.fetch(np.arange(10_000))[1])) <= set(range(850, 1150))


@pytest.mark.slow
@pytest.mark.real_data
def test_the_installed_files_hold_what_tensorflow_datasets_prepares(
    test_data, tmp_path, monkeypatch
):
    monkeypatch.setattr(request, "SYSTEM_FOLDERS", (str(test_data),))
    installed = open_source("fashion_mnist", "test", data_dir=tmp_path)
    by_hand = test_data / "fashion_mnist"
    prepared = open_source("fashion_mnist", "test", data_dir=tmp_path, manual_dir=by_hand)
    assert prepared.class_names == installed.class_names
    pairs = [
        sorted((image.tobytes(), int(label)) for image, label in zip(*source, strict=True))
        for source in (one.fetch(np.arange(10_000)) for one in (installed, prepared))
    ]
    assert pairs[0] == pairs[1]
    read = read_idx(by_hand / "t10k-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(installed.read(3)[0][..., 0], read[3])
