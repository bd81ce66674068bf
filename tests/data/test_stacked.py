"""StackedMNIST: what its images and labels are."""

import numpy as np
import pytest

from keras_genzoo.data import StackedSource, open_source
from keras_genzoo.errors import GenzooError


@pytest.fixture(scope="module")
def digits():
    return open_source("digits")


def test_each_channel_is_an_image_of_the_digit_that_its_label_says(digits):
    stacked = StackedSource(digits, "stacked_digits")
    images, labels = stacked.fetch(np.arange(200))
    assert images.shape == (200, 8, 8, 3)
    plain, digit = digits.fetch(np.arange(digits.num_images))
    known = {image.tobytes(): label for image, label in zip(plain, digit, strict=True)}
    for image, label in zip(images, labels, strict=True):
        channels = [np.ascontiguousarray(image[..., c : c + 1]).tobytes() for c in range(3)]
        assert [known[channel] for channel in channels] == [int(d) for d in f"{label:03}"]
    assert stacked.class_names[7] == "007"


def test_all_modes_occur_about_as_often(digits):
    stacked = StackedSource(digits, "stacked_digits")
    _, labels = stacked.fetch(np.arange(stacked.num_images))
    assert len(np.unique(labels)) == pytest.approx(1000 * (1 - np.exp(-1.5)), abs=40)
    again, _ = StackedSource(digits, "stacked_digits").fetch(np.arange(5))
    np.testing.assert_array_equal(again, stacked.fetch(np.arange(5))[0])


def test_only_grey_images_of_ten_classes_are_stacked():
    with pytest.raises(GenzooError, match="only grey images of 10 classes"):
        StackedSource(open_source("digits", channels=3), "stacked_digits")


@pytest.mark.slow
@pytest.mark.real_data
def test_stacked_mnist_is_made_of_mnist(test_data, tmp_path_factory):
    places = {"data_dir": tmp_path_factory.mktemp("tfds"), "manual_dir": test_data / "mnist"}
    source = open_source("stacked_mnist", "test", **places)
    assert (source.num_images, source.image_shape, source.num_classes) == (
        10_000,
        (28, 28, 3),
        1000,
    )
    with pytest.raises(GenzooError, match="has 3 channels, not 1; take mnist"):
        open_source("stacked_mnist", channels=1, **places)
