"""The variational autoencoder of chapter 4."""

import math
from typing import Annotated, Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.arguments import AT_LEAST_1, NOT_NEGATIVE, REPEATS
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses import (
    diagonal_gaussian_kl,
    diagonal_gaussian_kl_terms,
    elbo,
    reparameterize,
)
from keras_genzoo.models.autoencoder import Autoencoder
from keras_genzoo.models.base import ImageShape
from keras_genzoo.networks import normal, uniform

NORMAL, BINARIZE = 0, 1


@keras.saving.register_keras_serializable("keras_genzoo")
class VAE(Autoencoder):
    """Auto-encoding variational Bayes (1312.6114): Gaussian posterior, a decoder of any likelihood.

    The loss is the negative ELBO, J_REC + beta * J_REG: the reconstruction loss averaged over
    ``num_samples`` draws of z, and the closed-form KL divergence to N(0, I) (appendix B).

    In training ``loss`` is what is minimised: with a warm-up and free bits it is not the ELBO,
    which is then logged as ``elbo`` if the loss is a log-likelihood: of weight 1 and without the
    floor, as ``reconstruction_loss`` and ``kl_loss`` always are. In evaluation ``loss`` has the
    full weight, and no floor, so that one step can be compared with another.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector.
        beta: weight of the KL divergence; 1 gives the ELBO, others a beta-VAE.
        beta_warmup: training steps over which the weight of the KL divergence rises from 0; it
            rises evenly, and 0 steps are none.
        free_bits: nats of each latent unit's KL divergence that are free, 0 for none; the
            divergence is then ``sum_j max(free_bits, KL_j)`` with the mean KL_j over the global
            batch (1606.04934).
        num_samples: draws of z for each image; L in the paper.
        binarize: draw each pixel 0 or 1 from its grey value, ``"dynamic"`` anew in each step; None
            takes grey values as they are.
        **arguments: as for ``Autoencoder``; an own encoder gives ``[z_mean, z_log_var]``.

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
        latent_dim: Annotated[int, AT_LEAST_1] = 2,
        *,
        beta: Annotated[float, NOT_NEGATIVE] = 1.0,
        beta_warmup: Annotated[int, NOT_NEGATIVE] = 0,
        free_bits: Annotated[float, NOT_NEGATIVE] = 0.0,
        num_samples: Annotated[int, REPEATS] = 1,
        binarize: Annotated[str | None, ("dynamic",)] = None,
        **arguments,
    ):
        if num_samples < 1:
            raise GenzooError(f"num_samples must be at least 1, not {num_samples}")
        if beta < 0:
            raise GenzooError(f"beta must not be negative, but is {beta}")
        if not beta < math.inf:
            raise GenzooError(f"beta must be finite, not {beta}")
        if beta_warmup < 0:
            raise GenzooError(f"beta_warmup must be 0 or more steps, not {beta_warmup}")
        if not 0 <= free_bits < math.inf:
            raise GenzooError(f"free_bits must be 0 or more nats, not {free_bits}")
        if binarize not in (None, "dynamic"):
            raise unknown("binarisation", binarize, ["dynamic"])
        super().__init__(image_shape, latent_dim, **arguments)
        self.beta, self.beta_warmup = float(beta), int(beta_warmup)
        self.free_bits = float(free_bits)
        self.num_samples = int(num_samples)
        self.binarize = binarize

    @property
    def has_likelihood(self) -> bool:
        """Whether log p(x) can be bounded: the loss is a log-likelihood."""
        return self.likelihood.is_log_likelihood

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        return {
            **super().get_config(),
            "beta": self.beta,
            "beta_warmup": self.beta_warmup,
            "free_bits": self.free_bits,
            "num_samples": self.num_samples,
            "binarize": self.binarize,
        }

    def check_likelihood(self, likelihood) -> None:
        """Refuse a density of grey values where pixels are drawn 0 or 1.

        Raises:
            GenzooError: if it is one.
        """
        if self.binarize and likelihood.is_log_likelihood and not likelihood.is_binary:
            raise GenzooError(
                f"{type(likelihood).__name__} is a density of grey values, and "
                f"binarize={self.binarize!r} makes pixels 0 or 1; take binarize=None, or "
                "loss='bernoulli'"
            )

    def more_metric_names(self) -> list[str]:
        """Return what the steps log besides ``metric_names``."""
        differs = bool(self.beta_warmup or self.free_bits) and self.has_likelihood
        return [*super().more_metric_names(), *(["elbo"] if differs else [])]

    def encode(self, images, *, batch_size: int = 256):
        """Return the posterior of images, ``[z_mean, z_log_var]``, each ``(n, *latent_shape)``."""
        return super().encode(images, batch_size=batch_size)

    def code(self, encoding):
        """Return the posterior mean, the point that stands for an image."""
        z_mean, _ = encoding
        return z_mean

    def posterior(self, images):
        """Return ``z_mean`` and ``z_log_var`` of q(z|x), each ``(batch, latent_dim)``."""
        return self.inference_encoder(images, training=False)

    def log_probability(self, images, z):
        """Return log p(x|z) of each image: the reconstruction loss, negated."""
        return -self.loss_of_each(images, self.inference_decoder(z, training=False))

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
        encoder, decoder = self._networks(training)
        z_mean, z_log_var = (
            tf.cast(part, tf.float32) for part in encoder(images, training=training)
        )
        shape = (self.num_samples, self.latent_dim)
        epsilon = self.noise(normal, batch_size, shape, *key, NORMAL)
        z = reparameterize(z_mean[:, None], z_log_var[:, None], epsilon)
        logits = decoder(tf.reshape(z, (-1, self.latent_dim)), training=training)
        losses = self.loss_of_each(tf.repeat(images, self.num_samples, axis=0), logits)
        reconstruction_loss = tf.reduce_mean(tf.reshape(losses, (-1, self.num_samples)), axis=1)
        kl_loss = diagonal_gaussian_kl(z_mean, z_log_var)
        regularisation = kl_loss
        if training and self.free_bits:
            regularisation = self._with_free_bits(diagonal_gaussian_kl_terms(z_mean, z_log_var))
        weight = self.kl_weight() if training else self.beta
        loss = reconstruction_loss + weight * regularisation
        parts = {"loss": loss, "reconstruction_loss": reconstruction_loss, "kl_loss": kl_loss}
        parts |= self.sigma_by_name()
        if "elbo" in self._trackers:
            parts["elbo"] = elbo(reconstruction_loss, kl_loss)
        return loss, parts

    def kl_weight(self):
        """Return the weight of the KL divergence in this training step."""
        if not self.beta_warmup:
            return self.beta
        return self.beta * tf.minimum(tf.cast(self.step, tf.float32) / self.beta_warmup, 1.0)

    def _with_free_bits(self, terms) -> tf.Tensor:
        """Return the divergence of each image, whose mean is ``sum_j max(free_bits, KL_j)``.

        Args:
            terms: the divergence of each image's units, ``(batch, latent_dim)``.
        """
        means = tf.reduce_mean(terms, axis=0)
        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            means = context.all_reduce(tf.distribute.ReduceOp.MEAN, tf.stop_gradient(means))
        # Units below the floor get no gradient.
        return tf.reduce_sum(tf.where(means > self.free_bits, terms, self.free_bits), axis=1)
