"""Euclidean distances between many features, a tile at a time: memory does not grow with n^2."""

from collections.abc import Iterator

import numpy as np

TILE = 2048


def distance_tiles(
    x: np.ndarray, y: np.ndarray, upper: bool = False
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """Give ``(rows of x, rows of y, squared distances)``, tile by tile, in float64.

    Args:
        x: ``(n, d)``.
        y: ``(m, d)``.
        upper: leave out the tiles below the diagonal, for ``y`` the same as ``x``.
    """
    x, y = (np.asarray(rows, np.float64) for rows in (x, y))
    x_norms, y_norms = (np.einsum("ij,ij->i", rows, rows) for rows in (x, y))
    for top in range(0, len(x), TILE):
        rows = slice(top, top + TILE)
        for left in range(top if upper else 0, len(y), TILE):
            columns = slice(left, left + TILE)
            squared = x[rows] @ y[columns].T
            squared *= -2
            squared += x_norms[rows, None]
            squared += y_norms[columns]
            yield rows, columns, np.maximum(squared, 0, out=squared)


def neighbour_distances(features: np.ndarray, *ks: int) -> list[np.ndarray]:
    """Return each row's squared distance to its k-th nearest other row, ``(n,)`` for each k.

    >>> [squared.tolist() for squared in neighbour_distances(np.array([[0.0], [1.0], [3.0]]), 1)]
    [[1.0, 1.0, 4.0]]
    """
    # A row is its own nearest: one more is kept.
    nearest = np.full((len(features), max(ks) + 1), np.inf)
    for rows, columns, squared in distance_tiles(features, features, upper=True):
        if rows == columns:
            np.fill_diagonal(squared, 0)
        else:
            _keep_smallest(nearest, columns, squared.T)
        _keep_smallest(nearest, rows, squared)
    nearest.sort(axis=1)
    return [nearest[:, k] for k in ks]


def _keep_smallest(nearest: np.ndarray, rows: slice, squared: np.ndarray) -> None:
    k = nearest.shape[1]
    if squared.shape[1] > k:
        squared = np.partition(squared, k - 1, axis=1)[:, :k]
    candidates = np.concatenate([nearest[rows], squared], axis=1)
    nearest[rows] = np.partition(candidates, k - 1, axis=1)[:, :k]


def nearest_rows(x: np.ndarray, y: np.ndarray, k: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of x the k nearest rows of y, nearest first.

    Returns:
        numbers of rows of y, int64 ``(n, k)``, and distances (not squared), float64 ``(n, k)``.

    >>> nearest_rows(np.array([[2.2]]), np.array([[0.0], [1.0], [3.0]]), k=2)[0].tolist()
    [[2, 1]]
    """
    distances = np.full((len(x), k), np.inf)
    numbers = np.zeros((len(x), k), np.int64)
    for rows, columns, squared in distance_tiles(x, y):
        number = np.broadcast_to(np.arange(len(y))[columns], squared.shape)
        all_distances = np.concatenate([distances[rows], squared], axis=1)
        all_numbers = np.concatenate([numbers[rows], number], axis=1)
        chosen = np.argpartition(all_distances, k - 1, axis=1)[:, :k]
        distances[rows] = np.take_along_axis(all_distances, chosen, axis=1)
        numbers[rows] = np.take_along_axis(all_numbers, chosen, axis=1)
    order = np.argsort(distances, axis=1, kind="stable")
    distances, numbers = (np.take_along_axis(part, order, axis=1) for part in (distances, numbers))
    return numbers, np.sqrt(distances)
