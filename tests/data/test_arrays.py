import numpy as np
import pytest

from keras_genzoo.data import ArraySource, open_source
from keras_genzoo.errors import GenzooError

IMAGES = np.random.RandomState(0).randint(0, 256, (12, 8, 8), np.uint8)
LABELS = np.arange(12) % 3


def test_digits_are_split_at_1500_and_fill_the_range():
    train, test = open_source("digits"), open_source("digits", "test")
    assert (train.num_images, test.num_images) == (1500, 297)
    assert train.image_shape == (8, 8, 1)
    assert train.num_classes == 10
    images, labels = train.fetch(np.arange(1500))
    assert images.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 255)
    assert set(labels) == set(range(10))
    assert labels.dtype == np.int32


def test_digits_have_two_splits():
    with pytest.raises(GenzooError, match="no split 'valid'; it has: train, test"):
        open_source("digits", "valid")


def test_arrays_come_back_as_they_are():
    images, labels = ArraySource(IMAGES, LABELS).fetch(np.array([3, 0]))
    np.testing.assert_array_equal(images[..., 0], IMAGES[[3, 0]])
    np.testing.assert_array_equal(labels, [0, 0])


def test_colour_and_size_as_asked():
    assert ArraySource(IMAGES, image_size=16, channels=3).fetch(np.arange(2))[0].shape == (
        2, 16, 16, 3,
    )  # fmt: skip


def test_the_fingerprint_follows_the_data_and_nothing_else():
    changed = IMAGES.copy()
    changed[5, 0, 0] ^= 1
    same = ArraySource(IMAGES.copy(), LABELS, image_size=4).fingerprint
    assert ArraySource(IMAGES, LABELS).fingerprint == same
    assert len({same, ArraySource(changed, LABELS).fingerprint,
                ArraySource(IMAGES, LABELS[::-1]).fingerprint}) == 3  # fmt: skip


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES / 255, None, "uint8.*astype"),
        (IMAGES[0], None, "shape"),
        (np.zeros((2, 8, 8, 4), np.uint8), None, "1 or 3"),
        (IMAGES[:0], None, "no images"),
        (IMAGES, LABELS[:5], "12 images but 5 labels"),
        (IMAGES, LABELS / 2, "whole numbers or strings, not float64 with fractions"),
        (IMAGES, LABELS - 1, "from 0 on, but one is -1"),
        (IMAGES, np.eye(12, dtype=int), r"shape .12,., not .12, 12.*argmax"),
        (IMAGES, np.full(12, np.nan), "whole numbers"),
        (IMAGES, np.full(12, 2**63, np.uint64), r"whole numbers .* from 2\*\*63 on"),
        (IMAGES, np.full(12, b"\xff"), "UTF-8"),
        (IMAGES, np.array([None] * 12), "whole numbers or strings, not object"),
    ],
)
def test_other_arrays_are_refused(images, labels, words):
    with pytest.raises(GenzooError, match=words):
        ArraySource(images, labels)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_size": 0}, "at least 1"),
        ({"image_size": -3}, "at least 1"),
        ({"image_size": 8.5}, "whole number"),
        ({"image_size": "large"}, "whole number, not 'large'"),
        ({"image_size": (8, 8)}, "whole number"),
        ({"image_size": float("inf")}, "whole number"),
        ({"channels": 2}, "1 .grey. or 3"),
        ({"channels": "grey"}, "whole number, not 'grey'"),
    ],
)
def test_other_sizes_and_channels_are_refused(options, words):
    with pytest.raises(GenzooError, match=words):
        open_source("digits", **options)


def test_classes_are_the_label_values_that_occur():
    source = ArraySource(IMAGES, np.repeat([50, 0, 100], 4))
    assert source.class_names == ["0", "50", "100"]
    assert source.num_classes == 3
    np.testing.assert_array_equal(source.fetch(np.arange(12))[1], np.repeat([1, 0, 2], 4))


def test_names_of_classes_fix_their_numbers():
    names = ["cat", "dog", "eel", "fox"]
    by_number = ArraySource(IMAGES, LABELS + 1, class_names=names)
    by_name = ArraySource(IMAGES, np.array(["dog", "eel", "fox"] * 4), class_names=names)
    for source in (by_number, by_name):
        assert (source.class_names, source.num_classes) == (names, 4)
        np.testing.assert_array_equal(source.fetch(np.arange(12))[1], LABELS + 1)


@pytest.mark.parametrize(
    ("labels", "names", "words"),
    [
        (LABELS, ["cat", "dog"], "label 2, which is none of the 2 classes"),
        (np.array(["ape"] * 12), ["cat", "dog"], "label ape, which is none of"),
        (LABELS, ["cat", "dog", "cat"], "two classes are called 'cat'"),
        (LABELS, [1, 2, 3], "class_names must be strings"),
    ],
)
def test_labels_without_a_name_are_refused(labels, names, words):
    with pytest.raises(GenzooError, match=words):
        ArraySource(IMAGES, labels, class_names=names)


def test_a_label_that_train_lacks_is_refused():
    test = ArraySource(IMAGES, np.full(12, 50), train_labels=np.repeat([50, 7], 4))
    assert (test.class_names, test.read(3)[1]) == (["7", "50"], 1)
    with pytest.raises(GenzooError, match=r"label 8, which is none of the 2 classes .7, 50."):
        ArraySource(IMAGES, np.full(12, 8), train_labels=np.repeat([50, 7], 4))
    with pytest.raises(GenzooError, match="the classes are cat, dog"):
        ArraySource(IMAGES, np.full(12, 8), train_labels=np.array(["cat", "dog"]))


def test_one_label_for_all_is_no_class():
    source = ArraySource(IMAGES, np.full(12, 7))
    assert (source.num_classes, source.class_names, source.read(0)[1]) == (None, None, -1)
    assert source.labels_in_words == "no classes: every label is 7"


def test_labels_that_are_ids_cost_nothing():
    source = ArraySource(IMAGES, 2**62 + np.arange(12) // 2 * 10**9)
    assert source.num_classes == 6
    assert source.class_names[1] == str(2**62 + 10**9)
    each = ArraySource(IMAGES.repeat(9, 0), 5 + np.arange(108))
    assert each.labels_in_words.startswith("108 classes: 5, 6, 7, 8, 9, ...: each image is a class")
