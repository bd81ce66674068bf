"""The autoencoder of chapter 3: it compresses and restores, and does not generate."""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_genzoo.arguments import AT_LEAST_1, BELOW_1, NOT_NEGATIVE
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import (
    LEAST_LOG_SIGMA,
    RECONSTRUCTION_LOSSES,
    ReconstructionLoss,
    least_log_sigma,
)
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.averaging import copy_network, decay_of, decay_of_step, move_average
from keras_genzoo.models.base import TEST, TRAIN, ImageModel, ImageShape, OptimizerDefaults
from keras_genzoo.models.checking import check_images, check_network, check_optimizer
from keras_genzoo.models.components import saved_component, with_options
from keras_genzoo.models.decoding import likelihood_of, reconstruction_loss, set_last_bias
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.networks import (
    AUTOENCODER_ARCHITECTURES,
    AutoencoderArchitecture,
    layers_under,
)

# The key under which a file of weights holds the name of the loss.
_LOSS = "reconstruction_loss"


@keras.saving.register_keras_serializable("keras_genzoo")
class Autoencoder(ImageModel):
    """Encoder to a code of ``latent_dim`` numbers, decoder back to the logits of images.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector, the code.
        architecture: networks of encoder and decoder; a name in ``AUTOENCODER_ARCHITECTURES``, or
            an ``AutoencoderArchitecture``, which builds them.
        encoder: a person's own network, images in [0, 1] -> ``(batch, latent_dim)``.
        decoder: a person's own network, ``(batch, latent_dim)`` -> logits of images.
        ema_decay: decay of a running average of both networks' weights, which images are then
            encoded and decoded with, 0 for none.
        ema_half_life: the same average by the number of images after which a weight counts half, 0
            for none. One of the two.
        start_at_mean: begin with the decoder's last bias at the mean of the data; ``adapt`` is
            given the data, by ``genzoo fit`` or by you.
        seed: random seed of the training noise.
        name: name of the Keras model.
        **options: those of the architecture, such as ``hidden_units`` of ``"dense"`` and
            ``filters`` of ``"convolutional"``, and ``dtype``.

    Raises:
        GenzooError: if an argument is not usable.

    >>> images = np.zeros((16, 8, 8), "uint8")
    >>> model = Autoencoder((8, 8, 1), latent_dim=2, hidden_units=(16,))
    >>> model.compile()
    >>> history = model.fit(images, batch_size=8, verbose=0)
    >>> model.encode(images).shape, model.reconstruct(images).shape
    ((16, 2), (16, 8, 8, 1))

    One's own decoder ends without an activation: the sigmoid is the model's, and the losses take
    logits.

    >>> decoder = keras.Sequential([
    ...     keras.Input((2,)), keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))
    ... ])
    >>> model = Autoencoder((8, 8, 1), latent_dim=2, decoder=decoder)
    """

    value_range = (0.0, 1.0)
    has_held_out_loss = True
    has_encoder = True
    architectures = AUTOENCODER_ARCHITECTURES
    optimizer_defaults: ClassVar[OptimizerDefaults] = {"optimizer": {"learning_rate": 1e-3}}
    metric_names: tuple[str, ...] = ("loss",)
    # Names of the encoder's outputs, in order.
    encoding_names: tuple[str, ...] = ("z",)

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: Annotated[int, AT_LEAST_1] = 2,
        *,
        architecture: Annotated[str | AutoencoderArchitecture, AUTOENCODER_ARCHITECTURES] = "dense",
        encoder: keras.Model | None = None,
        decoder: keras.Model | None = None,
        ema_decay: Annotated[float, BELOW_1] = 0.0,
        ema_half_life: Annotated[float, NOT_NEGATIVE] = 0.0,
        start_at_mean: bool = False,
        seed: int = 0,
        name: str | None = None,
        **options: Any,
    ):
        self.architecture, options = with_options(
            architecture, self.architectures, AutoencoderArchitecture, options, type(self)
        )
        super().__init__(image_shape, latent_dim, seed=seed, name=name, **options)
        self.ema_decay, self.ema_half_life = decay_of(ema_decay, ema_half_life, self.dtype_policy)
        self.log_sigma = None
        self.start_at_mean = bool(start_at_mean)
        self.set_networks(encoder, decoder)

    @property
    def encoder_shape(self) -> tuple[int, ...]:
        """Shape of the encoder's input."""
        return self.image_shape

    @property
    def encoding_shape(self) -> tuple[int, ...]:
        """Shape of each output of the encoder."""
        return self.latent_shape

    @property
    def decoder_shape(self) -> tuple[int, ...]:
        """Shape of the decoder's input."""
        return self.latent_shape

    def set_networks(self, encoder: keras.Model | None, decoder: keras.Model | None) -> None:
        """Take a person's networks, and those of the architecture for what is None."""
        self.note_own_networks(encoder=encoder, decoder=decoder)
        replicas, codes = self.num_replicas, [self.encoding_shape] * len(self.encoding_names)
        with layers_under(self.dtype_policy):
            widest = self.architecture.widest(self.encoder_shape, *self.decoder_shape)
            self.encoder = encoder or network_that_fits(self.build_encoder, "the encoder", widest)
            self.decoder = decoder or network_that_fits(self.build_decoder, "the decoder", widest)
        check_network(self.encoder, "encoder", self.encoder_shape, *codes, num_replicas=replicas)
        check_network(
            self.decoder, "decoder", self.decoder_shape, self.image_shape, num_replicas=replicas
        )
        self.average_encoder = self.average_decoder = None
        if self.is_averaged:
            self.average_encoder = copy_network(self.encoder, self.encoder_shape)
            self.average_decoder = copy_network(self.decoder, self.decoder_shape)
        self.built = True

    @property
    def is_averaged(self) -> bool:
        """Whether the weights of all networks are averaged."""
        return bool(self.ema_decay or self.ema_half_life)

    def build_encoder(self) -> keras.Model:
        """Return the architecture's encoder."""
        return self.architecture.encoder(
            self.encoder_shape,
            *self.encoding_shape,
            gaussian=len(self.encoding_names) > 1,
            synchronized=self.num_replicas > 1,
        )

    def build_decoder(self) -> keras.Model:
        """Return the architecture's decoder."""
        return self.architecture.decoder(
            self.image_shape, *self.decoder_shape, synchronized=self.num_replicas > 1
        )

    def averages(self) -> list[tuple[keras.Model, keras.Model]]:
        """Return the averaged networks with those that they follow."""
        if not self.is_averaged:
            return []
        return [(self.average_encoder, self.encoder), (self.average_decoder, self.decoder)]

    @property
    def inference_encoder(self) -> keras.Model:
        """The encoder of all but training: the averaged one, if there is one."""
        return self.encoder if self.average_encoder is None else self.average_encoder

    @property
    def inference_decoder(self) -> keras.Model:
        """The decoder of all but training: the averaged one, if there is one."""
        return self.decoder if self.average_decoder is None else self.average_decoder

    @property
    def likelihood(self) -> ReconstructionLoss:
        """What the decoder's outputs mean: the loss of ``compile``.

        Before that, and for a person's own loss that does not say, their mean is the sigmoid.
        """
        return likelihood_of(getattr(self, "reconstruction_loss", None))

    @property
    def has_binary_likelihood(self) -> bool:
        """Whether pixels are 0 or 1 under the reconstruction loss."""
        return self.likelihood.is_binary

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        architecture, options = saved_component(self.architecture, self.architectures)
        return {
            **super().get_config(),
            "architecture": architecture,
            **options,
            "ema_decay": self.ema_decay,
            "ema_half_life": self.ema_half_life,
            "start_at_mean": self.start_at_mean,
            **self.networks_config("encoder", "decoder"),
        }

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | None = None,
        loss: Annotated[str | ReconstructionLoss | Callable, RECONSTRUCTION_LOSSES] = "bernoulli",
        **kwargs: Any,
    ) -> None:
        """Choose the optimizer and the reconstruction loss, the likelihood of the decoder.

        A loss with a standard deviation to learn, such as ``"gaussian"``, gives the model one more
        weight, and the history its value, ``sigma``.

        Args:
            optimizer: a Keras optimizer or its name; by default Adam with learning rate 1e-3.
            loss: reconstruction loss; a name in ``RECONSTRUCTION_LOSSES``, a
                ``ReconstructionLoss``, which says what is shown of the logits, or a function
                (images in [0, 1], logits) -> loss of each image, shape ``(batch,)``.
            **kwargs: ``run_eagerly``, ``steps_per_execution``, ``jit_compile`` (off by default;
                the checks of values inside the step are left out by XLA).

        Raises:
            GenzooError: if the loss is unknown, the weights are averaged twice, or replicas cannot
                share the optimizer.
        """
        options = self.compile_options(kwargs)
        reconstruction, saved_loss = self.named(reconstruction_loss(loss), RECONSTRUCTION_LOSSES)
        self.check_likelihood(likelihood_of(reconstruction))
        with self.distribute_strategy.scope():
            optimizer = keras.optimizers.get(optimizer or self.default_optimizer("optimizer"))
            check_optimizer(optimizer, self.num_replicas)
            if self.is_averaged and optimizer.use_ema:
                raise GenzooError(
                    "the weights are averaged once: take ema_decay or use_ema, not both"
                )
            self.reconstruction_loss = reconstruction
            self._set_sigma()
            super().compile(optimizer=scaled(optimizer, self.dtype_policy), **options)
            self.optimizer.build(self.loss_variables)
            self.track_only(*self.more_metric_names())
        self.keep_compile_config(kwargs, optimizer=optimizer, loss=saved_loss)

    @property
    def loss_variables(self) -> list[keras.Variable]:
        """The weights that the loss of images trains; all of them here."""
        return self.trainable_variables

    def check_likelihood(self, likelihood: ReconstructionLoss) -> None:
        """Refuse a likelihood that the model cannot train with; any is taken here."""

    def save_own_variables(self, store: Any) -> None:
        """Save as ``ImageModel`` does, with the name of a loss that is needed without ``compile``.

        A preset is loaded without what ``compile`` was given; its images, or its likelihood, may
        depend on the loss.
        """
        super().save_own_variables(store)
        name = RECONSTRUCTION_LOSSES.name_of(getattr(self, "reconstruction_loss", None))
        if name is not None and (self.likelihood.is_log_likelihood or not self.likelihood.is_plain):
            store[_LOSS] = np.frombuffer(name.encode(), "uint8")

    def load_own_variables(self, store: Any) -> None:
        """Load what ``save_own_variables`` saved."""
        values = {key: store[key] for key in store.keys()}  # noqa: SIM118
        name = values.pop(_LOSS, None)
        if name is not None and not self.compiled:
            self.reconstruction_loss = RECONSTRUCTION_LOSSES[np.asarray(name).tobytes().decode()]
            self._set_sigma()
        super().load_own_variables(values)

    def _set_sigma(self) -> None:
        """Add the weight of a standard deviation that is learnt, or take it away."""
        learnt = self.likelihood.learns_sigma
        if learnt and self.log_sigma is None:
            self.log_sigma = self.add_weight(
                name="log_sigma", shape=(), dtype="float32", initializer="zeros"
            )
        elif not learnt and self.log_sigma is not None:
            del self.log_sigma
            self.log_sigma = None

    def more_metric_names(self) -> list[str]:
        """Return what the steps log besides ``metric_names``."""
        return [] if self.log_sigma is None else ["sigma"]

    @property
    def adapts_to_data(self) -> bool:
        """Whether ``adapt`` is to be given images before training."""
        return self.start_at_mean

    def adapt(self, images: Tensor) -> None:
        """Set the decoder's last bias so that it begins at the mean of images, after ``compile``.

        The bias of a dense decoder is each pixel's own, that of a convolutional one its channel's.
        A standard deviation that is learnt begins at that of the images about this mean.

        Args:
            images: images of the training data, uint8 or floats in [0, 1]; some thousands do.

        Raises:
            GenzooError: if the model has been trained, the images are not what it takes, or its
                decoder does not end in a bias.
        """
        if self.step.numpy() > 0:
            raise GenzooError("start_at_mean is for a model that has not been trained")
        images = np.asarray(images)
        check_images(self, images)
        values = np.asarray(self.to_range(images), "float64")
        means = set_last_bias(self.decoder, values, self.likelihood)
        if self.log_sigma is not None:
            log_sigma = max(np.log(np.mean((values - means) ** 2) + 1e-5) / 2, -5.9)
            # The inverse of ``least_log_sigma``.
            above = np.log(np.expm1(log_sigma - LEAST_LOG_SIGMA))
            self.log_sigma.assign(LEAST_LOG_SIGMA + above)
        if self.average_decoder is not None:
            self.average_decoder.set_weights(self.decoder.get_weights())

    # Computation -----------------------------------------------------------------------------

    def call(self, images, training=False):
        """Return the reconstructions of images, floats in [0, 1].

        They are those of the averaged networks, if there are such, unless ``training``.
        """
        return self.decoded(self.code(self.encoding(self.to_range(images), training)), training)

    def encoding(self, images: Tensor, training: bool = False) -> Any:
        """Return what the encoder gives for images in [0, 1]."""
        encoder = self.encoder if training else self.inference_encoder
        return encoder(images, training=training)

    def decoded(self, z: Tensor, training: bool = False, **of_class: Tensor) -> Tensor:
        """Return the mean of the images of latent vectors, float32 in [0, 1].

        Args:
            z: latent vectors.
            training: whether layers behave as in training.
            **of_class: ``class_labels`` of a model that takes them.
        """
        logits = self.logits(z, training=training, **of_class)
        return self.likelihood.mean(keras.ops.cast(logits, "float32"))

    def logits(self, z: Tensor, training: bool = False) -> Tensor:
        """Return what the decoder gives for latent vectors."""
        decoder = self.decoder if training else self.inference_decoder
        return decoder(z, training=training)

    def code(self, encoding):
        """Return the latent vector that stands for what the encoder gave."""
        return encoding

    def restored(self, images: Tensor, **of_class: Tensor) -> Tensor:
        """Return images in [0, 1] sent through the code and back, float32 in [0, 1]."""
        return self.decoded(self.code(self.encoding(images, **of_class)), **of_class)

    def reconstruction_logits(self, images):
        """Return the logits of the mean of each pixel, of the shape of the images."""
        return self.likelihood.mean_logits(self.logits(self.code(self.encoding(images))))

    def compute_losses(
        self, images: Tensor, training: bool
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of each image, shape ``(batch,)``, and its parts by metric name."""
        logits = self.logits(self.encoding(images, training), training)
        loss = self.loss_of_each(images, logits)
        return loss, {"loss": loss, **self.sigma_by_name()}

    def sigma_by_name(self) -> dict[str, tf.Tensor]:
        """Return the standard deviation that is learnt, by its metric's name, if there is one."""
        if self.log_sigma is None:
            return {}
        return {"sigma": tf.exp(least_log_sigma(tf.convert_to_tensor(self.log_sigma)))}

    def loss_of_each(self, images: Tensor, logits: Tensor) -> tf.Tensor:
        """Return the reconstruction loss of each image, shape ``(batch,)``.

        Raises:
            GenzooError: if a person's own loss gives another shape.
        """
        learnt = () if self.log_sigma is None else (tf.convert_to_tensor(self.log_sigma),)
        losses = self.reconstruction_loss(images, logits, *learnt)
        if len(losses.shape) != 1:
            raise GenzooError(
                "a reconstruction loss gives one number for each image, shape (batch,), "
                f"not {tuple(losses.shape)}; sum over the pixels and not over the batch"
            )
        return losses

    def unpack(self, data):
        """Return the batch's images in the model's range, and None: there are no class labels."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.to_range(images), None

    def train_step(self, data):
        """Take one step down the loss of the batch."""
        images, class_labels = self.unpack(data)
        gradients, parts = self.gradients(images, class_labels)
        self.step.assign_add(1)
        self.optimizer.apply(gradients, self.loss_variables)
        if self.is_averaged:
            self._move_averages(tf.shape(images)[0])
        return self._track_means(images, parts)

    def gradients(
        self, images: Tensor, class_labels: Tensor | None
    ) -> tuple[list, dict[str, tf.Tensor]]:
        """Return the gradient of a batch's loss in each weight, and the parts of the loss."""
        of_class = {} if class_labels is None else {"class_labels": class_labels}
        with tf.GradientTape() as tape:
            loss, parts = self.compute_losses(images, training=True, **of_class)
            loss = self.loss_of_replica(tf.reduce_mean(loss))
        return tape.gradient(loss, self.loss_variables), parts

    def loss_of_replica(self, loss: Tensor) -> tf.Tensor:
        """Return what is differentiated, of the mean loss of a replica's images."""
        # TensorFlow sums the gradients of replicas, so each takes its share of the mean.
        return self.optimizer.scale_loss((loss + sum(self.losses)) / self.num_replicas)

    def test_step(self, data):
        """Measure the losses of a batch."""
        images, class_labels = self.unpack(data)
        of_class = {} if class_labels is None else {"class_labels": class_labels}
        _, parts = self.compute_losses(images, training=False, **of_class)
        return self._track_means(images, parts)

    def _move_averages(self, batch_size: int | Tensor) -> None:
        images = batch_size * self.num_replicas
        decay = decay_of_step(self.ema_decay, self.ema_half_life, images, self.step)
        for average, network in self.averages():
            move_average(average, network, decay)

    def _track_means(self, images, parts):
        means = {name: tf.reduce_mean(part) for name, part in parts.items()}
        return self.track(tf.shape(images)[0], **means)

    def noise_key(self, training: bool) -> tuple[int, Tensor]:
        """Return the key of this step's noise."""
        return (TRAIN, self.step) if training else (TEST, self.test_key("loss"))

    # Use -------------------------------------------------------------------------------------

    def encode(self, images: npt.ArrayLike, *, batch_size: int = 256) -> Any:
        """Return the codes of images, float32 ``(n, *latent_shape)``."""
        return self.of_images(self.encoding, images, batch_size)

    def decode(self, z: npt.ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Return the images that latents ``(n, *latent_shape)`` stand for, uint8."""
        z = self.checked_latents(z)
        return self.in_batches(self.traced(self.decoded), z, batch_size, finish=self.to_uint8)

    def reconstruct(self, images: npt.ArrayLike, *, batch_size: int = 256) -> np.ndarray:
        """Return images sent through the code and back, uint8 ``(n, *image_shape)``."""
        return self.of_images(self.restored, images, batch_size, finish=self.to_uint8)

    def of_images(
        self,
        function: Callable,
        images: npt.ArrayLike,
        batch_size: int,
        *,
        class_labels: npt.ArrayLike | None = None,
        finish: Callable | None = None,
    ) -> Any:
        """Return what a method gives for images, a batch at a time; it is traced.

        Args:
            function: takes images in the model's range, and what ``of_class`` returns.
            images: uint8, or floats in the model's range.
            batch_size: images taken together.
            class_labels: of a model with classes, one label for all or one for each image.
            finish: as for ``in_batches``.

        Raises:
            GenzooError: if the images, or the labels, are not those that the model takes.
        """
        images = np.asarray(images)
        check_images(self, images)
        given = {} if class_labels is None else self.label_rows(class_labels, len(images))
        graph = self.traced(function)

        def of_rows(rows: np.ndarray, class_labels: np.ndarray | None = None) -> Any:
            part = self.to_range(rows)
            return graph(part, **self.of_class(part, class_labels))

        return self.in_batches(of_rows, images, batch_size, finish=finish, **given)

    def of_class(self, images: Tensor, class_labels: Tensor | None) -> dict[str, tf.Tensor]:
        """Return the argument ``class_labels`` of a batch; empty here, without classes."""
        return {}

    def generate(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        **sampling: Any,
    ) -> np.ndarray:
        """Return ``n`` images decoded from z ~ N(0, I), uint8 ``(n, *image_shape)``.

        Nothing in an autoencoder's training makes its codes follow that distribution, so such
        images seldom look like the data (chapter 3); a VAE is trained for it (chapter 4).

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.
            **sampling: what else ``decode`` takes.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        return super().generate(n, class_labels, seed, **sampling)

    def interpolate(
        self, a: npt.ArrayLike, b: npt.ArrayLike, steps: int = 10, method: str = "linear"
    ) -> np.ndarray:
        """Return the interpolation from image ``a`` to image ``b``, both included.

        Args:
            a: first image, shape ``image_shape``, or ``(h, w)`` if grey.
            b: last image.
            steps: number of images, at least 2.
            method: ``"linear"`` or ``"spherical"``.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        start, end = self.code(self.encode(np.stack([np.asarray(a), np.asarray(b)])))
        return self.decode(interpolate_latents(start, end, steps, method))

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the networks ``reconstruct``, ``encode`` and ``decode``; images are in [0, 1].

        What ``reconstruct`` gives is named ``reconstructions``: ONNX knows one tensor by a name.
        """
        images = keras.Input(self.image_shape, batch_size, name="images")
        z = keras.Input(self.latent_shape, batch_size, name="z")
        labels = self.label_input(batch_size)
        encoding = self.encoding(images, **labels)
        outputs = zip(self.encoding_names, keras.tree.flatten(encoding), strict=True)
        codes = {name: keras.ops.cast(code, "float32") for name, code in outputs}
        decoded = [self.decoded(code, **labels) for code in (self.code(encoding), z)]
        networks = {
            "reconstruct": ({"images": images, **labels}, {"reconstructions": decoded[0]}),
            "encode": ({"images": images, **labels}, codes),
            "decode": ({"z": z, **labels}, {"images": decoded[1]}),
        }
        return {name: keras.Model(*ends, name=name) for name, ends in networks.items()}

    def label_input(self, batch_size: int | None) -> dict[str, keras.KerasTensor]:
        """Return the input of the signatures for class labels, by its name, if there is one."""
        return {}
