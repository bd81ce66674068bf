"""Reconstruction losses J_REC as functions: one value for each example, summed over its pixels.

Images lie in [0, 1]. The decoder gives logits, and y = sigmoid(logit). Models take the objects in
``likelihoods``, which call these functions.
"""

import math

import keras
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor, float32, pair, sum_per_example


@keras.saving.register_keras_serializable("keras_genzoo")
def bernoulli_loss(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``-Σ_i (x_i log y_i + (1 - x_i) log(1 - y_i))`` (1312.6114, appendix C.1).

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.

    Returns:
        float32, shape ``(batch,)``, in nats, at least 0: the negative log-likelihood under
        independent Bernoulli pixels.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> import numpy as np
    >>> np.asarray(bernoulli_loss([[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [99.0, -99.0]]))
    array([ 1.3862944, 99.       ], dtype=float32)
    """
    images, logits = _checked(images, logits)
    return sum_per_example(_cross_entropy(images, logits))


@keras.saving.register_keras_serializable("keras_genzoo")
def squared_error_loss(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``Σ_i (x_i - y_i)²``.

    Up to a constant, this is twice the negative log-likelihood of Gaussian pixels of variance 1.

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.

    Returns:
        float32, shape ``(batch,)``, at least 0 and at most the number of pixels.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> import numpy as np
    >>> np.asarray(squared_error_loss([[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [99.0, -99.0]]))
    array([0.5, 1. ], dtype=float32)
    """
    images, logits = _checked(images, logits)
    return sum_per_example(ops.square(images - ops.sigmoid(logits)))


def gaussian_loss(images: Tensor, logits: Tensor, log_sigma: Tensor = 0.0) -> Tensor:
    """Return ``-Σ_i log N(x_i; y_i, σ²) = Σ_i (½ ((x_i - y_i) / σ)² + log σ + ½ log 2π)``.

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.
        log_sigma: log σ, one number for all pixels.

    Returns:
        float32, shape ``(batch,)``, in nats: the negative log-density, which may be negative.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> round(float(gaussian_loss([[0.5]], [[0.0]])[0]), 4)
    0.9189
    """
    images, logits = _checked(images, logits)
    log_sigma = float32(log_sigma)
    scaled = (images - ops.sigmoid(logits)) * ops.exp(-log_sigma)
    return sum_per_example(ops.square(scaled) / 2 + (log_sigma + math.log(2 * math.pi) / 2))


def continuous_bernoulli_loss(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``bernoulli_loss - Σ_i log C(y_i)`` (1907.06845, equation 7).

    The factor ``C(y) = 2 artanh(1 - 2y) / (1 - 2y)``, 2 at y = 1/2, makes ``y^x (1 - y)^(1 - x)``
    a density of grey values x in [0, 1]. As a function of the logit t of y it is
    ``t / tanh(t / 2)``.

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.

    Returns:
        float32, shape ``(batch,)``, in nats: the negative log-density, which may be negative.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> round(float(continuous_bernoulli_loss([[0.3]], [[0.0]])[0]), 6)
    0.0
    """
    images, logits = _checked(images, logits)
    return sum_per_example(_cross_entropy(images, logits) - _log_normaliser(logits))


def continuous_bernoulli_mean(logits: Tensor) -> Tensor:
    """Return the mean of a continuous Bernoulli pixel, float32 in [0, 1] (1907.06845, eq. 8).

    As a function of the logit t it is ``1/2 + 1 / (2 tanh(t / 2)) - 1 / t``, which is nearer to 1/2
    than sigmoid(t).

    >>> [round(float(continuous_bernoulli_mean(t)), 4) for t in (-2.0, 0.0, 2.0)]
    [0.3435, 0.5, 0.6565]
    """
    logits = float32(logits)
    near, large, square = _near_zero(logits)
    # A power series near 0; the first term left out is below 1e-8.
    series = logits * (1 / 12 + square * (-1 / 720 + square * (1 / 30240 - square / 1209600)))
    return 0.5 + ops.where(near, series, 0.5 / ops.tanh(large / 2) - 1 / large)


def _log_normaliser(logits: Tensor) -> Tensor:
    """Return log(t / tanh(t / 2)) of logits t."""
    near, large, square = _near_zero(logits)
    quarter = square / 4
    # A power series near 0; the first term left out is below 1e-8.
    series = math.log(2) + quarter * (
        1 / 3 + quarter * (-7 / 90 + quarter * (62 / 2835 - quarter * 127 / 18900))
    )
    large = ops.abs(large)
    return ops.where(near, series, ops.log(large) - ops.log(ops.tanh(large / 2)))


def _near_zero(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return where logits are near 0, the logits for the closed form, and squares for the series.

    The closed form is used away from 0 and a power series near 0. Both are computed everywhere, so
    each gets harmless values where the other one is used: otherwise its gradient would be NaN.
    """
    near = ops.abs(logits) < 0.5
    return near, ops.where(near, 1.0, logits), ops.square(ops.where(near, logits, 0.0))


def _cross_entropy(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``-(x log y + (1 - x) log(1 - y))`` of each pixel."""
    # Not ops.binary_crossentropy: if its input comes from a sigmoid, it takes the sigmoid's input.
    return images * ops.softplus(-logits) + (1 - images) * ops.softplus(logits)


def _checked(images: Tensor, logits: Tensor) -> list[Tensor]:
    """Return both in float32, after checking their shapes and that images are not uint8."""
    images = ops.convert_to_tensor(images)
    if keras.backend.standardize_dtype(images.dtype) == "uint8":
        raise GenzooError("a reconstruction loss takes images in [0, 1], not uint8; divide by 255")
    return pair(images=images, logits=logits)
