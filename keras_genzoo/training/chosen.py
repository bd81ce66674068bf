"""Real images that a person chooses: by their numbers, or the first of a class.

Images are numbered in the order in which the data set was published: image 0 of MNIST's ``test``
is the first of the published file, even if the images are stored in another order.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from keras_genzoo.data.images import BadImageError
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.text import shown


class Chosen(NamedTuple):
    """Images that a person has chosen.

    Args:
        images: uint8 ``(n, height, width, channels)``.
        names: the class of each image, or its number if the data have no classes.
        words: a description of each image, such as "image 0 of digits, split test (class 1)".
        labels: the number of the class of each image, -1 where it is not known.
    """

    images: np.ndarray
    names: list[str]
    words: list[str]
    labels: np.ndarray


def images_by_number(source: Source, numbers: Iterable[int]) -> Chosen:
    """Return the images with these numbers.

    Args:
        source: a split of a data set.
        numbers: from 0, in the order in which the data set was published.

    Raises:
        GenzooError: if there is no image with a number, or it cannot be read.

    >>> from keras_genzoo.data import open_source
    >>> images_by_number(open_source("digits", "test"), [0, 2]).words
    ['image 0 of digits, split test (class 1)', 'image 2 of digits, split test (class 4)']
    """
    published = source.as_published
    images, names, words, labels = [], [], [], []
    for number in numbers:
        if not 0 <= number < source.num_images:
            raise GenzooError(
                f"{source.name}, split {source.split}, has no image {number}; its images are 0 to "
                f"{source.num_images - 1}"
            )
        try:
            image, label = published.read(number)
        except BadImageError as error:
            raise GenzooError(
                f"image {number} of {source.name}, split {source.split}, cannot be read ({error}); "
                "choose another"
            ) from error
        class_names = source.class_names if label >= 0 else None
        known = class_names is not None
        name = str(number) if class_names is None else shown(class_names[label])
        images.append(image)
        names.append(name)
        labels.append(label if known else -1)
        suffix = f" (class {name})" if known else ""
        words.append(f"image {number} of {source.name}, split {source.split}{suffix}")
    return Chosen(np.stack(images), names, words, np.array(labels, "int32"))


def first_images_of_classes(source: Source, names: Iterable[str]) -> Chosen:
    """Return the first image of each of these classes, numbered as in ``images_by_number``.

    Raises:
        GenzooError: if the data have no such class, or no image of it.
    """
    return images_by_number(source, [_first_of(source, name) for name in names])


def _first_of(source: Source, name: str) -> int:
    known = [shown(known) for known in source.class_names or ()]
    if not known:
        raise GenzooError(
            f"the images of {source.name} have no classes; choose them by number: --images 0,1"
        )
    if shown(name) not in known:
        raise unknown("class", shown(name), known)
    label, published = known.index(shown(name)), source.as_published
    for number in range(source.num_images):
        try:
            if published.label(number) == label:
                return number
        except BadImageError:
            continue
    raise GenzooError(f"{source.name}, split {source.split}, has no image of class {name}")
