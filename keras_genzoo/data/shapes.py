"""Sizes and colours of image files, by their headers: what is common, and what differs.

Pixels are decoded of palettes only, which may hold nothing but greys.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from keras_genzoo.data.images import BadImageError, is_grey, open_image, upright_size

# Few enough to open at once, enough to tell a grey folder from a colour one with a grey image.
SAMPLE = 16

Shape = tuple[int, int, int]


def spread(number: int, count: int) -> list[int]:
    """Return ``count`` of the first ``number`` whole numbers, spread evenly, or all.

    >>> spread(10, 4), spread(3, 5)
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.unique(np.linspace(0, number - 1, count).astype(int)).tolist()


def shape_of(data: bytes) -> Shape:
    """Return ``(height, width, 1 or 3)`` of an image file as stored.

    Raises:
        BadImageError: if it is none.
    """
    image = open_image(data)
    return (*upright_size(image), 1 if is_grey(image) else 3)


def sample_shapes(number: int, encoded: Callable[[int], bytes]) -> list[Shape]:
    """Return the shapes of a few images spread evenly; of the first that can be read, if none can.

    Args:
        number: how many images there are.
        encoded: gives the file of one of them, by its number.

    Returns:
        The shapes; none if no image can be read.
    """
    shapes = list(_shapes(spread(number, SAMPLE), encoded))
    return shapes or list(itertools.islice(_shapes(range(number), encoded), 1))


def _shapes(indices: Iterable[int], encoded: Callable[[int], bytes]) -> Iterator[Shape]:
    for index in indices:
        with contextlib.suppress(BadImageError):
            yield shape_of(encoded(index))


def sizes_of(shapes: Sequence[Shape]) -> list[tuple[int, int]]:
    """Return the different ``(height, width)`` among shapes, sorted."""
    return sorted({shape[:2] for shape in shapes})


def in_words(size: tuple[int, int]) -> str:
    """Return ``(height, width)`` as people write it.

    >>> in_words((218, 178))
    '178x218'
    """
    return f"{size[1]}x{size[0]}"


def all_in_words(shapes: Sequence[Shape]) -> str:
    """Return the one size of images as people write it, or what helps to choose one.

    >>> all_in_words([(8, 8), (8, 8)])
    '8x8'
    >>> all_in_words([])
    'of no known size'
    >>> all_in_words([(40, 60), (90, 50), (70, 64)])[:60]
    'sizes differ: of 3 looked at, shorter sides of 40 to 64 pixe'
    """
    sizes = sizes_of(shapes)
    if not sizes:
        return "of no known size"
    if len(sizes) == 1:
        return in_words(sizes[0])
    shorter = sorted(min(shape[:2]) for shape in shapes)
    return (
        f"sizes differ: of {len(shorter)} looked at, shorter sides of {shorter[0]} to "
        f"{shorter[-1]} pixels, half of them {shorter[len(shorter) // 2]} or more; give an image "
        "size"
    )
