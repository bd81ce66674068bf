"""Several images of a batch as one, which a discriminator judges together (PacGAN, 1712.04086).

A discriminator that sees several images at once also sees that they are too much alike, so that a
generator which makes few kinds of images loses.
"""

from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks import Conditioning


def packed(images: Tensor, packing: int) -> Tensor:
    """Join images with their neighbours along channels.

    Args:
        images: ``(packing * n, h, w, c)``.
        packing: how many make one.

    Returns:
        ``(n, h, w, packing * c)``.

    >>> packed(ops.reshape(ops.arange(4), (4, 1, 1, 1)), 2).numpy().squeeze().tolist()
    [[0, 1], [2, 3]]
    """
    if packing == 1:
        return images
    _, height, width, channels = images.shape
    images = ops.reshape(images, (-1, packing, height, width, channels))
    images = ops.transpose(images, (0, 2, 3, 1, 4))
    return ops.reshape(images, (-1, height, width, packing * channels))


def unpacked(images: Tensor, packing: int) -> Tensor:
    """Return the images that ``packed`` joined.

    >>> images = ops.reshape(ops.arange(24), (4, 1, 2, 3))
    >>> bool(ops.all(unpacked(packed(images, 2), 2) == images))
    True
    """
    if packing == 1:
        return images
    _, height, width, channels = images.shape
    images = ops.reshape(images, (-1, height, width, packing, channels // packing))
    images = ops.transpose(images, (0, 3, 1, 2, 4))
    return ops.reshape(images, (-1, height, width, channels // packing))


def checked_packing(packing: int, conditioning: Conditioning | None) -> int:
    """Return how many images the discriminator judges together.

    Raises:
        GenzooError: if it is less than 1, or the images have classes that one logit cannot be of.
    """
    if packing < 1:
        raise GenzooError(f"packing must be at least 1, not {packing}")
    if packing > 1 and conditioning is not None and not conditioning.joins_images:
        raise GenzooError(
            f"packing {packing} images into one leaves {type(conditioning).__name__} no single "
            "class to judge them by; take packing=1, or conditioning='concat'"
        )
    return int(packing)
