"""Real images to measure against, by split; read when first asked for."""

from collections.abc import Callable

import numpy as np

from keras_genzoo.data import Source
from keras_genzoo.errors import GenzooError


class RealData:
    """The splits of one data set.

    Args:
        open_split: opens a split by its name.

    >>> from keras_genzoo.data import open_source
    >>> RealData(lambda split: open_source("digits", split)).held_out.num_images
    297
    """

    def __init__(self, open_split: Callable[[str], Source]):
        self._open_split = open_split
        self._sources: dict[str, Source | None] = {}

    def open(self, split: str) -> Source:
        """Return a split.

        Raises:
            GenzooError: if the data has none of that name, or cannot be had.
        """
        if self._sources.get(split) is None:
            self._sources[split] = self._open_split(split)
        return self._sources[split]

    @property
    def train(self) -> Source:
        """The images to train on."""
        return self.open("train")

    @property
    def held_out(self) -> Source | None:
        """The split ``test``, None if there is none."""
        if "test" not in self._sources:
            try:
                self.open("test")
            except GenzooError:
                self._sources["test"] = None
        return self._sources["test"]


def some_images(source: Source, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return ``count`` different images of a source and their labels, in random order.

    Raises:
        GenzooError: if there are not as many.
    """
    if not 1 <= count <= source.num_images:
        raise GenzooError(
            f"{count} real images were asked for, and {source.name}, split {source.split}, has "
            f"{source.num_images}; ask for 1 to {source.num_images}"
        )
    return source.fetch(np.random.default_rng(seed).permutation(source.num_images)[:count])
