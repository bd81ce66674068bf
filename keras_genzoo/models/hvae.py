"""A VAE with two levels of latents, ``hvae_2level`` of VampPrior (1705.07120)."""

from typing import Annotated, Any, ClassVar

import keras
import tensorflow as tf
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import diagonal_gaussian_kl_terms, reparameterize
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.averaging import copy_network
from keras_genzoo.models.base import ImageShape, OptimizerDefaults
from keras_genzoo.models.checking import check_network
from keras_genzoo.models.vae import VAE, Draws, log_ratio
from keras_genzoo.networks import AutoencoderArchitecture, Hierarchy, layers_under


@keras.saving.register_keras_serializable("keras_genzoo")
class HVAE(VAE):
    """A hierarchical VAE: ``p(z2) p(z1|z2) p(x|z1, z2)``, with ``q(z2|x) q(z1|x, z2)``.

    All four are Gaussians of networks, but for the prior p(z2) = N(0, I) and the likelihood. A
    latent vector is z2 and behind it ``u = (z1 - mean) / std`` of p(z1|z2): under the prior both
    are N(0, I), so that noise, interpolation and exports are those of any VAE. ``encode`` gives
    the posterior of z2, and that of u where z2 is its mean.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector, both levels together.
        top_dim: size of z2, the upper level, by default half of ``latent_dim``.
        architecture: as for ``Autoencoder``; it must have networks for two levels.
        lower_encoder: a person's own network, ``[images in [0, 1], z2]`` -> mean and log-variance
            of z1.
        lower_prior: a person's own network, z2 -> mean and log-variance of z1.
        **arguments: as for ``VAE``; an own encoder gives mean and log-variance of z2, and an own
            decoder takes z2 and z1 joined.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = HVAE((8, 8, 1), latent_dim=6, top_dim=2, hidden_units=(16, 16))
    >>> model.generate(4, seed=1).shape, model.latent_shape
    ((4, 8, 8, 1), (6,))
    """

    optimizer_defaults: ClassVar[OptimizerDefaults] = {"optimizer": {"learning_rate": 5e-4}}
    has_gaussian_posterior = False

    lower_encoder: keras.Model
    lower_prior: keras.Model
    # None where no weights are averaged.
    average_lower_encoder: Any
    average_lower_prior: Any

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: Annotated[int, AT_LEAST_1] = 80,
        *,
        top_dim: Annotated[int | None, AT_LEAST_1] = None,
        architecture: str | AutoencoderArchitecture = "gated",
        lower_encoder: keras.Model | None = None,
        lower_prior: keras.Model | None = None,
        **arguments: Any,
    ):
        top_dim = latent_dim // 2 if top_dim is None else top_dim
        if not 1 <= top_dim < latent_dim:
            raise GenzooError(
                "two levels of latents need a number each: top_dim must be at least 1 and below "
                f"latent_dim, which is {latent_dim}, not {top_dim}"
            )
        if arguments.get("gradient", "reparameterized") == "dreg":
            raise GenzooError(
                "gradient='dreg' is for one level of latents; take gradient='reparameterized'"
            )
        # The shapes of the networks follow from it.
        self.top_dim = int(top_dim)
        super().__init__(image_shape, latent_dim, architecture=architecture, **arguments)
        self.set_lower_networks(lower_encoder, lower_prior)

    @property
    def lower_dim(self) -> int:
        """Size of z1."""
        return self.latent_dim - self.top_dim

    @property
    def encoding_shape(self) -> tuple[int, ...]:
        """Shape of each output of the encoder."""
        return (self.top_dim,)

    def build_decoder(self) -> keras.Model:
        """Return the architecture's decoder of both levels."""
        return self._hierarchy().decoder

    def _hierarchy(self) -> Hierarchy:
        num_classes = 0 if self.conditioning is None else self.num_classes
        return self.architecture.hierarchy(
            self.image_shape, self.top_dim, self.lower_dim, num_classes=num_classes
        )

    def set_lower_networks(
        self, lower_encoder: keras.Model | None, lower_prior: keras.Model | None
    ) -> None:
        """Take a person's networks of z1, and those of the architecture for what is None."""
        given = {"lower_encoder": lower_encoder, "lower_prior": lower_prior}
        self._own_roles += tuple(role for role, network in given.items() if network is not None)
        if None in given.values():
            with layers_under(self.dtype_policy):
                made = self._hierarchy()
            lower_encoder = lower_encoder or made.lower_encoder
            lower_prior = lower_prior or made.lower_prior
        self.lower_encoder, self.lower_prior = lower_encoder, lower_prior
        lower, both = [(self.lower_dim,)] * 2, [self.encoder_shape, self.encoding_shape]
        replicas = self.num_replicas
        check_network(lower_encoder, "lower_encoder", both, *lower, num_replicas=replicas)
        check_network(
            lower_prior, "lower_prior", self.encoding_shape, *lower, num_replicas=replicas
        )
        self.average_lower_encoder = self.average_lower_prior = None
        if self.is_averaged:
            self.average_lower_encoder = copy_network(lower_encoder, *both)
            self.average_lower_prior = copy_network(lower_prior, self.encoding_shape)

    def averages(self) -> list[tuple[keras.Model, keras.Model]]:
        """Return the averaged networks with those that they follow."""
        if not self.is_averaged:
            return []
        return [
            *super().averages(),
            (self.average_lower_encoder, self.lower_encoder),
            (self.average_lower_prior, self.lower_prior),
        ]

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        return {
            **super().get_config(),
            "top_dim": self.top_dim,
            **self.networks_config("lower_encoder", "lower_prior"),
        }

    # Computation -----------------------------------------------------------------------------

    def encoding(
        self, images: Tensor, training: bool = False, class_labels: Tensor | None = None
    ) -> list[Tensor]:
        """Return mean and log-variance of z2 and u, each ``(batch, latent_dim)``."""
        inputs = self.encoder_input(images, class_labels)
        mean, log_var = self._upper(inputs, training)
        below = self._lower(inputs, mean, training)
        return [ops.concatenate(pair, axis=-1) for pair in zip((mean, log_var), below, strict=True)]

    def logits(
        self, z: Tensor, training: bool = False, class_labels: Tensor | None = None
    ) -> Tensor:
        """Return what the decoder gives for latent vectors and labels."""
        z = ops.cast(z, "float32")
        top, u = z[:, : self.top_dim], z[:, self.top_dim :]
        mean, log_var = self._prior(top, training)
        z1 = mean + ops.exp(log_var / 2) * u
        z = self.decoder_input(ops.concatenate([top, z1], axis=-1), class_labels)
        decoder = self.decoder if training else self.inference_decoder
        return decoder(z, training=training)

    def draw(
        self,
        images: Tensor,
        epsilon: Tensor,
        training: bool = False,
        class_labels: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Draws:
        """Return draws of the posterior, as ``VAE.draw`` does.

        The divergence of u is that of q(z1|x, z2) from p(z1|z2), averaged over the draws of z2.
        """
        inputs, count = self.encoder_input(images, class_labels), epsilon.shape[1]
        mean, log_var = self._upper(inputs, training)
        kl_above = diagonal_gaussian_kl_terms(mean, log_var)
        top = reparameterize(mean[:, None], log_var[:, None], epsilon[..., : self.top_dim])
        rows = tf.reshape(top, (-1, self.top_dim))
        below = self._lower(tf.repeat(inputs, count, axis=0), rows, training)
        u_mean, u_log_var = (tf.reshape(part, (-1, count, self.lower_dim)) for part in below)
        u = reparameterize(u_mean, u_log_var, epsilon[..., self.top_dim :])
        kl_below = tf.reduce_mean(diagonal_gaussian_kl_terms(u_mean, u_log_var), axis=1)
        z = tf.concat([top, u], axis=-1)
        log_vars = tf.concat([tf.broadcast_to(log_var[:, None], tf.shape(top)), u_log_var], -1)
        terms = tf.concat([kl_above, kl_below], axis=-1)
        return Draws(z, log_ratio(z, log_vars, epsilon), terms)

    def _upper(self, inputs: Tensor, training: bool) -> list[Tensor]:
        """Return mean and log-variance of q(z2|x), float32."""
        encoder = self.encoder if training else self.inference_encoder
        return [ops.cast(part, "float32") for part in encoder(inputs, training=training)]

    def _lower(self, inputs: Tensor, top: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance of u under q(z1|x, z2), float32.

        The divergence from p(z1|z2) is that of u from N(0, I), and so is each ratio of densities.
        """
        averaged = self.is_averaged and not training
        encoder = self.average_lower_encoder if averaged else self.lower_encoder
        mean, log_var = (
            ops.cast(part, "float32") for part in encoder([inputs, top], training=training)
        )
        prior_mean, prior_log_var = self._prior(top, training)
        return (mean - prior_mean) * ops.exp(-prior_log_var / 2), log_var - prior_log_var

    def _prior(self, top: Tensor, training: bool) -> list[Tensor]:
        """Return mean and log-variance of p(z1|z2), float32."""
        averaged = self.is_averaged and not training
        prior = self.average_lower_prior if averaged else self.lower_prior
        return [ops.cast(part, "float32") for part in prior(top, training=training)]
