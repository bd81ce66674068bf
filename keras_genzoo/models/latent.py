"""Interpolation between two points of a latent space."""

import numpy as np
import numpy.typing as npt

from keras_genzoo.errors import GenzooError, unknown


def interpolate_latents(
    start: npt.ArrayLike, end: npt.ArrayLike, steps: int, method: str = "linear"
) -> np.ndarray:
    """Return ``steps`` latents from ``start`` to ``end``, both included.

    Args:
        start: first latent, of any shape: a vector, a grid of codes, an image of noise.
        end: last latent, of the same shape.
        steps: number of latents, at least 2.
        method: ``"linear"``, or ``"spherical"``: along the great circle through the two as
            vectors of all their numbers, with the length changing evenly, so that the path stays
            where a Gaussian prior has its mass (1609.04468).

    Returns:
        float32 array ``(steps, *start.shape)``.

    Raises:
        GenzooError: if ``method`` is unknown, ``steps`` less than 2, or the shapes differ.

    >>> interpolate_latents(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 3, "spherical").round(4)
    array([[1.    , 0.    ],
           [0.7071, 0.7071],
           [0.    , 1.    ]], dtype=float32)
    """
    if method not in ("linear", "spherical"):
        raise unknown("interpolation", method, ["linear", "spherical"])
    if steps < 2:
        raise GenzooError(f"an interpolation takes at least 2 steps, not {steps}")
    shape = np.shape(start)
    if np.shape(end) != shape:
        raise GenzooError(
            f"the ends of an interpolation have one shape, not {shape} and {np.shape(end)}"
        )
    path = _vectors(np.ravel(start), np.ravel(end), steps, method)
    return path.astype("float32").reshape(steps, *shape)


def _vectors(start: np.ndarray, end: np.ndarray, steps: int, method: str) -> np.ndarray:
    start, end = start.astype("float64"), end.astype("float64")
    t = np.linspace(0.0, 1.0, steps)[:, None]
    if method == "linear":
        return (1 - t) * start + t * end
    start_norm, end_norm = np.linalg.norm(start), np.linalg.norm(end)
    cosine = np.clip(start @ end / max(start_norm * end_norm, 1e-12), -1.0, 1.0)
    angle = np.arccos(cosine)
    # Through the origin, or nearly parallel vectors, there is no single great circle.
    if min(start_norm, end_norm) < 1e-12 or np.sin(angle) < 1e-6:
        return (1 - t) * start + t * end
    directions = (
        np.sin((1 - t) * angle) * start / start_norm + np.sin(t * angle) * end / end_norm
    ) / np.sin(angle)
    return directions * ((1 - t) * start_norm + t * end_norm)
