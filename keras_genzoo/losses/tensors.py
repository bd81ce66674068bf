"""Helpers of the loss functions: casts to float32, checks of shapes, sums per example."""

from typing import Any

from keras import ops

from keras_genzoo.errors import GenzooError

# A tensor of the backend, or an array, list or number that Keras converts to one.
Tensor = Any


def float32(value: Tensor) -> Tensor:
    """Return ``value`` as a float32 tensor: losses keep full precision under mixed precision."""
    return ops.cast(value, "float32")


def pair(**tensors: Tensor) -> list[Tensor]:
    """Return two named tensors in float32 after checking that their shapes are equal.

    Different shapes would be broadcast silently. A size that is unknown in a graph matches any.

    Raises:
        GenzooError: if their shapes differ.

    >>> pair(images=[0.0], logits=[[0.0]])
    Traceback (most recent call last):
    keras_genzoo.errors.GenzooError: images (1,) and logits (1, 1) must have the same shape
    """
    values = [float32(value) for value in tensors.values()]
    first, second = (tuple(value.shape) for value in values)
    if len(first) != len(second) or any(
        a != b and None not in (a, b) for a, b in zip(first, second, strict=True)
    ):
        name_1, name_2 = tensors
        raise GenzooError(f"{name_1} {first} and {name_2} {second} must have the same shape")
    return values


def sum_per_example(values: Tensor) -> Tensor:
    """Sum ``(batch, ...)`` over all axes but the first; shape ``(batch,)``."""
    return ops.sum(values, axis=tuple(range(1, len(values.shape))))
