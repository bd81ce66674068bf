"""What a decoder's outputs mean, and where they begin."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import (
    RECONSTRUCTION_LOSSES,
    ReconstructionLoss,
    bernoulli_loss,
    squared_error_loss,
)

_FUNCTIONS = {bernoulli_loss: "bernoulli", squared_error_loss: "squared_error"}
# Stands for a loss of which only this is known: the decoder gives logits.
_UNKNOWN = ReconstructionLoss()


def reconstruction_loss(choice: Any) -> str | Callable:
    """Return the loss that a person asks for: a name, a ``ReconstructionLoss`` or a function.

    Raises:
        GenzooError: if it is none of these.
    """
    if not isinstance(choice, str) and (isinstance(choice, type) or not callable(choice)):
        raise GenzooError(
            "a reconstruction loss is a ReconstructionLoss, a function of (images, logits), or "
            f"one of {', '.join(RECONSTRUCTION_LOSSES)}, not {choice!r}"
        )
    is_function = getattr(choice, "__hash__", None) is not None and choice in _FUNCTIONS
    return _FUNCTIONS[choice] if is_function else choice


def likelihood_of(loss: Callable | None) -> ReconstructionLoss:
    """Return what a loss says of the decoder's outputs; if nothing, their mean is the sigmoid."""
    return loss if isinstance(loss, ReconstructionLoss) else _UNKNOWN


def set_last_bias(
    decoder: keras.Model, values: np.ndarray, likelihood: ReconstructionLoss
) -> np.ndarray:
    """Set the last bias of a decoder to the mean of images, and return that mean.

    Args:
        decoder: the decoder.
        values: images in [0, 1], float64 ``(n, height, width, channels)``.
        likelihood: what the decoder's outputs mean.

    Returns:
        the mean, of a shape that broadcasts to an image.

    Raises:
        GenzooError: if the decoder does not end in a bias for each pixel or each channel.
    """
    bias, image_shape = _last_bias(decoder), values.shape[1:]
    of_pixels = bias is not None and bias.shape == (values[0].size,)
    if bias is None or not (of_pixels or bias.shape == image_shape[-1:]):
        raise GenzooError(
            "the decoder must end in a layer with a bias for each pixel or each channel to start "
            "at the mean of the images"
        )
    axes = 0 if of_pixels else (0, 1, 2)
    count = values.size / bias.shape[0]
    # Half a black and half a white image are added, so that constant pixels have finite logits.
    mean = (values.sum(axis=axes) + 0.5) / (count + 1)
    before, z = bias.numpy(), np.zeros((1, *decoder.input_shape[1:]), "float32")
    given = np.asarray(keras.ops.cast(decoder(z), "float32"))
    new = np.asarray(likelihood.logits_of(mean)).reshape(bias.shape)
    bias.assign(new)
    moved = np.asarray(keras.ops.cast(decoder(z), "float32")) - given
    shape = image_shape if of_pixels else (1, 1, *image_shape[-1:])
    if not np.allclose(moved, (new - before).reshape(shape), rtol=0.02, atol=0.02):
        bias.assign(before)
        raise GenzooError(
            "the last bias of the decoder is not added to its outputs, so they cannot start at "
            "the mean of the images"
        )
    return mean.reshape(shape)


def _last_bias(network: keras.Model) -> keras.Variable | None:
    """Return the bias of the last layer with weights, None if it has none."""
    for layer in reversed(network.layers):
        if isinstance(layer, keras.Model):
            return _last_bias(layer)
        if layer.weights:
            return getattr(layer, "bias", None)
    return None
