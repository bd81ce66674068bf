import numpy as np
import pytest

from keras_genzoo import memory
from keras_genzoo.data import load_dataset, open_source
from keras_genzoo.errors import GenzooError

IMAGES = np.random.RandomState(0).randint(0, 256, (12, 8, 8), np.uint8)
COLOUR = np.random.RandomState(1).randint(0, 256, (12, 8, 8, 3), np.uint8)
LABELS = np.arange(12) % 3


@pytest.fixture
def npz(tmp_path):
    """A function that writes an ``.npz`` file and returns its path."""

    def write(**arrays):
        np.savez(tmp_path / "some.npz", **arrays)
        return tmp_path / "some.npz"

    return write


@pytest.mark.parametrize(
    ("arrays", "splits"),
    [
        ({"images": IMAGES, "labels": LABELS}, {"train": 12}),
        ({"faces": IMAGES}, {"train": 12}),
        ({"X": IMAGES, "y": LABELS}, {"train": 12}),
        ({"data": IMAGES, "target": LABELS[:, None]}, {"train": 12}),
        ({"arr_0": IMAGES, "arr_1": LABELS}, {"train": 12}),
        (
            {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:5], "y_test": LABELS[:5]},
            {"train": 12, "test": 5},
        ),
        (
            {
                "train_images": IMAGES,
                "train_labels": LABELS[:, None],
                "val_images": IMAGES[:6],
                "val_labels": LABELS[:6, None],
                "test_images": IMAGES[:5],
                "test_labels": LABELS[:5, None],
            },
            {"train": 12, "validation": 6, "test": 5},
        ),
    ],
)
def test_the_names_that_people_give_arrays_are_known(npz, arrays, splits):
    path = npz(**arrays)
    for split, count in splits.items():
        source = open_source(path, split)
        assert (source.num_images, source.split) == (count, split)
        images, labels = source.fetch(np.arange(5))
        np.testing.assert_array_equal(images[..., 0], IMAGES[:5])
        if len(arrays) > 1:
            assert source.class_names == ["0", "1", "2"]
            np.testing.assert_array_equal(labels, LABELS[:5])
    with pytest.raises(GenzooError, match=f"it has: {', '.join(splits)}"):
        open_source(path, "none")


def test_labels_mean_the_same_in_every_split(npz):
    arrays = {"x_train": IMAGES, "y_train": LABELS * 50, "x_test": IMAGES[:2]}
    test = open_source(npz(**arrays, y_test=np.array([100, 100])), "test")
    assert test.class_names == ["0", "50", "100"]
    assert test.read(0)[1] == 2
    path = npz(**arrays, y_test=np.array([100, 60]))
    with pytest.raises(GenzooError, match="split test, has the label 60"):
        open_source(path, "test")


def test_names_of_classes_beside_numbers_come_back(npz):
    names = np.array(["T-shirt/top", "Trouser", "\u00e9", "10"])
    source = open_source(npz(images=COLOUR, labels=LABELS.astype("int32"), class_names=names))
    assert source.class_names == names.tolist()
    np.testing.assert_array_equal(source.fetch(np.arange(12))[1], LABELS)
    one = open_source(npz(images=COLOUR, labels=np.full(12, 3), class_names=names))
    assert (one.num_classes, one.read(0)[1]) == (4, 3)


def test_labels_that_are_words_are_classes(npz):
    source = open_source(npz(images=IMAGES, labels=np.array(["dog", "cat", "eel"] * 4)))
    assert source.class_names == ["cat", "dog", "eel"]
    np.testing.assert_array_equal(source.fetch(np.arange(3))[1], [1, 0, 2])


def test_several_labels_an_image_are_no_classes(npz):
    source = open_source(npz(train_images=IMAGES, train_labels=np.zeros((12, 14), "uint8")))
    assert source.num_classes is None
    assert source.labels_note == "each image has 14 labels, 'train_labels'"


def test_statistics_of_a_reference_batch_are_those_of_its_images_as_stored(npz):
    mean, covariance = np.arange(4.0), np.eye(4)
    path = npz(arr_0=COLOUR, mu=mean, sigma=covariance, mu_s=mean, sigma_s=covariance)
    source = open_source(path)
    assert source.num_classes is None
    np.testing.assert_array_equal(source.statistics[0], mean)
    np.testing.assert_array_equal(source.statistics[1], covariance)
    assert open_source(path, image_size=4).statistics is None
    assert open_source(path, channels=1).statistics is None
    with pytest.raises(GenzooError, match=r"shapes \(d,\) and \(d, d\), not \(4,\) and \(3, 3\)"):
        open_source(npz(arr_0=COLOUR, mu=mean, sigma=np.eye(3)))
    with pytest.raises(GenzooError, match=r"statistics of images .mu, sigma. and no images"):
        open_source(npz(mu=mean, sigma=covariance))


def test_other_archives_are_refused(npz, tmp_path):
    with pytest.raises(GenzooError, match="holds one, two; expected images and labels, x_train"):
        open_source(npz(one=IMAGES, two=IMAGES))
    with pytest.raises(GenzooError, match="pickled"):
        open_source(npz(images=np.array([{"a": 1}], object)))
    path = tmp_path / "other.npz"
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(GenzooError, match="cannot read"):
        open_source(path)
    path.write_bytes(b"a text, which NumPy takes for a pickle")
    with pytest.raises(GenzooError, match=r"its content is no \.npz file"):
        open_source(path)


def test_what_is_larger_than_memory_is_not_read(npz, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "usable_memory", lambda: 700)
    with pytest.raises(GenzooError, match=r"'images' of .* GiB in memory and this machine has"):
        open_source(npz(images=IMAGES))
    np.save(tmp_path / "some.npy", IMAGES)
    with pytest.raises(GenzooError, match=r"some.npy takes .* GiB in memory"):
        open_source(tmp_path / "some.npy")


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


def test_a_single_npy_is_images(tmp_path):
    path = tmp_path / "faces.npy"
    np.save(path, COLOUR)
    source = open_source(path)
    assert (source.num_images, source.image_shape, source.num_classes) == (12, (8, 8, 3), None)
    np.testing.assert_array_equal(next(iter(load_dataset(path, batch_size=12, shuffle=False))),
                                  COLOUR)  # fmt: skip
    with pytest.raises(GenzooError, match="no split 'test'; it has: train"):
        open_source(path, "test")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(GenzooError, match="cannot read"):
        open_source(path)
    path.write_bytes(b"text")
    with pytest.raises(GenzooError, match=r"its content is no \.npy file"):
        open_source(path)
