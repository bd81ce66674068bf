"""From a name or path to the kind of source it is, and the texts that list the kinds."""

import struct
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from keras_genzoo.cli.data import list_
from keras_genzoo.data import SOURCES, ArraySource, open_source, paths_in_words
from keras_genzoo.data.registry import file_suffixes, find_kind
from keras_genzoo.data.request import DataRequest, file_kind
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded


def open_dots(path, split, **options):
    rows = [[255 * (mark == "#") for mark in line] for line in path.read_text().split()]
    return ArraySource(np.array([rows], np.uint8), name=str(path), split=split)


@pytest.fixture
def dots(tmp_path):
    """A kind of source of one's own, and a file of it."""

    SOURCES.register("dots", file_kind("a .dots file", ".dots", f"{__name__}:open_dots"))
    (tmp_path / "a.dots").write_text("#.#\n.#.\n")
    yield tmp_path / "a.dots"
    del SOURCES._entries["dots"]


def test_one_line_makes_a_kind_of_source_known_everywhere(dots, monkeypatch):
    assert open_source(dots).read(0)[0][..., 0].tolist() == [[255, 0, 255], [0, 255, 0]]
    assert paths_in_words().endswith("or a .dots file")
    with pytest.raises(GenzooError, match=r"is a file; expected a folder of .* or a \.dots file"):
        open_source(__file__)
    with pytest.raises(GenzooError, match=r"there is no folder or file some.dots"):
        open_source("some.dots")
    said = []
    monkeypatch.setattr("click.echo", said.append)
    list_.callback()
    assert "or a .dots file will do, too" in said[-1]


def test_every_file_kind_is_named_by_its_suffix():
    assert set(file_suffixes()) >= {".npz", ".npy", ".zip", ".parquet"}
    for suffix in (*file_suffixes(), ".txt", "-images-idx3-ubyte.gz"):
        with pytest.raises(GenzooError, match=f"there is no folder or file none{suffix}"):
            open_source(f"none{suffix}")


def test_names_are_no_paths_and_paths_no_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits" / "a.png").write_bytes(encoded(np.zeros((8, 8), np.uint8)))
    assert open_source("digits").num_images == 1500
    assert open_source(tmp_path / "digits").num_images == 1
    assert find_kind(DataRequest("emnist/letters")).by_name
    assert find_kind(DataRequest("emnist/letters", is_path=True)) is None


def test_telling_the_kind_imports_no_reader(tmp_path):
    code = f"""
        import sys
        from keras_genzoo.data.request import DataRequest
        from keras_genzoo.data.registry import find_kind
        assert find_kind(DataRequest({str(tmp_path)!r})).words == "a folder of images"
        assert find_kind(DataRequest("mnist")) is not None
        heavy = {{"numpy", "PIL", "pyarrow", "zipfile", "tensorflow", "tensorflow_datasets"}}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True)


@pytest.mark.parametrize("name", ["a.npz", "a.parquet", "train-images-idx3-ubyte"])
def test_labels_that_no_one_wants_may_be_anything(name, tmp_path):
    images, labels = np.zeros((4, 8, 8), np.uint8), np.array([-1, 0, 1, 2])
    if name == "a.npz":
        np.savez(tmp_path / name, images=images, labels=labels)
    elif name == "a.parquet":
        files = [encoded(image) for image in images]
        pq.write_table(pa.table({"image": files, "label": labels}), tmp_path / name)
    else:
        (tmp_path / name).write_bytes(
            b"\0\0\x08\3" + struct.pack(">3I", 4, 8, 8) + images.tobytes()
        )
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(b"damaged")
    with pytest.raises(GenzooError):
        open_source(tmp_path / name)
    source = open_source(tmp_path / name, labels="none")
    assert source.labels_in_words == "no classes: as asked for by labels none"
    with pytest.raises(GenzooError, match="is no folder of images, whose folders"):
        open_source(tmp_path / name, labels="folders")
