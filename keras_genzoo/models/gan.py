"""The generative adversarial network of chapter 5; its ``train_step`` serves the whole family."""

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import keras
import tensorflow as tf

from keras_genzoo.arguments import AT_LEAST_1, BELOW_1, NOT_NEGATIVE, REPEATS
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, AdversarialLoss, Penalty
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.adapting import Adapting
from keras_genzoo.models.averaging import (
    copy_network,
    decay_of,
    decay_of_step,
    move_average,
)
from keras_genzoo.models.base import CHANGE, TEST, TRAIN, ImageModel, ImageShape, OptimizerDefaults
from keras_genzoo.models.checking import assert_packs, check_network, check_optimizer
from keras_genzoo.models.combinations import check_combination
from keras_genzoo.models.components import component, saved_component, with_options
from keras_genzoo.models.critic import Draw
from keras_genzoo.models.generating import Generating
from keras_genzoo.models.judging import Judging
from keras_genzoo.models.labels import conditioning_of
from keras_genzoo.models.optimizers import OptimizerPair
from keras_genzoo.models.packing import checked_packing, packed
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.networks import (
    ARCHITECTURES,
    AUGMENTATIONS,
    CONDITIONINGS,
    NORMALIZATIONS,
    Architecture,
    Augmentation,
    Conditioning,
    layers_under,
    normal,
)


@keras.saving.register_keras_serializable("keras_genzoo")
class GAN(Generating, Judging, Adapting, ImageModel):
    """Generator and discriminator in the minimax game of 1406.2661 (equation 1, algorithm 1).

    One step updates the discriminator on real and on generated images in separate passes, then
    the generator through the updated discriminator with the same generated images. A GAN is a
    point on several axes: architecture, conditioning and normalisation are chosen here, loss,
    penalty and augmentation by ``compile``.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector, the noise z ~ N(0, I).
        architecture: networks of generator and discriminator; a name in ``ARCHITECTURES``, or an
            ``Architecture``, which builds them.
        conditioning: how class labels reach the networks; a name in ``CONDITIONINGS``, or a
            ``Conditioning``; None, the default, trains without labels. With labels the model
            trains on ``(images, class_labels)``, and the generated images of a step take the
            classes of its real ones.
        num_classes: number of classes of a conditioning that is given by name; labels are
            integers from 0.
        discriminator_normalization: normalisation of the discriminator's hidden layers, by default
            that of the architecture; a name in ``NORMALIZATIONS``.
        packing: images that the discriminator judges together, joined along channels; from
            1712.04086. A batch must divide by it, and a penalty is that of the joined images.
        generator: a person's own network, ``(batch, latent_dim)`` -> images in [-1, 1].
        discriminator: a person's own network, images in [-1, 1] -> logits ``(batch, 1)``.
        ema_decay: decay of a running average of the generator's weights, which images are then made
            with, 0 for none; from 1806.04498. Early in a run the
            average is that of the last ninth of its steps. It moves in training only: weights
            set by hand belong into ``average_generator``, too.
        ema_half_life: the same average by the number of images after which a weight counts half, 0
            for none; ``ema_decay = 0.5 ** (batch_size / ema_half_life)``. One of the two.
        ema_rise_steps: training steps in which that half-life rises from 0, by half a cosine; from
            2501.05441. 0, the default, has it from the beginning.
        seed: random seed of the training noise.
        name: name of the Keras model.
        **options: those of the architecture, such as ``generator_units``, and ``dtype``.

    Raises:
        GenzooError: if an argument is not usable.

    >>> import numpy as np
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

    latent_dim: int
    value_range = (-1.0, 1.0)
    architectures = ARCHITECTURES
    optimizer_defaults: ClassVar[OptimizerDefaults] = {
        "generator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.5},
        "discriminator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.5},
    }
    metric_names = ("discriminator_loss", "generator_loss", "real_score", "fake_score")

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: Annotated[int, AT_LEAST_1] = 100,
        *,
        architecture: Annotated[str | Architecture, ARCHITECTURES] = "dense",
        conditioning: Annotated[str | Conditioning | None, CONDITIONINGS] = None,
        num_classes: int | None = None,
        discriminator_normalization: Annotated[str | None, NORMALIZATIONS] = None,
        packing: Annotated[int, REPEATS] = 1,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        ema_decay: Annotated[float, BELOW_1] = 0.0,
        ema_half_life: Annotated[float, NOT_NEGATIVE] = 0.0,
        ema_rise_steps: Annotated[int, NOT_NEGATIVE] = 0,
        seed: int = 0,
        name: str | None = None,
        **options: Any,
    ):
        self.architecture, options = with_options(
            architecture, ARCHITECTURES, Architecture, options, type(self)
        )
        super().__init__(image_shape, latent_dim, seed=seed, name=name, **options)
        self.ema_decay, self.ema_half_life = decay_of(ema_decay, ema_half_life, self.dtype_policy)
        if ema_rise_steps < 0 or (ema_rise_steps and not ema_half_life):
            raise GenzooError(
                "ema_rise_steps must be 0 or more, and needs ema_half_life, such as 50000 images, "
                "to rise to"
            )
        self.ema_rise_steps = int(ema_rise_steps)
        self.conditioning = conditioning_of(conditioning, num_classes)
        self.needs_labels = self.conditioning is not None
        if discriminator_normalization is not None:
            NORMALIZATIONS.check(discriminator_normalization)
        self.discriminator_normalization = discriminator_normalization
        self.packing = checked_packing(packing, self.conditioning)
        self.set_networks(generator, discriminator)

    def set_networks(
        self, generator: keras.Model | None, discriminator: keras.Model | None
    ) -> None:
        """Take a person's networks, and those of the architecture for what is None."""
        self.note_own_networks(generator=generator, discriminator=discriminator)
        replicas, architecture = self.num_replicas, self.architecture
        normalization = self.discriminator_normalization or architecture.normalization
        condition, synchronized = self.conditioning or Conditioning(0), replicas > 1
        with layers_under(self.dtype_policy):
            widest = architecture.widest(self.noise_dim, self.discriminator_shape)
            self.generator = generator or network_that_fits(
                lambda: condition.generator(
                    architecture, self.image_shape, self.latent_dim, synchronized
                ),
                "the generator",
                widest,
            )
            self.discriminator = discriminator or network_that_fits(
                lambda: condition.discriminator(
                    architecture, self.discriminator_shape, normalization, synchronized
                ),
                "the discriminator",
                widest,
            )
        check_network(
            self.generator, "generator", (self.noise_dim,), self.image_shape, num_replicas=replicas
        )
        check_network(
            self.discriminator,
            "discriminator",
            self.discriminator_shape,
            (condition.outputs,),
            num_replicas=replicas,
        )
        averaged = self.ema_decay or self.ema_half_life
        self.average_generator = (
            copy_network(self.generator, (self.noise_dim,)) if averaged else None
        )
        self.built = True

    @property
    def sampling_generator(self) -> keras.Model:
        """The generator that images are made with: the averaged one, if there is one."""
        return self.generator if self.average_generator is None else self.average_generator

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The generator's optimizer and the discriminator's."""
        if not self.compiled:
            return []
        return [self.generator_optimizer, self.discriminator_optimizer]

    def learning_rates(self) -> dict[str, float]:
        """Return the learning rate of the next update of each optimizer, by the setting's name."""
        return {
            "generator_learning_rate": float(self.generator_optimizer.learning_rate),
            "discriminator_learning_rate": float(self.discriminator_optimizer.learning_rate),
        }

    def remarks(self) -> list[str]:
        """Return a line that says so if the augmentation may change what an image shows."""
        turning = getattr(self.augmentation, "turning", ())
        if not turning:
            return []
        return [
            f"the augmentation turns or mirrors images ({', '.join(turning)}): a digit or letter "
            "may become another one, and the generator may learn to make such"
        ]

    @property
    def noise_dim(self) -> int:
        """Width of the generator's input: the noise and its condition."""
        if self.conditioning is None:
            return self.latent_dim
        return self.conditioning.noise_dim(self.latent_dim)

    @property
    def discriminator_shape(self) -> ImageShape:
        """Shape of the discriminator's input: the images of a pack and their conditions."""
        shape = self.image_shape
        if self.conditioning is not None:
            shape = self.conditioning.discriminator_shape(shape)
        return (*shape[:2], self.packing * shape[2])

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        architecture, options = saved_component(self.architecture, ARCHITECTURES)
        conditioning, num_classes = _saved_conditioning(self.conditioning)
        return {
            **super().get_config(),
            "architecture": architecture,
            **options,
            "conditioning": conditioning,
            "num_classes": num_classes,
            "discriminator_normalization": self.discriminator_normalization,
            "packing": self.packing,
            "ema_decay": self.ema_decay,
            "ema_half_life": self.ema_half_life,
            "ema_rise_steps": self.ema_rise_steps,
            **self.networks_config("generator", "discriminator"),
        }

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        loss: Annotated[str | AdversarialLoss, ADVERSARIAL_LOSSES] = "non_saturating",
        discriminator_steps: Annotated[int, REPEATS] = 1,
        penalty: Annotated[str | Penalty | None, PENALTIES] = None,
        augmentation: Annotated[str | Augmentation | None, AUGMENTATIONS] = None,
        **kwargs: Any,
    ) -> None:
        """Choose optimizers, loss, penalty, augmentation and how often the discriminator moves.

        To callbacks ``model.optimizer`` then stands for both: its ``learning_rate`` is the
        generator's, and setting it, as ``LearningRateScheduler`` does, keeps the ratio of the two.

        Args:
            generator_optimizer: a Keras optimizer or its name; by default Adam with learning rate
                2e-4 and beta_1 0.5 (1511.06434).
            discriminator_optimizer: the same for the discriminator.
            loss: adversarial loss; a name in ``ADVERSARIAL_LOSSES`` or an ``AdversarialLoss``,
                whose ``score`` says what ``real_score`` and ``fake_score`` are, and whose
                ``monitors`` the history also holds.
            discriminator_steps: updates of the discriminator for one of the generator; each has
                fresh noise on the same real batch (algorithm 1 would draw that anew, too).
            penalty: penalty on the discriminator's slope; a term that is added to its loss: a name
                in ``PENALTIES``, or a ``Penalty``. The history holds it as ``penalty``;
                ``discriminator_loss`` is without it.
            augmentation: augmentation of all images that the discriminator sees in training; a
                name in ``AUGMENTATIONS``, or an ``Augmentation``.
            **kwargs: ``run_eagerly``, ``steps_per_execution``, ``jit_compile`` (off by default;
                the checks of values inside the step are left out by XLA).

        Raises:
            GenzooError: if a name is unknown, ``discriminator_steps`` is less than 1, both
                networks are given one optimizer, the generator is averaged twice, an optimizer
                cannot be shared by replicas, or loss, penalty and discriminator make no sense
                together.
        """
        options = self.compile_options(kwargs)
        if discriminator_steps < 1:
            raise GenzooError(f"discriminator_steps must be at least 1, not {discriminator_steps}")
        optimizers = [
            keras.optimizers.get(optimizer or self.default_optimizer(argument))
            for argument, optimizer in (
                ("generator_optimizer", generator_optimizer),
                ("discriminator_optimizer", discriminator_optimizer),
            )
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
        if self.average_generator is not None and optimizers[0].use_ema:
            raise GenzooError(
                "the generator's weights are averaged once: take ema_decay or use_ema, not both"
            )
        for optimizer in optimizers:
            check_optimizer(optimizer, self.num_replicas)
        chosen_penalty: Penalty | None = component(penalty, PENALTIES, Penalty)
        chosen_augmentation: Augmentation | None = component(
            augmentation, AUGMENTATIONS, Augmentation
        )
        check_combination(
            adversarial_loss,
            chosen_penalty,
            self.discriminator,
            chosen_augmentation,
            own="discriminator" in self._own_roles,
        )
        self.adversarial_loss = adversarial_loss
        self.penalty, self.augmentation = chosen_penalty, chosen_augmentation
        self.discriminator_steps = int(discriminator_steps)
        with self.distribute_strategy.scope():
            super().compile(optimizer=None, **options)
            self.generator_optimizer, self.discriminator_optimizer = (
                scaled(optimizer, self.dtype_policy) for optimizer in optimizers
            )
            self.generator_optimizer.build(self.generator.trainable_variables)
            self.discriminator_optimizer.build(self.discriminator.trainable_variables)
            # For callbacks that read ``model.optimizer``; the two above are what trains.
            self.optimizer = OptimizerPair(self.generator_optimizer, self.discriminator_optimizer)
            self.keep_probability()
            self.track_only(*self._monitors())
        self.keep_compile_config(
            kwargs,
            generator_optimizer=optimizers[0],
            discriminator_optimizer=optimizers[1],
            loss=saved_loss,
            discriminator_steps=discriminator_steps,
            penalty=penalty,
            augmentation=augmentation,
        )

    def _monitors(self) -> list[str]:
        """Return the names of what the history holds beside ``metric_names``."""
        names = list(self.adversarial_loss.monitors)
        names += ["penalty"] if self.penalty is not None else []
        if getattr(self.conditioning, "classifies", False):
            names += ["class_loss", "fake_class_loss"]
        return names + (
            ["augmentation_probability"] if self.augmentation_probability is not None else []
        )

    # Computation -----------------------------------------------------------------------------

    def make(self, z, class_labels=None, training=False):
        """Return the images of noise: the averaged generator's, if there is one and not training.

        Args:
            z: noise ``(batch, latent_dim)``.
            class_labels: labels ``(batch,)`` of a conditional model.
            training: whether layers behave as in training.
        """
        network = self.generator if training else self.sampling_generator
        return network(self.condition_noise(z, class_labels), training=training)

    def condition_noise(self, z, class_labels):
        """Return the generator's input."""
        return z if self.conditioning is None else self.conditioning.noise(z, class_labels)

    def latents(self, batch_size, *key):
        """Return this replica's noise ``(batch_size, latent_dim)``."""
        return self.noise(normal, batch_size, (self.latent_dim,), *key)

    def train_step(self, data):
        """Update the discriminator ``discriminator_steps`` times, then the generator once."""
        real_images, class_labels = self.unpack(data)
        batch_size = tf.shape(real_images)[0]
        assert_packs(self, batch_size)
        for substep in range(self.discriminator_steps):
            z = self.latents(batch_size, TRAIN, self.step, substep)
            z = self.condition_noise(z, class_labels)
            with tf.GradientTape() as generator_tape:
                fake_images = self.generator(z, training=True)
                regularisation = self.generator.losses
            values = self.update_discriminator(real_images, fake_images, class_labels, substep)
        generator_loss = self.update_generator(
            generator_tape, fake_images, class_labels, regularisation, real_images
        )
        self.step.assign_add(1)
        if self.average_generator is not None:
            self._move_average(batch_size)
        if self.augmentation_probability is not None:
            # What this step was augmented with.
            values["augmentation_probability"] = tf.identity(self.augmentation_probability)
            self.adapt(values.pop("real_sign"), batch_size)
        return self._track_values(batch_size, generator_loss=generator_loss, **values)

    def update_discriminator(
        self,
        real_images: Tensor,
        fake_images: Tensor,
        class_labels: Tensor | None,
        substep: int = 0,
    ) -> dict[str, tf.Tensor]:
        """Move the discriminator alone; return its loss and scores before the move."""
        critic = self.critic(class_labels, Draw(self.noise, CHANGE, self.step, substep, 0))
        real_packs = packed(real_images, self.packing)
        fake_packs = packed(tf.stop_gradient(fake_images), self.packing)
        judge = critic.outputs if self.penalty is None else critic.remembered
        terms = {}
        with tf.GradientTape() as tape:
            # Two passes, so that batch statistics of real and generated images do not mix.
            real_outputs = judge(real_packs)
            # The next pass replaces the activity losses of this one.
            regularisation = activity_losses(self.discriminator)
            fake_outputs = judge(fake_packs)
            real_logits, fake_logits = critic.logits(real_outputs), critic.logits(fake_outputs)
            loss = self.adversarial_loss.discriminator(real_logits, fake_logits)
            regularisation += self.discriminator.losses
            if self.penalty is not None:
                draw = Draw(self.noise, CHANGE, self.step, substep, 1)
                terms["penalty"] = self.penalty_term(critic, real_packs, fake_packs, draw)
            class_losses = self.class_losses(real_outputs, fake_outputs, class_labels)
            # Only the generator learns from the classes of generated images.
            terms |= {k: v for k, v in class_losses.items() if k == "class_loss"}
            # TensorFlow sums the gradients of replicas, so each takes its share of the mean.
            total = loss + sum(regularisation) + sum(terms.values())
            replica_loss = self.discriminator_optimizer.scale_loss(total / self.num_replicas)
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(replica_loss, variables), variables)
        if self.augmentation_probability is not None:
            terms["real_sign"] = self.mean_sign(real_logits)
        return self._values(loss, real_logits, fake_logits) | terms | class_losses

    def update_generator(
        self,
        generator_tape: tf.GradientTape,
        fake_images: Tensor,
        class_labels: Tensor | None,
        regularisation: Sequence[tf.Tensor] = (),
        real_images: Tensor | None = None,
    ) -> tf.Tensor:
        """Move the generator alone, through the discriminator; return its loss before the move.

        ``generator_tape`` has recorded how ``fake_images`` were made, so that one pass of the
        generator serves both updates: this step takes the gradient of the loss in the images, and
        that tape carries it on to the weights. The discriminator's weights stay; its moving
        statistics see the images once more.

        Args:
            generator_tape: the tape around the generator's pass.
            fake_images: the generated images.
            class_labels: their classes, None without.
            regularisation: losses of the generator's regularisers, recorded by the same tape.
            real_images: the real images of the step, for a loss whose ``generator_needs_real``.
        """
        critic = self.critic(class_labels, Draw(self.noise, CHANGE, self.step, 0, 2))
        needs_real = self.adversarial_loss.generator_needs_real
        real_logits = critic(packed(real_images, self.packing)) if needs_real else None
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(fake_images)
            outputs = critic.outputs(packed(fake_images, self.packing))
            loss = self.adversarial_loss.generator_loss(critic.logits(outputs), real_logits)
            class_losses = self.class_losses(outputs, outputs, class_labels)
            total = loss + class_losses.get("fake_class_loss", 0.0)
            replica_loss = self.generator_optimizer.scale_loss(total / self.num_replicas)
        image_gradients = tape.gradient(replica_loss, fake_images)
        weight = self.generator_optimizer.scale_loss(1 / self.num_replicas)
        variables = self.generator.trainable_variables
        gradients = generator_tape.gradient(
            [fake_images, *regularisation],
            variables,
            output_gradients=[image_gradients, *[weight] * len(regularisation)],
        )
        self.generator_optimizer.apply(gradients, variables)
        return loss

    def _move_average(self, batch_size: int | Tensor) -> None:
        images = batch_size * self.num_replicas
        decay = decay_of_step(
            self.ema_decay, self.ema_half_life, images, self.step, self.ema_rise_steps
        )
        move_average(self.average_generator, self.generator, decay)

    def fit(self, *args, **kwargs):
        """Train as ``ImageModel.fit`` does; averaged weights (``use_ema``) are taken at the end."""
        history = super().fit(*args, **kwargs)
        # Keras finalises only ``self.optimizer``.
        for optimizer, network in zip(
            self.optimizers, (self.generator, self.discriminator), strict=True
        ):
            optimizer.finalize_variable_values(network.trainable_variables)
        return history

    def test_step(self, data):
        """Measure losses and scores of a batch with inference statistics, as ``call`` generates."""
        real_images, class_labels = self.unpack(data)
        if self.packing > 1:
            # A last batch may hold images that make no pack.
            whole = tf.shape(real_images)[0] // self.packing * self.packing
            real_images = real_images[:whole]
            class_labels = None if class_labels is None else class_labels[:whole]
        batch_size = tf.shape(real_images)[0]
        key = self.test_key("discriminator_loss")
        z = self.condition_noise(self.latents(batch_size, TEST, key, 0), class_labels)
        fake_images = self.sampling_generator(z, training=False)
        real_outputs = self.judge(real_images, class_labels, training=False)
        fake_outputs = self.judge(fake_images, class_labels, training=False)
        real_logits, fake_logits = (
            self.logits(outputs, class_labels) for outputs in (real_outputs, fake_outputs)
        )
        loss = self.adversarial_loss.discriminator(real_logits, fake_logits)
        return self._track_values(
            batch_size,
            generator_loss=self.adversarial_loss.generator_loss(fake_logits, real_logits),
            **self._values(loss, real_logits, fake_logits),
            **self.class_losses(real_outputs, fake_outputs, class_labels),
        )

    def _values(
        self, discriminator_loss: Tensor, real_logits: Tensor, fake_logits: Tensor
    ) -> dict[str, tf.Tensor]:
        return {
            "discriminator_loss": discriminator_loss,
            "real_score": self.adversarial_loss.mean_score(real_logits),
            "fake_score": self.adversarial_loss.mean_score(fake_logits),
        }

    def _track_values(self, batch_size, **values):
        for name, estimate in self.adversarial_loss.monitors.items():
            values[name] = estimate(values["discriminator_loss"])
        return self.track(batch_size, **values)


def _saved_conditioning(conditioning: Conditioning | None) -> tuple[Any, int | None]:
    """Return what stands for a conditioning in a configuration, and the number of classes."""
    if conditioning is None:
        return None, None
    name, options = saved_component(conditioning, CONDITIONINGS)
    num_classes = conditioning.num_classes
    if isinstance(name, str) and options != CONDITIONINGS[name](num_classes).get_config():
        # A name stands for the default options alone.
        name = keras.saving.serialize_keras_object(conditioning)
    return name, num_classes


def activity_losses(network: keras.Model) -> list[tf.Tensor]:
    """Return what the last pass added to a network's losses, without those of its weights.

    ``network.losses`` lists the activity losses of the last pass, then the losses of the weights.
    """
    of_weights = sum(weight.regularizer is not None for weight in network.trainable_weights)
    losses = network.losses
    return losses[: len(losses) - of_weights]
