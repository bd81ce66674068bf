"""Euclidean distances between many features, a tile at a time: memory does not grow with n^2."""

from collections.abc import Iterable, Iterator

import numpy as np

from keras_genzoo.evaluation.checking import check_at_least_1, check_features

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


def nearest_rows(
    x: np.ndarray, y: np.ndarray | Iterable[np.ndarray], k: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row of x the k nearest rows of y, nearest first: the exact ones.

    Args:
        x: ``(n, d)``.
        y: ``(m, d)``, or blocks of its rows one after another: only one of them is in memory.
        k: how many; all of y, if there are fewer.

    Returns:
        numbers of rows of y, int64 ``(n, k)``, and distances (not squared), float64 ``(n, k)``.

    Raises:
        GenzooError: if k is below 1, y has no rows, or anything is not finite.

    >>> nearest_rows(np.array([[2.2]]), np.array([[0.0], [1.0], [3.0]]), k=2)[0].tolist()
    [[2, 1]]
    >>> blocks = (np.array([[number]]) for number in (0.0, 1.0, 3.0))
    >>> nearest_rows(np.array([[2.2]]), blocks, k=2)[0].tolist()
    [[2, 1]]
    """
    from sklearn.neighbors import NearestNeighbors

    check_at_least_1(k=k)
    distances, numbers, first = np.empty((len(x), 0)), np.empty((len(x), 0), np.int64), 0
    for block in [y] if isinstance(y, np.ndarray) else y:
        x, block = check_features(x, block, at_least=1)
        search = NearestNeighbors(n_neighbors=min(k, len(block)), algorithm="brute").fit(block)
        in_block = search.kneighbors(x, return_distance=False)
        # Those of the search are rounded: a copy would not be at 0.
        exact = [np.linalg.norm(x - block[column], axis=1) for column in in_block.T]
        distances = np.concatenate([distances, np.transpose(exact)], axis=1)
        numbers = np.concatenate([numbers, first + in_block], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        distances, numbers = (np.take_along_axis(a, order, axis=1) for a in (distances, numbers))
        first += len(block)
    check_at_least_1(rows=first)
    return numbers, distances
