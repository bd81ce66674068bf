"""How near reconstructions come to their images: BCE, MSE, PSNR, SSIM."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.similarity import WINDOW, structural_similarity

_BATCH = 512


class ReconstructionQuality(NamedTuple):
    """Means over the images.

    ``bce`` is in nats an image, with grey values as targets; ``mse`` is of a pixel in [0, 1];
    ``psnr`` is in dB (the mean of each image's; infinite for a perfect one); ``ssim`` is None for
    images of less than 11 pixels, the window's size.
    """

    bce: float
    mse: float
    psnr: float
    ssim: float | None


def reconstruction_quality(
    images: np.ndarray, reconstructions: np.ndarray
) -> ReconstructionQuality:
    """Compare uint8 images ``(n, height, width, channels)`` with their reconstructions.

    The BCE takes a reconstruction's grey values as probabilities, clipped to half a grey level
    from 0 and 1: it is that of what can be seen, not of the decoder's logits.

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
    bce, mse, psnr, ssim = (np.concatenate(part) for part in zip(*parts, strict=True))
    too_small = min(images.shape[1:3]) < WINDOW
    means = [float(values.mean()) for values in (bce, mse, psnr, ssim)]
    return ReconstructionQuality(*means[:3], None if too_small else means[3])


def _of_each(images: np.ndarray, reconstructions: np.ndarray) -> tuple[np.ndarray, ...]:
    x, y = (part.reshape(len(part), -1) / 255 for part in (images, reconstructions))
    p = np.clip(y, 0.5 / 255, 1 - 0.5 / 255)
    bce = -(x * np.log(p) + (1 - x) * np.log1p(-p)).sum(axis=1)
    mse = ((x - y) ** 2).mean(axis=1)
    with np.errstate(divide="ignore"):
        psnr = -10 * np.log10(mse)
    return bce, mse, psnr, structural_similarity(images, reconstructions)
