"""Fully connected networks of a VAE with two levels of latents, those of VampPrior (1705.07120)."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import ops

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.dense import dense_layers, without_planes

Shape = tuple[int, int, int]

# The log-variances of the lower level stay in these bounds, as in the paper's code.
LOG_VARIANCES = (-6.0, 2.0)


class Hierarchy(NamedTuple):
    """The networks that a second level adds to an encoder of the upper one.

    Args:
        lower_encoder: ``[images, upper code]`` -> ``[mean, log_var]`` of the lower code.
        lower_prior: upper code -> ``[mean, log_var]`` of the lower code.
        decoder: upper code, lower code and one-hot label joined -> logits of images.
    """

    lower_encoder: keras.Model
    lower_prior: keras.Model
    decoder: keras.Model


def dense_hierarchy(
    image_shape: Shape,
    top_dim: int,
    lower_dim: int,
    hidden_units: Sequence[int] = (300, 300),
    activation: str = "gated",
    num_classes: int = 0,
) -> Hierarchy:
    """Build the networks of the lower level.

    Where two things go into a network, each has a first layer of its own; the other layers follow
    the two joined.

    Args:
        image_shape: ``(height, width, channels)`` of the images alone.
        top_dim: size of the upper code.
        lower_dim: size of the lower code.
        hidden_units: widths of the hidden layers; the decoder mirrors them.
        activation: that of the hidden layers, as in ``dense_layers``.
        num_classes: label planes behind the images, and one-hot labels behind the codes.

    >>> networks = dense_hierarchy((8, 8, 1), 3, 2, (16, 16))
    >>> networks.decoder.input_shape, networks.decoder.output_shape
    ((None, 5), (None, 8, 8, 1))
    """
    layers = hidden_units, activation
    height, width, channels = image_shape
    images = keras.Input((height, width, channels + num_classes), name="images")
    top = keras.Input((top_dim,), name="z_top")
    both = _joined([without_planes(images, num_classes), top], *layers)
    encoder = keras.Model([images, top], _gaussian(both, lower_dim), name="lower_encoder")
    above = keras.Input((top_dim,), name="z_top")
    prior = keras.Model(
        above, _gaussian(dense_layers(above, *layers), lower_dim), name="lower_prior"
    )
    z = keras.Input((top_dim + lower_dim + num_classes,), name="z")
    # The label goes along with the upper code.
    lower = z[:, top_dim : top_dim + lower_dim]
    upper = z[:, :top_dim]
    if num_classes:
        upper = ops.concatenate([upper, z[:, top_dim + lower_dim :]], axis=-1)
    both = _joined([lower, upper], hidden_units[::-1], activation)
    logits = keras.layers.Dense(math.prod(image_shape), name="logits")(both)
    logits = keras.layers.Reshape(image_shape)(logits)
    return Hierarchy(encoder, prior, keras.Model(z, logits, name="decoder"))


def _joined(parts: list, hidden_units: Sequence[int], activation: str) -> Tensor:
    first, *rest = hidden_units
    features = [dense_layers(part, [first], activation) for part in parts]
    return dense_layers(ops.concatenate(features, axis=-1), rest, activation)


def _gaussian(features: Tensor, size: int) -> list:
    """Return mean and log-variance of a code."""
    mean = keras.layers.Dense(size, name="mean")(features)
    log_var = keras.layers.Dense(size, name="log_var")(features)
    return [mean, ops.clip(log_var, *LOG_VARIANCES)]
