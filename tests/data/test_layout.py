"""What the folders around images are taken for: splits, classes, parts, or nothing."""

import os
from pathlib import Path

import numpy as np
import pytest

from keras_genzoo.data import ArraySource, open_source
from keras_genzoo.data.layout import split_of
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded, gradient_image

PIXELS = encoded(gradient_image(8, 8))


@pytest.fixture
def images(folder):
    """A function that writes one and the same image under many names, and returns the folder."""
    return lambda *names: folder(dict.fromkeys(names, PIXELS))


def labels(source):
    return source.fetch(np.arange(source.num_images))[1].tolist()


def test_class_folders_become_labels_in_the_order_of_their_names(images):
    source = open_source(str(images("dogs/deep/a.png", "cats/b.png", "cats/c.PNG")))
    assert (source.class_names, source.num_classes) == (["cats", "dogs"], 2)
    assert labels(source) == [0, 0, 1]
    assert source.labels_in_words == "2 classes: cats, dogs"


@pytest.mark.parametrize("depth", ["faces", "faces/faces", "a/b/c"])
def test_one_folder_is_no_class(images, depth):
    source = open_source(images(f"{depth}/1.png", f"{depth}/2.png"))
    assert (source.num_images, source.num_classes, source.class_names) == (2, None, None)
    assert source.labels_in_words == f"no classes: one folder ({depth})"
    assert labels(source) == [-1, -1]


def test_images_side_by_side_have_no_classes(images):
    source = open_source(images("1.png", "2.png"))
    assert source.num_classes is None
    assert source.labels_in_words == "no classes: one folder"


@pytest.mark.parametrize("wrapper", ["archive", "a/b"])
def test_wrappers_around_class_folders_are_gone_through(images, wrapper):
    source = open_source(images(f"{wrapper}/cats/1.png", f"{wrapper}/dogs/1.png"))
    assert source.class_names == ["cats", "dogs"]
    assert labels(source) == [0, 1]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        *((name, "train") for name in ("train", "Train", "TRAINING", "training_set", "train_set",
          "Trainset", "seg_train", "trainval", "trn", "train2017", "train_images")),
        *((name, "test") for name in ("Test", "testing", "test-set", "seg_test", "tst", "test1")),
        *((name, "validation") for name in ("val", "valid", "Validation", "valid_set",
          "validation set", "dev", "val2017")),
        *((name, "prediction") for name in ("seg_pred", "Predictions")),
        *((name, None) for name in ("cats", "trains", "trainA", "testament", "set", "images", "1",
          "value", "train_cats")),
    ],
)  # fmt: skip
def test_splits_have_many_spellings(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("Train", "Test"),
        ("training_set", "test_set"),
        ("archive/Training", "archive/Testing"),
        ("seg_train/seg_train", "seg_test/seg_test"),
        ("a/b/trainval", "a/b/test"),
        ("data/train/images", "data/test/images"),
    ],
)
def test_test_images_are_never_trained_on(images, train, test):
    path = images(f"{train}/a/1.png", f"{train}/b/1.png", f"{test}/a/2.png", f"{test}/b/2.png")
    for split in ("train", "test"):
        source = open_source(path, split)
        assert source.num_images == 2
        assert source.class_names == ["a", "b"]
        assert labels(source) == [0, 1]
        assert any(note.startswith("splits: train in ") for note in source.notes)
    with pytest.raises(GenzooError, match="no split 'validation'; it has: train, test"):
        open_source(path, "validation")


@pytest.mark.parametrize("spelling", ["validation", "val", "valid_set", "dev"])
def test_a_split_is_opened_by_any_of_its_names(images, spelling):
    path = images("train/1.png", f"{spelling}/1.png")
    for asked in ("validation", "val", "valid", spelling):
        source = open_source(path, asked)
        assert (source.split, source.num_images) == ("validation", 1)
    with pytest.raises(GenzooError, match=r"no split 'train\[:1\]'; it has: train, validation"):
        open_source(path, "train[:1]")


@pytest.mark.parametrize(
    ("first", "second"), [("val", "validation"), ("train", "trainval"), ("Test", "test_set")]
)
def test_two_spellings_of_one_split_are_refused(images, first, second):
    path = images("train/1.png", f"{first}/1.png", f"{second}/1.png")
    with pytest.raises(GenzooError, match=f"{first} and {second}, which are one split; keep one"):
        open_source(path)


def test_labels_mean_the_same_in_every_split(images):
    path = images("train/a/1.png", "train/b/1.png", "train/c/1.png", "test/b/1.png",
                  "test/c/1.png", "val/images/c/1.png")  # fmt: skip
    test = open_source(path, "test")
    assert (test.class_names, test.num_classes) == (["a", "b", "c"], 3)
    assert labels(test) == [1, 2]
    assert labels(open_source(path, "validation")) == [2]


@pytest.mark.parametrize("trained", [("train/a/1.png", "train/b/1.png"), ("train/1.png",)])
def test_a_class_that_train_lacks_is_refused(images, trained):
    path = images(*trained, "test/a/1.png", "test/d/1.png")
    with pytest.raises(GenzooError, match=r"test has the class folder [ad], which .*train lacks"):
        open_source(path, "test")


@pytest.mark.parametrize("name", ["test/1.png", "test/unknown/1.png", "test1/test1/1.png"])
def test_a_split_without_the_classes_of_train_has_no_labels(images, name):
    source = open_source(images("train/a/1.png", "train/b/1.png", name), "test")
    assert (source.num_classes, source.class_names, labels(source)) == (None, None, [-1])
    assert "none of the classes of train" in source.labels_in_words


@pytest.mark.parametrize("names", [("test",), ("test", "val")])
def test_without_a_split_to_train_on_none_is_made_up(images, names):
    path = images(*(f"{name}/1.png" for name in names))
    with pytest.raises(GenzooError, match=r"no split 'train'; it has: .*test"):
        open_source(path)
    assert open_source(path, "test").num_images == 1


@pytest.mark.parametrize(
    "classes", [("boat", "car", "train"), ("boat", "test"), ("boat", "test", "val")]
)
def test_classes_may_be_named_like_splits(images, classes):
    path = images(*(f"{name}/1.png" for name in classes))
    source = open_source(path)
    assert source.class_names == list(classes)
    assert source.num_images == len(classes)
    with pytest.raises(GenzooError, match="no split 'test'; it has: train"):
        open_source(path, "test")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ["train/1.png", "test/1.png", "boat/1.png"],
            "splits train, test, without boat, or as the classes boat, test, train; move boat",
        ),
        (["train/a/1.png", "boat/1.png"], "splits train, without boat, or as the classes boat"),
        (["train/1.png", "test/1.png", "2.png"], r"beside the splits train, test \(2\.png\)"),
        (
            ["trainA/1.png", "trainB/1.png", "testA/1.png", "testB/1.png"],
            "testA, trainA, which are neither",
        ),
        (["a/train/1.png", "a/test/1.png", "b/1.png"], "holds the splits test, train in a;"),
        (["a/1.png", "2.png"], r"beside class folders \(2\.png beside a/\)"),
        (["data/a/1.png", "data/2.png"], r"data/? holds images beside class folders \(2\.png"),
    ],
)
def test_folders_with_two_readings_are_refused(images, names, words):
    path = images(*names)
    with pytest.raises(GenzooError, match=words):
        open_source(path)


def test_the_flag_takes_what_looks_like_splits_for_classes(images):
    flat = images("train/1.png", "test/1.png")
    assert open_source(flat, labels="folders").class_names == ["test", "train"]
    (flat / "boat").mkdir()
    (flat / "boat" / "1.png").write_bytes(PIXELS)
    assert open_source(flat, labels="folders").class_names == ["boat", "test", "train"]


def test_a_drawing_beside_a_wrapper_hides_no_splits(images):
    path = images("a/train/1.png", "a/test/1.png")
    (path / "docs").mkdir()
    for drawing in ("docs/figure.svg", "logo.svg"):
        (path / drawing).write_text("<svg/>")
    assert open_source(path, "test").num_images == 1


def test_with_the_flag_splits_of_class_folders_stay_splits(images):
    path = images("train/cats/1.png", "test/cats/1.png", "test/cats/2.png")
    for split, number in (("train", 1), ("test", 2)):
        source = open_source(path, split, labels="folders")
        assert (source.num_images, source.class_names) == (number, ["cats"])


@pytest.mark.parametrize("style", ["{:05d}", "{:03d}", "part-{}", "images_{:03d}", "Batch {}"])
def test_numbered_parts_are_no_classes(images, style):
    names = [style.format(number) for number in range(3)]
    path = images(*(f"{name}/{n}.png" for name in names for n in range(3)))
    source = open_source(path)
    assert (source.num_images, source.num_classes) == (9, None)
    assert f"3 numbered folders of one kind ({names[0]} to {names[-1]})" in source.labels_in_words
    assert "--labels folders makes them classes" in source.labels_in_words
    relabelled = open_source(path, labels="folders")
    assert relabelled.class_names == names
    assert relabelled.fingerprint == source.fingerprint


def test_parts_may_be_numbered_by_their_first_image(images):
    names = [f"{part:05d}/{n}.png" for part in (0, 1000, 2000) for n in range(2)]
    assert open_source(images(*names)).num_classes is None


@pytest.mark.parametrize(
    "counts",
    [
        {str(digit): 3 for digit in range(10)},
        {f"{digit:02d}": 3 for digit in range(1, 11)},
        {"00000": 2, "00001": 9, "00002": 5},
        {"000": 3, "001": 3, "007": 3},
        {"n01440764": 3, "n01443537": 3},
        {"s1": 3, "s2": 3},
        {"001.albatross": 3, "002.finch": 3},
        {"1990": 3, "1991": 3},
    ],
)
def test_numbers_may_be_classes(images, counts):
    names = [f"{name}/{n}.png" for name, number in counts.items() for n in range(number)]
    assert open_source(images(*names)).class_names == sorted(counts)


def test_folders_without_an_image_shift_no_number(images):
    path = images("train/a/1.png", "train/c/1.png", "test/c/1.png")
    for empty in ("train/b", "test/a", "test/b"):
        (path / empty).mkdir()
    (path / "train" / "b" / "notes.txt").write_text("no image")
    for split, expected in (("train", [0, 1]), ("test", [1])):
        source = open_source(path, split)
        assert source.class_names == ["a", "c"]
        assert labels(source) == expected
        assert source.labels_in_words == (
            "2 classes: a, c; without an image, and so no class: b"
        )  # fmt: skip
    with pytest.raises(GenzooError, match="class folders without an image, such as b"):
        open_source(path, strict=True)


def test_what_systems_leave_behind_is_neither_class_nor_image(images):
    junk = ("@eaDir", "__MACOSX", ".ipynb_checkpoints", "#recycle", ".git")
    path = images("a/1.png", "b/1.png", *(f"{name}/1.png" for name in junk),
                  *(f"a/{name}/1.png" for name in junk), "a/.hidden.png")  # fmt: skip
    (path / "Thumbs.db").write_bytes(PIXELS)
    (path / "desktop.ini").write_text("[.ShellClassInfo]")
    source = open_source(path)
    assert (source.num_images, source.class_names, source.left_out) == (2, ["a", "b"], [])
    assert source.labels_in_words == "2 classes: a, b"
    assert open_source(images("only/@eaDir/1.png")).num_images == 2


def test_a_wrapper_is_one_beside_folders_without_images(folder):
    path = folder({"Img/1.png": PIXELS, "Anno/list.txt": b"1", "readme.md": b"faces"})
    source = open_source(path)
    assert source.num_classes is None
    path = folder({"data/Train/1.png": PIXELS, "data/Test/1.png": PIXELS, "data/test.csv": b""})
    (path / "Img" / "1.png").unlink()
    assert open_source(path, "test").num_images == 1


def test_every_folder_is_a_class_on_request(images):
    source = open_source(images("faces/1.png"), labels="folders")
    assert (source.class_names, labels(source)) == (["faces"], [0])
    with pytest.raises(GenzooError, match="side by side and no class folders"):
        open_source(images("faces/1.png") / "faces", labels="folders")


def test_labels_are_left_out_on_request(images):
    source = open_source(images("a/1.png", "b/1.png", "2.png"), labels="none")
    assert (source.num_images, source.num_classes, labels(source)) == (3, None, [-1] * 3)
    digits = open_source("digits", labels="none")
    assert (digits.num_classes, digits.class_names) == (None, None)
    assert digits.fingerprint == open_source("digits").fingerprint
    np.testing.assert_array_equal(digits.fetch(np.arange(5))[1], [-1] * 5)
    with pytest.raises(GenzooError, match="digits is no folder of images"):
        open_source("digits", labels="folders")
    with pytest.raises(GenzooError, match="unknown labels 'folder'; did you mean 'folders'"):
        open_source("digits", labels="folder")


def test_every_source_says_its_classes():
    assert open_source("digits").notes == ["10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"]
    pixels = np.zeros((20, 2, 2), np.uint8)
    assert ArraySource(pixels).notes == ["no classes"]
    assert ArraySource(pixels, np.arange(20)).notes == ["20 classes: 0, 1, 2, 3, 4, ..."]


def test_a_class_whose_name_is_not_utf8_is_shown_escaped(images):
    path = images("a/1.png")
    odd = Path(os.fsdecode(os.fsencode(path) + b"/caf\xe9"))
    odd.mkdir()
    (odd / "1.png").write_bytes(PIXELS)
    source = open_source(path)
    assert source.class_names == ["a", r"caf\xe9"]
    assert labels(source) == [0, 1]
    assert source.describe(1).endswith(r"caf\xe9/1.png")
    source.labels_in_words.encode()


def test_the_fingerprint_does_not_depend_on_what_folders_are_taken_for(images):
    path = images("faces/1.png", "faces/2.png")
    prints = {open_source(path, labels=labels).fingerprint for labels in
              ("auto", "folders", "none")}  # fmt: skip
    assert len(prints) == 1
