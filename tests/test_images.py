import re

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import image_grid, readable_scale, save_png, uint8_hint, warn_of_masks


def test_images_lie_in_rows():
    images = np.arange(5, dtype="uint8").reshape(5, 1, 1, 1).repeat(2, 1).repeat(3, 2)
    grid = image_grid(images, columns=3, gap=1)
    white = [255]
    rows = [
        [0] * 3 + white + [1] * 3 + white + [2] * 3,
        [255] * 11,
        [3] * 3 + white + [4] * 3 + white + [255] * 3,
    ]
    expected = np.array([rows[0], rows[0], rows[1], rows[2], rows[2]], "uint8")
    np.testing.assert_array_equal(grid[..., 0], expected)


@pytest.mark.parametrize(("count", "columns", "shape"), [(9, None, (3, 3)), (3, 8, (1, 3))])
def test_shape(count, columns, shape):
    grid = image_grid(np.zeros((count, 4, 5, 3), "uint8"), columns, gap=0, scale=2)
    assert grid.shape == (shape[0] * 8, shape[1] * 10, 3)


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 4, 4, 1)), np.zeros((4, 4, 1), "uint8"), np.zeros((2, 4, 4, 2), "uint8")],
)
def test_what_is_no_image_is_refused(images):
    with pytest.raises(GenzooError, match="a grid takes uint8 images"):
        image_grid(images)


def test_a_grid_of_nothing_or_in_no_columns_is_refused():
    with pytest.raises(GenzooError, match="at least one image"):
        image_grid(np.zeros((0, 4, 4, 1), "uint8"))
    with pytest.raises(GenzooError, match="at least 1 column"):
        image_grid(np.zeros((2, 4, 4, 1), "uint8"), columns=-1)


@pytest.mark.parametrize(("height", "scale"), [(8, 6), (28, 2), (47, 2), (48, 1), (100, 1)])
def test_small_images_are_enlarged(height, scale):
    assert readable_scale(height) == scale


@pytest.mark.parametrize("channels", [1, 3])
def test_a_png_holds_every_pixel(tmp_path, channels):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, channels), "uint8")
    save_png(tmp_path / "a.png", image)
    read = np.asarray(Image.open(tmp_path / "a.png"))
    np.testing.assert_array_equal(read.reshape(image.shape), image)


GREY = np.arange(256, dtype="uint8")
WRONG = {
    "floats in [0, 1]": GREY / 255,
    "floats in [0, 1], float32": (GREY / 255).astype("float32"),
    "floats in [-1, 1]": GREY / 127.5 - 1,
    "floats from 0 to 255": GREY.astype("float32"),
    "int64": GREY.astype("int64"),
    "uint16": GREY.astype("uint16") * 257,
}


@pytest.mark.parametrize("kind", WRONG)
def test_the_hint_makes_the_uint8_images_that_the_values_came_from(kind):
    images = WRONG[kind]
    code = uint8_hint(images).partition("pass ")[2]
    np.testing.assert_array_equal(eval(code, {"np": np, "images": images}), GREY)


@pytest.mark.parametrize("mask", [GREY > 127, (GREY > 127).astype("int64"), (GREY > 127) * 1.0])
def test_the_hint_makes_masks_black_and_white(mask):
    code = uint8_hint(mask).partition("pass ")[2]
    np.testing.assert_array_equal(eval(code, {"np": np, "images": mask}), (GREY > 127) * 255)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([0.1, np.nan]), "with NaN or infinite values"),
        (np.array([-3.0, 9.0]), r"float64 in \[-3, 9\]: scale them to 0 to 255"),
        (np.array(["a"]), "they are <U1"),
        (np.zeros(0), "they are float64: pass uint8"),
    ],
)
def test_the_hint_says_what_there_is_where_it_knows_no_way(values, words):
    assert re.search(words, uint8_hint(values))


def test_masks_are_warned_of_and_black_images_are_not():
    with pytest.warns(UserWarning, match=r"0 and 1 only.*pass images \* 255"):
        warn_of_masks(np.array([0, 1, 1], "uint8"))
    for values in ([0, 0], [0, 2], []):
        warn_of_masks(np.array(values, "uint8"))
