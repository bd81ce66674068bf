"""A UMAP study: do generated images lie among the real ones (thesis, chapter 8)?

UMAP (1802.03426) is fitted on real images, and generated images are placed on its map. The distance
between images is that of pixels, which mostly compares background colours; that of a network's
features; or that of structure (SSIM). Numbers are computed from each map, so that it need not be
judged by eye.
"""

import atexit
import dataclasses
import importlib
import shutil
import tempfile
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import nearest_rows, similarity_matrix
from keras_genzoo.evaluation.features import FeatureNetwork

DISTANCES = ("pixels", "features", "ssim")
# The density of the map is measured by the distance to this neighbour. A place is sparse if it is
# less dense than the places of all real images but this share.
NEIGHBOURS, SPARSE_SHARE = 15, 0.1
SPARSE_IN_WORDS = (
    f"Sparse: farther from the {NEIGHBOURS}th nearest real image on the map than "
    f"{1 - SPARSE_SHARE:.0%} of the real images are from theirs. Dense: all other places."
)
BACKGROUND_IN_WORDS = (
    "Background explained: the share of the variance of the background's colour (the mean of an "
    "image's left, right and upper edge) that a real image's neighbours on the map predict; a map "
    "that ignores the background has 0%."
)
# A description of the features, by the name of the feature network.
_FEATURES = {
    "attributes": "features: those of a network trained on the data's attributes",
    "classifier": "features: those of a network trained on the data's classes",
    "inception": "features: those of Inception, trained on ImageNet",
    "pixels": "features: pixels, at 16x16",
}


@dataclasses.dataclass(frozen=True)
class Study:
    """A map of real images with generated ones placed on it, and what was measured on it.

    Args:
        distance: the distance between images, in words.
        real: points of the real images, ``(n, 2)``.
        generated: points of the generated ones, ``(m, 2)``.
        where_sparse: whether each generated image lies where real ones are sparse, bool ``(m,)``.
        follows_background: share of the variance of the background's colour that is explained by
            the neighbours of a real image on the map.
    """

    distance: str
    real: np.ndarray
    generated: np.ndarray
    where_sparse: np.ndarray
    follows_background: float

    def numbers(self) -> dict[str, Any]:
        """Return the measurements, ready for JSON."""
        return {
            "distance": self.distance,
            "num_real": len(self.real),
            "num_generated": len(self.generated),
            "share_where_sparse": float(self.where_sparse.mean()),
            "share_of_real_where_sparse": SPARSE_SHARE,
            "sparse": SPARSE_IN_WORDS,
            "follows_background": self.follows_background,
        }


def study(
    real_images: np.ndarray,
    generated_images: np.ndarray,
    distance: str = "pixels",
    network: FeatureNetwork | None = None,
    *,
    num_neighbours: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
    echo: Callable[[str], None] = lambda line: None,
) -> Study:
    """Fit UMAP on real images, place generated ones, and measure the map.

    Args:
        real_images: uint8 ``(n, height, width, channels)``, more than 15.
        generated_images: uint8, of the same shape.
        distance: one of ``DISTANCES``.
        network: the feature network, for the distance ``features``.
        num_neighbours: UMAP's ``n_neighbors``.
        min_dist: UMAP's ``min_dist``.
        seed: random seed of the layout; UMAP runs in one thread, so that the same machine draws the
            same map again.
        echo: called with a line before UMAP is fitted.

    Raises:
        GenzooError: if there are too few images, or the distance is unknown or lacks its network.
    """
    if len(real_images) <= max(NEIGHBOURS, num_neighbours):
        raise GenzooError(
            f"a map needs more than {max(NEIGHBOURS, num_neighbours)} real images, "
            f"not {len(real_images)}"
        )
    name, fitted_on, placed, metric = _distances(real_images, generated_images, distance, network)
    echo(f"UMAP of {len(real_images)} real images by {name}")
    real, generated = _umap(fitted_on, placed, metric, num_neighbours, min_dist, seed)
    return Study(
        name,
        real,
        generated,
        where_sparse(real, generated),
        explained_by_neighbours(real, background_colour(real_images)),
    )


def _distances(
    real: np.ndarray, generated: np.ndarray, distance: str, network: FeatureNetwork | None
) -> tuple[str, np.ndarray, np.ndarray, str]:
    """Return the distance in words, the rows that UMAP is fitted on, those it places, its metric.

    The rows are features of the images; for SSIM they are distances to all real images.
    """
    if distance == "pixels":
        of_real, of_generated = (
            part.reshape(len(part), -1).astype("float32") / 255 for part in (real, generated)
        )
        return "Euclidean distance of pixels", of_real, of_generated, "euclidean"
    if distance == "features":
        if network is None:
            raise GenzooError("the distance 'features' needs a feature network")
        of_real, of_generated = (network.compute(part).features for part in (real, generated))
        name = _FEATURES.get(network.name, f"features: those of {network.name}")
        return name, of_real, of_generated, "euclidean"
    if distance == "ssim":
        matrices = [similarity_matrix(part, real) for part in (real, generated)]
        # The root of 1 - SSIM is nearly a metric (Brunet, Vrscay and Wang 2012).
        roots = [np.sqrt(np.clip(1 - matrix, 0, None)) for matrix in matrices]
        np.fill_diagonal(roots[0], 0)
        return "structure, √(1 - SSIM)", (roots[0] + roots[0].T) / 2, roots[1], "precomputed"
    raise GenzooError(f"unknown distance '{distance}'; known: {', '.join(DISTANCES)}")


def _import_umap() -> ModuleType:
    """Import UMAP; if numba finds no writable folder for its cache, give it a temporary one."""
    try:
        return importlib.import_module("umap")
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
    import numba

    folder = tempfile.mkdtemp(prefix="numba-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    numba.config.CACHE_DIR = folder  # type: ignore[attr-defined]  # Made at import.
    return importlib.import_module("umap")


def _umap(
    fitted_on: np.ndarray,
    placed: np.ndarray,
    metric: str,
    num_neighbours: int,
    min_dist: float,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    import warnings

    with warnings.catch_warnings():
        # numba and umap warn about things that the user of a map cannot change.
        warnings.simplefilter("ignore")
        reducer = _import_umap().UMAP(
            n_neighbors=num_neighbours,
            min_dist=min_dist,
            metric=metric,
            random_state=seed,
            n_jobs=1,
        )
        real = reducer.fit_transform(fitted_on)
        generated = reducer.transform(placed)
    return np.asarray(real, np.float64), np.asarray(generated, np.float64)


def where_sparse(real: np.ndarray, generated: np.ndarray) -> np.ndarray:
    """Return whether each generated point lies where real points are sparse, bool ``(m,)``.

    Such a point is farther from its 15th nearest real point than 90 % of the real points are from
    theirs. It lies at the border of the real points or in a gap between them. If generated points
    had the distribution of the real ones, about 10 % would be such points.

    >>> cloud = np.random.default_rng(0).normal(size=(1000, 2))
    >>> where_sparse(cloud, np.array([[0.0, 0.0], [9.0, 0.0]])).tolist()
    [False, True]
    """
    # A real point is its own nearest neighbour, hence one more.
    _, among_real = nearest_rows(real, real, NEIGHBOURS + 1)
    _, to_real = nearest_rows(generated, real, NEIGHBOURS)
    return to_real[:, -1] > np.quantile(among_real[:, -1], 1 - SPARSE_SHARE)


def background_colour(images: np.ndarray) -> np.ndarray:
    """Return the mean colour of the left, right and upper edge of images, ``(n, channels)``.

    Each edge is an eighth of the width. In images of faces it shows the background.
    """
    edge = max(1, images.shape[2] // 8)
    parts = [images[:, :, :edge], images[:, :, -edge:], images[:, :edge]]
    pixels = [part.reshape(len(images), -1, images.shape[-1]) for part in parts]
    return np.concatenate(pixels, axis=1).mean(axis=1)


def explained_by_neighbours(points: np.ndarray, values: np.ndarray) -> float:
    """Return the share of the variance of values that is explained by neighbours on the map.

    The prediction for a point is the mean over its nearest neighbours. The share is near 1 if
    neighbours have the same value, and near 0, or slightly below, if the map is independent of the
    values.

    Args:
        points: ``(n, 2)``.
        values: ``(n, k)``.
    """
    numbers, _ = nearest_rows(points, points, NEIGHBOURS + 1)
    neighbours = np.array([row[row != index][:NEIGHBOURS] for index, row in enumerate(numbers)])
    residual = ((values - values[neighbours].mean(axis=1)) ** 2).sum()
    total = ((values - values.mean(axis=0)) ** 2).sum()
    return float(1 - residual / total) if total else 0.0
