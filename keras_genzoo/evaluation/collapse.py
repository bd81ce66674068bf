"""Mode collapse: how many modes of the data a generator makes, and in which shares."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.features import FeatureNetwork

STACKED_SAMPLES = 26_000


class Modes(NamedTuple):
    """Modes that occur at all, all modes there are, and KL(generated || real) in nats."""

    covered: int
    num_modes: int
    reverse_kl: float


def mode_counts(labels: np.ndarray, num_modes: int) -> np.ndarray:
    """Return how often each mode occurs, int64 ``(num_modes,)``.

    Raises:
        GenzooError: if a label is none of 0 to ``num_modes - 1``, or there is none.

    >>> mode_counts(np.array([0, 2, 2]), 4).tolist()
    [1, 0, 2, 0]
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not len(labels) or labels.min() < 0 or labels.max() >= num_modes:
        raise GenzooError(f"labels of modes must be integers (n,) from 0 to {num_modes - 1}")
    return np.bincount(labels, minlength=num_modes)


def covered_modes(fake_counts: np.ndarray, real_counts: np.ndarray) -> Modes:
    """Return how many modes are covered and the reverse KL divergence (1611.02163, section 3.3.1).

    n perfect samples have a divergence of about ``(modes - 1) / (2 n)``, not 0.

    Args:
        fake_counts: how often each mode occurs among generated images.
        real_counts: the same for the data.

    Raises:
        GenzooError: if images are of a mode that the data do not have.

    >>> covered_modes(np.array([2, 2, 0, 0]), np.array([1, 1, 1, 1]))
    Modes(covered=2, num_modes=4, reverse_kl=0.6931471805599453)
    """
    fake_counts, real_counts = np.asarray(fake_counts), np.asarray(real_counts)
    if fake_counts.shape != real_counts.shape or not fake_counts.sum() or not real_counts.sum():
        raise GenzooError("generated and real modes must be counted over the same modes")
    seen = fake_counts > 0
    if (real_counts[seen] == 0).any():
        raise GenzooError("generated images are of modes that the data do not have")
    p, q = fake_counts[seen] / fake_counts.sum(), real_counts[seen] / real_counts.sum()
    divergence = float((p * np.log(p / q)).sum())
    return Modes(int(seen.sum()), len(fake_counts), divergence)


def stacked_labels(images: np.ndarray, classifier: FeatureNetwork) -> np.ndarray:
    """Return the modes of stacked images: a digit for each channel, as one number of three digits.

    Args:
        images: uint8 ``(n, height, width, 3)``.
        classifier: a classifier of the single channels.
    """
    digits = []
    for channel in range(3):
        logits = classifier.compute(images[..., channel : channel + 1]).logits
        assert logits is not None  # A classifier has classes.
        digits.append(logits.argmax(axis=1))
    return digits[0] * 100 + digits[1] * 10 + digits[2]
