"""Adaptive discriminator augmentation (2006.06676): what is done to images, and how often.

Each operation is applied to each image with one probability, by random numbers of its own. Those of
``GEOMETRY`` say where the pixels of the changed image come from; all of them together take one
bilinear interpolation, which leaves whole pixels exact. Those of ``COLOUR`` change values.
"""

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import keras
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1, NOT_NEGATIVE, SHARE
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.augmentation import Augmentation

# Each function below is given two numbers of U(0, 1) and two of N(0, 1) for each image, both
# ``(batch, 2)``. Those of geometry map the places of pixels in the changed image, ``x`` to the
# right and ``y`` down from its middle, ``(batch, pixels)``, to places in the original.


def flip(x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Mirror left and right, every other image."""
    return x * ops.where(uniform[:, :1] < 0.5, -1.0, 1.0), y


def quarter_turn(
    x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Turn by 0, 90, 180 or 270 degrees."""
    quarters = ops.floor(4 * uniform[:, :1])
    # Whole numbers, so that pixels stay exact.
    cosine = ops.abs(quarters - 2) - 1
    sine = 1 - ops.abs(quarters - 1)
    return cosine * x + sine * y, cosine * y - sine * x


def shift(
    x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Move by up to an eighth of the size along each side, in whole pixels."""
    moved = ops.round((uniform - 0.5) * (size / 4))
    return x - moved[:, :1], y - moved[:, 1:]


def scale(
    x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Enlarge by 2 to the power of N(0, 0.2)."""
    factor = 0.5 ** (0.2 * normal[:, :1])
    return x * factor, y * factor


def rotation(
    x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Turn by any angle."""
    return _turned(x, y, (2 * uniform[:, :1] - 1) * math.pi)


def tilt(x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Turn by up to 15 degrees, which leaves digits readable; the paper has no such limit."""
    return _turned(x, y, (2 * uniform[:, :1] - 1) * (math.pi / 12))


def fractional_shift(
    x: Tensor, y: Tensor, uniform: Tensor, normal: Tensor, size: int
) -> tuple[Tensor, Tensor]:
    """Move by N(0, 1/8) of the size along each side."""
    moved = normal * (size / 8)
    return x - moved[:, :1], y - moved[:, 1:]


def _turned(x, y, angle):
    cosine, sine = ops.cos(angle), ops.sin(angle)
    return cosine * x + sine * y, cosine * y - sine * x


# Those of colour map images ``(batch, h, w, c)`` in [-1, 1].


def brightness(images, uniform, normal):
    """Add N(0, 0.2)."""
    return images + 0.2 * normal[:, :1, None, None]


def contrast(images, uniform, normal):
    """Scale about mid-grey by 2 to the power of N(0, 0.5)."""
    return images * 2.0 ** (0.5 * normal[:, :1, None, None])


def hue(images, uniform, normal):
    """Turn colours about the grey axis by any angle; images of no three channels stay."""
    if images.shape[-1] != 3:
        return images
    angle = ((2 * uniform[:, :1] - 1) * math.pi)[:, None, None]
    grey = ops.mean(images, axis=-1, keepdims=True)
    # The product of the axis (1, 1, 1) / sqrt(3) and the colour.
    across = (ops.roll(images, 1, axis=-1) - ops.roll(images, -1, axis=-1)) / math.sqrt(3)
    return grey + ops.cos(angle) * (images - grey) + ops.sin(angle) * across


def saturation(images, uniform, normal):
    """Scale colours about grey by 2 to the power of N(0, 1); grey images stay."""
    if images.shape[-1] == 1:
        return images
    grey = ops.mean(images, axis=-1, keepdims=True)
    return grey + (images - grey) * 2.0 ** normal[:, :1, None, None]


GEOMETRY: dict[str, Callable] = {
    "flip": flip,
    "quarter_turn": quarter_turn,
    "shift": shift,
    "scale": scale,
    "rotation": rotation,
    "tilt": tilt,
    "fractional_shift": fractional_shift,
}
COLOUR = {
    "brightness": brightness,
    "contrast": contrast,
    "hue": hue,
    "saturation": saturation,
}
# What makes another digit, letter or garment of one.
TURNING = ("flip", "quarter_turn", "rotation")


@keras.saving.register_keras_serializable("keras_genzoo")
class ADA(Augmentation):
    """Augmentation whose probability follows how much the discriminator overfits (2006.06676).

    Every 4 steps the probability moves by 4 times the batch size over ``adaptation_images``: up if
    the mean sign of the logits of real images lies above ``target``, else down. Or it rises from 0
    to ``probability`` by half a cosine in the first ``ramp_steps`` (2501.05441).

    Args:
        operations: kinds of change, flip, quarter_turn and rotation only if asked for; names in
            ``GEOMETRY`` or ``COLOUR``, applied in their order there. Those three, which the paper
            takes, too, make other digits.
        target: mean sign of the logits of real images, from -1 to 1, which the probability of the
            augmentation keeps.
        adaptation_images: images in which the probability moves from 0 to 1 at the fastest.
        probability: probability of each operation at the beginning, or at the end of its ramp.
        ramp_steps: training steps in which the probability rises from 0, by half a cosine; 0, the
            default, adapts it.
        background: pixel value in [-1, 1] that fills what an augmentation leaves empty; -1 is the
            black of digits.

    Raises:
        GenzooError: if an operation is unknown, or a number is out of range.

    >>> ADA(["scale", "brightness"]).get_config()["operations"]
    ['scale', 'brightness']
    """

    has_probability = True

    def __init__(
        self,
        operations: Annotated[Sequence[str], (*GEOMETRY, *COLOUR)] = (
            *("shift", "scale", "tilt", "fractional_shift"),
            *("brightness", "contrast", "hue", "saturation"),
        ),
        target: float = 0.6,
        adaptation_images: Annotated[int, AT_LEAST_1] = 500_000,
        probability: Annotated[float, SHARE] = 0.0,
        ramp_steps: Annotated[int, NOT_NEGATIVE] = 0,
        background: float = -1.0,
    ):
        operations = (operations,) if isinstance(operations, str) else tuple(operations)
        known = (*GEOMETRY, *COLOUR)
        if not operations:
            raise GenzooError(f"ADA needs one operation or more of: {', '.join(known)}")
        for operation in operations:
            if operation not in known:
                raise unknown("augmentation operation", operation, known)
        if not -1 <= target <= 1:
            raise GenzooError(f"target, a mean of signs, must lie in [-1, 1], not {target}")
        if not 0 <= probability <= 1:
            raise GenzooError(f"probability must lie in [0, 1], not {probability}")
        if ramp_steps < 0 or adaptation_images < 1:
            raise GenzooError(
                f"ramp_steps must be at least 0, and adaptation_images 1, not {ramp_steps} and "
                f"{adaptation_images}"
            )
        if ramp_steps and not probability:
            raise GenzooError(
                "a ramp to probability 0 augments nothing; give probability, such as 0.3"
            )
        if not -1 <= background <= 1:
            raise GenzooError(f"background must lie in [-1, 1], not {background}")
        self.operations = operations
        self.target = float(target)
        self.adaptation_images = int(adaptation_images)
        self.probability = float(probability)
        self.ramp_steps = int(ramp_steps)
        self.background = float(background)

    @property
    def turning(self) -> tuple[str, ...]:
        """The operations after which a digit may be another one."""
        return tuple(operation for operation in TURNING if operation in self.operations)

    def __call__(self, images, draw, probability):
        """Return images of the same shape, each changed by each operation with ``probability``."""
        geometry, colour = (
            [name for name in table if name in self.operations] for table in (GEOMETRY, COLOUR)
        )
        count, batch_size = len(geometry) + len(colour), ops.shape(images)[0]
        uniform = draw.uniform(batch_size, (count, 3))
        normal = draw.normal(batch_size, (count, 2))
        chosen = uniform[:, :, 2] < probability
        numbers = [(uniform[:, i, :2], normal[:, i]) for i in range(count)]
        if geometry:
            images = self._moved(images, geometry, numbers, chosen)
        for index, name in enumerate(colour, start=len(geometry)):
            changed = COLOUR[name](images, *numbers[index])
            images = ops.where(chosen[:, index, None, None, None], changed, images)
        return images

    def _moved(self, images: Tensor, geometry: list[str], numbers: list, chosen: Tensor) -> Tensor:
        _, height, width, _ = images.shape
        x, y = (
            ops.reshape(place, (1, -1)) for place in ops.meshgrid(_centred(width), _centred(height))
        )
        x, y = (place + ops.zeros_like(numbers[0][0][:, :1]) for place in (x, y))
        # From the changed image back to the original: the last change first.
        for index, name in reversed(list(enumerate(geometry))):
            new_x, new_y = GEOMETRY[name](x, y, *numbers[index], max(height, width))
            x = ops.where(chosen[:, index, None], new_x, x)
            y = ops.where(chosen[:, index, None], new_y, y)
        moved = interpolated(images - self.background, x + (width - 1) / 2, y + (height - 1) / 2)
        return moved + self.background

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**vars(self), "operations": list(self.operations)}


def _centred(size: int) -> Tensor:
    return ops.arange(size, dtype="float32") - (size - 1) / 2


def interpolated(images, x, y):
    """Return images with pixels from other places, by bilinear interpolation; 0 comes from outside.

    Args:
        images: ``(batch, h, w, c)``.
        x: columns, ``(batch, h * w)``, in any numbers.
        y: rows, of the same shape.

    >>> row = ops.reshape(ops.array([1.0, 3.0]), (1, 1, 2, 1))
    >>> interpolated(row, ops.array([[0.5, 1.5]]), ops.zeros((1, 2))).numpy().ravel().tolist()
    [2.0, 1.5]
    """
    _, height, width, channels = images.shape
    pixels = ops.reshape(images, (-1, height * width, channels))
    left, top = ops.floor(x), ops.floor(y)
    total = 0.0
    for column, across in ((left, 1 - (x - left)), (left + 1, x - left)):
        for row, down in ((top, 1 - (y - top)), (top + 1, y - top)):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            weight = ops.where(inside, across * down, 0.0)[:, :, None]
            place = ops.clip(row, 0, height - 1) * width + ops.clip(column, 0, width - 1)
            index = ops.cast(place, "int32")[:, :, None]
            index = ops.broadcast_to(index, (ops.shape(images)[0], height * width, channels))
            total += weight * ops.take_along_axis(pixels, index, axis=1)
    return ops.reshape(total, (-1, height, width, channels))
