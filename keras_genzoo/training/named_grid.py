"""Grids of images with names beside them, such as the classes of a conditional model's images."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.images import image_grid

if TYPE_CHECKING:
    from PIL import ImageFont

_SIZE, _MARGIN, _GAP = 15, 6, 2


def rows_named(grid: np.ndarray, names: Sequence[str], pitch: int) -> np.ndarray:
    """Return a grid with a name at the left of each of its first rows.

    Args:
        grid: uint8 ``(height, width, 1 or 3)``.
        names: the names of the rows, from the top.
        pitch: pixels from one row to the next.

    >>> rows_named(np.zeros((98, 48, 1), "uint8"), ["a", "b"], 50).shape[0]
    98
    """
    texts = [_text(name) for name in names]
    width = max(text.shape[1] for text in texts) + _MARGIN
    side = np.full((grid.shape[0], width), 255, np.uint8)
    for row, text in enumerate(texts):
        text = text[: min(pitch - _GAP, len(side) - row * pitch)]
        top = row * pitch + (pitch - _GAP - len(text)) // 2
        side[top : top + len(text), width - _MARGIN - text.shape[1] : width - _MARGIN] = text
    return np.concatenate([_like(grid, side), grid], axis=1)


def columns_named(grid: np.ndarray, names: Sequence[str], pitch: int) -> np.ndarray:
    """Return a grid with a name above each of its columns.

    All names are turned by 90 degrees if one of them is wider than its column.

    Args:
        grid: uint8 ``(height, width, 1 or 3)``.
        names: the names of the columns, from the left.
        pitch: pixels from one column to the next.

    >>> columns_named(np.zeros((48, 98, 1), "uint8"), ["a", "b"], 50).shape[1]
    98
    """
    texts = [_text(name) for name in names]
    if max(text.shape[1] for text in texts) > pitch - _GAP:
        texts = [np.rot90(text)[:, : pitch - _GAP] for text in texts]
    height = max(len(text) for text in texts) + _MARGIN
    head = np.full((height, grid.shape[1]), 255, np.uint8)
    for column, text in enumerate(texts):
        left = column * pitch + (pitch - _GAP - text.shape[1]) // 2
        top = height - _MARGIN - len(text)
        head[top : top + len(text), left : left + text.shape[1]] = text
    return np.concatenate([_like(grid, head), grid], axis=0)


def images_named(
    images: np.ndarray, names: Sequence[str], columns: int | None, scale: int
) -> np.ndarray:
    """Return a grid with a name above each image; a name wider than its image is cut.

    Args:
        images: uint8 ``(n, height, width, 1 or 3)``.
        names: the names of the images.
        columns: images in a row, as ``image_grid`` takes it.
        scale: each pixel becomes ``scale`` x ``scale`` pixels.
    """
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    texts = [_text(name) for name in names]
    height = max(len(text) for text in texts) + _GAP
    named = []
    for image, text in zip(images, texts, strict=True):
        head = np.full((height, image.shape[1]), 255, np.uint8)
        text = text[:, : image.shape[1]]
        left = (image.shape[1] - text.shape[1]) // 2
        head[height - _GAP - len(text) : height - _GAP, left : left + text.shape[1]] = text
        named.append(np.concatenate([_like(image, head), image], axis=0))
    return image_grid(np.stack(named), columns)


def _like(grid: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Return a grey image ``(height, width)`` with as many channels as the grid has."""
    return np.repeat(side[..., None], grid.shape[-1], axis=-1)


def _text(name: str) -> np.ndarray:
    """Return a name in black on white, uint8 ``(height, width)``, with one height for all."""
    from PIL import Image, ImageDraw

    font = _font()
    ascent, descent = font.getmetrics()
    image = Image.new("L", (max(1, round(font.getlength(name))), ascent + descent), 255)
    ImageDraw.Draw(image).text((0, 0), name, fill=0, font=font)
    return np.asarray(image)


@cache
def _font() -> "ImageFont.FreeTypeFont":
    """Return the font of the figures."""
    import matplotlib as mpl
    from PIL import ImageFont

    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf"), _SIZE)
