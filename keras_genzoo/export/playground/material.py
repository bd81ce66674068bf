"""What of the data stands in a page: codes of held-out images, and training images to compare."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from keras_genzoo.data import DATASETS, Splits, is_to_prepare
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.training import Run
from keras_genzoo.training.preparing import splits_of

Echo = Callable[[str], None]

CODES, NEIGHBOURS = 2000, 2000
# Bytes of training images in a page, before they are compressed.
MOST_BYTES = 6_000_000
# Terms under which images of the data may be given away inside a page.
FREE = ("MIT licence", "CC BY 4.0", "CC BY-SA 4.0")
# A pixel belongs to what is drawn if it differs by more than this from the background.
INK = 64


def data_at_hand(run: Run, dataset: str | os.PathLike | None, echo: Echo) -> Splits | None:
    """Return the splits of a run's data; None, and a line that says so, if they must be fetched.

    Args:
        run: the run.
        dataset: where the images lie now, if they have moved.
        echo: called with the line.

    Raises:
        GenzooError: if ``dataset`` does not hold the run's images.
    """
    settings = run.settings
    if dataset is not None:
        return splits_of(run, dataset)
    try:
        if is_to_prepare(settings.dataset, settings.data_dir, settings.manual_dir):
            raise GenzooError(f"{settings.dataset} is not on this machine")
        splits = splits_of(run)
        _ = splits.train
    except GenzooError as error:
        echo(f"the page shows nothing of the data: {error}")
        return None
    return splits


def training_images(run: Run, splits: Splits | None) -> np.ndarray | None:
    """Return training images that a page may show beside a generated one, uint8; None if none.

    They are shown only where the terms of a known data set allow to give them away.
    """
    name = run.settings.dataset
    if splits is None or name not in DATASETS or not DATASETS[name].terms.startswith(FREE):
        return None
    source = splits.train
    most = min(NEIGHBOURS, MOST_BYTES // int(np.prod(source.image_shape)))
    return source.sample(min(most, source.num_images), 0)[0]


class LatentMap(NamedTuple):
    """The map of codes: a plane in the latent space, and codes of images on it.

    Args:
        basis: float32 ``(3, size)``: the origin of the plane, and its two unit vectors.
        points: codes of images on the plane, float32 ``(n, 2)``.
        facts: for the page: the limits of the map, labels, and what drawings look like.
    """

    basis: np.ndarray
    points: np.ndarray
    facts: dict[str, Any]


def latent_map(model: ImageModel, splits: Splits | None) -> LatentMap:
    """Return the map of a model that encodes.

    Two latent numbers are the plane itself; of more, the plane is that of the two principal
    components of the codes. Without images it is that of the first two numbers.

    Args:
        model: the model.
        splits: the data, None if they are not at hand.
    """
    size = int(np.prod(model.latent_shape))
    images, labels = np.zeros((0, *model.image_shape), "uint8"), None
    codes = np.zeros((0, size), "float32")
    if splits is not None:
        source = splits.to_look_at(None)
        images, labels = source.sample(min(CODES, source.num_images), 0)
        codes = np.asarray(model.code(model.encode(images))).reshape(len(images), size)
        labels = labels.tolist() if source.class_names and labels.min() >= 0 else None
    basis = _plane(codes, size)
    points = (codes - basis[0]) @ basis[1:].T
    corners = np.quantile(points, [0.002, 0.998], axis=0) if len(points) else np.zeros((2, 2))
    # The circles of N(0, I) are seen whole.
    least = 3.3 if model.has_prior or not len(points) else 0.0
    half = max(np.ptp(corners, axis=0).max() / 2 * 1.08, 1e-3)
    middle = corners.mean(axis=0)
    if least:
        middle, half = np.zeros(2), max(abs(corners).max() * 1.05, least)
    facts = {
        "count": len(points),
        "labels": labels,
        "prior": model.has_prior and size == 2,
        "low": (middle - half).tolist(),
        "high": (middle + half).tolist(),
        "start": np.median(points, axis=0).tolist() if len(points) else [0.0, 0.0],
        **_drawing(images, model.image_shape),
    }
    return LatentMap(basis.astype("float32"), points.astype("float32"), facts)


def _plane(codes: np.ndarray, size: int) -> np.ndarray:
    """Return the origin and the two unit vectors of the plane of the map, ``(3, size)``."""
    if size == 2 or len(codes) < 2:
        return np.concatenate([np.zeros((1, size)), np.eye(2, size)])
    origin = codes.mean(axis=0)
    _, _, vectors = np.linalg.svd(codes - origin, full_matrices=False)
    return np.stack([origin, *vectors[:2]])


def _drawing(images: np.ndarray, image_shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return what drawings must look like to be like the images: ground, frame, middle, pen."""
    height, width, _ = image_shape
    facts = {
        "background": 0,
        "frame": [0.18 * width, 0.15 * height, 0.82 * width, 0.85 * height],
        "middle": [width / 2, height / 2],
        "pen": max(1.0, height / 12),
    }
    if not len(images):
        return facts
    grey = images.mean(axis=-1)
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    facts["background"] = int(np.median(border))
    ink = abs(grey - facts["background"])
    drawn = ink > INK
    if not drawn.any(axis=(1, 2)).all():
        return facts
    rows, columns = drawn.any(axis=2), drawn.any(axis=1)
    facts["frame"] = [
        float(columns.argmax(axis=1).mean()),
        float(rows.argmax(axis=1).mean()),
        float(width - columns[:, ::-1].argmax(axis=1).mean()),
        float(height - rows[:, ::-1].argmax(axis=1).mean()),
    ]
    total = ink.sum(axis=(1, 2))
    facts["middle"] = [
        float(((ink.sum(axis=1) @ (np.arange(width) + 0.5)) / total).mean()),
        float(((ink.sum(axis=2) @ (np.arange(height) + 0.5)) / total).mean()),
    ]
    return facts
