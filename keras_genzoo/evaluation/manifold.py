"""Fidelity and diversity apart: precision and recall, density and coverage.

Both lay balls around features, each reaching to the k-th nearest of its own kind. All four come
from one pass over the distances.
"""

from typing import NamedTuple

import numpy as np

from keras_genzoo.evaluation.checking import check_at_least_1, check_features
from keras_genzoo.evaluation.neighbours import distance_rows, neighbour_distances


class ManifoldScores(NamedTuple):
    """Shares from 0 to 1; only the density, about 1 for perfect samples, may exceed 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    precision_k: int = 3,
    density_k: int = 5,
) -> ManifoldScores:
    """Return improved precision and recall, and density and coverage.

    Precision is the share of generated images that lie in the ball of a real one, recall the
    share of real images that lie in the ball of a generated one; a ball has its border
    (1904.06991, equation 2). Density counts how many balls of real images a generated one lies
    in, divided by k; coverage is the share of real images with a generated one in their ball; a
    ball is without its border (2002.09797, equations 3 and 4).

    Args:
        real_features: ``(n, d)``.
        fake_features: ``(m, d)``.
        precision_k: neighbours that a ball of precision and recall reaches to.
        density_k: neighbours that a ball of density and coverage reaches to.

    Raises:
        GenzooError: if there are no more rows than neighbours, or not all are finite.

    >>> real = np.array([[0.0], [1.0], [2.0], [9.0]])
    >>> manifold_scores(real, np.array([[0.5], [1.5], [50.0], [51.0]]), 1, 1)
    ManifoldScores(precision=0.5, recall=0.75, density=1.0, coverage=0.75)
    """
    check_at_least_1(precision_k=precision_k, density_k=density_k)
    real, fake = check_features(real_features, fake_features, at_least=precision_k + 1)
    check_features(real, at_least=density_k + 1)
    real_distances = neighbour_distances(real, max(precision_k, density_k))
    real_radii, density_radii = (real_distances[:, k - 1] for k in (precision_k, density_k))
    fake_radii = neighbour_distances(fake, precision_k)[:, -1]
    inside_real, inside_fake = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    balls, covered = 0, 0
    for rows, distances in distance_rows(real, fake):
        inside_real |= (distances <= real_radii[rows, None]).any(axis=0)
        inside_fake[rows] = (distances <= fake_radii).any(axis=1)
        in_ball = distances < density_radii[rows, None]
        balls += int(np.count_nonzero(in_ball))
        covered += int(np.count_nonzero(in_ball.any(axis=1)))
    return ManifoldScores(
        float(inside_real.mean()),
        float(inside_fake.mean()),
        float(balls / (density_k * len(fake))),
        float(covered / len(real)),
    )
