"""What all models share of their latents: drawing, checking, decoding and interpolating them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import checking
from keras_genzoo.models.capabilities import capable_models
from keras_genzoo.models.latent import interpolate_latents


class Latents:
    """What ``ImageModel`` offers for latents, whatever their ``latent_shape``.

    The class has ``image_shape``, ``latent_shape``, ``latent_dim`` and ``value_range``.
    """

    latent_shape: tuple[int, ...]
    latent_dim: int | None
    value_range: tuple[float, float]

    def sample_latents(self, n: int, seed: int | None = None) -> np.ndarray:
        """Return ``n`` latents from N(0, I), float32 ``(n, *latent_shape)``.

        Raises:
            GenzooError: if ``n`` is less than 1.
        """
        if n < 1:
            raise GenzooError(f"the number of images must be at least 1, not {n}")
        return np.random.default_rng(seed).standard_normal((n, *self.latent_shape), np.float32)

    def checked_latents(self, z: npt.ArrayLike) -> np.ndarray:
        """Return latents as float32 ``(n, *latent_shape)``.

        Raises:
            GenzooError: if they have another shape.
        """
        z = np.asarray(z, "float32")
        if not z.ndim or z.shape[1:] != self.latent_shape:
            kind = "latents" if self.latent_dim is None else "latent vectors"
            raise GenzooError(f"{kind} must have shape {self.latents_in_words}, not {z.shape}")
        return z

    @property
    def latents_in_words(self) -> str:
        """The shape of several latents, for an error: ``(n, 100)``."""
        return f"(n, {', '.join(map(str, self.latent_shape))})"

    def decode(self, z: npt.ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Return the images of latents ``(n, *latent_shape)``, uint8 ``(n, *image_shape)``."""
        raise NotImplementedError(f"{type(self).__name__} does not implement decode")

    def generate(
        self, n: int, class_labels: npt.ArrayLike | None = None, seed: int | None = None
    ) -> np.ndarray:
        """Return ``n`` images decoded from z ~ N(0, I), uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        self.check_no_labels(class_labels)
        return self.decode(self.sample_latents(n, seed))

    # Whether images are the solution of an equation over time: steps and solver can be chosen
    # after training, by ``set_sampling``, and images on the way seen, by ``path``.
    has_solver = False

    def set_sampling(self, **options: Any) -> None:
        """Choose how images are made from now on, of a model that ``has_solver``.

        Args:
            **options: ``solver``, ``solver_steps``, ``guidance``; None leaves one as it is.

        Raises:
            GenzooError: if the model makes its images in one pass, or has no such option.
        """
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise GenzooError(
                f"a {type(self).__name__} makes its images in one pass, and has no "
                f"{given[0].replace('_', ' ')}; that is for models with a solver, "
                f"{capable_models('has_solver')}"
            )

    def sampling(self) -> dict[str, Any]:
        """Return how images are made, by the names of ``set_sampling``; empty without a choice."""
        return {}

    def sampling_in_words(self) -> str:
        """Return ``sampling`` as text, such as ``midpoint, 10 steps, 20 network calls``."""
        return ""

    def interpolate(
        self, a: npt.ArrayLike, b: npt.ArrayLike, steps: int = 10, method: str = "spherical"
    ) -> np.ndarray:
        """Return the images of the interpolation from latent ``a`` to ``b``, both included.

        Args:
            a: first latent, of shape ``latent_shape``.
            b: last latent.
            steps: number of images, at least 2.
            method: ``"spherical"`` or ``"linear"``.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        return self.decode(interpolate_latents(a, b, steps, method))

    def check_no_labels(self, class_labels: npt.ArrayLike | None) -> None:
        """Refuse labels.

        Raises:
            GenzooError: if there are any.
        """
        if class_labels is not None:
            raise GenzooError(
                f"{type(self).__name__} knows no classes; leave class_labels out, or train a CGAN"
            )

    def to_uint8(self, values: Tensor) -> np.ndarray:
        """Return images of the model's range as uint8, rounded and clipped."""
        low, high = self.value_range
        values = (np.asarray(values, "float32") - low) * (255 / (high - low))
        return np.clip(np.rint(values), 0, 255).astype(np.uint8)

    @staticmethod
    def in_batches(function: Callable, inputs: Tensor, batch_size: int) -> Any:
        """Return what ``function`` gives for ``inputs``, a batch at a time, as float32 arrays.

        Raises:
            GenzooError: if there are no inputs.
        """
        if not len(inputs):
            raise GenzooError("there is nothing to compute: the input has no rows")
        with checking.plain_errors():
            outputs = [
                keras.tree.map_structure(
                    lambda part: np.asarray(keras.ops.cast(part, "float32")),
                    function(inputs[first : first + batch_size]),
                )
                for first in range(0, len(inputs), batch_size)
            ]
        return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)
