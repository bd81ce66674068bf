"""Exact Euclidean distances between features, by scikit-learn, in blocks of bounded memory."""

from collections.abc import Iterable, Iterator

import numpy as np

from keras_genzoo.evaluation.checking import check_at_least_1, check_features

# Memory for the distances of one block.
MEGABYTES = 64


def distance_rows(
    x: np.ndarray, y: np.ndarray, squared: bool = False
) -> Iterator[tuple[slice, np.ndarray]]:
    """Give ``(rows of x, their distances to all rows of y)``, block by block, in float64.

    Args:
        x: ``(n, d)``.
        y: ``(m, d)``.
        squared: whether to give the squares of the distances.
    """
    from sklearn.metrics import pairwise_distances_chunked

    x, y = (np.asarray(rows, np.float64) for rows in (x, y))
    first, options = 0, {"metric": "euclidean", "squared": squared, "working_memory": MEGABYTES}
    for distances in pairwise_distances_chunked(x, y, **options):
        yield slice(first, first + len(distances)), distances
        first += len(distances)


def neighbour_distances(features: np.ndarray, k: int) -> np.ndarray:
    """Return each row's distances to its k nearest other rows, nearest first, ``(n, k)``.

    >>> neighbour_distances(np.array([[0.0], [1.0], [3.0]]), 2).tolist()
    [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]]
    """
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(features)
    return search.kneighbors()[0]


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
        # The search rounds its distances, and a copy must be at exactly 0.
        exact = [np.linalg.norm(x - block[column], axis=1) for column in in_block.T]
        distances = np.concatenate([distances, np.transpose(exact)], axis=1)
        numbers = np.concatenate([numbers, first + in_block], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        distances = np.take_along_axis(distances, order, axis=1)
        numbers = np.take_along_axis(numbers, order, axis=1)
        first += len(block)
    check_at_least_1(rows=first)
    return numbers, distances
