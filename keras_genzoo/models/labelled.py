"""What an autoencoder does with class labels, which reach its encoder and its decoder."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_genzoo.losses import bernoulli_loss, diagonal_gaussian_kl
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.checking import check_images
from keras_genzoo.models.labels import Conditioned
from keras_genzoo.models.latent import interpolate_latents

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.autoencoder import Autoencoder as Joined
else:
    Joined = object


class Labelled(Conditioned, Joined):
    """What ``VAE`` adds to ``Autoencoder`` for its ``conditioning``, None without class labels.

    The encoder sees the label as a plane for each class behind the image, the decoder as a one-hot
    vector behind the code. Where a person gives images without labels, each image takes the class
    under which the ELBO is highest, as ``likely_labels`` finds it.
    """

    @property
    def encoder_shape(self) -> tuple[int, ...]:
        """Shape of the encoder's input: the image, and a plane for each class."""
        if self.conditioning is None:
            return self.image_shape
        return self.conditioning.discriminator_shape(self.image_shape)

    @property
    def decoder_shape(self) -> tuple[int, ...]:
        """Shape of the decoder's input: the code, and the one-hot label."""
        if self.conditioning is None:
            return self.latent_shape
        return (self.conditioning.noise_dim(self.latent_dim),)

    def encoder_input(self, images, class_labels=None):
        """Return images with their labels' planes."""
        return images if class_labels is None else self.conditioning.images(images, class_labels)

    def decoder_input(self, z, class_labels=None):
        """Return codes with their one-hot labels."""
        return z if class_labels is None else self.conditioning.noise(z, class_labels)

    def encoding(
        self, images: Tensor, training: bool = False, class_labels: Tensor | None = None
    ) -> Any:
        """Return what the encoder gives for images in [0, 1] and their labels."""
        return super().encoding(self.encoder_input(images, class_labels), training)

    def logits(
        self, z: Tensor, training: bool = False, class_labels: Tensor | None = None
    ) -> Tensor:
        """Return what the decoder gives for latent vectors and labels."""
        return super().logits(self.decoder_input(z, class_labels), training)

    def reconstruction_logits(self, images, class_labels=None):
        """Return the logits of the mean of each pixel, of the shape of the images."""
        of_class = self.of_class(images, class_labels)
        z = self.code(self.encoding(images, **of_class))
        return self.likelihood.mean_logits(self.logits(z, **of_class))

    def label_input(self, batch_size: int | None) -> dict[str, keras.KerasTensor]:
        """Return the input of the signatures for class labels, by its name, if there is one."""
        if not self.needs_labels:
            return {}
        return {"class_labels": keras.Input((), batch_size, dtype="int32", name="class_labels")}

    def of_class(self, images: Tensor, class_labels: Tensor | None) -> dict[str, tf.Tensor]:
        """Return the argument ``class_labels`` of a batch, empty for a model without classes."""
        if not self.needs_labels:
            self.check_no_labels(class_labels)
            return {}
        if class_labels is None:
            return {"class_labels": self.likely_labels(images)}
        return {"class_labels": self.label_tensor(class_labels)}

    def likely_labels(self, images: Tensor) -> tf.Tensor:
        """Return the class of each image under which its ELBO at the posterior's mean is highest.

        All classes are taken to be equally frequent: it is Bayes' rule with the bound in place of
        log p(x|y).

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.

        Returns:
            int32 ``(batch,)``.
        """
        negative_bound = self.traced(self.negative_bound)
        bounds = [
            negative_bound(images, class_labels=tf.fill([tf.shape(images)[0]], number))
            for number in range(self.num_classes)
        ]
        return tf.argmin(tf.stack(bounds, axis=1), axis=1, output_type=tf.int32)

    def negative_bound(self, images: Tensor, class_labels: Tensor) -> tf.Tensor:
        """Return the negative ELBO of images in [0, 1] at the posterior's mean, ``(batch,)``."""
        # A model that was loaded without a loss is taken to have Bernoulli pixels, as in ``call``.
        compiled = getattr(self, "reconstruction_loss", None) is not None
        loss = self.loss_of_each if compiled else bernoulli_loss
        z_mean, z_log_var = self.encoding(images, class_labels=class_labels)
        logits = self.logits(z_mean, class_labels=class_labels)
        return loss(images, logits) + diagonal_gaussian_kl(z_mean, z_log_var)

    # Use -------------------------------------------------------------------------------------

    def call(self, inputs, training=False):
        """Return the reconstructions of images, floats in [0, 1].

        Args:
            inputs: images; of a conditional model also ``(images, class_labels)``.
            training: whether layers behave as in training.
        """
        class_labels = None
        if self.needs_labels and isinstance(inputs, (tuple, list)):
            inputs, class_labels = inputs
        images = self.to_range(inputs)
        of_class = self.of_class(images, class_labels)
        return self.decoded(
            self.code(self.encoding(images, training, **of_class)), training, **of_class
        )

    def encode(
        self,
        images: npt.ArrayLike,
        class_labels: npt.ArrayLike | None = None,
        *,
        batch_size: int = 256,
    ) -> Any:
        """Return the posterior of images, ``[z_mean, z_log_var]``, each ``(n, *latent_shape)``.

        Args:
            images: uint8, or floats in [0, 1].
            class_labels: of a conditional model, one label for all or one for each image; None
                takes ``likely_labels``.
            batch_size: images encoded at a time.
        """
        return self.of_images(self.encoding, images, batch_size, class_labels=class_labels)

    def reconstruct(
        self,
        images: npt.ArrayLike,
        class_labels: npt.ArrayLike | None = None,
        *,
        batch_size: int = 256,
    ) -> np.ndarray:
        """Return images sent through the code and back, uint8 ``(n, *image_shape)``.

        Args:
            images: uint8, or floats in [0, 1].
            class_labels: as in ``encode``.
            batch_size: images at a time.
        """
        return self.of_images(
            self.restored, images, batch_size, class_labels=class_labels, finish=self.to_uint8
        )

    def maker(self) -> Callable:
        """Return ``decoded`` for batches."""
        return self.traced(self.decoded)

    def interpolate(
        self,
        a: npt.ArrayLike,
        b: npt.ArrayLike,
        steps: int = 10,
        method: str = "linear",
        class_labels: npt.ArrayLike | None = None,
    ) -> np.ndarray:
        """Return the interpolation from image ``a`` to image ``b``, both included.

        Args:
            a: first image, shape ``image_shape``, or ``(h, w)`` if grey.
            b: last image.
            steps: number of images, at least 2.
            method: ``"linear"`` or ``"spherical"``.
            class_labels: of a conditional model, the class that all of them are decoded as, or one
                for each step; by default that of ``a``.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        images = np.stack([np.asarray(a), np.asarray(b)])
        if self.needs_labels and class_labels is None:
            check_images(self, images)
            class_labels = int(self.likely_labels(self.to_range(images))[0])
        start, end = self.code(self.encode(images))
        return self.decode(interpolate_latents(start, end, steps, method), class_labels)
