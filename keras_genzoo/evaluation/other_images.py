"""Real images other than those measured: what they score is the best that a generator can reach."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.data import Source, Splits


class OtherImages(NamedTuple):
    """Real images that are not those measured: where they come from, in words, and their classes.

    ``images`` is uint8 ``(n, height, width, channels)``, ``labels`` integers ``(n,)``.
    """

    origin: str
    images: np.ndarray
    labels: np.ndarray


def rest_of_split(source: Source, count: int, seed: int) -> OtherImages | None:
    """Return as many images as are measured, of the same split; None if there are not as many."""
    if source.num_images < 2 * count:
        return None
    origin = f"{source.name}, the rest of split {source.split}"
    return OtherImages(origin, *source.sample(count, seed, skip=count))


def held_out_fifth(data: Splits, count: int, seed: int) -> OtherImages:
    """Return images of the fifth of ``train`` that no feature network is trained on.

    They are as many as are measured, or all of the fifth if it has fewer.
    """
    _, held_out = data.fifths
    images = held_out.sample(min(count, held_out.num_images), seed)
    return OtherImages(f"{held_out.name}, {held_out.split}", *images)


def other_images(data: Splits, source: Source, count: int, seed: int) -> OtherImages | None:
    """Return real images that are not measured, as many; None if there are not as many.

    The same split comes first: its distribution is that of the images measured.
    """
    others = rest_of_split(source, count, seed)
    if others is not None:
        return others
    train, test = data.find("train"), data.held_out
    if train is not None and source.fingerprint != train.fingerprint:
        others = held_out_fifth(data, count, seed)
        return others if len(others.images) == count else None
    if test is None or source.fingerprint == test.fingerprint or test.num_images < count:
        return None
    return OtherImages(f"{test.name}, split {test.split}", *test.sample(count, seed))
