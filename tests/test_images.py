import numpy as np
import pytest
from PIL import Image

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import image_grid, readable_scale, save_png


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
