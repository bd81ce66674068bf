"""What models are used for that make images of noise, with or without class labels."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.checking import assert_labels
from keras_genzoo.models.labels import Conditioned
from keras_genzoo.models.latent import interpolate_latents

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.exporting import Exportable as Joined
else:
    Joined = object


class Generating(Conditioned, Joined):
    """What ``GAN`` and ``Flow`` add to ``ImageModel`` to make images.

    The class has ``make``, and if it may need labels ``num_classes``.
    """

    prior_signature: str | None = "generate"

    def make(self, z: Tensor, class_labels: Tensor | None = None, training: bool = False) -> Any:
        """Return images in the model's range of noise, with labels ``(batch,)`` if it needs them.

        Args:
            z: noise ``(batch, *latent_shape)``, a tensor of any kind, or one of a functional model.
            class_labels: int32 ``(batch,)``, of a conditional model.
            training: whether layers behave as in training, and weights are not the averaged ones.
        """
        raise NotImplementedError

    def call(self, inputs, training=False):
        """Return the images of noise, floats in [-1, 1].

        They are those of the averaged weights, if there are such, unless ``training``.

        Args:
            inputs: noise ``(batch, *latent_shape)``; of a conditional model ``(z, class_labels)``.
            training: whether layers behave as in training.

        Raises:
            GenzooError: if the noise has another shape, or labels are missing.
        """
        name, z, class_labels = type(self).__name__, inputs, None
        if self.needs_labels:
            if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
                raise GenzooError(
                    f"{name} makes images of noise and class labels: pass both, as in "
                    "predict((z, class_labels)), or use generate(n, class_labels)"
                )
            z, class_labels = inputs
        if tuple(z.shape[1:]) != self.latent_shape:
            raise GenzooError(
                f"{name} makes images of noise {self.latents_in_words}, not of {tuple(z.shape)}; "
                "make it with sample_latents(n)"
            )
        if self.needs_labels:
            class_labels = tf.reshape(tf.cast(class_labels, tf.int32), (-1,))
            assert_labels(self, class_labels)
        return self.make(z, class_labels, training)

    def maker(self, **sampling: Any) -> Callable:
        """Return ``make`` for batches, with options that it takes."""
        return self.traced(self.make, **sampling)

    def interpolate(
        self,
        a: npt.ArrayLike,
        b: npt.ArrayLike,
        steps: int = 10,
        method: str = "spherical",
        class_labels: npt.ArrayLike | None = None,
        **sampling: Any,
    ) -> np.ndarray:
        """Return the images of the interpolation from noise ``a`` to noise ``b``, both included.

        Args:
            a: first latent, of shape ``latent_shape``.
            b: last latent.
            steps: number of images, at least 2.
            method: ``"spherical"`` or ``"linear"``.
            class_labels: of a conditional model, the class of all of them; 0 if not given.
            **sampling: what else ``make`` takes.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        if self.needs_labels and class_labels is None:
            class_labels = 0
        return self.decode(interpolate_latents(a, b, steps, method), class_labels, **sampling)

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the network ``generate``: ``z`` -> ``images`` in [0, 1].

        Its weights are the averaged ones, if there are such; of a conditional model it takes
        ``class_labels``, too.
        """
        inputs = {"z": keras.Input(self.latent_shape, batch_size, name="z")}
        if self.needs_labels:
            labels = keras.Input((), batch_size, dtype="int32", name="class_labels")
            inputs["class_labels"] = labels
        images = self.to_unit_range(self.make(inputs["z"], inputs.get("class_labels")))
        return {"generate": keras.Model(inputs, {"images": images}, name="generate")}
