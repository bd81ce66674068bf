"""The Parzen-window log-likelihood, by the protocol of 1406.2661 (table 1).

A number for comparing with old tables only: reimplementations spread widely (1511.01844).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from keras_genzoo.evaluation.checking import check_features
from keras_genzoo.evaluation.neighbours import distance_rows

BANDWIDTHS = np.logspace(-1, 0, 10)


class ParzenLikelihood(NamedTuple):
    """Mean log-likelihood of the test images in nats, its standard error, and the bandwidth."""

    mean: float
    standard_error: float
    bandwidth: float


def parzen_log_likelihood(
    samples: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    bandwidths: np.ndarray = BANDWIDTHS,
) -> ParzenLikelihood:
    """Fit a Gaussian window to samples, and return the log-likelihood of test images under it.

    The bandwidth is that of ``bandwidths`` with the best mean on the validation images.

    Args:
        samples: generated images in [0, 1], ``(m, d)``.
        validation: real images in [0, 1], ``(n, d)``, that are neither trained on nor tested.
        test: real images in [0, 1], ``(l, d)``.
        bandwidths: those to choose from.

    Raises:
        GenzooError: if shapes do not fit, or a number is not finite.

    >>> point = np.zeros((1, 1))
    >>> round(parzen_log_likelihood(point, point, point, [1.0]).mean, 4)  # -log sqrt(2 pi)
    -0.9189
    """
    samples, validation, test = check_features(samples, validation, test, at_least=1)
    means = window_log_density(validation, samples, bandwidths).mean(axis=1)
    best = float(bandwidths[int(np.argmax(means))])
    [log_density] = window_log_density(test, samples, [best])
    error = float(log_density.std() / np.sqrt(len(test)))
    return ParzenLikelihood(float(log_density.mean()), error, best)


def window_log_density(x: np.ndarray, samples: np.ndarray, bandwidths: npt.ArrayLike) -> np.ndarray:
    """Return the log-density of each row of x for each bandwidth, float64 ``(bandwidths, n)``.

    ``log mean_k N(x; samples_k, sigma^2 I)``, the mean taken through a log-sum-exp.
    """
    from scipy.special import logsumexp

    bandwidths = np.asarray(bandwidths)
    log_sums = np.empty((len(bandwidths), len(x)))
    for rows, squared in distance_rows(x, samples, squared=True):
        for log_sum, width in zip(log_sums, bandwidths, strict=True):
            log_sum[rows] = logsumexp(squared / (-2 * width**2), axis=1)
    constants = x.shape[1] * np.log(bandwidths * np.sqrt(2 * np.pi))
    return log_sums - np.log(len(samples)) - constants[:, None]
