"""How close reconstructions are to their images: MSE, PSNR and SSIM of uint8, BCE of logits."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.similarity import WINDOW, structural_similarity
from keras_genzoo.losses import bernoulli_loss
from keras_genzoo.models import ImageModel

_BATCH = 512


class ReconstructionQuality(NamedTuple):
    """Means over the images.

    ``mse`` is of a pixel in [0, 1];
    ``psnr`` is in dB (the mean of each image's; infinite for a perfect one); ``ssim`` is None for
    images of less than 11 pixels, the window's size.
    """

    mse: float
    psnr: float
    ssim: float | None


def reconstruction_quality(
    images: np.ndarray, reconstructions: np.ndarray
) -> ReconstructionQuality:
    """Compare uint8 images ``(n, height, width, channels)`` with their reconstructions.

    Raises:
        GenzooError: if the two are not uint8 images of one shape.

    >>> images = np.zeros((2, 16, 16, 1), "uint8")
    >>> quality = reconstruction_quality(images, images)
    >>> quality.mse, quality.ssim
    (0.0, 1.0)
    """
    images, reconstructions = np.asarray(images), np.asarray(reconstructions)
    if images.shape != reconstructions.shape or images.ndim != 4 or not len(images):
        raise GenzooError(
            "reconstructions must have the shape (n, height, width, channels) of their images, "
            f"not {reconstructions.shape} for {images.shape}"
        )
    if images.dtype != np.uint8 or reconstructions.dtype != np.uint8:
        raise GenzooError(
            f"images and reconstructions must be uint8, not {images.dtype} and "
            f"{reconstructions.dtype}"
        )
    parts = [
        _of_each(images[first : first + _BATCH], reconstructions[first : first + _BATCH])
        for first in range(0, len(images), _BATCH)
    ]
    mse, psnr, ssim = (np.concatenate(part) for part in zip(*parts, strict=True))
    too_small = min(images.shape[1:3]) < WINDOW
    of_ssim = None if too_small else float(ssim.mean())
    return ReconstructionQuality(float(mse.mean()), float(psnr.mean()), of_ssim)


def _of_each(images: np.ndarray, reconstructions: np.ndarray) -> tuple[np.ndarray, ...]:
    x, y = (part.reshape(len(part), -1) / 255 for part in (images, reconstructions))
    mse = ((x - y) ** 2).mean(axis=1)
    with np.errstate(divide="ignore"):
        psnr = -10 * np.log10(mse)
    return mse, psnr, structural_similarity(images, reconstructions)


def reconstruction_bce(
    model: ImageModel, images: np.ndarray, class_labels: np.ndarray | None = None
) -> float | None:
    """Return the mean of ``-sum_i (x_i log y_i + (1 - x_i) log(1 - y_i))`` in nats an image.

    x are grey values, y the means that the decoder gives at the code that stands for the image: a
    posterior's mean, if there is one. It is the loss J_REC of a plain autoencoder. None if the
    model has no ``reconstruction_logits``.

    Args:
        model: a model that reconstructs images.
        images: uint8 ``(n, height, width, channels)``.
        class_labels: classes of the images, for a model that takes them; None leaves them to it.
    """
    losses = []
    for first in range(0, len(images), _BATCH):
        x = model.to_range(images[first : first + _BATCH])
        given = () if class_labels is None else (class_labels[first : first + _BATCH],)
        logits = model.reconstruction_logits(x, *given)
        if logits is None:
            return None
        losses.append(np.asarray(bernoulli_loss(x, logits)))
    return float(np.concatenate(losses).mean())
