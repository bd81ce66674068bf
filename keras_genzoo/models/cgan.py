"""The conditional GAN (1411.1784), chapter 7: DCGAN's networks, told which class to make."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.base import ImageShape
from keras_genzoo.models.checking import assert_labels, names_hint
from keras_genzoo.models.dcgan import DCGAN
from keras_genzoo.networks import append_label_planes, append_one_hot


@keras.saving.register_keras_serializable("keras_genzoo")
class CGAN(DCGAN):
    """A DCGAN whose networks see the class: one-hot beside the noise, planes beside the image.

    Trains on ``(images, class_labels)``; generated images of a step take the classes of its real
    ones.

    Args:
        image_shape: ``(size, size, channels)``: 28, 32, 64, 128, or any other size from 8.
        latent_dim: size of the noise z ~ N(0, I).
        num_classes: number of classes; labels are integers from 0.
        generator_filters: as in ``DCGAN``.
        discriminator_filters: as in ``DCGAN``.
        generator: a person's own network, ``(batch, latent_dim + num_classes)`` -> images.
        discriminator: a person's own network, ``(batch, h, w, c + num_classes)`` -> logits.
        ema_decay: as in ``GAN``.
        seed: key of the training noise.
        name: name of the Keras model.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> model = CGAN((16, 16, 1), num_classes=3, generator_filters=8, discriminator_filters=8)
    >>> model.generate(2, class_labels=[0, 2], seed=0).shape
    (2, 16, 16, 1)
    """

    needs_labels = True

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: int = 100,
        *,
        num_classes: int = 10,
        generator_filters: int = 64,
        discriminator_filters: int = 64,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        ema_decay: float = 0.0,
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        if num_classes < 2:
            raise GenzooError(f"num_classes must be at least 2, not {num_classes}")
        self._num_classes = int(num_classes)
        super().__init__(
            image_shape,
            latent_dim,
            generator_filters=generator_filters,
            discriminator_filters=discriminator_filters,
            generator=generator,
            discriminator=discriminator,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            **kwargs,
        )

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return self._num_classes

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        return {**super().get_config(), "num_classes": self.num_classes}

    @property
    def noise_dim(self) -> int:
        """Width of the generator's input: the noise and the one-hot label."""
        return self.latent_dim + self.num_classes

    @property
    def discriminator_shape(self) -> ImageShape:
        """Shape of the discriminator's input: the image and the label planes."""
        height, width, channels = self.image_shape
        return (height, width, channels + self.num_classes)

    def call(self, inputs, training=False):
        """Return the images of ``(z, class_labels)``, floats in [-1, 1].

        Raises:
            GenzooError: if one of the two is missing, or has another shape.
        """
        if not isinstance(inputs, (tuple, list)) or len(inputs) != 2:
            raise GenzooError(
                "CGAN makes images of noise and class labels: pass both, as in "
                "predict((z, class_labels)), or use generate(n, class_labels)"
            )
        z, class_labels = inputs
        if z.shape[1:] != (self.latent_dim,):
            raise GenzooError(
                f"CGAN makes images of noise (n, {self.latent_dim}), not of {tuple(z.shape)}; "
                "make it with sample_latents(n)"
            )
        class_labels = tf.reshape(tf.cast(class_labels, tf.int32), (-1,))
        assert_labels(self, class_labels)
        return super().call(self.condition_noise(z, class_labels), training=training)

    def unpack(self, data):
        """Return the batch's images in the model's range and its class labels."""
        images, class_labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        class_labels = tf.cast(class_labels, tf.int32)
        assert_labels(self, class_labels)
        return self.to_range(images), tf.reshape(class_labels, (-1,))

    def condition_noise(self, z, condition):
        """Return the noise joined with the one-hot label."""
        return append_one_hot(z, condition, self.num_classes)

    def condition_images(self, images, condition):
        """Return the image joined with its label planes."""
        return append_label_planes(images, condition, self.num_classes)

    def decode(self, z, class_labels=None, *, batch_size: int = 256) -> np.ndarray:
        """Return the images of noise ``(n, latent_dim)``, uint8 ``(n, *image_shape)``.

        Args:
            z: noise.
            class_labels: one label for all, or one for each image; None takes the classes in turn.
            batch_size: images made at a time.

        Raises:
            GenzooError: if a label is not one of the classes, or their number is another.
        """
        z = self.checked_latents(z)
        class_labels = self.checked_labels(class_labels, len(z))

        def made(rows):
            inputs = self.condition_noise(z[rows], class_labels[rows])
            return self.sampling_generator(inputs)

        return self.to_uint8(self.in_batches(made, np.arange(len(z)), batch_size))

    def interpolate(
        self, a, b, steps: int = 10, method: str = "spherical", class_labels=None
    ) -> np.ndarray:
        """Return the images of the walk from noise ``a`` to noise ``b``, all of one class.

        Args are those of ``GAN.interpolate``; ``class_labels`` is 0 if not given.
        """
        class_labels = 0 if class_labels is None else class_labels
        return super().interpolate(a, b, steps, method, class_labels)

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the network ``generate``: ``z`` and ``class_labels`` -> ``images`` in [0, 1]."""
        z = keras.Input((self.latent_dim,), batch_size, name="z")
        labels = keras.Input((), batch_size, dtype="int32", name="class_labels")
        inputs = {"z": z, "class_labels": labels}
        return {"generate": self.generating(inputs, self.condition_noise(z, labels))}

    def checked_labels(self, class_labels, n: int) -> np.ndarray:
        """Return ``n`` labels out of what a person may give."""
        if class_labels is None:
            return np.arange(n) % self.num_classes
        labels = np.asarray(class_labels)
        if labels.ndim > 1 or labels.dtype.kind not in "iu":
            hint = names_hint(labels.dtype.str)
            raise GenzooError(f"class_labels must be an integer or a list of integers{hint}")
        if labels.ndim == 1 and len(labels) != n:
            raise GenzooError(f"{n} images need {n} class labels, got {len(labels)}")
        wrong = np.unique(labels[(labels < 0) | (labels >= self.num_classes)])
        if wrong.size:
            shown = ", ".join(map(str, wrong[:3])) + (", ..." if wrong.size > 3 else "")
            raise GenzooError(
                f"class labels go from 0 to {self.num_classes - 1}; there is no class {shown}"
            )
        return np.broadcast_to(labels, (n,))
