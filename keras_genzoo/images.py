"""uint8 images: grids, PNG files, and hints for images of other types."""

import math
import os
import warnings
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing

if TYPE_CHECKING:
    from PIL.Image import Image

# White pixels between the images of a grid.
GAP = 2


def image_grid(
    images: np.ndarray, columns: int | None = None, gap: int = GAP, scale: int = 1
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
        GenzooError: if the images are not such an array, there are none, or ``columns`` is below 1.

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


def check_grid(count: int, tile: tuple[int, int]) -> None:
    """Refuse a grid that is too large for a picture.

    Args:
        count: number of images.
        tile: height and width of one in the grid, in pixels.

    Raises:
        GenzooError: if it has more pixels than Pillow reads without a warning.
    """
    from PIL import Image

    pixels, most = count * tile[0] * tile[1], Image.MAX_IMAGE_PIXELS
    if most and pixels > most:
        raise GenzooError(
            f"a grid of {count:,} images has {pixels / 1e6:,.0f} million pixels, and readers of "
            f"PNG take {most / 1e6:.0f} million; ask for fewer images (-n), or for arrays, with "
            "--out NAME.npz"
        )


def readable_scale(height: int) -> int:
    """Return the whole factor that makes images of this height at least 48 pixels high."""
    return max(1, math.ceil(48 / height))


def save_png(path: str | os.PathLike, image: np.ndarray) -> None:
    """Write one uint8 image ``(height, width, 1 or 3)`` as PNG, completely or not at all.

    Raises:
        GenzooError: if the file cannot be written.
    """
    with writing(path) as temporary:
        as_pillow(image).save(temporary, "PNG")


def as_pillow(image: np.ndarray) -> "Image":
    """Return a uint8 image ``(height, width, 1 or 3)`` as an image of Pillow."""
    from PIL import Image

    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def read_png(path: str | os.PathLike) -> np.ndarray:
    """Return the pixels of a PNG file, uint8 ``(height, width, 3)``; a link is not followed.

    Raises:
        GenzooError: if the file is not a PNG, damaged, a link, or has more pixels than Pillow's
            limit.
    """
    from PIL import Image

    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(handle, "rb") as file, warnings.catch_warnings():
            # This package draws no images beyond Pillow's limit, so such a file is an error.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=["PNG"]) as image:
                return np.asarray(image.convert("RGB"))
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise GenzooError(f"{path} is damaged: {error}; remove it to go on") from error


def uint8_hint(values: np.ndarray) -> str:
    """Return a hint for an array that is not uint8: what it holds, and how to convert it.

    >>> print(uint8_hint(np.array([0.0, 0.5, 1.0])))
    they are float64 in [0, 1]: pass np.rint(255 * images).astype('uint8')
    >>> print(uint8_hint(np.array([0, 128, 255])))
    they are int64 in [0, 255]: pass images.astype('uint8')
    """
    values = np.asarray(values)
    kind = values.dtype.kind
    if kind == "b":
        return "they are bool: pass images.astype('uint8') * 255"
    if kind not in "iuf" and str(values.dtype) != "bfloat16":
        return f"they are {values.dtype}: pass numbers from 0 to 255 as uint8"
    if not values.size:
        return f"they are {values.dtype}: pass uint8"
    low, high = float(values.min()), float(values.max())
    found = f"they are {values.dtype} in [{low:g}, {high:g}]"
    if not np.isfinite([low, high]).all():
        return f"they are {values.dtype} with NaN or infinite values: remove those, pass uint8"
    if low >= 0 and high <= 1:
        if kind in "iu":
            return f"{found}: pass images.astype('uint8') * 255"
        return f"{found}: pass np.rint(255 * images).astype('uint8')"
    if low >= 0 and high <= 255:
        rounded = "images" if kind in "iu" else "np.rint(images)"
        return f"{found}: pass {rounded}.astype('uint8')"
    if low >= -1 and high <= 1:
        return f"{found}: pass np.rint(127.5 * (images + 1)).astype('uint8')"
    if low >= 0 and values.dtype == np.uint16:
        return f"{found}: pass np.rint(images / 257).astype('uint8')"
    return f"{found}: scale them to 0 to 255 and pass uint8"


def warn_of_masks(images: np.ndarray) -> None:
    """Warn if uint8 images hold only 0 and 1, which are both nearly black.

    >>> warn_of_masks(np.array([0, 255], "uint8"))
    """
    if images.dtype == np.uint8 and images.size and images.max() == 1:
        # stacklevel 1 gives all warnings the same place in the code, so that Python shows only one.
        warnings.warn(
            "the images hold the values 0 and 1 only, of 0 to 255, and are nearly black; if 1 "
            "stands for white, pass images * 255",
            stacklevel=1,
        )
