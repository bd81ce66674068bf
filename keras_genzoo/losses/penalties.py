"""Penalties on the slope of the discriminator, pure functions of its gradients.

A penalty is called as ``penalty(critic, real_images, fake_images, draw)`` and returns a float32
scalar that is added to the discriminator's loss. ``critic(images)`` returns logits ``(batch, 1)``,
and ``critic.gradient(images)`` the gradient of each image's logit with respect to its own pixels,
in the shape of the images. Both include the condition, the training mode and the augmentation: the
gradient is that with respect to the images before augmentation. ``draw.uniform(batch_size, shape)``
and ``draw.normal(batch_size, shape)`` return noise with one row for each image, which does not
depend on the number of replicas.
"""

from typing import Annotated, Any, Protocol

import keras
from keras import ops

from keras_genzoo.arguments import NOT_NEGATIVE, POSITIVE, SHARE
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor, float32

_serializable = keras.saving.register_keras_serializable("keras_genzoo")

# Keeps the derivative of the square root finite at a gradient of zero.
_TINY = 1e-12


class Critic(Protocol):
    """The interface through which a penalty uses the discriminator."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits of images, ``(batch, 1)``."""

    def gradient(self, images: Tensor) -> Tensor:
        """Return the gradient of each image's logit with respect to its own pixels."""


class Draw(Protocol):
    """A source of random numbers with one row for each image."""

    def uniform(self, batch_size: int | Tensor, shape: tuple[int, ...] = ()) -> Tensor:
        """Return numbers from U(0, 1), ``(batch_size, *shape)``."""

    def normal(self, batch_size: int | Tensor, shape: tuple[int, ...] = ()) -> Tensor:
        """Return numbers from N(0, 1), ``(batch_size, *shape)``."""


class Penalty:
    """An additional term of the discriminator's loss; subclasses implement ``__call__``.

    The weight may change in training, as 2501.05441 has it: a model multiplies the term by a
    number that goes from 1 to ``end`` by half a cosine.

    Args:
        weight: factor of the term, positive.
        end: last weight, as a share of ``weight``.
        steps: training steps until it is reached; 0 keeps the weight.

    Raises:
        GenzooError: if the weight is not positive, ``end`` lies outside of [0, 1], or one of
            ``end`` and ``steps`` is given without the other.
    """

    # Whether the penalty is defined only if the logit of an image depends on that image alone,
    # which is not the case with batch normalisation.
    per_image = True

    end, steps = 1.0, 0

    def __init__(self, weight: float, end: float = 1.0, steps: int = 0):
        if not weight > 0:
            raise GenzooError(f"the weight of a penalty must be positive, not {weight}")
        if not 0 <= end <= 1 or steps < 0:
            raise GenzooError(
                "the weight of a penalty ends at a share between 0 and 1, in 0 steps or more, not "
                f"at {end} in {steps}"
            )
        if (end == 1) != (steps == 0):
            raise GenzooError(
                "a penalty whose weight changes needs both: end, such as 0.1, and steps, the "
                "training steps until then"
            )
        self.weight, self.end, self.steps = float(weight), float(end), int(steps)

    def __call__(
        self, critic: Critic, real_images: Tensor, fake_images: Tensor, draw: Draw
    ) -> Tensor:
        """Return the term, a float32 scalar: the mean over the images."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        schedule = {"end": self.end, "steps": self.steps} if self.steps else {}
        return {"weight": self.weight, **schedule}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Penalty":
        """Return the penalty of a configuration."""
        return cls(**config)


def squared_norms(gradients: Tensor) -> Tensor:
    """Return the squared Euclidean norm of each image's gradient, float32 ``(batch,)``.

    >>> ops.convert_to_numpy(squared_norms(ops.ones((2, 3, 3, 1)))).tolist()
    [9.0, 9.0]
    """
    return ops.sum(ops.square(float32(gradients)), axis=(1, 2, 3))


@_serializable
class GradientPenalty(Penalty):
    """``weight * E[(‖∇D(x̂)‖ - 1)²]``, x̂ between a real and a generated image (1704.00028, eq. 3).

    Each ``x̂ = a x + (1 - a) G(z)`` has its own random a ~ U(0, 1).

    Args:
        weight: weight of the penalty; the paper's is 10.
        end: last weight of the penalty, as a share of the first.
        steps: training steps in which its weight gets there, by half a cosine; 0, the default,
            keeps it.

    Raises:
        GenzooError: as ``Penalty`` does.
    """

    def __init__(
        self,
        weight: Annotated[float, POSITIVE] = 10.0,
        end: Annotated[float, SHARE] = 1.0,
        steps: Annotated[int, NOT_NEGATIVE] = 0,
    ):
        super().__init__(weight, end, steps)

    def __call__(
        self, critic: "Critic", real_images: Tensor, fake_images: Tensor, draw: "Draw"
    ) -> Tensor:
        """Return the term, a float32 scalar."""
        share = draw.uniform(ops.shape(real_images)[0], (1, 1, 1))
        between = share * float32(real_images) + (1 - share) * float32(fake_images)
        norms = ops.sqrt(squared_norms(critic.gradient(between)) + _TINY)
        return self.weight * ops.mean(ops.square(norms - 1))


class ZeroCentredPenalty(Penalty):
    """The base of R1 and R2, whose weight is the gamma of the paper; the factor is gamma / 2.

    Args:
        weight: weight of the penalty, gamma of the paper; 0.0002 times the number of pixels
            over the batch size is a good first guess (2006.06676), then a quarter to four times
            of it.
        end: last weight of the penalty, as a share of the first.
        steps: training steps in which its weight gets there, by half a cosine; 0, the default,
            keeps it.

    Raises:
        GenzooError: as ``Penalty`` does.
    """

    def __init__(
        self,
        weight: Annotated[float, POSITIVE] = 1.0,
        end: Annotated[float, SHARE] = 1.0,
        steps: Annotated[int, NOT_NEGATIVE] = 0,
    ):
        super().__init__(weight, end, steps)


@_serializable
class R1(ZeroCentredPenalty):
    """``weight / 2 * E[‖∇D(x)‖²]`` on real images (1801.04406, eq. 9)."""

    def __call__(
        self, critic: "Critic", real_images: Tensor, fake_images: Tensor, draw: "Draw"
    ) -> Tensor:
        """Return the term, a float32 scalar."""
        return self.weight / 2 * ops.mean(squared_norms(critic.gradient(real_images)))


@_serializable
class R2(ZeroCentredPenalty):
    """``weight / 2 * E[‖∇D(G(z))‖²]`` on generated images (1801.04406, eq. 10)."""

    def __call__(
        self, critic: "Critic", real_images: Tensor, fake_images: Tensor, draw: "Draw"
    ) -> Tensor:
        """Return the term, a float32 scalar."""
        return self.weight / 2 * ops.mean(squared_norms(critic.gradient(fake_images)))


@_serializable
class R1R2(ZeroCentredPenalty):
    """The sum of ``R1`` and ``R2`` with the same weight (2501.05441)."""

    def __call__(
        self, critic: "Critic", real_images: Tensor, fake_images: Tensor, draw: "Draw"
    ) -> Tensor:
        """Return the term, a float32 scalar."""
        terms = R1(self.weight), R2(self.weight)
        return sum(term(critic, real_images, fake_images, draw) for term in terms)
