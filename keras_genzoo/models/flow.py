"""Flow matching: images are the end of a path from noise, along a velocity that a U-Net learns."""

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1, BELOW_1, NOT_NEGATIVE, REPEATS
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.averaging import copy_network, decay_of, decay_of_step, move_average
from keras_genzoo.models.base import TEST, TRAIN, ImageModel, ImageShape, OptimizerDefaults
from keras_genzoo.models.checking import check_images, check_network, check_optimizer
from keras_genzoo.models.flow_likelihood import log_likelihood_by_solver
from keras_genzoo.models.generating import Generating
from keras_genzoo.models.registry import SOLVERS
from keras_genzoo.models.scaling import scaled
from keras_genzoo.models.size import network_that_fits
from keras_genzoo.models.solvers import solve
from keras_genzoo.networks import layers_under, normal, uniform, velocity_unet

CONDITIONINGS = ("embedding",)
TIME_DISTRIBUTIONS = ("uniform", "logit_normal")
# The label that stands for no class: that of a dropped label, and of the field without guidance.
NO_CLASS = -1
# Last part of the key of a draw.
NOISE, TIME, DEQUANTIZATION, DROPOUT = 0, 1, 2, 3
# Fewer steps give too few bits: on the digits 0.08 per dimension with 25, 0.005 with 100.
LIKELIHOOD_STEPS = 100


@keras.saving.register_keras_serializable("keras_genzoo")
class Flow(Generating, ImageModel):
    """Flow matching with straight paths (2210.02747; rectified flow, 2209.03003).

    The network learns the velocity ``x - eps`` at ``x_t = (1 - t) eps + t x``, between noise
    eps ~ N(0, I) at time 0 and an image x at time 1, by the mean squared error over pixels. Images
    are made by solving ``dx/dt = velocity(x, t)`` from noise, which is the latent: an image of
    noise. Images are trained on with uniform noise of one grey level, which makes grey values a
    density; rounding takes it away again.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        unet_filters: channels of each level of the U-Net, at least two; the image is halved from
            one level to the next.
        unet_blocks: residual blocks of each level of the U-Net.
        conditioning: how class labels reach the network; ``"embedding"`` adds one to that of time,
            None trains without labels. With labels the model trains on ``(images, class_labels)``.
        num_classes: number of classes of a conditioning; labels are integers from 0.
        label_dropout: share of labels that training leaves out, so that the network also learns
            the velocity without a class; guidance and the likelihood of images need that.
        guidance: strength of classifier-free guidance (2207.12598), of a conditional flow; the
            velocity is ``v + guidance * (v_class - v)`` with v that without a class: 1 is none.
        time_distribution: distribution of the times that are trained on; ``"uniform"``, or
            ``"logit_normal"``, sigmoid(N(0, 1)), which prefers the middle (2403.03206).
        solver: how the equation is solved; a name in ``SOLVERS``.
        solver_steps: steps of the solver from noise to an image.
        network: a person's own network, images, times (and labels) -> velocities.
        ema_decay: decay of a running average of the network's weights, which images are then made
            with, 0 for none.
        ema_half_life: the same average by the number of images after which a weight counts half, 0
            for none. One of the two.
        seed: random seed of the training noise.
        name: name of the Keras model.
        **kwargs: ``dtype``, the policy of the model and of its default network.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = Flow((8, 8, 1), unet_filters=(8, 8), solver_steps=2)
    >>> model.compile()
    >>> history = model.fit(np.zeros((16, 8, 8), "uint8"), batch_size=8, verbose=0)
    >>> model.generate(3, seed=0).shape, model.generate(3, seed=0, solver="heun").shape
    ((3, 8, 8, 1), (3, 8, 8, 1))

    One's own network is called on ``[images, times]``, of shapes ``(batch, *image_shape)`` and
    ``(batch,)``, and of a conditional flow also on int32 labels ``(batch,)``, -1 for no class.
    """

    value_range = (-1.0, 1.0)
    metric_names = ("velocity_loss",)
    prior_signature = "generate"
    optimizer_defaults: ClassVar[OptimizerDefaults] = {"optimizer": {"learning_rate": 1e-3}}
    left_out = ("latent_dim",)
    has_held_out_loss = True
    has_solver = True
    has_discrete_likelihood = True
    likelihood_draws = 1
    # A log-likelihood costs as much as some thirty images.
    likelihood_images = 256

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        *,
        unet_filters: Annotated[Sequence[int], AT_LEAST_1] = (32, 64, 64),
        unet_blocks: Annotated[int, REPEATS] = 1,
        conditioning: Annotated[str | None, CONDITIONINGS] = None,
        num_classes: int | None = None,
        label_dropout: Annotated[float, BELOW_1] = 0.1,
        guidance: Annotated[float, NOT_NEGATIVE] = 1.0,
        time_distribution: Annotated[str, TIME_DISTRIBUTIONS] = "uniform",
        solver: Annotated[str, SOLVERS] = "midpoint",
        solver_steps: Annotated[int, REPEATS] = 10,
        network: keras.Model | None = None,
        ema_decay: Annotated[float, BELOW_1] = 0.0,
        ema_half_life: Annotated[float, NOT_NEGATIVE] = 0.0,
        seed: int = 0,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(image_shape, seed=seed, name=name, **kwargs)
        # The image on its way stays float32 whatever the policy, under which the network computes.
        self.autocast = False
        self.ema_decay, self.ema_half_life = decay_of(ema_decay, ema_half_life, self.dtype_policy)
        self.unet_filters, self.unet_blocks = tuple(map(int, unet_filters)), int(unet_blocks)
        if len(self.unet_filters) < 2 or min(*self.unet_filters, self.unet_blocks) < 1:
            raise GenzooError(
                "a U-Net has two levels or more, of at least 1 channel and 1 block: give "
                f"unet_filters such as 32,64,64, not {','.join(map(str, self.unet_filters))}, and "
                f"unet_blocks such as 1, not {self.unet_blocks}"
            )
        if conditioning not in (None, *CONDITIONINGS):
            raise unknown("conditioning", conditioning, CONDITIONINGS)
        if conditioning is not None and (num_classes is None or num_classes < 2):
            raise GenzooError(f"num_classes must be at least 2, not {num_classes}")
        self.conditioning, self.needs_labels = conditioning, conditioning is not None
        self._num_classes = int(num_classes or 0) if self.needs_labels else None
        if not 0 <= label_dropout < 1:
            raise GenzooError(f"label_dropout must be at least 0 and below 1, not {label_dropout}")
        self.label_dropout = float(label_dropout)
        if time_distribution not in TIME_DISTRIBUTIONS:
            raise unknown("time distribution", time_distribution, TIME_DISTRIBUTIONS)
        self.time_distribution = time_distribution
        self.solver, self.solver_steps, self.guidance = self._sampling(
            solver, solver_steps, guidance
        )
        self.set_network(network)

    def set_network(self, network: keras.Model | None) -> None:
        """Take a person's network, or for None a U-Net."""
        self.note_own_networks(network=network)
        shapes = [self.image_shape, (), *([()] if self.needs_labels else [])]
        with layers_under(self.dtype_policy):
            self.network = network or network_that_fits(
                lambda: velocity_unet(
                    self.image_shape,
                    self.unet_filters,
                    blocks=self.unet_blocks,
                    num_classes=self._num_classes or 0,
                ),
                "the U-Net",
                2 * max(self.unet_filters),
            )
        check_network(
            self.network,
            "velocity network",
            shapes,
            self.image_shape,
            num_replicas=self.num_replicas,
        )
        averaged = self.ema_decay or self.ema_half_life
        self.average_network = copy_network(self.network, *shapes) if averaged else None
        self.built = True

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of a latent: an image of noise."""
        return self.image_shape

    @property
    def num_classes(self) -> int:
        """Number of classes of a conditional flow.

        Raises:
            AttributeError: if it has none.
        """
        if self._num_classes is None:
            raise AttributeError(f"{type(self).__name__} knows no classes")
        return self._num_classes

    @property
    def inference_network(self) -> keras.Model:
        """The network of all but training: the averaged one, if there is one."""
        return self.network if self.average_network is None else self.average_network

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; an own network is serialised with it."""
        return {
            **super().get_config(),
            "unet_filters": list(self.unet_filters),
            "unet_blocks": self.unet_blocks,
            "conditioning": self.conditioning,
            "num_classes": self._num_classes,
            "label_dropout": self.label_dropout,
            "guidance": self.guidance,
            "time_distribution": self.time_distribution,
            "solver": self.solver,
            "solver_steps": self.solver_steps,
            "ema_decay": self.ema_decay,
            "ema_half_life": self.ema_half_life,
            **self.networks_config("network"),
        }

    def compile(self, optimizer=None, **kwargs):
        """Choose the optimizer.

        Args:
            optimizer: a Keras optimizer or its name; by default Adam with learning rate 1e-3.
            **kwargs: ``run_eagerly``, ``steps_per_execution``, ``jit_compile`` (off by default;
                the checks of values inside the step are left out by XLA).

        Raises:
            GenzooError: if the weights are averaged twice, or replicas cannot share the optimizer.
        """
        options = self.compile_options(kwargs)
        with self.distribute_strategy.scope():
            optimizer = keras.optimizers.get(optimizer or self.default_optimizer("optimizer"))
            check_optimizer(optimizer, self.num_replicas)
            if self.average_network is not None and optimizer.use_ema:
                raise GenzooError(
                    "the weights are averaged once: take ema_decay or use_ema, not both"
                )
            super().compile(optimizer=scaled(optimizer, self.dtype_policy), **options)
            self.optimizer.build(self.trainable_variables)
        self.keep_compile_config(kwargs, optimizer=optimizer)

    # Training --------------------------------------------------------------------------------

    def train_step(self, data):
        """Take one step down the mean squared error of the velocities of the batch."""
        images, class_labels = self.unpack(data)
        batch_size = tf.shape(images)[0]
        with tf.GradientTape() as tape:
            losses = self.losses_of(images, class_labels, TRAIN, self.step, training=True)
            loss = tf.reduce_mean(losses)
            # TensorFlow sums the gradients of replicas, so each takes its share of the mean.
            replica_loss = (loss + sum(self.network.losses)) / self.num_replicas
            replica_loss = self.optimizer.scale_loss(replica_loss)
        self.step.assign_add(1)
        gradients = tape.gradient(replica_loss, self.network.trainable_variables)
        self.optimizer.apply(gradients, self.network.trainable_variables)
        if self.average_network is not None:
            images_of_step = batch_size * self.num_replicas
            decay = decay_of_step(self.ema_decay, self.ema_half_life, images_of_step, self.step)
            move_average(self.average_network, self.network, decay)
        return self.track(batch_size, velocity_loss=loss)

    def test_step(self, data):
        """Measure the error of a batch, with the averaged weights and every label."""
        images, class_labels = self.unpack(data)
        key = self.test_key("velocity_loss")
        losses = self.losses_of(images, class_labels, TEST, key, training=False)
        return self.track(tf.shape(images)[0], velocity_loss=tf.reduce_mean(losses))

    def losses_of(
        self, images: Tensor, class_labels: Tensor | None, *key: int | Tensor, training: bool
    ) -> Tensor:
        """Return the squared error of the velocity of each image, mean over pixels, ``(batch,)``.

        Args:
            images: float32 in [-1, 1].
            class_labels: int32 ``(batch,)``; None without a conditioning.
            *key: integers that name the draws of noise, times and dropped labels.
            training: whether to train, with labels dropped, or to measure.
        """
        batch_size = tf.shape(images)[0]
        grey = self.noise(uniform, batch_size, self.image_shape, *key, DEQUANTIZATION) - 0.5
        images = images + grey * (2 / 255)
        noise = self.noise(normal, batch_size, self.image_shape, *key, NOISE)
        times = self.times(batch_size, *key, TIME)
        at = times[:, None, None, None]
        inputs = [(1 - at) * noise + at * images, times]
        if self.needs_labels:
            inputs.append(class_labels)
        if self.needs_labels and training:
            chance = self.noise(uniform, batch_size, (1,), *key, DROPOUT)[:, 0]
            inputs[-1] = tf.where(chance < self.label_dropout, NO_CLASS, class_labels)
        network = self.network if training else self.inference_network
        velocities = tf.cast(network(inputs, training=training), tf.float32)
        return tf.reduce_mean(tf.square(velocities - (images - noise)), axis=(1, 2, 3))

    def times(self, batch_size: int | Tensor, *key: int | Tensor) -> tf.Tensor:
        """Draw the times of a batch, float32 ``(batch,)`` in [0, 1]."""
        if self.time_distribution == "uniform":
            return self.noise(uniform, batch_size, (1,), *key)[:, 0]
        return tf.sigmoid(self.noise(normal, batch_size, (1,), *key)[:, 0])

    # Use -------------------------------------------------------------------------------------

    def make(
        self,
        z: Tensor,
        class_labels: Tensor | None = None,
        training: bool = False,
        *,
        solver: str | None = None,
        solver_steps: int | None = None,
        guidance: float | None = None,
    ) -> Tensor:
        """Return the images of noise, floats that may leave [-1, 1] a little.

        The steps are written out, so that an exported network has no loop.

        Args:
            z: noise ``(batch, *image_shape)``.
            class_labels: int32 labels ``(batch,)`` of a conditional flow.
            training: whether layers behave as in training.
            solver: a name in ``SOLVERS``; by default the model's.
            solver_steps: number of steps; by default the model's.
            guidance: strength of guidance; by default the model's.

        Raises:
            GenzooError: if an option is not usable.
        """
        solver, steps, guidance = self._sampling(solver, solver_steps, guidance)
        if isinstance(z, np.ndarray):
            # Keras takes no tensors and arrays together, and the times are a tensor.
            z = ops.convert_to_tensor(z)
            class_labels = None if class_labels is None else ops.cast(class_labels, "int32")
        velocity = self.velocity(class_labels, guidance, training)
        return solve(SOLVERS[solver], velocity, z, steps)

    def velocity(
        self,
        class_labels: Tensor | None = None,
        guidance: float | None = None,
        training: bool = False,
    ) -> Callable:
        """Return the velocity as a function of images ``(batch, *image_shape)`` and a time.

        The images are floats in the model's range and noise, or uint8, and may be NumPy's.

        Args:
            class_labels: int32 labels ``(batch,)`` of a conditional flow; None for no class.
            guidance: strength of guidance; by default the model's.
            training: whether layers behave as in training.
        """
        if isinstance(class_labels, np.ndarray):
            class_labels = ops.convert_to_tensor(class_labels, "int32")
        # One graph for all steps of a solver.
        field: Callable = self.traced(self.field)
        if training:
            field = functools.partial(self.field, training=True)
        guidance = self.guidance if guidance is None else guidance

        def velocity(x: Tensor, t: Tensor) -> Tensor:
            if isinstance(x, np.ndarray):
                is_image = x.dtype == np.uint8
                x = self.to_range(x) if is_image else ops.convert_to_tensor(x, "float32")
            if class_labels is None or guidance == 0:
                return field(x, t)
            of_class = field(x, t, class_labels)
            if guidance == 1:
                return of_class
            free = field(x, t)
            return free + guidance * (of_class - free)

        return velocity

    def field(
        self, x: Tensor, t: Tensor, class_labels: Tensor | None = None, training: bool = False
    ) -> Tensor:
        """Return what the network gives for images at a time, float32.

        Args:
            x: images on their way, ``(batch, *image_shape)``.
            t: the time, one for all.
            class_labels: int32 labels ``(batch,)`` of a conditional flow; None for no class.
            training: whether layers behave as in training.
        """
        network = self.network if training else self.inference_network
        inputs = [x, ops.full_like(x[:, 0, 0, 0], t)]
        if self.needs_labels and class_labels is None:
            class_labels = ops.cast(ops.full_like(inputs[1], NO_CLASS), "int32")
        if self.needs_labels:
            inputs.append(class_labels)
        return ops.cast(network(inputs, training=training), "float32")

    def maker(self, **sampling: Any) -> Callable:
        """Return ``make`` for batches, whose network alone is traced."""
        return functools.partial(self.make, **sampling)

    def _sampling(
        self, solver: str | None, solver_steps: int | None, guidance: float | None
    ) -> tuple[str, int, float]:
        """Return how images are made; None stands for the model's own choice.

        Raises:
            GenzooError: if there is no such solver, its steps are less than 1, or guidance is
                asked of a flow that has learnt no velocity with, or none without a class.
        """
        solver = self.solver if solver is None else SOLVERS.check(solver)
        steps = self.solver_steps if solver_steps is None else solver_steps
        if not 1 <= steps <= REPEATS.most or steps != int(steps):
            raise GenzooError(f"solver_steps must be from 1 to {REPEATS.most}, not {steps}")
        guidance = self.guidance if guidance is None else guidance
        if not 0 <= guidance < math.inf:
            raise GenzooError(f"guidance must be 0 or more, not {guidance}")
        if guidance != 1 and not self.needs_labels:
            raise GenzooError(
                "guidance strengthens the class that is asked for, and this flow knows no classes; "
                "leave it out, or train with --conditioning embedding"
            )
        if guidance != 1 and not self.label_dropout:
            raise GenzooError(
                "guidance needs the velocity without a class, and label_dropout=0 trains none; "
                "leave it out, or train with label_dropout=0.1"
            )
        return solver, int(steps), float(guidance)

    def set_sampling(
        self,
        *,
        solver: str | None = None,
        solver_steps: int | None = None,
        guidance: float | None = None,
    ) -> None:
        """Choose how images are made from now on, exports included; None leaves it as it is.

        Args:
            solver: a name in ``SOLVERS``.
            solver_steps: number of steps.
            guidance: strength of guidance.

        Raises:
            GenzooError: as ``make``.
        """
        self.solver, self.solver_steps, self.guidance = self._sampling(
            solver, solver_steps, guidance
        )
        # The traced function of ``predict`` takes the old steps.
        self.predict_function = None

    def sampling(self) -> dict[str, Any]:
        """Return how images are made: solver, steps, guidance if there are classes, and calls.

        ``network_calls`` is how often an image goes through the network.
        """
        guided = self.needs_labels and self.guidance not in (0, 1)
        calls = SOLVERS[self.solver].calls * self.solver_steps * (2 if guided else 1)
        return {
            "solver": self.solver,
            "solver_steps": self.solver_steps,
            **({"guidance": self.guidance} if self.needs_labels else {}),
            "network_calls": calls,
        }

    def sampling_in_words(self) -> str:
        """Return ``sampling`` as text, such as ``midpoint, 10 steps, 20 network calls``."""
        facts = self.sampling()
        steps, calls = (
            f"{facts[name]} {words}{'' if facts[name] == 1 else 's'}"
            for name, words in (("solver_steps", "step"), ("network_calls", "network call"))
        )
        guidance = f", guidance {self.guidance:g}" if "guidance" in facts else ""
        return f"{self.solver}, {steps}, {calls}{guidance}"

    def generate(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        *,
        solver: str | None = None,
        solver_steps: int | None = None,
        guidance: float | None = None,
    ) -> np.ndarray:
        """Return ``n`` generated images, uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: of a conditional flow, one label for all or one for each image; None
                takes the classes in turn.
            seed: the same seed gives the same images; None gives others each time.
            solver: a name in ``SOLVERS``; by default the model's.
            solver_steps: number of steps; by default the model's.
            guidance: strength of guidance; by default the model's.

        Raises:
            GenzooError: if ``n`` is less than 1, or as ``decode`` and ``make`` do.
        """
        sampling = {"solver": solver, "solver_steps": solver_steps, "guidance": guidance}
        return super().generate(n, class_labels, seed, **sampling)

    def path(
        self, z: npt.ArrayLike, class_labels: npt.ArrayLike | None = None, frames: int = 9
    ) -> np.ndarray:
        """Return noise on its way to an image, uint8 ``(n, frames, *image_shape)``.

        Args:
            z: noise ``(n, *image_shape)``.
            class_labels: as for ``decode``.
            frames: images at even distances of time, noise and image included; at least 2.

        Raises:
            GenzooError: if there are fewer frames, or as ``decode``.
        """
        if frames < 2:
            raise GenzooError(f"a path has at least 2 frames, noise and image, not {frames}")
        z = self.checked_latents(z)
        labels = None
        if self.needs_labels:
            labels = ops.cast(self.checked_labels(class_labels, len(z)), "int32")
        else:
            self.check_no_labels(class_labels)
        steps = max(1, round(self.solver_steps / (frames - 1)))
        velocity, times = self.velocity(labels), np.linspace(0, 1, frames).tolist()
        x, made = ops.convert_to_tensor(z), [z]
        for start, end in itertools.pairwise(times):
            x = solve(SOLVERS[self.solver], velocity, x, steps, start, end)
            made.append(ops.convert_to_numpy(x))
        return self.to_uint8(np.stack(made, axis=1))

    # Likelihood ------------------------------------------------------------------------------

    @property
    def has_likelihood(self) -> bool:
        """Whether the velocity without a class is learnt, which is that of all images."""
        return not self.needs_labels or self.label_dropout > 0

    def log_likelihood(
        self,
        images: Tensor,
        *,
        solver: str = "midpoint",
        solver_steps: int = LIKELIHOOD_STEPS,
        exact: bool | None = None,
        seed: int = 0,
        batch_size: int = 64,
    ) -> np.ndarray:
        """Return log P(x) of 8-bit images in nats, float64 ``(n,)``.

        ``log p(x(1)) = log N(x(0)) - integral of div velocity`` along the path that ends at the
        image (1806.07366, 1810.01367). Grey values get uniform noise of one level, and by Jensen's
        inequality the density of the result, in levels, is in the mean a lower bound of the
        probability of the grey values (1511.01844). Bits per dimension are
        ``-log P(x) / (pixels * channels * log 2)``.

        Args:
            images: uint8, or floats in [-1, 1], ``(n, *image_shape)``.
            solver: a name in ``SOLVERS``.
            solver_steps: number of steps.
            exact: take the divergence over every pixel, which costs as many gradients as there are
                pixels; otherwise an unbiased estimate by one random direction an image
                (Hutchinson's). None is exact up to 64 pixels.
            seed: random seed of noise and directions.
            batch_size: images in memory at a time.

        Raises:
            GenzooError: if the images are not the model's, or an option is not usable.
        """
        images = np.asarray(images)
        check_images(self, images)
        solver, steps, _ = self._sampling(solver, solver_steps, None)
        size = math.prod(self.image_shape)
        random = np.random.default_rng(seed)
        levels = random.random((len(images), *self.image_shape), "float32") - 0.5
        values = np.asarray(self.to_range(images)) + levels * np.float32(2 / 255)
        density = log_likelihood_by_solver(
            self.velocity(),
            values,
            SOLVERS[solver],
            steps,
            exact=size <= 64 if exact is None else exact,
            random=random,
            batch_size=batch_size,
        )
        # From a density over [-1, 1] to one over the 256 levels, 2 / 255 apart.
        return density + size * math.log(2 / 255)

    def estimate_log_likelihood(self, images: Tensor, num_samples: int, seed: int) -> Tensor:
        """Return log P(x) of images in [0, 1] as ``log_likelihood`` does, by one draw each."""
        # As uint8: bright images alone would look like floats in [0, 1].
        grey_values = np.rint(255 * np.asarray(images)).astype("uint8")
        return self.log_likelihood(grey_values, seed=seed)
