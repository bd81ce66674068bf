"""Fidelity and diversity apart: precision and recall, density and coverage.

Both lay balls around features, each reaching to the k-th nearest of its own kind.
"""

from typing import NamedTuple

import numpy as np

from keras_genzoo.evaluation.checking import check_at_least_1, check_features
from keras_genzoo.evaluation.neighbours import distance_tiles, neighbour_distances


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density (about 1 for perfect samples, may exceed it) and coverage, a share from 0 to 1."""

    density: float
    coverage: float


def precision_recall(
    real_features: np.ndarray, fake_features: np.ndarray, k: int = 3
) -> PrecisionRecall:
    """Return improved precision and recall (1904.06991, equation 2).

    Precision is the share of generated images that lie in the ball of a real one, recall the
    share of real images that lie in the ball of a generated one; a ball has its border.

    Args:
        real_features: ``(n, d)``, n > k.
        fake_features: ``(m, d)``, m > k.
        k: neighbours that a ball reaches to.

    Raises:
        GenzooError: if there are no more than k rows, or not all are finite.

    >>> real = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> precision_recall(real, np.array([[0.5], [1.5], [50.0], [51.0]]), k=1)
    PrecisionRecall(precision=0.5, recall=0.75)
    """
    check_at_least_1(k=k)
    real, fake = check_features(real_features, fake_features, at_least=k + 1)
    real_radii, fake_radii = neighbour_distances(real, k), neighbour_distances(fake, k)
    inside_real, inside_fake = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for rows, columns, squared in distance_tiles(real, fake):
        inside_real[columns] |= (squared <= real_radii[rows, None]).any(axis=0)
        inside_fake[rows] |= (squared <= fake_radii[columns]).any(axis=1)
    return PrecisionRecall(float(inside_real.mean()), float(inside_fake.mean()))


def density_coverage(
    real_features: np.ndarray, fake_features: np.ndarray, k: int = 5
) -> DensityCoverage:
    """Return density and coverage (2002.09797, equations 3 and 4).

    Density counts how many balls of real images a generated one lies in, divided by k; coverage is
    the share of real images with a generated one in their ball. A ball is without its border.

    Args:
        real_features: ``(n, d)``, n > k.
        fake_features: ``(m, d)``.
        k: neighbours that a ball reaches to.

    Raises:
        GenzooError: if there are no more than k rows, or not all are finite.

    >>> real = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> density_coverage(real, np.array([[0.5], [1.5]]), k=1)
    DensityCoverage(density=2.0, coverage=0.75)
    """
    check_at_least_1(k=k)
    real, fake = check_features(real_features, fake_features, at_least=1)
    check_features(real, at_least=k + 1)
    radii = neighbour_distances(real, k)
    inside, nearest = 0, np.full(len(real), np.inf)
    for rows, _, squared in distance_tiles(real, fake):
        inside += int((squared < radii[rows, None]).sum())
        nearest[rows] = np.minimum(nearest[rows], squared.min(axis=1))
    return DensityCoverage(inside / (k * len(fake)), float((nearest < radii).mean()))
