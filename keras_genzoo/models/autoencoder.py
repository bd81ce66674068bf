"""The autoencoder of chapter 3: it compresses and restores, and does not generate."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import RECONSTRUCTION_LOSSES
from keras_genzoo.models.adam import Adam
from keras_genzoo.models.base import TEST, TRAIN, ImageModel, ImageShape
from keras_genzoo.models.checking import check_images, check_network, check_optimizer
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.networks import dense_decoder, dense_encoder, layers_under


@keras.saving.register_keras_serializable("keras_genzoo")
class Autoencoder(ImageModel):
    """Encoder to a code of ``latent_dim`` numbers, decoder back to Bernoulli logits.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the code.
        hidden_units: widths of the encoder's hidden layers; the decoder mirrors them.
        encoder: a person's own network, images in [0, 1] -> ``(batch, latent_dim)``.
        decoder: a person's own network, ``(batch, latent_dim)`` -> logits of images.
        seed: key of the training noise.
        name: name of the Keras model.

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
    metric_names: tuple[str, ...] = ("loss",)
    # What the encoder gives, in its order.
    encoding_names: tuple[str, ...] = ("z",)

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: int = 2,
        *,
        hidden_units: Sequence[int] = (512, 256),
        encoder: keras.Model | None = None,
        decoder: keras.Model | None = None,
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, seed=seed, name=name, **kwargs)
        self.hidden_units = tuple(hidden_units)
        self.note_own_networks(encoder=encoder, decoder=decoder)
        with layers_under(self.dtype_policy):
            widest = max(math.prod(self.image_shape), self.latent_dim, *self.hidden_units)
            self.encoder = encoder or network_that_fits(self.default_encoder, "the encoder", widest)
            self.decoder = decoder or network_that_fits(self.default_decoder, "the decoder", widest)
        replicas, z_shape = self.num_replicas, (self.latent_dim,)
        check_network(
            self.encoder,
            "encoder",
            self.image_shape,
            *[z_shape] * len(self.encoding_names),
            num_replicas=replicas,
        )
        check_network(self.decoder, "decoder", z_shape, self.image_shape, num_replicas=replicas)
        self.built = True

    def default_encoder(self) -> keras.Model:
        """Build the encoder that is taken when a person brings none."""
        return dense_encoder(self.image_shape, self.latent_dim, self.hidden_units)

    def default_decoder(self) -> keras.Model:
        """Build the decoder that is taken when a person brings none."""
        return dense_decoder(self.image_shape, self.latent_dim, self.hidden_units[::-1])

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        return {
            **super().get_config(),
            "hidden_units": list(self.hidden_units),
            **self.networks_config("encoder", "decoder"),
        }

    def compile(self, optimizer=None, loss: str | Callable = "bernoulli", **kwargs):
        """Choose the optimizer and the reconstruction loss.

        Args:
            optimizer: a Keras optimizer or its name; by default Adam with learning rate 1e-3.
            loss: a name in ``RECONSTRUCTION_LOSSES`` or a function (images in [0, 1], logits) ->
                loss of each image, shape ``(batch,)``.
            **kwargs: ``run_eagerly``, ``steps_per_execution``, ``jit_compile`` (off by default;
                the checks of values inside the step are left out by XLA).

        Raises:
            GenzooError: if the loss is unknown, or replicas cannot share the optimizer.
        """
        options = self.compile_options(kwargs)
        self.reconstruction_loss, saved_loss = self.named(loss, RECONSTRUCTION_LOSSES)
        with self.distribute_strategy.scope():
            optimizer = keras.optimizers.get(optimizer or Adam(1e-3))
            check_optimizer(optimizer, self.num_replicas)
            super().compile(optimizer=scaled(optimizer, self.dtype_policy), **options)
            self.optimizer.build(self.trainable_variables)
        self.keep_compile_config(kwargs, optimizer=optimizer, loss=saved_loss)

    # Computation -----------------------------------------------------------------------------

    def call(self, images, training=False):
        """Return the reconstructions of images, floats in [0, 1]."""
        z = self.code(self.encoder(self.to_range(images), training=training))
        return tf.sigmoid(tf.cast(self.decoder(z, training=training), tf.float32))

    def code(self, encoding):
        """Return the latent vector that stands for what the encoder gave."""
        return encoding

    def compute_losses(self, images, training: bool) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Return the loss of each image, shape ``(batch,)``, and its parts by metric name."""
        logits = self.decoder(self.encoder(images, training=training), training=training)
        loss = self.loss_of_each(images, logits)
        return loss, {"loss": loss}

    def loss_of_each(self, images, logits) -> tf.Tensor:
        """Return the reconstruction loss of each image, shape ``(batch,)``.

        Raises:
            GenzooError: if a person's own loss gives another shape.
        """
        losses = self.reconstruction_loss(images, logits)
        if len(losses.shape) != 1:
            raise GenzooError(
                "a reconstruction loss gives one number for each image, shape (batch,), "
                f"not {tuple(losses.shape)}; sum over the pixels and not over the batch"
            )
        return losses

    def train_step(self, data):
        """Take one step down the loss of the batch."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        with tf.GradientTape() as tape:
            loss, parts = self.compute_losses(images, training=True)
            # Gradients of replicas are summed: the mean over the global batch needs the division.
            loss = (tf.reduce_mean(loss) + sum(self.losses)) / self.num_replicas
            loss = self.optimizer.scale_loss(loss)
        self.step.assign_add(1)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self._track_means(images, parts)

    def test_step(self, data):
        """Measure the losses of a batch."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        _, parts = self.compute_losses(images, training=False)
        return self._track_means(images, parts)

    def _track_means(self, images, parts):
        means = {name: tf.reduce_mean(part) for name, part in parts.items()}
        return self.track(tf.shape(images)[0], **means)

    def noise_key(self, training: bool):
        """Return the key of this step's noise."""
        return (TRAIN, self.step) if training else (TEST, self.test_key("loss"))

    # Use -------------------------------------------------------------------------------------

    def encode(self, images, *, batch_size: int = 256):
        """Return the codes of images, float32 ``(n, latent_dim)``."""
        images = np.asarray(images)
        check_images(self, images)
        return self.in_batches(lambda batch: self.encoder(self.to_range(batch)), images, batch_size)

    def decode(self, z, *, batch_size: int = 256) -> np.ndarray:
        """Return the images that latent vectors ``(n, latent_dim)`` stand for, uint8."""
        z = self.checked_latents(z)
        images = self.in_batches(
            lambda batch: tf.sigmoid(tf.cast(self.decoder(batch), tf.float32)), z, batch_size
        )
        return self.to_uint8(images)

    def reconstruct(self, images, *, batch_size: int = 256) -> np.ndarray:
        """Return images sent through the code and back, uint8 ``(n, *image_shape)``."""
        images = np.asarray(images)
        check_images(self, images)
        return self.to_uint8(self.in_batches(self, images, batch_size))

    def generate(self, n: int, class_labels=None, seed: int | None = None) -> np.ndarray:
        """Return ``n`` images decoded from z ~ N(0, I), uint8 ``(n, *image_shape)``.

        Nothing in an autoencoder's training makes its codes follow that distribution, so such
        images seldom look like the data (chapter 3); a VAE is trained for it (chapter 4).

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        self.check_no_labels(class_labels)
        return self.decode(self.sample_latents(n, seed))

    def interpolate(self, a, b, steps: int = 10, method: str = "linear") -> np.ndarray:
        """Return the walk in latent space from image ``a`` to image ``b``, both included.

        Args:
            a: first image, shape ``image_shape``, or ``(h, w)`` if grey.
            b: last image.
            steps: number of images of the walk, at least 2.
            method: ``"linear"`` or ``"spherical"``.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        ends = self.code(self.encode(np.stack([np.asarray(a), np.asarray(b)])))
        return self.decode(interpolate_latents(*ends, steps, method))

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the networks ``reconstruct``, ``encode`` and ``decode``; images are in [0, 1].

        What ``reconstruct`` gives is named ``reconstructions``: ONNX knows one tensor by a name.
        """
        images = keras.Input(self.image_shape, batch_size, name="images")
        z = keras.Input((self.latent_dim,), batch_size, name="z")
        encoding = self.encoder(images, training=False)
        outputs = zip(self.encoding_names, keras.tree.flatten(encoding), strict=True)
        codes = {name: keras.ops.cast(code, "float32") for name, code in outputs}
        decoded = [
            keras.ops.sigmoid(keras.ops.cast(self.decoder(code, training=False), "float32"))
            for code in (self.code(encoding), z)
        ]
        networks = {
            "reconstruct": ({"images": images}, {"reconstructions": decoded[0]}),
            "encode": ({"images": images}, codes),
            "decode": ({"z": z}, {"images": decoded[1]}),
        }
        return {name: keras.Model(*ends, name=name) for name, ends in networks.items()}
