"""What all models share of their latents: drawing, checking, decoding and interpolating them."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import checking
from keras_genzoo.models.capabilities import capable_models
from keras_genzoo.models.latent import interpolate_latents


class Latents:
    """What ``ImageModel`` offers for latents, whatever their ``latent_shape``.

    The class has ``image_shape``, ``latent_shape``, ``latent_dim`` and ``value_range``.
    """

    image_shape: tuple[int, int, int]
    latent_shape: tuple[int, ...]
    latent_dim: int | None
    value_range: tuple[float, float]

    def sample_latents(self, n: int, seed: int | np.random.Generator | None = None) -> np.ndarray:
        """Return ``n`` latents from N(0, I), float32 ``(n, *latent_shape)``.

        Args:
            n: number of latents.
            seed: random seed, or a generator that draws on: the latents of several calls are those
                of one call.

        Raises:
            GenzooError: if ``n`` is less than 1.
        """
        _check_number(n)
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

    def traced(self, function: Callable, **options: Any) -> Callable:
        """Return what runs a function of batches; ``ImageModel`` makes a graph of it."""
        return functools.partial(function, **options)

    def generate(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        **sampling: Any,
    ) -> np.ndarray:
        """Return ``n`` images decoded from z ~ N(0, I), uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.
            **sampling: what else ``decode`` takes.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        batches = self.generate_batches(n, class_labels, seed, **sampling)
        images, first = np.empty((n, *self.image_shape), np.uint8), 0
        for batch in batches:
            images[first : first + len(batch)] = batch
            first += len(batch)
        return images

    def generate_batches(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        *,
        batch_size: int = 256,
        **sampling: Any,
    ) -> Iterator[np.ndarray]:
        """Return an iterator over the images of ``generate``, a batch at a time.

        Noise is drawn and images are made as they are asked for, so that any number of images takes
        the memory of one batch.

        Args:
            n: number of images in all.
            class_labels: as in ``generate``.
            seed: as in ``generate``.
            batch_size: images of a batch.
            **sampling: what else ``decode`` takes.

        Raises:
            GenzooError: as ``generate`` does, or if ``batch_size`` is less than 1.
        """
        _check_number(n)
        _check_batch_size(batch_size)
        of_class, random = self.label_rows(class_labels, n), np.random.default_rng(seed)

        def made(first: int) -> np.ndarray:
            last = min(first + batch_size, n)
            labels = {name: rows[first:last] for name, rows in of_class.items()}
            z = self.sample_latents(last - first, random)
            return self.decode(z, batch_size=batch_size, **labels, **sampling)

        return map(made, range(0, n, batch_size))

    def label_rows(self, class_labels: npt.ArrayLike | None, n: int) -> dict[str, np.ndarray]:
        """Return the argument ``class_labels`` of ``n`` images, empty of a model without classes.

        Raises:
            GenzooError: if there are labels, and the model knows no classes.
        """
        self.check_no_labels(class_labels)
        return {}

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
                f"{type(self).__name__} knows no classes; leave class_labels out, or train a model "
                "that does, such as a cgan"
            )

    def to_uint8(self, values: Tensor) -> np.ndarray:
        """Return images of the model's range as uint8, rounded and clipped."""
        low, high = self.value_range
        levels = np.asarray(values, "float32") - low
        levels *= 255 / (high - low)
        np.rint(levels, out=levels)
        return np.clip(levels, 0, 255, out=levels).astype(np.uint8)

    def in_batches(
        self,
        function: Callable,
        inputs: np.ndarray,
        batch_size: int,
        *,
        finish: Callable | None = None,
        **others: np.ndarray,
    ) -> Any:
        """Return what ``function`` gives for the rows of arrays, a batch at a time.

        Beside that, no more than a batch is in memory.

        Args:
            function: called with rows of ``inputs``, and by their names with those of ``others``.
            inputs: an array.
            batch_size: rows that are taken together.
            finish: makes an array of what the function gives for a batch, or of each part of it;
                by default floats become float32.
            **others: arrays with as many rows.

        Raises:
            GenzooError: if there are no inputs, or ``batch_size`` is less than 1.
        """
        if not len(inputs):
            raise GenzooError("there is nothing to compute: the input has no rows")
        _check_batch_size(batch_size)

        def made(rows: slice) -> Any:
            named = {name: other[rows] for name, other in others.items()}
            parts = function(inputs[rows], **named)
            return keras.tree.map_structure(finish or _as_array, parts)

        # Also where a graph is being made around it: arrays are computed at once.
        with checking.plain_errors(), tf.init_scope():
            found = made(slice(0, batch_size))
            if batch_size >= len(inputs):
                return found
            found = keras.tree.map_structure(lambda part: _with_room(len(inputs), part), found)
            for first in range(batch_size, len(inputs), batch_size):
                rows = slice(first, first + batch_size)
                parts = keras.tree.flatten(made(rows))
                for whole, part in zip(keras.tree.flatten(found), parts, strict=True):
                    whole[rows] = part
        return found


def _check_number(n: int) -> None:
    if n < 1:
        raise GenzooError(f"the number of images must be at least 1, not {n}")


def _check_batch_size(batch_size: int) -> None:
    if batch_size < 1:
        raise GenzooError(f"batch_size must be at least 1, not {batch_size}")


def _as_array(values: Tensor) -> np.ndarray:
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(values.dtype)):
        values = keras.ops.cast(values, "float32")
    return np.array(values)


def _with_room(rows: int, first: np.ndarray) -> np.ndarray:
    """Return an array of so many rows, whose first ones are set."""
    whole = np.empty((rows, *first.shape[1:]), first.dtype)
    whole[: len(first)] = first
    return whole
