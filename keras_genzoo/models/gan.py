"""The generative adversarial network of chapter 5; its ``train_step`` serves the whole family."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    jensen_shannon_estimate,
)
from keras_genzoo.models.adam import Adam
from keras_genzoo.models.averaging import copy_network, move_average
from keras_genzoo.models.base import TEST, TRAIN, ImageModel, ImageShape
from keras_genzoo.models.checking import check_network, check_optimizer
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.models.optimizers import OptimizerPair
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.networks import dense_discriminator, dense_generator, layers_under, normal


@keras.saving.register_keras_serializable("keras_genzoo")
class GAN(ImageModel):
    """Generator and discriminator in the minimax game of 1406.2661 (equation 1, algorithm 1).

    One step updates the discriminator on real and on generated images in separate passes, then
    the generator through the updated discriminator with the same generated images.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the noise z ~ N(0, I).
        generator_units: widths of the default generator's hidden layers.
        discriminator_units: widths of the default discriminator's hidden layers.
        generator: a person's own network, ``(batch, latent_dim)`` -> images in [-1, 1].
        discriminator: a person's own network, images in [-1, 1] -> logits ``(batch, 1)``.
        ema_decay: decay of a running average of the generator's weights (1806.04498), from which
            all but training then generates; 0, the default, keeps none. Early in a run the
            average is that of the last ninth of its steps. It moves in training only: weights
            set by hand belong into ``average_generator``, too.
        seed: key of the training noise.
        name: name of the Keras model.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = GAN((8, 8, 1), latent_dim=4, generator_units=(16,), discriminator_units=(16,))
    >>> model.compile()
    >>> history = model.fit(np.zeros((16, 8, 8), "uint8"), batch_size=8, verbose=0)
    >>> sorted(history.history)
    ['discriminator_loss', 'fake_score', 'generator_loss', 'real_score']
    >>> model.generate(3, seed=0).shape
    (3, 8, 8, 1)

    One's own networks: the generator ends in tanh, the discriminator without an activation.

    >>> generator = keras.Sequential([
    ...     keras.Input((4,)),
    ...     keras.layers.Dense(64, activation="tanh"),
    ...     keras.layers.Reshape((8, 8, 1)),
    ... ])
    >>> discriminator = keras.Sequential([
    ...     keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)
    ... ])
    >>> model = GAN((8, 8, 1), 4, generator=generator, discriminator=discriminator)
    """

    value_range = (-1.0, 1.0)
    metric_names = ("discriminator_loss", "generator_loss", "real_score", "fake_score")
    prior_signature = "generate"

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: int = 100,
        *,
        generator_units: Sequence[int] = (256, 512, 1024),
        discriminator_units: Sequence[int] = (512, 256),
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        ema_decay: float = 0.0,
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(image_shape, latent_dim, seed=seed, name=name, **kwargs)
        if not 0 <= ema_decay < 1:
            raise GenzooError(f"ema_decay must be at least 0 and below 1, not {ema_decay}")
        if ema_decay and self.dtype_policy.variable_dtype not in ("float32", "float64"):
            raise GenzooError(
                f"ema_decay needs weights of float32, not {self.dtype_policy.variable_dtype}; "
                "take the policy mixed_bfloat16"
            )
        self.ema_decay = float(ema_decay)
        self.generator_units = tuple(generator_units)
        self.discriminator_units = tuple(discriminator_units)
        self.set_networks(generator, discriminator)

    def set_networks(
        self, generator: keras.Model | None, discriminator: keras.Model | None
    ) -> None:
        """Take a person's networks, and the default ones for what is None."""
        self.note_own_networks(generator=generator, discriminator=discriminator)
        with layers_under(self.dtype_policy):
            self.generator = generator or network_that_fits(
                self.default_generator, "the generator", self.widest
            )
            self.discriminator = discriminator or network_that_fits(
                self.default_discriminator, "the discriminator", self.widest
            )
        replicas = self.num_replicas
        check_network(
            self.generator, "generator", (self.noise_dim,), self.image_shape, num_replicas=replicas
        )
        check_network(
            self.discriminator,
            "discriminator",
            self.discriminator_shape,
            (1,),
            num_replicas=replicas,
        )
        self.average_generator = (
            copy_network(self.generator, (self.noise_dim,)) if self.ema_decay else None
        )
        self.built = True

    @property
    def sampling_generator(self) -> keras.Model:
        """The generator that images are made with: the averaged one, if there is one."""
        return self.generator if self.average_generator is None else self.average_generator

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The generator's optimizer and the discriminator's."""
        return [self.generator_optimizer, self.discriminator_optimizer]

    @property
    def noise_dim(self) -> int:
        """Width of the generator's input: the noise and its condition."""
        return self.latent_dim

    @property
    def discriminator_shape(self) -> ImageShape:
        """Shape of the discriminator's input: the image and its condition."""
        return self.image_shape

    @property
    def widest(self) -> int:
        """The most units of a layer of the default networks, inputs and outputs included."""
        inputs = self.noise_dim, math.prod(self.discriminator_shape)
        return max(*inputs, *self.generator_units, *self.discriminator_units)

    def default_generator(self) -> keras.Model:
        """Build the generator that is taken when a person brings none."""
        return dense_generator(self.image_shape, self.noise_dim, self.generator_units)

    def default_discriminator(self) -> keras.Model:
        """Build the discriminator that is taken when a person brings none."""
        return dense_discriminator(self.discriminator_shape, self.discriminator_units)

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        return {
            **super().get_config(),
            "generator_units": list(self.generator_units),
            "discriminator_units": list(self.discriminator_units),
            "ema_decay": self.ema_decay,
            **self.networks_config("generator", "discriminator"),
        }

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss: str | AdversarialLoss = "non_saturating",
        discriminator_steps: int = 1,
        **kwargs,
    ):
        """Choose the two optimizers, the loss and how often the discriminator moves.

        To callbacks ``model.optimizer`` then stands for both: its ``learning_rate`` is the
        generator's, and setting it, as ``LearningRateScheduler`` does, keeps the ratio of the two.

        Args:
            generator_optimizer: a Keras optimizer or its name; by default Adam with learning rate
                2e-4 and beta_1 0.5 (1511.06434).
            discriminator_optimizer: the same for the discriminator.
            loss: a name in ``ADVERSARIAL_LOSSES`` or an ``AdversarialLoss``, whose ``score`` says
                what ``real_score`` and ``fake_score`` are. With ``"minimax"`` the history also
                holds the Jensen-Shannon estimate.
            discriminator_steps: updates of the discriminator for one of the generator, each with
                fresh noise on the same real batch (algorithm 1 would draw that anew, too).
            **kwargs: ``run_eagerly``, ``steps_per_execution``, ``jit_compile`` (off by default;
                the checks of values inside the step are left out by XLA).

        Raises:
            GenzooError: if the loss is unknown, ``discriminator_steps`` is less than 1, or both
                networks are given one optimizer, the generator is averaged twice, or an optimizer
                cannot be shared by replicas.
        """
        options = self.compile_options(kwargs)
        if discriminator_steps < 1:
            raise GenzooError(f"discriminator_steps must be at least 1, not {discriminator_steps}")
        optimizers = [
            keras.optimizers.get(optimizer or Adam(2e-4, beta_1=0.5))
            for optimizer in (generator_optimizer, discriminator_optimizer)
        ]
        if optimizers[0] is optimizers[1]:
            raise GenzooError(
                "generator and discriminator need an optimizer each, not the same one"
            )
        adversarial_loss, saved_loss = self.named(loss, ADVERSARIAL_LOSSES)
        if not isinstance(adversarial_loss, AdversarialLoss):
            raise GenzooError(
                f"a GAN's loss is an AdversarialLoss or one of {', '.join(ADVERSARIAL_LOSSES)}, "
                f"not {loss!r}"
            )
        if self.ema_decay and optimizers[0].use_ema:
            raise GenzooError(
                "the generator's weights are averaged once: take ema_decay or use_ema, not both"
            )
        for optimizer in optimizers:
            check_optimizer(optimizer, self.num_replicas)
        self.adversarial_loss = adversarial_loss
        self.discriminator_steps = int(discriminator_steps)
        with self.distribute_strategy.scope():
            super().compile(optimizer=None, **options)
            self.generator_optimizer, self.discriminator_optimizer = (
                scaled(optimizer, self.dtype_policy) for optimizer in optimizers
            )
            self.generator_optimizer.build(self.generator.trainable_variables)
            self.discriminator_optimizer.build(self.discriminator.trainable_variables)
            # What callbacks look at; Keras itself moves and saves the two.
            self.optimizer = OptimizerPair(self.generator_optimizer, self.discriminator_optimizer)
            self._trackers.pop("jensen_shannon_estimate", None)
            if saved_loss == "minimax":
                self._trackers["jensen_shannon_estimate"] = keras.metrics.Mean(
                    name="jensen_shannon_estimate"
                )
        self.keep_compile_config(
            kwargs,
            generator_optimizer=optimizers[0],
            discriminator_optimizer=optimizers[1],
            loss=saved_loss,
            discriminator_steps=discriminator_steps,
        )

    # Computation -----------------------------------------------------------------------------

    def call(self, z, training=False):
        """Return the images of noise ``(batch, latent_dim)``, floats in [-1, 1].

        They are the averaged generator's, if there is one, unless ``training``.

        Raises:
            GenzooError: if the noise has another shape.
        """
        if z.shape[1:] != (self.noise_dim,):
            raise GenzooError(
                f"{type(self).__name__} makes images of noise (n, {self.noise_dim}), not of "
                f"{tuple(z.shape)}; make it with sample_latents(n)"
            )
        network = self.generator if training else self.sampling_generator
        return network(z, training=training)

    def unpack(self, data):
        """Return the batch's images in the model's range and its condition, None without one."""
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.to_range(images), None

    def condition_noise(self, z, condition):
        """Return the generator's input."""
        return z

    def condition_images(self, images, condition):
        """Return the discriminator's input."""
        return images

    def discriminate(self, images, condition, training: bool):
        """Return the logits of images, float32 ``(batch, 1)``."""
        inputs = self.condition_images(tf.cast(images, tf.float32), condition)
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)

    def latents(self, batch_size, *key):
        """Return this replica's noise ``(batch_size, latent_dim)``."""
        return self.noise(normal, batch_size, (self.latent_dim,), *key)

    def train_step(self, data):
        """Update the discriminator ``discriminator_steps`` times, then the generator once."""
        real_images, condition = self.unpack(data)
        batch_size = tf.shape(real_images)[0]
        for substep in range(self.discriminator_steps):
            z = self.condition_noise(self.latents(batch_size, TRAIN, self.step, substep), condition)
            with tf.GradientTape() as generator_tape:
                fake_images = self.generator(z, training=True)
                penalties = self.generator.losses
            values = self.update_discriminator(real_images, fake_images, condition)
        generator_loss = self.update_generator(generator_tape, fake_images, condition, penalties)
        self.step.assign_add(1)
        if self.average_generator is not None:
            move_average(self.average_generator, self.generator, self.step, self.ema_decay)
        return self._track_values(batch_size, generator_loss=generator_loss, **values)

    def update_discriminator(self, real_images, fake_images, condition) -> dict[str, tf.Tensor]:
        """Move the discriminator alone; return its loss and scores before the move."""
        with tf.GradientTape() as tape:
            # Separate passes: batch statistics of real and of generated images do not mix.
            real_logits = self.discriminate(real_images, condition, training=True)
            # The next pass drops them.
            penalties = activity_losses(self.discriminator)
            fake_logits = self.discriminate(tf.stop_gradient(fake_images), condition, training=True)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits)
            # Gradients of replicas are summed: the mean over the global batch needs the division.
            penalties += self.discriminator.losses
            replica_loss = (loss + sum(penalties)) / self.num_replicas
            replica_loss = self.discriminator_optimizer.scale_loss(replica_loss)
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(replica_loss, variables), variables)
        return self._values(loss, real_logits, fake_logits)

    def update_generator(
        self, generator_tape, fake_images, condition, penalties: Sequence[tf.Tensor] = ()
    ) -> tf.Tensor:
        """Move the generator alone, through the discriminator; return its loss before the move.

        ``generator_tape`` has recorded how ``fake_images`` were made, and the ``penalties`` of the
        generator's regularisers, so that one pass of the generator serves both updates. The
        discriminator's weights stay; its moving statistics see the images once more.
        """
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fake_images)
            fake_logits = self.discriminate(fake_images, condition, training=True)
            loss = self.adversarial_loss.generator(fake_logits)
            replica_loss = self.generator_optimizer.scale_loss(loss / self.num_replicas)
        variables = self.generator.trainable_variables
        penalty_weight = self.generator_optimizer.scale_loss(1 / self.num_replicas)
        image_gradients = tape.gradient(replica_loss, fake_images)
        gradients = generator_tape.gradient(
            [fake_images, *penalties],
            variables,
            output_gradients=[image_gradients, *[penalty_weight] * len(penalties)],
        )
        self.generator_optimizer.apply(gradients, variables)
        return loss

    def fit(self, *args, **kwargs):
        """Train as ``ImageModel.fit`` does; averaged weights (``use_ema``) are taken at the end."""
        history = super().fit(*args, **kwargs)
        # Keras does this for ``self.optimizer`` alone.
        for optimizer, network in zip(
            self.optimizers, (self.generator, self.discriminator), strict=True
        ):
            optimizer.finalize_variable_values(network.trainable_variables)
        return history

    def test_step(self, data):
        """Measure losses and scores of a batch with inference statistics, as ``call`` generates."""
        real_images, condition = self.unpack(data)
        batch_size = tf.shape(real_images)[0]
        key = self.test_key("discriminator_loss")
        z = self.condition_noise(self.latents(batch_size, TEST, key, 0), condition)
        fake_images = self.sampling_generator(z, training=False)
        real_logits = self.discriminate(real_images, condition, training=False)
        fake_logits = self.discriminate(fake_images, condition, training=False)
        loss = self.adversarial_loss.discriminator(real_logits, fake_logits)
        return self._track_values(
            batch_size,
            generator_loss=self.adversarial_loss.generator(fake_logits),
            **self._values(loss, real_logits, fake_logits),
        )

    def _values(self, discriminator_loss, real_logits, fake_logits) -> dict[str, tf.Tensor]:
        return {
            "discriminator_loss": discriminator_loss,
            "real_score": self.adversarial_loss.mean_score(real_logits),
            "fake_score": self.adversarial_loss.mean_score(fake_logits),
        }

    def _track_values(self, batch_size, **values):
        if "jensen_shannon_estimate" in self._trackers:
            values["jensen_shannon_estimate"] = jensen_shannon_estimate(
                values["discriminator_loss"]
            )
        return self.track(batch_size, **values)

    # Use -------------------------------------------------------------------------------------

    def decode(self, z, class_labels=None, *, batch_size: int = 256) -> np.ndarray:
        """Return the images of noise ``(n, latent_dim)``, uint8 ``(n, *image_shape)``."""
        self.check_no_labels(class_labels)
        z = self.checked_latents(z)
        return self.to_uint8(self.in_batches(self.sampling_generator, z, batch_size))

    def generate(self, n: int, class_labels=None, seed: int | None = None) -> np.ndarray:
        """Return ``n`` generated images, uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: must be None: the model knows no classes.
            seed: the same seed gives the same images; None gives others each time.

        Raises:
            GenzooError: if ``n`` is less than 1 or labels are asked for.
        """
        return self.decode(self.sample_latents(n, seed), class_labels)

    def interpolate(
        self, a, b, steps: int = 10, method: str = "spherical", class_labels=None
    ) -> np.ndarray:
        """Return the images of the walk from noise ``a`` to noise ``b``, both included.

        Args:
            a: first latent vector, shape ``(latent_dim,)``.
            b: last latent vector.
            steps: number of images, at least 2.
            method: ``"spherical"`` or ``"linear"``.
            class_labels: for conditional models, the class of the whole walk.

        Returns:
            uint8 array ``(steps, *image_shape)``.
        """
        return self.decode(interpolate_latents(a, b, steps, method), class_labels)

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the network ``generate``: noise ``z`` -> ``images`` in [0, 1].

        It is the averaged generator, if there is one.
        """
        z = keras.Input((self.latent_dim,), batch_size, name="z")
        return {"generate": self.generating({"z": z}, z)}

    def generating(self, inputs, noise) -> keras.Model:
        """Return the network from named ``inputs``, of which ``noise`` is made, to images."""
        images = self.to_unit_range(self.sampling_generator(noise, training=False))
        return keras.Model(inputs, {"images": images}, name="generate")


def activity_losses(network: keras.Model) -> list[tf.Tensor]:
    """Return what the last pass added to a network's losses, without those of its weights.

    Keras keeps the former of one pass alone, and gives the latter, last, with every pass.
    """
    of_weights = sum(weight.regularizer is not None for weight in network.trainable_weights)
    losses = network.losses
    return losses[: len(losses) - of_weights]
