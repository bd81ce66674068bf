"""The structural similarity of images (SSIM; Wang, Bovik, Sheikh and Simoncelli 2004)."""

import numpy as np

from keras_genzoo.errors import GenzooError

# Window and constants of the paper; 255 is the range of uint8.
WINDOW, DEVIATION = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def structural_similarity(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the SSIM of pairs of uint8 images (Wang et al. 2004), float64 ``(n,)``.

    The window is Gaussian, 11 pixels wide with a standard deviation of 1.5; channels are averaged.
    Images smaller than the window give NaN.
    """
    import tensorflow as tf

    if min(images.shape[1:3]) < WINDOW:
        return np.full(len(images), np.nan)
    pair = [tf.constant(part) for part in (images, others)]
    return tf.image.ssim(*pair, max_val=255, filter_size=WINDOW).numpy().astype(np.float64)


def similarity_matrix(images: np.ndarray, others: np.ndarray, stride: int = 4) -> np.ndarray:
    """Return the SSIM of each of ``images`` with each of ``others``, float32 ``(n, m)``.

    Means and covariances in a window are matrix products over its pixels, so that all pairs of a
    thousand images take seconds. With a stride of 1 the values are those of
    ``structural_similarity``; a larger one takes the mean over fewer windows.

    Args:
        images: uint8 ``(n, height, width, channels)``, at least 11 pixels high and wide.
        others: uint8 ``(m, height, width, channels)``.
        stride: pixels from one window to the next.

    Raises:
        GenzooError: if the images are smaller than the window, or differ in shape.
    """
    if images.shape[1:] != others.shape[1:] or min(images.shape[1:3]) < WINDOW:
        raise GenzooError(
            f"SSIM compares images of one shape and at least {WINDOW} pixels, not "
            f"{images.shape[1:]} and {others.shape[1:]}"
        )
    position = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(position**2) / (2 * DEVIATION**2))
    weights = np.outer(weights, weights).ravel().astype("float32")
    weights /= weights.sum()
    height, width, channels = images.shape[1:]
    total, windows = np.zeros((len(images), len(others)), "float32"), 0
    for top in range(0, height - WINDOW + 1, stride):
        for left in range(0, width - WINDOW + 1, stride):
            cut = np.s_[:, top : top + WINDOW, left : left + WINDOW]
            for channel in range(channels):
                x, y = (
                    part[cut][..., channel].reshape(len(part), -1).astype("float32")
                    for part in (images, others)
                )
                total += _similarity_in_window(x, y, weights)
                windows += 1
    return total / windows


def _similarity_in_window(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    mean_x, mean_y = x @ weights, y @ weights
    # Subtract the means first: in float32, small variances would drown in large squares.
    x, y = x - mean_x[:, None], y - mean_y[:, None]
    variance_x, variance_y = x**2 @ weights, y**2 @ weights
    covariance = (x * weights) @ y.T
    means = 2 * np.outer(mean_x, mean_y) + _C1
    means /= (mean_x**2)[:, None] + mean_y**2 + _C1
    covariance *= 2
    covariance += _C2
    covariance /= variance_x[:, None] + variance_y + _C2
    return means * covariance
