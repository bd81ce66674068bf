"""The variational autoencoder of chapter 4, and its importance-weighted and conditional forms."""

import math
from typing import Annotated, Any, NamedTuple

import keras
import tensorflow as tf

from keras_genzoo.arguments import AT_LEAST_1, NOT_NEGATIVE, REPEATS
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses import (
    ReconstructionLoss,
    diagonal_gaussian_kl_terms,
    elbo,
    importance_weighted_bound,
    normalized_weights,
    reparameterize,
)
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.autoencoder import Autoencoder
from keras_genzoo.models.base import ImageShape
from keras_genzoo.models.in_parts import InParts
from keras_genzoo.models.labelled import Labelled
from keras_genzoo.models.labels import conditioning_of
from keras_genzoo.networks import normal, uniform

NORMAL, BINARIZE = 0, 1
OBJECTIVES = ("elbo", "iwae")
GRADIENTS = ("reparameterized", "dreg")
# How each pixel of a training image becomes 0 or 1.
BINARIZATIONS = ("dynamic", "threshold")


class Draws(NamedTuple):
    """Draws of the posterior of a batch.

    Args:
        z: the draws, float32 ``(batch, draws, latent_dim)``.
        log_ratio: ``log p(z) - log q(z|x)`` of each, ``(batch, draws)``.
        kl_terms: the divergence of each unit from the prior, ``(batch, latent_dim)``.
    """

    z: tf.Tensor
    log_ratio: tf.Tensor
    kl_terms: tf.Tensor


@keras.saving.register_keras_serializable("keras_genzoo")
class VAE(Labelled, InParts, Autoencoder):
    """Auto-encoding variational Bayes (1312.6114): Gaussian posterior, a decoder of any likelihood.

    The loss is the negative ELBO, J_REC + beta * J_REG: the reconstruction loss averaged over
    ``num_samples`` draws of z, and the closed-form KL divergence to N(0, I) (appendix B). With
    ``objective="iwae"`` it is the negative importance-weighted bound of as many draws (1509.00519).

    In training ``loss`` is what is minimised: with a warm-up, free bits or the importance-weighted
    bound it is not the ELBO, which is then logged as ``elbo`` if the loss is a log-likelihood: of
    weight 1 and without the floor, as ``reconstruction_loss`` and ``kl_loss`` always are. In
    evaluation ``loss`` has the full weight, and no floor, so that one step can be compared with
    another.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector.
        objective: bound that is maximised: ``"elbo"``, or ``"iwae"``, which needs a loss that is a
            log-likelihood, and has no weight, warm-up or floor of a KL divergence.
        gradient: how the encoder learns from the importance-weighted bound; ``"dreg"`` is the
            doubly reparameterized estimator (1810.04152), whose signal does not drown in its noise
            as the number of draws grows.
        beta: weight of the KL divergence; 1 gives the ELBO, others a beta-VAE.
        beta_warmup: training steps over which the weight of the KL divergence rises from 0; it
            rises evenly, and 0 steps are none.
        free_bits: nats of each latent unit's KL divergence that are free, 0 for none; the
            divergence is then ``sum_j max(free_bits, KL_j)`` with the mean KL_j over the global
            batch (1606.04934).
        num_samples: draws of z for each image; L in the paper, and K of the importance-weighted
            bound.
        draws_at_once: draws of a step that are decoded at a time, 0 for as many as take a GiB; the
            gradient is that of all of them whatever the number.
        binarize: make pixels 0 or 1 in training, ``"dynamic"`` by a draw from the grey value in
            each step, ``"threshold"`` by whether it is 128 or more; None takes grey values.
        conditioning: how class labels reach the networks: ``"concat"`` shows them to the encoder as
            planes behind the image and to the decoder as one-hot numbers behind the code; None, the
            default, trains without labels.
        num_classes: number of classes of a conditioning; labels are integers from 0.
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

    latent_dim: int
    metric_names = ("loss", "reconstruction_loss", "kl_loss")
    encoding_names = ("z_mean", "z_log_var")
    prior_signature = "decode"

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: Annotated[int, AT_LEAST_1] = 2,
        *,
        objective: Annotated[str, OBJECTIVES] = "elbo",
        gradient: Annotated[str, GRADIENTS] = "reparameterized",
        beta: Annotated[float, NOT_NEGATIVE] = 1.0,
        beta_warmup: Annotated[int, NOT_NEGATIVE] = 0,
        free_bits: Annotated[float, NOT_NEGATIVE] = 0.0,
        num_samples: Annotated[int, REPEATS] = 1,
        draws_at_once: Annotated[int, NOT_NEGATIVE] = 0,
        binarize: Annotated[str | None, BINARIZATIONS] = None,
        conditioning: Annotated[str | None, ("concat",)] = None,
        num_classes: int | None = None,
        **arguments: Any,
    ):
        if num_samples < 1:
            raise GenzooError(f"num_samples must be at least 1, not {num_samples}")
        if draws_at_once < 0:
            raise GenzooError(f"draws_at_once must be 0 or more, not {draws_at_once}")
        if beta < 0:
            raise GenzooError(f"beta must not be negative, but is {beta}")
        if not beta < math.inf:
            raise GenzooError(f"beta must be finite, not {beta}")
        if beta_warmup < 0:
            raise GenzooError(f"beta_warmup must be 0 or more steps, not {beta_warmup}")
        if not 0 <= free_bits < math.inf:
            raise GenzooError(f"free_bits must be 0 or more nats, not {free_bits}")
        if binarize not in (None, *BINARIZATIONS):
            raise unknown("binarisation", binarize, BINARIZATIONS)
        if conditioning not in (None, "concat"):
            raise unknown("conditioning of an autoencoder", conditioning, ["concat"])
        _check_objective(objective, gradient, beta, beta_warmup, free_bits)
        if free_bits and draws_at_once:
            raise GenzooError(
                "free_bits takes the mean divergence of the whole batch, so its draws are not "
                "taken in parts; leave draws_at_once out"
            )
        # The shapes of the networks follow from it.
        self.conditioning = conditioning_of(conditioning, num_classes)
        super().__init__(image_shape, latent_dim, **arguments)
        self.needs_labels = self.conditioning is not None
        self.objective, self.gradient = objective, gradient
        self.beta, self.beta_warmup = float(beta), int(beta_warmup)
        self.free_bits = float(free_bits)
        self.num_samples, self.draws_at_once = int(num_samples), int(draws_at_once)
        self.binarize = binarize

    @property
    def has_likelihood(self) -> bool:
        """Whether log p(x) can be bounded: the loss is a log-likelihood."""
        return self.likelihood.is_log_likelihood

    def build_encoder(self) -> keras.Model:
        """Return the architecture's encoder, which may read label planes in a way of its own."""
        if self.conditioning is None or not self.architecture.reads_label_planes:
            return super().build_encoder()
        return self.architecture.encoder(
            self.encoder_shape,
            *self.encoding_shape,
            gaussian=True,
            num_classes=self.num_classes,
            synchronized=self.num_replicas > 1,
        )

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        conditional = self.conditioning is not None
        return {
            **super().get_config(),
            "objective": self.objective,
            "gradient": self.gradient,
            "beta": self.beta,
            "beta_warmup": self.beta_warmup,
            "free_bits": self.free_bits,
            "num_samples": self.num_samples,
            "draws_at_once": self.draws_at_once,
            "binarize": self.binarize,
            "conditioning": "concat" if conditional else None,
            "num_classes": self.num_classes if conditional else None,
        }

    def check_likelihood(self, likelihood: ReconstructionLoss) -> None:
        """Refuse a density of grey values where pixels are 0 or 1, and what bounds no likelihood.

        Raises:
            GenzooError: if it is one.
        """
        if self.binarize and likelihood.is_log_likelihood and not likelihood.is_binary:
            raise GenzooError(
                f"{type(likelihood).__name__} is a density of grey values, and "
                f"binarize={self.binarize!r} makes pixels 0 or 1; take binarize=None, or "
                "loss='bernoulli'"
            )
        if self.objective == "iwae" and not likelihood.is_log_likelihood:
            raise GenzooError(
                "objective='iwae' bounds a log-likelihood, and this reconstruction loss is none; "
                "take loss='bernoulli', 'gaussian' or 'continuous_bernoulli', or objective='elbo'"
            )

    def more_metric_names(self) -> list[str]:
        """Return what the steps log besides ``metric_names``."""
        shaped = bool(self.beta_warmup or self.free_bits) and self.has_likelihood
        differs = shaped or self.objective == "iwae"
        return [*super().more_metric_names(), *(["elbo"] if differs else [])]

    def code(self, encoding):
        """Return the posterior mean, the point that stands for an image."""
        z_mean, _ = encoding
        return z_mean

    def posterior(self, images, class_labels=None):
        """Return ``z_mean`` and ``z_log_var`` of q(z|x), each ``(batch, latent_dim)``.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
            class_labels: of a conditional model, integers ``(batch,)``.
        """
        images = tf.convert_to_tensor(images)
        return self.encoding(images, **self.of_class(images, class_labels))

    def posterior_draws(self, images, epsilon, class_labels=None):
        """Return draws of q(z|x) and their ``log p(z) - log q(z|x)``, as ``ImageModel`` says."""
        images = tf.convert_to_tensor(images)
        draws = self.draw(images, epsilon, **self.of_class(images, class_labels))
        return draws.z, draws.log_ratio

    def log_probability(self, images, z, class_labels=None):
        """Return log p(x|z) of each image: the reconstruction loss, negated."""
        of_class = self.of_class(images, class_labels)
        return -self.loss_of_each(images, self.logits(z, **of_class))

    # Computation -----------------------------------------------------------------------------

    def compute_losses(
        self, images: Tensor, training: bool, class_labels: Tensor | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the negative bound of each image, shape ``(batch,)``, and its parts by name."""
        images, epsilon = self.randomized(images, training)
        return self.losses_of_draws(images, epsilon, training, class_labels)

    def randomized(self, images: Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return images with pixels of 0 or 1, if they are made so, and the noise of the draws."""
        key = self.noise_key(training)
        batch_size = tf.shape(images)[0]
        if self.binarize == "dynamic":
            threshold = self.noise(uniform, batch_size, self.image_shape, *key, BINARIZE)
            images = tf.cast(threshold < images, images.dtype)
        elif self.binarize == "threshold":
            # As in evaluation: grey values from 128 on are 1.
            images = tf.cast(images > 127.5 / 255, images.dtype)
        shape = (self.num_samples, self.latent_dim)
        return images, self.noise(normal, batch_size, shape, *key, NORMAL)

    def losses_of_draws(
        self, images: Tensor, epsilon: Tensor, training: bool, class_labels: Tensor | None = None
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return what ``compute_losses`` does, for the noise ``(batch, draws, latent_dim)``."""
        weights: list[tf.Tensor] = []
        draws = self.draw(images, epsilon, training, class_labels, weights)
        of_class = {}
        if class_labels is not None:
            of_class["class_labels"] = tf.repeat(class_labels, self.num_samples)
        logits = self.logits(tf.reshape(draws.z, (-1, self.latent_dim)), training, **of_class)
        losses = self.loss_of_each(tf.repeat(images, self.num_samples, axis=0), logits)
        losses = tf.reshape(losses, (-1, self.num_samples))
        reconstruction_loss = tf.reduce_mean(losses, axis=1)
        kl_loss = tf.reduce_sum(draws.kl_terms, axis=1)
        if self.objective == "iwae":
            loss = self.importance_weighted_loss(draws.log_ratio - losses, weights)
        else:
            shaped = training and self.free_bits
            regularisation = self._with_free_bits(draws.kl_terms) if shaped else kl_loss
            loss = reconstruction_loss + self.kl_weight(training) * regularisation
        parts = {"loss": loss, "reconstruction_loss": reconstruction_loss, "kl_loss": kl_loss}
        parts |= self.sigma_by_name()
        if "elbo" in self._trackers:
            parts["elbo"] = elbo(reconstruction_loss, kl_loss)
        return loss, parts

    def draw(
        self,
        images: Tensor,
        epsilon: Tensor,
        training: bool = False,
        class_labels: Tensor | None = None,
        weights: list[tf.Tensor] | None = None,
    ) -> Draws:
        """Return draws of the posterior.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
            epsilon: noise from N(0, I), ``(batch, draws, latent_dim)``.
            training: whether layers behave as in training.
            class_labels: of a conditional model, int32 ``(batch,)``.
            weights: of the estimator ``"dreg"``, takes the weights of the draws before the
                gradient is computed.
        """
        encoding = self.encoding(images, training, class_labels)
        z_mean, z_log_var = (tf.cast(part, tf.float32)[:, None] for part in encoding)
        kl_terms = diagonal_gaussian_kl_terms(z_mean[:, 0], z_log_var[:, 0])
        z = reparameterize(z_mean, z_log_var, epsilon)
        if self.gradient == "dreg":
            z = _weighted_gradient(z, weights)
            # The density of q is that of fixed parameters: z alone leads back to the encoder.
            z_mean, z_log_var = tf.stop_gradient(z_mean), tf.stop_gradient(z_log_var)
            epsilon = (z - z_mean) * tf.exp(-z_log_var / 2)
        return Draws(z, log_ratio(z, z_log_var, epsilon), kl_terms)

    def importance_weighted_loss(self, log_weights: Tensor, weights: list[tf.Tensor]) -> tf.Tensor:
        """Return ``-L_K`` of each image, shape ``(batch,)``.

        Args:
            log_weights: log w of each draw, ``(batch, draws)``.
            weights: of the estimator ``"dreg"``, takes the normalised weights.
        """
        loss = -importance_weighted_bound(log_weights)
        if self.gradient == "reparameterized":
            return loss
        weights.append(tf.stop_gradient(normalized_weights(log_weights)))
        # Its gradient is that of the bound, in which draws count by their weights.
        gradient = -tf.reduce_sum(weights[0] * log_weights, axis=1)
        return gradient + tf.stop_gradient(loss - gradient)

    def kl_weight(self, training: bool) -> Tensor:
        """Return the weight of the KL divergence, in training that of this step."""
        if not (training and self.beta_warmup):
            return self.beta
        return self.beta * tf.minimum(tf.cast(self.step, tf.float32) / self.beta_warmup, 1.0)

    def _with_free_bits(self, terms: Tensor) -> tf.Tensor:
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


def log_ratio(z: Tensor, z_log_var: Tensor, epsilon: Tensor) -> tf.Tensor:
    """Return ``log N(z; 0, I) - log N(z; mean, var)`` of draws, ``(batch, draws)``.

    Args:
        z: the draws, ``(batch, draws, latent_dim)``.
        z_log_var: the log-variance of each, of a shape that broadcasts to it.
        epsilon: ``(z - mean) / sqrt(var)``.
    """
    return tf.reduce_sum(epsilon**2 - z**2 + z_log_var, axis=-1) / 2


def _weighted_gradient(z: Tensor, weights: Any) -> tf.Tensor:
    """Return z; its gradient is multiplied by weights that only later computations give."""

    @tf.custom_gradient
    def identity(z):
        def gradient(upstream):
            return upstream * weights[0][..., None]

        return tf.identity(z), gradient

    return identity(z)


def _check_objective(
    objective: str, gradient: str, beta: float, beta_warmup: int, free_bits: float
) -> None:
    """Check what goes together with an objective.

    Raises:
        GenzooError: if a name is unknown, or a setting would have no meaning.
    """
    if objective not in OBJECTIVES:
        raise unknown("objective", objective, OBJECTIVES)
    if gradient not in GRADIENTS:
        raise unknown("gradient estimator", gradient, GRADIENTS)
    if objective == "elbo" and gradient != "reparameterized":
        raise GenzooError(
            f"gradient='{gradient}' is of the importance-weighted bound; take objective='iwae', or "
            "leave it out"
        )
    if objective == "iwae" and (beta != 1 or beta_warmup or free_bits):
        raise GenzooError(
            "the importance-weighted bound has no KL divergence that beta, beta_warmup or "
            "free_bits could shape; leave them out, or take objective='elbo'"
        )
