"""The Fréchet distance between two clouds of features (FID, 1706.08500, equation 6)."""

import dataclasses

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_features

_ROWS = 1024


@dataclasses.dataclass(frozen=True)
class FeatureStatistics:
    """What the Fréchet distance keeps of n features: all it needs, and small enough to store.

    Args:
        num_images: n.
        mean: float64 ``(d,)``.
        covariance: float64 ``(d, d)``, the unbiased one (divided by n - 1).
    """

    num_images: int
    mean: np.ndarray
    covariance: np.ndarray


def feature_statistics(features: np.ndarray) -> FeatureStatistics:
    """Return mean and covariance of features ``(n, d)``, computed in float64.

    Besides the features it needs memory for a few covariances and a thousand rows.

    Raises:
        GenzooError: if there are fewer than two rows, or not all are finite.

    >>> feature_statistics(np.array([[0.0, 1.0], [2.0, 1.0]])).covariance.tolist()
    [[2.0, 0.0], [0.0, 0.0]]
    """
    features = np.asarray(features)
    parts = [features[first : first + _ROWS] for first in range(0, len(features), _ROWS)]
    if features.ndim != 2 or len(features) < 2:
        check_features(features)
    for part in parts:
        check_features(part, at_least=1)
    mean = features.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for part in parts:
        centred = part - mean
        covariance += centred.T @ centred
    return FeatureStatistics(len(features), mean, covariance / (len(features) - 1))


def frechet_distance(real: FeatureStatistics, fake: FeatureStatistics) -> float:
    """Return ``|mu_1 - mu_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2))``.

    The trace of the root is the sum of the square roots of the eigenvalues of the symmetric
    ``S_1^(1/2) S_2 S_1^(1/2)``, which exist for covariances of any rank; the usual
    ``scipy.linalg.sqrtm`` may give complex numbers or none.

    Raises:
        GenzooError: if the two are of features of different size.

    >>> normal = FeatureStatistics(10, np.zeros(4), np.eye(4))
    >>> frechet_distance(normal, FeatureStatistics(10, np.ones(4), np.eye(4)))
    4.0
    """
    if real.mean.shape != fake.mean.shape:
        raise GenzooError(
            f"statistics of {len(real.mean)} and of {len(fake.mean)} features cannot be compared; "
            "take both from one feature network"
        )
    values, vectors = np.linalg.eigh(real.covariance)
    # With R R^T = S_1, R^T S_2 R has the eigenvalues of the symmetric form.
    root = vectors * np.sqrt(np.clip(values, 0, None))
    eigenvalues = np.linalg.eigvalsh(root.T @ fake.covariance @ root)
    trace_of_root = np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    difference = real.mean - fake.mean
    traces = np.trace(real.covariance) + np.trace(fake.covariance)
    # Rounding may give a distance of equal statistics just below 0.
    return max(0.0, float(difference @ difference + traces - 2 * trace_of_root))
