"""The variational autoencoder of chapter 4."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses import diagonal_gaussian_kl, reparameterize
from keras_genzoo.models.autoencoder import Autoencoder
from keras_genzoo.models.base import ImageShape
from keras_genzoo.networks import dense_gaussian_encoder, normal, uniform

NORMAL, BINARIZE = 0, 1


@keras.saving.register_keras_serializable("keras_genzoo")
class VAE(Autoencoder):
    """Auto-encoding variational Bayes (1312.6114): Gaussian posterior, Bernoulli decoder.

    The loss is the negative ELBO, J_REC + beta * J_REG: the reconstruction loss averaged over
    ``num_samples`` draws of z, and the closed-form KL divergence to N(0, I) (appendix B).

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector.
        beta: weight of the KL divergence (beta-VAE); 1 gives the ELBO.
        num_samples: draws of z an image (L in the paper).
        binarize: ``"dynamic"`` draws each pixel from its grey value anew in every step; None
            takes grey values as they are.
        hidden_units: widths of the encoder's hidden layers; the decoder mirrors them.
        encoder: a person's own network, images in [0, 1] -> ``[z_mean, z_log_var]``.
        decoder: a person's own network, ``(batch, latent_dim)`` -> logits of images.
        seed: key of the training noise.
        name: name of the Keras model.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = VAE((8, 8, 1), latent_dim=2, hidden_units=(16,))
    >>> model.generate(4, seed=1).shape
    (4, 8, 8, 1)

    One's own decoder ends without an activation: the sigmoid is the model's, and the losses take
    logits.

    >>> decoder = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))
    ... ])
    >>> model = VAE((8, 8, 1), latent_dim=2, decoder=decoder)
    """

    metric_names = ("loss", "reconstruction_loss", "kl_loss")
    encoding_names = ("z_mean", "z_log_var")
    prior_signature = "decode"

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: int = 2,
        *,
        beta: float = 1.0,
        num_samples: int = 1,
        binarize: str | None = None,
        hidden_units: Sequence[int] = (512, 256),
        encoder: keras.Model | None = None,
        decoder: keras.Model | None = None,
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        if num_samples < 1:
            raise GenzooError(f"num_samples must be at least 1, not {num_samples}")
        if beta < 0:
            raise GenzooError(f"beta must not be negative, but is {beta}")
        if binarize not in (None, "dynamic"):
            raise unknown("binarisation", binarize, ["dynamic"])
        super().__init__(
            image_shape,
            latent_dim,
            hidden_units=hidden_units,
            encoder=encoder,
            decoder=decoder,
            seed=seed,
            name=name,
            **kwargs,
        )
        self.beta = float(beta)
        self.num_samples = int(num_samples)
        self.binarize = binarize

    def default_encoder(self) -> keras.Model:
        """Build the encoder that is taken when a person brings none."""
        return dense_gaussian_encoder(self.image_shape, self.latent_dim, self.hidden_units)

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        return {
            **super().get_config(),
            "beta": self.beta,
            "num_samples": self.num_samples,
            "binarize": self.binarize,
        }

    def encode(self, images, *, batch_size: int = 256):
        """Return the posterior of images, ``[z_mean, z_log_var]``, each ``(n, latent_dim)``."""
        return super().encode(images, batch_size=batch_size)

    def code(self, encoding):
        """Return the posterior mean, the point that stands for an image."""
        z_mean, _ = encoding
        return z_mean

    def generate(self, n: int, class_labels=None, seed: int | None = None) -> np.ndarray:
        """Return ``n`` images decoded from z ~ N(0, I), uint8 ``(n, *image_shape)``.

        N(0, I) is the prior: the KL divergence of the loss draws the codes of the data to it.

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        return super().generate(n, class_labels, seed)

    def compute_losses(self, images, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the negative ELBO of each image, shape ``(batch,)``, and its parts by name."""
        key = self.noise_key(training)
        batch_size = tf.shape(images)[0]
        if self.binarize:
            threshold = self.noise(uniform, batch_size, self.image_shape, *key, BINARIZE)
            images = tf.cast(threshold < images, images.dtype)
        z_mean, z_log_var = (
            tf.cast(part, tf.float32) for part in self.encoder(images, training=training)
        )
        shape = (self.num_samples, self.latent_dim)
        epsilon = self.noise(normal, batch_size, shape, *key, NORMAL)
        z = reparameterize(z_mean[:, None], z_log_var[:, None], epsilon)
        logits = self.decoder(tf.reshape(z, (-1, self.latent_dim)), training=training)
        losses = self.loss_of_each(tf.repeat(images, self.num_samples, axis=0), logits)
        reconstruction_loss = tf.reduce_mean(tf.reshape(losses, (-1, self.num_samples)), axis=1)
        kl_loss = diagonal_gaussian_kl(z_mean, z_log_var)
        loss = reconstruction_loss + self.beta * kl_loss
        return loss, {
            "loss": loss,
            "reconstruction_loss": reconstruction_loss,
            "kl_loss": kl_loss,
        }
