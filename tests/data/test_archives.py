import io
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from keras_genzoo.data import archives, load_dataset, open_source
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded


def flat(value, size=8):
    return encoded(np.full((size, size), value, np.uint8))


@pytest.fixture
def archive(tmp_path):
    """A function that writes files, by name, into a ``.zip`` and returns its path."""

    def write(files, kind=zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "some.zip", "w", kind) as file:
            for name, data in files.items():
                file.writestr(name, data)
        return tmp_path / "some.zip"

    return write


def brightness(source):
    images, labels = source.fetch(np.arange(source.num_images))
    return images[:, 0, 0, 0].tolist(), labels.tolist()


def test_images_side_by_side_have_no_classes(archive):
    source = open_source(archive({f"{n}.png": flat(n) for n in (2, 1, 3)} | {"notes.txt": b"x"}))
    assert (source.image_shape, source.num_classes) == ((8, 8, 1), None)
    assert brightness(source) == ([1, 2, 3], [-1, -1, -1])
    assert source.left_out == [f"{source.name}/notes.txt"]
    assert source.describe(0).endswith("some.zip/1.png")


@pytest.mark.parametrize("wrapper", ["", "faces/", "a/b/"])
def test_folders_are_classes_whatever_folder_all_lies_in(archive, wrapper):
    files = {"cat/1.png": flat(1), "dog/2.png": flat(2), "cat/3.png": flat(3)}
    hidden = {"__MACOSX/cat/._1.png": b"x", ".git/a.png": b"x", "@eaDir/a.png": b"x"}
    source = open_source(archive({wrapper + name: data for name, data in files.items()} | hidden))
    assert source.class_names == ["cat", "dog"]
    assert brightness(source) == ([1, 3, 2], [0, 0, 1])


def test_one_folder_is_no_class(archive):
    assert open_source(archive({"all/1.png": flat(1), "all/2.png": flat(2)})).num_classes is None


def test_splits_have_the_classes_of_train(archive):
    files = {"set/Train/cat/1.png": flat(1), "set/Train/dog/2.png": flat(2)}
    path = archive(files | {"set/Test/dog/3.png": flat(3)})
    assert brightness(open_source(path)) == ([1, 2], [0, 1])
    test = open_source(path, "test")
    assert (test.class_names, brightness(test)) == (["cat", "dog"], ([3], [1]))
    with pytest.raises(GenzooError, match="no split 'validation'; it has: train, test"):
        open_source(path, "val")
    both = {"set/Test/dog/3.png": flat(3), "set/Test/eel/3.png": flat(3)}
    path = archive(files | both)
    with pytest.raises(GenzooError, match="has the class folder eel, which train lacks"):
        open_source(path, "test")
    with pytest.raises(GenzooError, match="can be read in two ways: as the splits Train"):
        open_source(archive(files | {"set/others/3.png": flat(3)}))


def test_many_threads_read_at_once(archive):
    numbers = range(200)
    source = open_source(archive({f"{n:03}.png": flat(n) for n in numbers}))
    with ThreadPoolExecutor(16) as pool:
        images = list(pool.map(source.read, list(numbers) * 5))
    assert [int(image[0, 0, 0]) for image, _ in images] == list(numbers) * 5
    batches = list(load_dataset(source, batch_size=50, shuffle=False))
    assert np.concatenate(batches)[:, 0, 0, 0].tolist() == list(numbers)


def test_damaged_and_oversized_members_are_skipped(archive, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST", 1000)
    files = {"1.png": flat(1), "2.png": b"no image", "3.png": bytes(1001), "4.png": flat(4)}
    source = open_source(archive(files, zipfile.ZIP_STORED))
    reasons = dict(source.check())
    assert [reasons[f"{source.name}/{name}.png"] for name in "23"] == [
        "not an image",
        "says to be of 1,001 bytes, which no image is",
    ]
    path = archive(files, zipfile.ZIP_STORED)
    data = path.read_bytes()
    path.write_bytes(data.replace(files["4.png"], files["4.png"][:-4] + b"xxxx", 1))
    reasons = dict(open_source(path).check())
    assert "CRC" in reasons[f"{path}/4.png"]


def test_other_files_are_refused(archive, tmp_path):
    path = tmp_path / "other.zip"
    path.write_bytes(b"text")
    with pytest.raises(GenzooError, match=r"cannot read .*not a zip file"):
        open_source(path)
    with pytest.raises(GenzooError, match=r"no images in .* \(left out: 1 other file .*a\.txt\)"):
        open_source(archive({"a.txt": b"x"}))
    with pytest.raises(GenzooError, match="images beside class folders"):
        open_source(archive({"1.png": flat(1), "cat/1.png": flat(2)}))
    with pytest.raises(GenzooError, match=r"different sizes .8x8, 9x9.; give an image size"):
        open_source(archive({"1.png": flat(1), "2.png": flat(1, 9)}))


def test_an_encrypted_archive_is_refused(archive):
    path = archive({"1.png": flat(1)})
    data = bytearray(path.read_bytes())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + at] |= 1
    path.write_bytes(data)
    with pytest.raises(GenzooError, match=r"is encrypted \(1.png\); unpack it"):
        open_source(path)


def test_an_archive_is_read_as_the_folder_it_was_packed_from(archive, folder):
    files = {"b/1.png": flat(1), "a/2.png": flat(2), "a/c/3": flat(3), "a-/4.PNG": flat(4)}
    packed, unpacked = open_source(archive(files)), open_source(folder(files))
    assert packed.fingerprint == unpacked.fingerprint
    assert packed.class_names == unpacked.class_names == ["a", "a-", "b"]
    assert brightness(packed) == brightness(unpacked)
    other = open_source(archive(files | {"a/5.png": flat(5)}))
    assert other.fingerprint != packed.fingerprint


def test_names_with_backslashes_are_paths(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number, name in enumerate(("cat", "dog")):
            info = zipfile.ZipInfo("x")
            info.filename = f"{name}\\1.png"
            file.writestr(info, flat(number))
    (tmp_path / "some.zip").write_bytes(buffer.getvalue())
    assert open_source(tmp_path / "some.zip").class_names == ["cat", "dog"]
