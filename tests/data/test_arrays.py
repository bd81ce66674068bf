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
        (IMAGES, LABELS / 2, "integers"),
        (IMAGES, LABELS - 1, "count from 0"),
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


@pytest.mark.parametrize(
    ("arrays", "splits"),
    [
        ({"images": IMAGES, "labels": LABELS}, {"train": 12}),
        ({"faces": IMAGES}, {"train": 12}),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:5], "y_test": LABELS[:5]},
            {"train": 12, "test": 5},
        ),
    ],
)
def test_npz_files_are_read(tmp_path, arrays, splits):
    np.savez(tmp_path / "some.npz", **arrays)
    for split, count in splits.items():
        source = open_source(tmp_path / "some.npz", split)
        assert source.num_images == count
        np.testing.assert_array_equal(source.fetch(np.arange(5))[0][..., 0], IMAGES[:5])
    with pytest.raises(GenzooError, match=f"it has: {', '.join(splits)}"):
        open_source(tmp_path / "some.npz", "none")


def test_npz_without_images_or_with_pickles_is_refused(tmp_path):
    path = tmp_path / "some.npz"
    np.savez(path, one=IMAGES, two=IMAGES)
    with pytest.raises(GenzooError, match="holds one, two; expected an array 'images'"):
        open_source(path)
    np.savez(path, images=np.array([{"a": 1}], object))
    with pytest.raises(GenzooError, match="pickled"):
        open_source(path)
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(GenzooError, match="cannot read"):
        open_source(path)


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_a_damaged_compressed_npz_is_refused_or_right(tmp_path, mask):
    path = tmp_path / "some.npz"
    np.savez_compressed(path, images=IMAGES[:4] // 64, labels=LABELS[:4])
    sound, refused = path.read_bytes(), 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ mask]) + sound[place + 1 :])
        try:
            images = open_source(path).fetch(np.arange(4))[0][..., 0]
        except GenzooError:
            refused += 1
        else:
            np.testing.assert_array_equal(images, IMAGES[:4] // 64)
    assert refused > len(sound) / 2
