"""Checks that all scores share: features are finite and of one size, counts are positive."""

from typing import TypeVar

import numpy as np

from keras_genzoo.errors import GenzooError

T = TypeVar("T")


def given(value: T | None) -> T:
    """Return what a score is computed from; its ``needs`` have seen to it that it is there."""
    assert value is not None
    return value


def check_features(*features: np.ndarray, at_least: int = 2) -> list[np.ndarray]:
    """Return arrays of features as float64, each ``(n, d)`` with the same d.

    Args:
        *features: arrays ``(n, d)``.
        at_least: rows that each needs.

    Raises:
        GenzooError: if one has another shape or too few rows, or a value is not finite.
    """
    arrays = [np.asarray(array, np.float64) for array in features]
    for array in arrays:
        if array.ndim != 2 or array.shape[1] != arrays[0].shape[-1]:
            shapes = " and ".join(str(array.shape) for array in arrays)
            raise GenzooError(f"features must have shape (n, d) with one d, not {shapes}")
        if len(array) < at_least:
            raise GenzooError(
                f"this score needs at least {at_least} images of each kind, not {len(array)}"
            )
        bad = ~np.isfinite(array).all(axis=1)
        if bad.any():
            raise GenzooError(
                f"{bad.sum()} of {len(array)} rows of features are not finite (the first: row "
                f"{bad.argmax()}); look at the images and the feature network"
            )
    return arrays


def check_at_least_1(**numbers: int) -> None:
    """Check that numbers are 1 or more.

    Raises:
        GenzooError: if one is not.
    """
    for name, number in numbers.items():
        if number < 1:
            raise GenzooError(f"{name} must be at least 1, not {number}")
