"""uint8 images as pictures: one grid out of many, one PNG file, no plotting library."""

import math
import os

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing


def image_grid(
    images: np.ndarray, columns: int | None = None, gap: int = 2, scale: int = 1
) -> np.ndarray:
    """Lay images out in rows, left to right and top to bottom, on white.

    Args:
        images: uint8, shape ``(n, height, width, channels)`` with 1 or 3 channels.
        columns: images in a row; by default the grid is as square as ``n`` allows.
        gap: white pixels between neighbours.
        scale: each pixel becomes ``scale`` x ``scale`` pixels.

    Returns:
        uint8 array ``(grid_height, grid_width, channels)``.

    Raises:
        GenzooError: if the images are not such an array, or there is none, or no column.

    >>> image_grid(np.zeros((6, 8, 8, 1), "uint8"), columns=3).shape
    (18, 28, 1)
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype != np.uint8 or images.shape[-1] not in (1, 3):
        raise GenzooError(
            "a grid takes uint8 images (n, height, width, 1 or 3), not "
            f"{images.dtype} {images.shape}"
        )
    if not len(images):
        raise GenzooError("a grid needs at least one image, got none")
    if columns is not None and columns < 1:
        raise GenzooError(f"a grid has at least 1 column, not {columns}")
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    n, height, width, channels = images.shape
    columns = min(columns or math.ceil(math.sqrt(n)), n)
    rows = math.ceil(n / columns)
    shape = (rows * (height + gap) - gap, columns * (width + gap) - gap, channels)
    grid = np.full(shape, 255, np.uint8)
    for index, image in enumerate(images):
        top, left = (index // columns) * (height + gap), (index % columns) * (width + gap)
        grid[top : top + height, left : left + width] = image
    return grid


def readable_scale(height: int) -> int:
    """Return the whole factor that makes images of this height at least 48 pixels high."""
    return max(1, math.ceil(48 / height))


def save_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write one uint8 image ``(height, width, 1 or 3)`` as PNG, whole or not at all.

    Raises:
        GenzooError: if the file cannot be written.
    """
    from PIL import Image

    with writing(path) as temporary:
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(temporary, "PNG")
