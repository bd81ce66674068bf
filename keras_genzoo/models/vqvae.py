"""The vector-quantised autoencoder and the prior of its codes, trained in two stages."""

import math
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.arguments import AT_LEAST_1, BELOW_1, NOT_NEGATIVE
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses import RECONSTRUCTION_LOSSES, ReconstructionLoss
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import checking
from keras_genzoo.models.autoencoder import Autoencoder
from keras_genzoo.models.averaging import copy_network, decay_of_step, move_average
from keras_genzoo.models.base import ImageShape, OptimizerDefaults
from keras_genzoo.models.checking import check_network, check_optimizer
from keras_genzoo.models.code_usage import CodesInUse, Perplexity
from keras_genzoo.models.code_use import CodeUse
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.networks import (
    GRID_ARCHITECTURES,
    AutoencoderArchitecture,
    Codebook,
    CodePrior,
    layers_under,
    uniform,
)

RESTART = 2
AUTOENCODER, PRIOR = "autoencoder", "prior"
_STAGE = "stage"
# What the steps of the second stage log.
_PRIOR_METRICS = ("prior_loss", "code_bits")


@keras.saving.register_keras_serializable("keras_genzoo")
class VQVAE(CodeUse, Autoencoder):
    """VQ-VAE (1711.00937): an image becomes a grid of codes, whose prior is a causal transformer.

    Training has two stages. In ``"autoencoder"`` the loss of an image is J_REC + commitment *
    ``|z_e - sg(e)|^2``, summed over the places of the grid and the numbers of a code: z_e are the
    encoder's features, e the nearest codes; the decoder's gradient goes straight through to z_e,
    and the codes follow the features by running means (see ``networks.Codebook``). In ``"prior"``
    autoencoder and codes stay as they are, and the loss is -log P(codes) in nats an image.
    ``genzoo fit`` trains one after the other. In a script:

        model.fit(images, epochs=10)
        model.stage = "prior"
        model.fit(images, epochs=10)

    A latent is one number of N(0, I) for each place of the grid; ``decode`` makes a code of each by
    the inverse of the prior's distribution given the codes before, so that N(0, I) gives samples of
    the prior. ``encode`` gives codes, and ``decode_codes`` makes images of them.

    The history has ``codes_in_use`` and ``perplexity`` over an epoch, ``reconstruction_loss`` and
    ``commitment_loss``; in the second stage ``prior_loss`` in nats and ``code_bits`` in bits an
    image. With a log-likelihood as the loss, -(reconstruction_loss + prior_loss) bounds log p(x)
    from below: p(x) is a sum over all grids of codes, of which it takes the encoder's.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of a code.
        num_codes: number of codes.
        commitment: weight of the term that keeps the encoder's features near their codes.
        codebook_decay: decay of the running means that the codes are.
        restart_below: share of the mean use below which a code begins again at a feature of the
            batch; 0 for never.
        prior_width: size of the prior's embeddings.
        prior_blocks: blocks of the prior.
        prior_heads: heads of attention of the prior; they divide its width.
        prior_dropout: share of the outputs of each half of a block that training drops.
        architecture: networks of encoder and decoder; a name in ``GRID_ARCHITECTURES``, or an
            ``AutoencoderArchitecture`` with grids of features in place of latent vectors.
        encoder: a person's own network, images in [0, 1] -> ``(batch, rows, columns, latent_dim)``.
        decoder: a person's own network, from such grids to logits of images.
        **arguments: as for ``Autoencoder``; an average is of the prior, too.

    Raises:
        GenzooError: if an argument is not usable.

    >>> images = np.zeros((16, 8, 8), "uint8")
    >>> model = VQVAE((8, 8, 1), num_codes=8, filters=4, prior_width=8)
    >>> model.compile()
    >>> history = model.fit(images, batch_size=8, verbose=0)
    >>> model.encode(images).shape, model.reconstruct(images).shape
    ((16, 2, 2), (16, 8, 8, 1))
    >>> model.stage = "prior"
    >>> history = model.fit(images, batch_size=8, verbose=0)
    >>> model.generate(4, seed=1).shape
    (4, 8, 8, 1)
    """

    architectures = GRID_ARCHITECTURES
    stages = (AUTOENCODER, PRIOR)
    estimates_bound = True
    # The codes of an image are no random draw.
    likelihood_draws = 1
    latent_dim: int
    metric_names = (
        *("loss", "reconstruction_loss", "commitment_loss"),
        *("codes_in_use", "perplexity"),
    )
    optimizer_defaults: ClassVar[OptimizerDefaults] = {
        "optimizer": {"learning_rate": 1e-3},
        "prior_optimizer": {"learning_rate": 1e-3},
    }

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: Annotated[int, AT_LEAST_1] = 16,
        *,
        num_codes: Annotated[int, AT_LEAST_1] = 128,
        commitment: Annotated[float, NOT_NEGATIVE] = 0.25,
        codebook_decay: Annotated[float, BELOW_1] = 0.99,
        restart_below: Annotated[float, BELOW_1] = 0.05,
        prior_width: Annotated[int, AT_LEAST_1] = 64,
        prior_blocks: Annotated[int, AT_LEAST_1] = 2,
        prior_heads: Annotated[int, AT_LEAST_1] = 4,
        prior_dropout: Annotated[float, BELOW_1] = 0.1,
        architecture: Annotated[
            str | AutoencoderArchitecture, GRID_ARCHITECTURES
        ] = "convolutional",
        **arguments: Any,
    ):
        _check_numbers(num_codes, prior_width, prior_blocks, prior_heads)
        _check_shares(
            codebook_decay=codebook_decay, restart_below=restart_below, prior_dropout=prior_dropout
        )
        if not 0 <= commitment < math.inf:
            raise GenzooError(f"commitment must be 0 or more, not {commitment}")
        self._sizes: dict[str, Any] = {
            "num_codes": int(num_codes),
            "commitment": float(commitment),
            "codebook_decay": float(codebook_decay),
            "restart_below": float(restart_below),
            "prior_width": int(prior_width),
            "prior_blocks": int(prior_blocks),
            "prior_heads": int(prior_heads),
            "prior_dropout": float(prior_dropout),
        }
        self._stage = AUTOENCODER
        super().__init__(image_shape, latent_dim, architecture=architecture, **arguments)
        for name, kind in (("codes_in_use", CodesInUse), ("perplexity", Perplexity)):
            self._trackers[name] = kind(self.num_codes)
        self.prior_step = self.add_weight(
            name="prior_step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def set_networks(self, encoder: keras.Model | None, decoder: keras.Model | None) -> None:
        """Take a person's networks, and those of the architecture for what is None."""
        self.note_own_networks(encoder=encoder, decoder=decoder)
        shared = {"synchronized": self.num_replicas > 1}
        sizes, shape, dim = self._sizes, self.image_shape, self.latent_dim
        widest = self.architecture.widest(shape, dim)
        with layers_under(self.dtype_policy):
            self.encoder = encoder or network_that_fits(
                lambda: self.architecture.encoder(shape, dim, **shared), "the encoder", widest
            )
            self.grid_shape = self._grid_of(self.encoder)
            self.decoder = decoder or network_that_fits(
                lambda: self.architecture.decoder(shape, dim, **shared), "the decoder", widest
            )
            self.codebook = Codebook(
                sizes["num_codes"],
                dim,
                sizes["codebook_decay"],
                sizes["restart_below"],
                name="codebook",
            )
            self.prior = CodePrior(
                sizes["num_codes"],
                math.prod(self.grid_shape),
                sizes["prior_width"],
                sizes["prior_blocks"],
                sizes["prior_heads"],
                sizes["prior_dropout"],
                name="prior",
            )
        grid = (*self.grid_shape, dim)
        replicas = {"num_replicas": self.num_replicas}
        check_network(self.encoder, "encoder", self.image_shape, grid, **replicas)
        check_network(self.decoder, "decoder", grid, self.image_shape, **replicas)
        self.average_encoder = self.average_decoder = self.average_prior = None
        if self.ema_decay or self.ema_half_life:
            self.average_encoder = copy_network(self.encoder, self.image_shape)
            self.average_decoder = copy_network(self.decoder, grid)
            self.average_prior = copy_network(self.prior, (self.prior.length,))
        self.built = True

    def _grid_of(self, encoder: keras.Model) -> tuple[int, int]:
        """Return rows and columns of the grid that an encoder makes.

        Raises:
            GenzooError: if it makes none.
        """
        try:
            shape = tuple(encoder.output_shape)
        except (AttributeError, TypeError, ValueError):
            shape = tuple(encoder(keras.ops.zeros((1, *self.image_shape))).shape)
        if len(shape) != 4 or None in shape[1:3]:
            raise GenzooError(
                f"the encoder must map {self.image_shape} to (rows, columns, {self.latent_dim}), "
                f"but gives {shape[1:]}"
            )
        return shape[1:3]

    # Configuration ---------------------------------------------------------------------------

    @property
    def num_codes(self) -> int:
        """Number of codes."""
        return self._sizes["num_codes"]

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Rows and columns of the grid: a latent is a number of noise for each code."""
        return self.grid_shape

    @property
    def inference_prior(self) -> CodePrior:
        """The prior of all but training: the averaged one, if there is one."""
        return self.prior if self.average_prior is None else self.average_prior

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        return {**super().get_config(), **self._sizes}

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | None = None,
        prior_optimizer: keras.optimizers.Optimizer | None = None,
        loss: Annotated[str | ReconstructionLoss, RECONSTRUCTION_LOSSES] = "bernoulli",
        **kwargs: Any,
    ) -> None:
        """Choose the optimizers of the two stages and the reconstruction loss.

        Args:
            optimizer: of encoder and decoder; by default Adam with learning rate 1e-3.
            prior_optimizer: of the prior; by default the same.
            loss: as for ``Autoencoder.compile``.
            **kwargs: as for ``Autoencoder.compile``.

        Raises:
            GenzooError: as ``Autoencoder.compile`` does, or if both are given one optimizer.
        """
        if prior_optimizer is not None and prior_optimizer is optimizer:
            raise GenzooError("autoencoder and prior need an optimizer each, not the same one")
        super().compile(optimizer, loss, **kwargs)
        with self.distribute_strategy.scope():
            prior_optimizer = keras.optimizers.get(
                prior_optimizer or self.default_optimizer("prior_optimizer")
            )
            check_optimizer(prior_optimizer, self.num_replicas)
            self.prior_optimizer = scaled(prior_optimizer, self.dtype_policy)
            self.prior_optimizer.build(self.prior.trainable_variables)
        self._compile_arguments["prior_optimizer"] = prior_optimizer

    def more_metric_names(self) -> list[str]:
        """Return what the steps log besides ``metric_names``."""
        return [*super().more_metric_names(), *_PRIOR_METRICS]

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers of the two stages, in order; none of a model that is not compiled."""
        return [self.optimizer, self.prior_optimizer] if self.compiled else []

    def learning_rates(self) -> dict[str, float]:
        """Return the learning rate of the next update, by the setting's name."""
        if self.stage == PRIOR:
            return {"prior_learning_rate": float(self.prior_optimizer.learning_rate)}
        return super().learning_rates()

    @property
    def loss_variables(self) -> list[keras.Variable]:
        """The weights of the first stage: all but the prior's."""
        prior = {id(variable) for variable in self.prior.trainable_variables}
        return [v for v in self.trainable_variables if id(v) not in prior]

    # Stages ----------------------------------------------------------------------------------

    @property
    def stage(self) -> str:
        """The stage that ``fit`` trains and ``evaluate`` measures; it can be set.

        Raises:
            GenzooError: if a name is set that is none of ``stages``.
        """
        return self._stage

    @stage.setter
    def stage(self, name: str) -> None:
        if name not in self.stages:
            raise unknown("stage", name, self.stages)
        if name != self._stage:
            self._stage = name
            # The traced functions are those of the other stage.
            self.train_function = self.test_function = None

    @property
    def logged(self) -> tuple[str, ...]:
        """The names of the trackers that the steps of the stage log."""
        of_prior = self.stage == PRIOR
        return tuple(name for name in self._trackers if (name in _PRIOR_METRICS) == of_prior)

    @property
    def counters(self) -> list[keras.Variable]:
        """Counts of training steps: of all, and of the second stage."""
        return [self.step, self.prior_step]

    def stage_variables(self, stage: str) -> list[keras.Variable]:
        """Return what a stage changes besides ``step``: weights, averages, optimizers, counts."""
        averaged = [] if self.average_prior is None else self.average_prior.variables
        optimizer = self.prior_optimizer.variables if self.compiled else []
        of_prior = [*self.prior.variables, *averaged, *optimizer, self.prior_step]
        if stage == PRIOR:
            return of_prior
        skipped = {id(variable) for variable in [*of_prior, self.step]}
        mine = [*self.variables, *(self.optimizer.variables if self.compiled else [])]
        return [variable for variable in mine if id(variable) not in skipped]

    def trains(self, layer: keras.Layer) -> bool:
        """Whether the stage that is trained now moves the weights of a layer of the model."""
        return super().trains(layer) and (layer is self.prior) == (self.stage == PRIOR)

    @property
    def has_trained_prior(self) -> bool:
        """Whether the prior has been trained, so that the model generates."""
        return int(self.prior_step.numpy()) > 0

    @property
    def prior_signature(self) -> str | None:
        """The signature that makes images of noise; None before the prior is trained."""
        return "generate" if self.has_trained_prior else None

    def why_no_samples(self) -> str | None:
        """Return why the model cannot make images yet; None once the prior is trained."""
        if self.has_trained_prior:
            return None
        return f"the stage '{PRIOR}' has not been trained, and samples are drawn from it"

    def save_own_variables(self, store: Any) -> None:
        """Save as ``Autoencoder`` does, with the stage."""
        super().save_own_variables(store)
        store[_STAGE] = np.int64(self.stages.index(self.stage))

    def load_own_variables(self, store: Any) -> None:
        """Load what ``save_own_variables`` saved."""
        values = {key: store[key] for key in store.keys()}  # noqa: SIM118
        self.stage = self.stages[int(np.asarray(values.pop(_STAGE)))]
        super().load_own_variables(values)

    def check_batch_size(self, batch_size: int) -> None:
        """Refuse a batch whose features are fewer than the codes, which they must restart.

        Raises:
            GenzooError: if they are.
        """
        places = math.prod(self.grid_shape)
        if batch_size * places < self.num_codes:
            raise GenzooError(_too_few(batch_size, places, self.num_codes))

    # Computation -----------------------------------------------------------------------------

    def code(self, encoding):
        """Return the vectors of codes, or of the codes nearest to features, of a grid's shape."""
        integer = keras.backend.is_int_dtype(keras.backend.standardize_dtype(encoding.dtype))
        return self.codebook.lookup(encoding if integer else self.codebook.nearest(encoding))

    def compute_losses(
        self, images: Tensor, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of each image, shape ``(batch,)``, and its parts by metric name.

        In training the codebook moves.
        """
        features = tf.cast(self.encoding(images, training), tf.float32)
        codes = self.codebook.nearest(features)
        difference = features - tf.stop_gradient(self.codebook.lookup(codes))
        commitment_loss = tf.reduce_sum(difference**2, axis=(1, 2, 3))
        logits = self.logits(features - tf.stop_gradient(difference), training)
        reconstruction_loss = self.loss_of_each(images, logits)
        loss = reconstruction_loss + self._sizes["commitment"] * commitment_loss
        if training:
            self._move_codebook(features, codes)
        parts = {
            "loss": loss,
            "reconstruction_loss": reconstruction_loss,
            "commitment_loss": commitment_loss,
            "codes": self.codebook.counts_of(codes),
        }
        return loss, parts | self.sigma_by_name()

    def _move_codebook(self, features: Tensor, codes: Tensor) -> None:
        batch_size = tf.shape(features)[0] * self.num_replicas
        places = math.prod(self.grid_shape)
        checking.assert_in_step(
            (self.step > 0) | (batch_size * places >= self.num_codes),
            _too_few("some number of", places, self.num_codes),
        )
        key = (*self.noise_key(training=True), RESTART)
        order = uniform([batch_size * places], self.noise_seed(*key))
        self.codebook.update(features, codes, order)

    def _track_means(self, images, parts):
        parts = dict(parts)
        codes = parts.pop("codes", None)
        means = {name: tf.reduce_mean(part) for name, part in parts.items()}
        if codes is not None:
            means |= {"codes_in_use": codes, "perplexity": codes}
        return self.track(tf.shape(images)[0], **means)

    def flat_codes(self, images: Tensor) -> tf.Tensor:
        """Return the codes of images in the model's range, int32 ``(batch, places)``."""
        return tf.reshape(self.codes_of(images), (-1, math.prod(self.grid_shape)))

    def codes_of(self, images: Tensor) -> tf.Tensor:
        """Return the codes of images in the model's range, int32 ``(batch, rows, columns)``."""
        return self.codebook.nearest(self.encoding(images))

    def decoded_codes(self, codes: Tensor) -> tf.Tensor:
        """Return the images of codes ``(batch, rows, columns)``, float32 in [0, 1]."""
        return self.decoded(self.code(codes))

    def train_step(self, data):
        """Take one step down the loss of the stage."""
        return super().train_step(data) if self.stage == AUTOENCODER else self._prior_step(data)

    def test_step(self, data):
        """Measure the losses of the stage on a batch."""
        if self.stage == AUTOENCODER:
            return super().test_step(data)
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        losses = -self.inference_prior.log_probability(self.flat_codes(images))
        return self._track_prior(images, losses)

    def _prior_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        codes = self.flat_codes(images)
        optimizer, weights = self.prior_optimizer, self.prior.trainable_variables
        with tf.GradientTape() as tape:
            losses = -self.prior.log_probability(codes, training=True)
            # TensorFlow sums the gradients of replicas, so each takes its share of the mean.
            loss = optimizer.scale_loss(tf.reduce_mean(losses) / self.num_replicas)
        self.step.assign_add(1)
        self.prior_step.assign_add(1)
        optimizer.apply(tape.gradient(loss, weights), weights)
        if self.average_prior is not None:
            count = tf.shape(images)[0] * self.num_replicas
            decay = decay_of_step(self.ema_decay, self.ema_half_life, count, self.prior_step)
            move_average(self.average_prior, self.prior, decay)
        return self._track_prior(images, losses)

    def _track_prior(self, images, losses):
        parts = {"prior_loss": losses, "code_bits": losses / math.log(2)}
        return self._track_means(images, parts)

    # Likelihood ------------------------------------------------------------------------------

    @property
    def has_likelihood(self) -> bool:
        """Whether log p(x) can be bounded: the loss is one, and the prior is trained."""
        return self.likelihood.is_log_likelihood and self.has_trained_prior

    def estimate_log_likelihood(
        self, images: Tensor, num_samples: int = 1, seed: int = 0
    ) -> Tensor:
        """Return the bound log p(x|codes) + log P(codes) <= log p(x) of each image, in nats.

        The codes are the encoder's, so there is nothing to draw: the other arguments are ignored.
        """
        images = self.to_range(images)
        log_prior = self.inference_prior.log_probability(self.flat_codes(images))
        return log_prior - self._reconstruction_losses(images)

    def _reconstruction_losses(self, images: Tensor) -> tf.Tensor:
        images = self.to_range(images)
        return self.loss_of_each(images, self.logits(self.code(self.encoding(images))))


def _check_numbers(num_codes: int, width: int, blocks: int, heads: int) -> None:
    sizes = {"num_codes": num_codes, "prior_width": width, "prior_blocks": blocks}
    for name, value in (sizes | {"prior_heads": heads}).items():
        if value < 1:
            raise GenzooError(f"{name} must be at least 1, not {value}")


def _check_shares(**shares: float) -> None:
    for name, value in shares.items():
        if not 0 <= value < 1:
            raise GenzooError(f"{name} must be at least 0 and below 1, not {value}")


def _too_few(batch_size: int | str, places: int, num_codes: int) -> str:
    return (
        f"a batch of {batch_size} images has {places} codes each, fewer in all than the "
        f"{num_codes} codes of the codebook, which it must be able to restart; take a batch of "
        f"{-(-num_codes // places)} or more, or fewer num_codes"
    )
