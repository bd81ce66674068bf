"""What all models share: the numeric range of images, stateless noise, configuration.

No algorithm lives here, each model's ``train_step`` does; what is refused is in ``checking``. The
docstring of ``ImageModel`` lists what a new family of models must bring.
"""

import inspect
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import checking
from keras_genzoo.models.adam import Adam
from keras_genzoo.models.exporting import Exportable
from keras_genzoo.models.latents import Latents
from keras_genzoo.models.outputs import opening
from keras_genzoo.models.presets import Presets
from keras_genzoo.models.tracing import Graphs, Tracing
from keras_genzoo.models.training import Training
from keras_genzoo.networks import fold_in, rows_of_global_batch
from keras_genzoo.registry import Registry

ImageShape = tuple[int, int, int]
OptimizerDefaults = dict[str, dict[str, Any]]

# First part of the key of a draw, so that training, testing and augmentation draw other noise.
TRAIN, TEST, CHANGE = 0, 1, 2

COMPILE_OPTIONS = ("run_eagerly", "steps_per_execution", "jit_compile")


class ImageModel(Tracing, Latents, Training, Presets, Exportable, keras.Model):
    """A ``keras.Model`` of uint8 images that owns its numeric range.

    Args:
        image_shape: ``(height, width, channels)`` of the images.
        latent_dim: size of the latent vector; None in a family whose latents have another shape.
        seed: random seed of the training noise, which is a pure function of (seed, step, row of the
            global batch): a run repeats exactly, on one replica or on many.
        name: name of the Keras model.
        **kwargs: ``dtype``, the policy of the model and of its default networks.

    A new family of models is a subclass, registered in ``MODELS``. It must bring:

    - a constructor that passes ``image_shape``, ``seed``, ``name`` and ``dtype`` on, builds all
      networks at once and sets ``built``; ``get_config`` returns every argument of it;
    - ``compile``, which passes what it does not know itself through ``compile_options``, builds
      the optimizers, and ends with ``keep_compile_config``;
    - ``train_step``: scale the images by ``to_range``, draw noise by ``noise`` with ``(TRAIN,
      self.step)`` as key, divide the loss by ``num_replicas``, add 1 to ``step``, and return
      ``track(...)``; and ``call``;
    - ``decode``: latents to uint8 images, by ``in_batches`` of a function that is ``traced``;
      ``generate`` and ``interpolate`` follow from it;
    - ``signatures``: what is exported; its inputs are named ``z``, ``images``, ``codes`` or
      ``class_labels``;
    - ``latent_shape``, where latents are no vectors: a grid of codes, an image of noise.

    What it can do, it says by attributes. Of ``ImageModel``: ``value_range``, the range that its
    networks work in; ``metric_names``, what its steps log; ``needs_labels`` (it has
    ``num_classes`` then); ``has_held_out_loss`` (with a ``test_step``); ``has_encoder`` (with
    ``encode``, ``code`` and ``reconstruct``); ``has_solver`` (with ``set_sampling``, ``sampling``
    and ``path``); ``has_likelihood`` (with ``estimate_log_likelihood``, or ``posterior`` and
    ``log_probability``), ``estimates_bound``, ``has_binary_likelihood`` and
    ``has_discrete_likelihood``; ``stages``, the parts of its training in order, where there is more
    than one (with ``stage``, ``stage_variables`` and ``trains``); ``codes_are_latents``, whether
    ``decode`` takes what ``code`` gives. Of ``Exportable``: ``prior_signature``, the signature that
    makes images of noise, and ``discrete_signatures``.

    Raises:
        GenzooError: if the shape or the latent size is not usable.
    """

    # Adam's arguments where ``compile`` is given no optimizer, by the name of its argument.
    optimizer_defaults: ClassVar[OptimizerDefaults] = {"optimizer": {"learning_rate": 1e-3}}
    # Whether ``genzoo fit`` calls ``adapt`` with images of the training data before it trains.
    adapts_to_data = False
    value_range: tuple[float, float] = (0.0, 1.0)
    metric_names: tuple[str, ...] = ()
    needs_labels = False
    # How many images of a batch are looked at together.
    packing = 1
    # The architectures that the constructor takes by name, if it takes any.
    architectures: Registry | None = None
    # Arguments of the classes above that this class has no use for.
    left_out: tuple[str, ...] = ()
    # Whether the losses of ``test_step`` on held-out images say how well training went.
    has_held_out_loss = False
    # Whether it has ``encode``, ``code`` and ``reconstruct``.
    has_encoder = False
    # Decay of an average of the weights, by step or as a half-life in images; 0 keeps none.
    ema_decay = 0.0
    ema_half_life = 0.0
    # Whether log p(x) can be estimated: by ``estimate_log_likelihood``, or from ``posterior`` and
    # ``log_probability`` under the prior N(0, I).
    has_likelihood = False
    # Whether ``estimate_log_likelihood`` gives a lower bound that more draws do not improve.
    estimates_bound = False
    # Whether pixels are 0 or 1 under the likelihood; otherwise it is a density of grey values.
    has_binary_likelihood = False
    # Whether the likelihood is the probability of 8-bit images, which has bits per dimension.
    has_discrete_likelihood = False
    # Draws for each image, and images at most, that ``estimate_log_likelihood`` is measured with;
    # None leaves them to whoever asks.
    likelihood_draws: int | None = None
    likelihood_images: int | None = None
    # How grey values become 0 or 1 in training, if they do; evaluation then does the same.
    binarize: str | None = None
    # Whether q(z|x) is the Gaussian that ``posterior`` gives; else ``posterior_draws`` draws of it.
    has_gaussian_posterior = True
    # Whether ``decode`` takes what ``code`` gives, so that a distribution can be fitted to codes.
    codes_are_latents = True
    # Digest of the weights, where they are not at hand by name, as in an exported file.
    digest: str | None = None
    # The stages of training by name, in order; empty where all is trained in one. The steps of a
    # run's first are its ``steps``, those of another the setting ``<stage>_steps``; an optimizer
    # ``<stage>_optimizer`` is that stage's.
    stages: tuple[str, ...] = ()
    # The stage that ``fit`` trains; None without stages.
    stage: str | None = None

    def __init__(
        self,
        image_shape: ImageShape,
        latent_dim: int | None = None,
        seed: int = 0,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        self._graphs = Graphs()
        if len(image_shape) != 3 or min(image_shape) < 1:
            raise GenzooError(
                f"image_shape must be (height, width, channels), not {tuple(image_shape)}"
            )
        if latent_dim is None and type(self).latent_shape is ImageModel.latent_shape:
            raise GenzooError(
                f"{type(self).__name__} needs latent_dim, the size of its latent vectors; a family "
                "of other latents defines latent_shape in its class"
            )
        if latent_dim is not None and latent_dim < 1:
            raise GenzooError(f"latent_dim must be at least 1, not {latent_dim}")
        height, width, channels = (int(size) for size in image_shape)
        self.image_shape: ImageShape = (height, width, channels)
        self.latent_dim = None if latent_dim is None else int(latent_dim)
        self.seed = int(seed)
        self._trackers = {metric: keras.metrics.Mean(name=metric) for metric in self.metric_names}
        # The noise depends on this count, since that of an optimizer may skip steps.
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """Shape of one latent: ``(latent_dim,)``; a family with other latents overrides it."""
        assert self.latent_dim is not None  # The constructor refuses None where this is used.
        return (self.latent_dim,)

    # Configuration ---------------------------------------------------------------------------

    @classmethod
    def arguments(cls) -> dict[str, inspect.Parameter]:
        """Return the arguments of the constructor by name.

        They include those of the classes above, and of the architecture that is the default.

        >>> from keras_genzoo.models import DCGAN
        >>> DCGAN.arguments()["generator_filters"].default
        64
        """
        found = _parameters(cls, "__init__")
        found = {name: given for name, given in found.items() if name not in cls.left_out}
        if cls.architectures is not None:
            architecture = cls.architectures[found["architecture"].default]
            found |= inspect.signature(architecture).parameters
        return found

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; subclasses add theirs."""
        return {
            **super().get_config(),
            "image_shape": list(self.image_shape),
            **({} if self.latent_dim is None else {"latent_dim": self.latent_dim}),
            "seed": self.seed,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        """Build the model that ``get_config`` described."""
        config = {
            key: keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
            if isinstance(value, dict)
            else value
            for key, value in config.items()
        }
        with opening():
            return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        """Save the states of random layers, such as Dropout, which Keras leaves out."""
        super().save_own_variables(store)
        for index, state in enumerate(self._seed_states()):
            store[f"seed_{index}"] = state.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load what ``save_own_variables`` saved."""
        seeds = {f"seed_{index}": state for index, state in enumerate(self._seed_states())}
        keys = [key for key in store.keys() if key not in seeds]  # noqa: SIM118
        super().load_own_variables({key: store[key] for key in keys})
        for key, state in seeds.items():
            state.assign(store[key])

    def _seed_states(self) -> list[keras.Variable]:
        return [v for v in self.variables if v.path.endswith("seed_generator_state")]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The trackers of what the steps log."""
        return list(self._trackers.values())

    @property
    def logged(self) -> tuple[str, ...]:
        """The names of the trackers that the steps log now: of all, or of the stage's."""
        return tuple(self._trackers)

    def get_metrics_result(self) -> dict[str, Any]:
        """Return the averages so far of what the steps log."""
        return {name: self._trackers[name].result() for name in self.logged}

    @property
    def counters(self) -> list[keras.Variable]:
        """Counts of training steps, which a run that begins with a model's weights sets to 0."""
        return [self.step]

    def stage_variables(self, stage: str) -> list[keras.Variable]:
        """Return what a stage changes besides ``step``: weights, averages, optimizers, counts."""
        raise NotImplementedError(f"{type(self).__name__} trains in one stage")

    def trains(self, layer: keras.Layer) -> bool:
        """Whether the stage that is trained now moves the weights of a layer of the model."""
        return bool(layer.trainable_variables)

    def why_no_samples(self) -> str | None:
        """Return why the model cannot make images yet, in words; None if it can."""
        return None

    def check_batch_size(self, batch_size: int) -> None:
        """Refuse a batch that is too small to train on, over all replicas; any is taken here."""

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The optimizers in a fixed order; none of a model that is not compiled."""
        return [self.optimizer] if self.compiled else []

    def default_optimizer(self, argument: str) -> Adam:
        """Return the optimizer that an argument of ``compile`` stands for where none is given."""
        return Adam(**self.optimizer_defaults[argument])

    def learning_rates(self) -> dict[str, float]:
        """Return the learning rate of the next update of each optimizer, by the setting's name."""
        return {"learning_rate": float(self.optimizer.learning_rate)}

    def remarks(self) -> list[str]:
        """Return what a person should know of the chosen settings before training, in lines."""
        return []

    @property
    def num_replicas(self) -> int:
        """Number of replicas that train in step."""
        return self.distribute_strategy.num_replicas_in_sync

    def note_own_networks(self, **given: keras.Model | None) -> None:
        """Remember which networks a person brought: ``get_config`` serialises those."""
        self._own_roles = tuple(role for role, network in given.items() if network is not None)

    def networks_config(self, *roles: str) -> dict[str, Any]:
        """Return the networks that a person brought, serialised, and None for default ones."""
        return {
            role: keras.saving.serialize_keras_object(getattr(self, role))
            if role in self._own_roles
            else None
            for role in roles
        }

    def named(self, choice: Any, registry: Registry) -> tuple[Any, Any]:
        """Return a registered loss, or a person's own, and what stands for it in a saved model."""
        if isinstance(choice, str):
            return registry[choice], choice
        return choice, registry.name_of(choice) or choice

    def compile_options(self, options: dict[str, Any]) -> dict[str, Any]:
        """Return the options that ``compile`` hands on to Keras.

        Raises:
            GenzooError: if there is one that no model takes.
        """
        for name in options:
            if name not in COMPILE_OPTIONS:
                names = [*_parameters(type(self), "compile"), *COMPILE_OPTIONS]
                raise unknown(f"argument of {type(self).__name__}.compile", name, names)
        return {"jit_compile": False, **options}

    def keep_compile_config(self, options: dict[str, Any], **arguments: Any) -> None:
        """Remember the arguments of ``compile`` for ``get_compile_config``."""
        self._compile_arguments = {**options, **arguments}

    def get_compile_config(self) -> dict[str, Any]:
        """Return the arguments of ``compile``, serialised."""
        if not self.compiled:
            return {}
        return keras.saving.serialize_keras_object(self._compile_arguments)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with what ``get_compile_config`` returned; builds the optimizers."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    # Numeric range ---------------------------------------------------------------------------

    def to_range(self, images: Tensor) -> tf.Tensor:
        """Return images as float32 in the model's range, shape ``(batch, *image_shape)``.

        uint8 is scaled; floats must lie in the range. Grey images may lack their channel axis.

        Raises:
            GenzooError: if the images have another shape than the model's.
        """
        images = tf.convert_to_tensor(images)
        if images.shape.rank == 3 and self.image_shape[-1] == 1:
            images = images[..., None]
        if not images.shape[1:].is_compatible_with(self.image_shape):
            raise GenzooError(
                f"{type(self).__name__} is built for images of shape {self.image_shape}, "
                f"not {tuple(images.shape[1:])}; pass image_shape= or resize the images"
            )
        if images.dtype == tf.uint8:
            checking.warn_in_step(self, images)
            low, high = self.value_range
            return tf.cast(images, tf.float32) * ((high - low) / 255) + low
        images = tf.cast(images, tf.float32)
        checking.assert_range(self, images, first=self.step == 0)
        return images

    # Noise -----------------------------------------------------------------------------------

    def noise(
        self, draw: Callable, batch_size: int | Tensor, shape: tuple[int, ...], *key: int | Tensor
    ) -> tf.Tensor:
        """Draw this replica's rows of the noise of the global batch.

        Args:
            draw: ``normal`` or ``uniform`` of the networks.
            batch_size: rows of this replica.
            shape: shape of a row.
            *key: integers that, with the model's seed, name the draw.

        Returns:
            float32 tensor ``(batch_size, *shape)``: on R replicas the rows together equal those
            that one replica draws for the whole batch.
        """
        return rows_of_global_batch(draw, batch_size, shape, self.noise_seed(*key))

    def noise_seed(self, *key: int | Tensor) -> tf.Tensor:
        """Return the two integers that ``noise`` draws from: a function of seed and key."""
        words = np.array([self.seed & 0xFFFFFFFF, self.seed >> 32 & 0xFFFFFFFF], np.uint32)
        seed = tf.constant(words.view(np.int32))
        for part in key:
            seed = fold_in(seed, tf.cast(part, tf.int32))
        return seed

    def test_key(self, tracker: str) -> tf.Tensor:
        """Return a key that changes from batch to batch of one evaluation: the images so far."""
        images = self._trackers[tracker].count * self.num_replicas
        return tf.cast(images, tf.int32)

    # Likelihood ------------------------------------------------------------------------------

    def estimate_log_likelihood(
        self, images: Tensor, num_samples: int, seed: int
    ) -> tf.Tensor | None:
        """Return the model's own estimate of log p(x) of each image in nats, shape ``(batch,)``.

        None, the default, leaves the estimate to importance sampling, which asks for ``posterior``
        and ``log_probability``. A model with an exact log-likelihood ignores the draws.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
            num_samples: draws for each image.
            seed: random seed of the draws for this batch.
        """

    def posterior(self, images):
        """Return mean and log-variance of the Gaussian q(z|x), each of the shape of a batch of z.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
        """
        raise NotImplementedError

    def posterior_draws(self, images, epsilon):
        """Return draws z of q(z|x), and ``log p(z) - log q(z|x)`` of each.

        Asked for where ``has_gaussian_posterior`` is False, as in a hierarchy.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
            epsilon: noise from N(0, I), float32 ``(batch, draws, *latent_shape)``.

        Returns:
            z, of the shape of ``epsilon``, and the log-ratios ``(batch, draws)``.
        """
        raise NotImplementedError

    def log_probability(self, images, z):
        """Return log p(x|z) of each image in nats, shape ``(batch,)``.

        Args:
            images: float32 in [0, 1], ``(batch, *image_shape)``.
            z: a latent code for each image.
        """
        raise NotImplementedError

    def reconstruction_logits(self, images):
        """Return the logits of the mean of each reconstructed pixel; None if there are none.

        Args:
            images: float32 in the model's range, ``(batch, *image_shape)``.
        """

    # Calling ---------------------------------------------------------------------------------

    # A model of any class, such as that of a preset, may take more than ``Latents`` says: class
    # labels, a solver, a temperature. A type checker is to let them pass; each class says its own.
    if TYPE_CHECKING:
        decode: Callable[..., np.ndarray]
        generate: Callable[..., np.ndarray]
        interpolate: Callable[..., np.ndarray]

    def __call__(self, *args, **kwargs):
        """Call the model as Keras does; errors are those of ``call``, in one line."""
        try:
            return super().__call__(*args, **kwargs)
        except GenzooError as error:
            # Keras adds the arguments and terminal colours to the error that it caught.
            first = error.__context__
            raise first if isinstance(first, GenzooError) else error from None

    def predict(self, *args, **kwargs):
        """Return what ``call`` gives, as ``keras.Model.predict`` does."""
        with checking.plain_errors():
            return super().predict(*args, **kwargs)

    def predict_on_batch(self, x):
        """Return what ``call`` gives, as ``keras.Model.predict_on_batch`` does."""
        with checking.plain_errors():
            return super().predict_on_batch(x)

    def save(self, filepath: str | os.PathLike, *args: Any, **kwargs: Any) -> None:
        """Save as ``keras.Model.save`` does, as a ``.keras`` file.

        Raises:
            GenzooError: if the name asks for HDF5, which keeps neither own networks nor two
                optimizers; weights alone go there by ``save_weights``.
        """
        if str(filepath).lower().endswith((".h5", ".hdf5")):
            raise GenzooError(
                f"cannot save {filepath}: HDF5 does not hold all of a {type(self).__name__}; take "
                "a name that ends in .keras, or save_weights('NAME.weights.h5') for weights alone"
            )
        super().save(filepath, *args, **kwargs)


def _parameters(cls: type, method: str) -> dict[str, inspect.Parameter]:
    """Return the parameters of a method by name, with those that it passes to classes above."""
    found: dict[str, inspect.Parameter] = {}
    for kind in cls.__mro__[: cls.__mro__.index(ImageModel) + 1]:
        if method in vars(kind):
            for name, parameter in inspect.signature(vars(kind)[method]).parameters.items():
                if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                    found.setdefault(name, parameter)
    found.pop("self", None)
    return found
