"""Differentiable augmentation of the discriminator's images; the generator trains through it.

An augmentation is called as ``augmentation(images, draw)`` on images ``(batch, h, w, c)`` in
[-1, 1]. ``draw.uniform(batch_size, shape)`` returns random numbers with one row for each image,
which do not depend on the number of replicas.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import keras
from keras import ops

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses.penalties import Draw
from keras_genzoo.losses.tensors import Tensor


class Augmentation:
    """A random change of images; subclasses implement ``__call__`` and ``get_config``."""

    # Whether ``__call__`` takes a probability as its third argument, which the model keeps, and
    # moves as ``probability``, ``ramp_steps``, ``target`` and ``adaptation_images`` say.
    has_probability = False
    probability: float  # Where has_probability.
    ramp_steps: int  # Where has_probability.
    # The operations after which an image may show something else, as a 6 turned is a 9.
    turning: tuple[str, ...] = ()

    def __call__(self, images, draw):
        """Return changed images of the same shape; each image has its own random numbers."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Augmentation":
        """Return the augmentation that ``get_config`` described."""
        return cls(**config)


def brightness(images: Tensor, draw: Draw, background: float) -> Tensor:
    """Add U(-0.5, 0.5) to each image."""
    return images + _each(images, draw) - 0.5


def saturation(images: Tensor, draw: Draw, background: float) -> Tensor:
    """Scale each pixel's difference from its grey value by U(0, 2); grey images do not change."""
    if images.shape[-1] == 1:
        return images
    grey = ops.mean(images, axis=-1, keepdims=True)
    return (images - grey) * (2 * _each(images, draw)) + grey


def contrast(images: Tensor, draw: Draw, background: float) -> Tensor:
    """Scale the difference of each pixel from the mean of its image by U(0.5, 1.5)."""
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (_each(images, draw) + 0.5) + mean


def translation(images: Tensor, draw: Draw, background: float) -> Tensor:
    """Shift each image by up to an eighth of its size, and fill the border with the background."""
    for axis in (1, 2):
        size = images.shape[axis]
        most = int(size / 8 + 0.5)
        shift = ops.floor(_each(images, draw)[:, 0, 0, 0] * (2 * most + 1)) - most
        images = _shifted(images, ops.cast(shift, "int32"), axis, background)
    return images


def cutout(images: Tensor, draw: Draw, background: float) -> Tensor:
    """Cover a square of half the image's size with the background; part of it may lie outside."""
    covered = 1.0
    for axis in (1, 2):
        size = images.shape[axis]
        side = int(size / 2 + 0.5)
        places = size + 1 - side % 2
        middle = ops.floor(_each(images, draw) * places)
        place = ops.reshape(ops.arange(size, dtype="float32"), (1, -1, 1, 1))
        first = middle - side // 2
        inside = ops.cast((place >= first) & (place < first + side), images.dtype)
        covered *= inside if axis == 1 else ops.transpose(inside, (0, 2, 1, 3))
    return images * (1 - covered) + background * covered


# 2006.10738, section 4, in the order of the authors' code.
POLICIES = {
    "color": (brightness, saturation, contrast),
    "translation": (translation,),
    "cutout": (cutout,),
}


@keras.saving.register_keras_serializable("keras_genzoo")
class DiffAugment(Augmentation):
    """Differentiable augmentation (2006.10738) of real and generated images, in both updates.

    Args:
        policies: kinds of change, applied in this order; names in ``POLICIES``.
        background: pixel value in [-1, 1] that fills what an augmentation leaves empty; the
            paper's 0 is mid-grey here, and -1, the default, is the black background of digits.

    Raises:
        GenzooError: if a policy is unknown, there is none, or the background is out of range.

    >>> augmentation = DiffAugment(["translation", "cutout"])
    >>> augmentation.get_config()
    {'policies': ['translation', 'cutout'], 'background': -1.0}
    """

    def __init__(
        self,
        policies: Annotated[Sequence[str], tuple(POLICIES)] = ("color", "translation", "cutout"),
        background: float = -1.0,
    ):
        policies = (policies,) if isinstance(policies, str) else tuple(policies)
        if not policies:
            raise GenzooError(f"DiffAugment needs one policy or more of: {', '.join(POLICIES)}")
        for policy in policies:
            if policy not in POLICIES:
                raise unknown("augmentation policy", policy, POLICIES)
        if not -1 <= background <= 1:
            raise GenzooError(f"background must lie in [-1, 1], not {background}")
        self.policies = policies
        self.background = float(background)

    def __call__(self, images, draw):
        """Return changed images of the same shape, each changed in its own way."""
        for policy in self.policies:
            for change in POLICIES[policy]:
                images = change(images, draw, self.background)
        return images

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"policies": list(self.policies), "background": self.background}


def _each(images, draw):
    """Return a number from U(0, 1) for each image, ``(batch, 1, 1, 1)``."""
    return ops.cast(draw.uniform(ops.shape(images)[0], (1, 1, 1)), images.dtype)


def _shifted(images: Tensor, shift: Tensor, axis: int, background: float) -> Tensor:
    """Return images moved along an axis by ``shift`` ``(batch,)`` pixels.

    Rows are selected by multiplication with a matrix of zeros and ones, which is exact and
    differentiable on every device.
    """
    if axis == 2:
        turned = ops.transpose(images, (0, 2, 1, 3))
        return ops.transpose(_shifted(turned, shift, 1, background), (0, 2, 1, 3))
    _, height, width, channels = images.shape
    place = ops.arange(height)
    chosen = ops.equal(place[None, None, :], place[None, :, None] - shift[:, None, None])
    chosen = ops.cast(chosen, images.dtype)
    rows = ops.matmul(chosen, ops.reshape(images, (-1, height, width * channels)))
    empty = 1 - ops.sum(chosen, axis=-1)[:, :, None, None]
    return ops.reshape(rows, (-1, height, width, channels)) + background * empty
