"""The kernel distance between two clouds of features (KID, 1801.01401)."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_at_least_1, check_features


class KernelDistance(NamedTuple):
    """Mean and standard deviation over subsets, and the subset size that was really taken."""

    mean: float
    std: float
    num_subsets: int
    subset_size: int


def kernel_distance(
    real_features: np.ndarray,
    fake_features: np.ndarray,
    num_subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 2020,
) -> KernelDistance:
    """Return the mean squared MMD of random subsets with the kernel ``(x.y/d + 1)^3``.

    Each subset gives the unbiased estimate (1801.01401, equation 4), which may be negative. With
    the same seed and features, the subsets are those that torch-fidelity draws.

    Args:
        real_features: ``(n, d)``.
        fake_features: ``(m, d)``.
        num_subsets: number of subsets.
        subset_size: images of each kind in a subset; at most as many as there are.
        seed: random seed of the subsets.

    Raises:
        GenzooError: if there are fewer than two rows, not all are finite, or a number is below 1.

    >>> features = np.random.default_rng(0).normal(size=(50, 4))
    >>> kernel_distance(features, features + 1, subset_size=1000).subset_size
    50
    """
    check_at_least_1(num_subsets=num_subsets)
    if subset_size < 2:
        raise GenzooError(f"subset_size must be at least 2, not {subset_size}")
    real, fake = check_features(real_features, fake_features)
    size = min(subset_size, len(real), len(fake))
    if size == len(real) == len(fake):
        # All images are the only subset of that size.
        num_subsets = 1
    # RandomState, because the reference implementation draws its subsets from it.
    rng = np.random.RandomState(seed)
    estimates = np.empty(num_subsets)
    for index in range(num_subsets):
        real_rows = real[rng.choice(len(real), size, replace=False)]
        fake_rows = fake[rng.choice(len(fake), size, replace=False)]
        estimates[index] = squared_mmd(real_rows, fake_rows)
    return KernelDistance(float(estimates.mean()), float(estimates.std()), num_subsets, size)


def squared_mmd(x: np.ndarray, y: np.ndarray) -> float:
    """Return the unbiased estimate of the squared MMD of as many rows of x as of y.

    >>> squared_mmd(np.array([[1.0], [1.0]]), np.array([[0.0], [0.0]]))  # 8 + 1 - 2 * 1
    7.0
    """
    n = len(x)
    within = sum(_kernel(rows, rows).sum() - _diagonal(rows).sum() for rows in (x, y))
    return float(within / (n * (n - 1)) - 2 * _kernel(x, y).mean())


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    values = x @ y.T
    values /= x.shape[1]
    values += 1
    # Two products: NumPy's power of an integer is ten times slower.
    return values * values * values


def _diagonal(x: np.ndarray) -> np.ndarray:
    return (np.einsum("ij,ij->i", x, x) / x.shape[1] + 1) ** 3
