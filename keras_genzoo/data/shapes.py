"""Sizes and colours of image files, by their headers: what is common, and what differs.

Pixels are decoded of palettes only, which may hold nothing but greys.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_genzoo.data.images import BadImageError, is_grey, open_image, upright_size
from keras_genzoo.data.listing import read_file

# Few enough to open at once, enough to tell a grey folder from a colour one with a grey image.
SAMPLE = 16

Shape = tuple[int, int, int]


def spread(number: int, count: int) -> list[int]:
    """Return ``count`` of the first ``number`` whole numbers, spread evenly, or all.

    >>> spread(10, 4), spread(3, 5)
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.unique(np.linspace(0, number - 1, count).astype(int)).tolist()


def look(path: str | os.PathLike) -> Shape | None:
    """Return ``(height, width, 1 or 3)`` of an image file as stored; None if it cannot be read."""
    try:
        image = open_image(read_file(path))
        return (*upright_size(image), 1 if is_grey(image) else 3)
    except BadImageError:
        return None


def sample_shapes(root: Path, files: Sequence[str]) -> list[Shape]:
    """Return the shapes of a few files spread evenly; of the first that can be read, if none can.

    The list is empty if no file can be read.
    """

    def path(index: int) -> str:
        return os.path.join(root, files[index])  # noqa: PTH118

    shapes = [shape for index in spread(len(files), SAMPLE) if (shape := look(path(index)))]
    if shapes:
        return shapes
    first = next(filter(None, (look(path(index)) for index in range(len(files)))), None)
    return [first] if first else []


def sizes_of(shapes: Sequence[Shape]) -> list[tuple[int, int]]:
    """Return the different ``(height, width)`` among shapes, sorted."""
    return sorted({shape[:2] for shape in shapes})


def in_words(size: tuple[int, int]) -> str:
    """Return ``(height, width)`` as people write it.

    >>> in_words((218, 178))
    '178x218'
    """
    return f"{size[1]}x{size[0]}"
