"""Reconstruction losses as objects, which also define the meaning of the decoder's outputs.

They use the functions in ``reconstruction``. A decoder gives logits for every loss, so that the
networks do not depend on it. The image shown is the mean of the pixels' distribution.
"""

import math
from typing import Annotated, Any

import keras
from keras import ops

from keras_genzoo.arguments import POSITIVE
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.reconstruction import (
    bernoulli_loss,
    continuous_bernoulli_loss,
    continuous_bernoulli_mean,
    gaussian_loss,
    squared_error_loss,
)
from keras_genzoo.losses.tensors import Tensor, float32

_serializable = keras.saving.register_keras_serializable("keras_genzoo")

# Lower bound of the log of a learnt standard deviation, which is about half a grey level.
LEAST_LOG_SIGMA = -6.0


class ReconstructionLoss:
    """A reconstruction loss; subclasses implement ``__call__``.

    ``loss(images, logits)`` takes images in [0, 1] and returns one value for each image, float32
    ``(batch,)``.
    """

    # Whether the loss is -log p(x|z) in nats, including all constants.
    is_log_likelihood = False
    # Whether p(x|z) is a probability of pixels that are 0 or 1, and not a density of grey values.
    is_binary = False
    # Whether the model learns a standard deviation, which it passes as ``log_sigma``.
    learns_sigma = False

    def __call__(self, images: Tensor, logits: Tensor, log_sigma: Tensor | None = None) -> Tensor:
        """Return the loss of each image."""
        raise NotImplementedError

    @property
    def is_plain(self) -> bool:
        """Whether the mean is the sigmoid of the logits and the loss has no weight to learn."""
        return type(self).mean is ReconstructionLoss.mean and not self.learns_sigma

    def mean(self, logits: Tensor) -> Tensor:
        """Return the mean of each pixel, in [0, 1], of the logits' shape."""
        return ops.sigmoid(logits)

    def mean_logits(self, logits: Tensor) -> Tensor:
        """Return the logit of the mean of each pixel."""
        return logits

    def logits_of(self, mean: Tensor) -> Tensor:
        """Return the logits that have this mean, inside (0, 1)."""
        return _logit(float32(mean))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ReconstructionLoss":
        """Return the loss that ``get_config`` described."""
        return cls(**config)


@_serializable
class Bernoulli(ReconstructionLoss):
    """Pixels that are 0 or 1 (1312.6114); for grey values it is the cross-entropy.

    >>> float(Bernoulli()([[1.0]], [[0.0]])[0]) == float(bernoulli_loss([[1.0]], [[0.0]])[0])
    True
    """

    is_log_likelihood = True
    is_binary = True

    def __call__(self, images: Tensor, logits: Tensor, log_sigma: Tensor | None = None) -> Tensor:
        """Return ``bernoulli_loss``."""
        return bernoulli_loss(images, logits)


@_serializable
class SquaredError(ReconstructionLoss):
    """The squared error; not a likelihood, since it lacks the constants of a Gaussian."""

    def __call__(self, images: Tensor, logits: Tensor, log_sigma: Tensor | None = None) -> Tensor:
        """Return ``squared_error_loss``."""
        return squared_error_loss(images, logits)


@_serializable
class Gaussian(ReconstructionLoss):
    """Grey values with a normal distribution about the mean, one variance for all pixels.

    Args:
        variance: variance of the pixels, learnt by default; learnt, it is a weight of the model
            (2006.13202), which balances reconstruction and KL divergence by itself.

    Raises:
        GenzooError: if the variance is not positive.

    >>> Gaussian(0.25).get_config(), Gaussian().learns_sigma
    ({'variance': 0.25}, True)
    """

    is_log_likelihood = True

    def __init__(self, variance: Annotated[float | None, POSITIVE] = None):
        if variance is not None and not 0 < variance < math.inf:
            raise GenzooError(f"the variance of the pixels must be positive, not {variance}")
        self.variance = variance

    @property
    def learns_sigma(self) -> bool:
        """Whether the variance is learnt."""
        return self.variance is None

    def __call__(self, images: Tensor, logits: Tensor, log_sigma: Tensor | None = None) -> Tensor:
        """Return ``gaussian_loss``; a learnt standard deviation begins near 1."""
        if self.variance is not None:
            log_sigma = math.log(self.variance) / 2
        else:
            log_sigma = least_log_sigma(0.0 if log_sigma is None else log_sigma)
        return gaussian_loss(images, logits, log_sigma)


@_serializable
class ContinuousBernoulli(ReconstructionLoss):
    """Grey values in [0, 1] with the density of the normalised Bernoulli formula (1907.06845)."""

    is_log_likelihood = True

    def __call__(self, images: Tensor, logits: Tensor, log_sigma: Tensor | None = None) -> Tensor:
        """Return ``continuous_bernoulli_loss``."""
        return continuous_bernoulli_loss(images, logits)

    def mean(self, logits: Tensor) -> Tensor:
        """Return ``continuous_bernoulli_mean``."""
        return continuous_bernoulli_mean(logits)

    def mean_logits(self, logits: Tensor) -> Tensor:
        """Return the logit of the mean of each pixel."""
        return _logit(ops.clip(self.mean(logits), 1e-6, 1 - 1e-6))

    def logits_of(self, mean: Any) -> Any:
        """Return the logits that have this mean, by bisection."""
        mean = float32(mean)
        low, high = ops.full_like(mean, -1e4), ops.full_like(mean, 1e4)
        for _ in range(50):
            middle = (low + high) / 2
            below = self.mean(middle) < mean
            low, high = ops.where(below, middle, low), ops.where(below, high, middle)
        return (low + high) / 2


BERNOULLI = Bernoulli()
SQUARED_ERROR = SquaredError()
GAUSSIAN = Gaussian()
CONTINUOUS_BERNOULLI = ContinuousBernoulli()


def least_log_sigma(log_sigma: Tensor) -> Tensor:
    """Return the log of a learnt standard deviation with a soft lower bound, ``LEAST_LOG_SIGMA``.

    Without a bound, exact reconstructions would drive it to minus infinity.

    >>> [round(float(least_log_sigma(x)), 3) for x in (0.0, -6.0, -100.0)]
    [0.002, -5.307, -6.0]
    """
    return LEAST_LOG_SIGMA + ops.softplus(float32(log_sigma) - LEAST_LOG_SIGMA)


def _logit(probability: Tensor) -> Tensor:
    return ops.log(probability) - ops.log1p(-probability)
