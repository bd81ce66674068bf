"""The splits of one data set, opened when first asked for."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from keras_genzoo.data.source import PartSource, Source
from keras_genzoo.errors import GenzooError


class Splits:
    """The splits of one data set.

    Args:
        open_split: opens a split by its name.

    >>> from keras_genzoo.data import open_source
    >>> Splits(lambda split: open_source("digits", split)).held_out.num_images
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
        source = self._sources.get(split)
        if source is None:
            source = self._sources[split] = self._open_split(split)
        return source

    @property
    def train(self) -> Source:
        """The images to train on."""
        return self.open("train")

    @cached_property
    def fifths(self) -> tuple[Source, Source]:
        """``train`` in two parts, always the same: four fifths, and a fifth kept from them.

        What is fitted to the first is no witness for it; the second is as new to it as ``test``.
        """
        number = self.train.num_images
        order = np.argsort(np.random.Philox(key=0).random_raw(number), kind="stable")
        kept = max(1, number // 5)
        parts = {"four fifths of train": order[kept:], "a fifth of train": order[:kept]}
        first, second = (PartSource(self.train, part, name) for name, part in parts.items())
        return first, second

    def find(self, split: str) -> Source | None:
        """Return a split, None if the data has none of that name.

        Raises:
            GenzooError: if the data cannot be had.
        """
        if split not in self._sources:
            try:
                self.open(split)
            except GenzooError as error:
                # Only a split that the data lack is passed over; any other error is reported.
                if "has no split" not in str(error):
                    raise
                self._sources[split] = None
        return self._sources[split]

    @property
    def held_out(self) -> Source | None:
        """The split ``test``, else ``validation``; None if there is neither."""
        return self.find("test") or self.find("validation")

    def to_look_at(self, split: str | None = None) -> Source:
        """Return ``split`` if one is named, else the images held out, else those of training."""
        return self.open(split) if split else self.held_out or self.train
