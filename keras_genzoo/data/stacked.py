"""StackedMNIST: three digits as the channels of one image, 1,000 classes from ten (1611.02163).

A generator that leaves out modes is caught by counting: the images need no more than a classifier
of single digits.
"""

from typing import Any

import numpy as np

from keras_genzoo.data.opening import open_source
from keras_genzoo.data.registry import DATASETS
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError


class StackedSource(Source):
    """As many images as the other source has, each of three of its grey images, always the same.

    Args:
        source: labelled grey images of 10 classes.
        name: what people call it.

    Raises:
        GenzooError: if the other source is not such.

    >>> from keras_genzoo.data import open_source
    >>> stacked = StackedSource(open_source("digits"), "stacked_digits")
    >>> stacked.image_shape, stacked.num_classes
    ((8, 8, 3), 1000)
    """

    def __init__(self, source: Source, name: str):
        super().__init__()
        if source.image_shape[-1] != 1 or source.num_classes != 10:
            raise GenzooError(f"only grey images of 10 classes are stacked, not {source.name}")
        self._source = source
        self.name, self.split, self.num_images = name, source.split, source.num_images
        self.image_shape = (*source.image_shape[:2], 3)
        self.num_classes = 1000
        self.class_names = [f"{label:03}" for label in range(1000)]
        self.fingerprint = f"{source.fingerprint}-stacked"
        bits = np.random.Philox(key=0).random_raw(3 * self.num_images)
        self._triples = (bits % np.uint64(self.num_images)).astype(np.int64).reshape(-1, 3)

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Return one image, and its label: the digits from the first channel to the last."""
        images, labels = zip(
            *(self._source.read(int(part)) for part in self._triples[index]), strict=True
        )
        a, b, c = labels
        return np.concatenate(images, axis=2), 100 * a + 10 * b + c


def open_stacked(
    name: str,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    **place: Any,
) -> StackedSource:
    """Return the stacked images of a data set of tensorflow-datasets.

    Raises:
        GenzooError: if other channels than three are asked for, or the data cannot be had.
    """
    made_of = DATASETS[name].made_of
    if channels not in (None, 3):
        raise GenzooError(f"{name} has 3 channels, not {channels}; take {made_of} for one")
    return StackedSource(
        open_source(made_of, split, image_size=image_size, channels=1, **place), name
    )
