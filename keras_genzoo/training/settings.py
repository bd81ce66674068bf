"""Everything that decides a run, as one flat record: recipes fill it, flags override it.

It is what ``config.json`` holds. Reading or listing it imports neither Keras nor TensorFlow.
"""

import contextlib
import dataclasses
import math
import numbers
import os
import reprlib
import types
import typing
from collections.abc import Callable, Collection
from typing import Any

from keras_genzoo.data.registry import LABELS, paths_in_words
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, RECONSTRUCTION_LOSSES
from keras_genzoo.models.registry import SCHEDULES
from keras_genzoo.networks.registry import (
    AUGMENTATIONS,
    AUTOENCODER_ARCHITECTURES,
    NORMALIZATIONS,
)
from keras_genzoo.registry import Names, Registry

AUTOENCODERS = ("ae", "vae")
DENSE = (*AUTOENCODERS, "gan")
CONVOLUTIONAL = ("dcgan", "cgan")
GANS = ("gan", *CONVOLUTIONAL)
MODELS = (*AUTOENCODERS, *GANS)
STRATEGIES = ("auto", "one", "mirrored", "multi_worker")

# How settings are grouped for those who read them.
GROUPS = ("run", "data", "model", "loss", "optimizers")
# Roles of settings that a resumed run may change: they change no weight.
PLACE, PACE = "place", "pace"


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a number must be: the words for it, and the test."""

    words: str
    holds: Callable[[float], bool]


ANY = Bound("finite", lambda value: True)
POSITIVE = Bound("positive", lambda value: value > 0)
NOT_NEGATIVE = Bound("0 or more", lambda value: value >= 0)
AT_LEAST_1 = Bound("at least 1", lambda value: value >= 1)
SHARE = Bound("at least 0 and at most 1", lambda value: 0 <= value <= 1)
BELOW_1 = Bound("at least 0 and below 1", lambda value: 0 <= value < 1)
# A size beyond this is a mistake, or made to fill memory; what a model takes is measured as well.
MOST = 2**31 - 1
# Of what is repeated within a step, or within one execution.
MOST_REPEATED = 10_000
SEED = Bound("from 0 to 4294967295", lambda value: 0 <= value < 2**32)


def _setting(
    default: Any,
    text: str,
    models: tuple[str, ...] = (),
    role: str = "training",
    *,
    group: str = "",
    choices: Collection[str] = (),
    bound: Bound = ANY,
    most: int = MOST,
    defaults: dict[str, Any] | None = None,
):
    """A field with its help, the models that know it (all, if empty) and where its value goes.

    ``most`` is the largest whole number accepted beside the ``bound``.
    ``defaults`` are those by model, where they differ; they stand in for None.
    ``group`` is the part of the help that it stands in; by default that of its role.
    """
    metadata = {
        "group": group or {"model": "model", "compile": "loss"}.get(role, "run"),
        "help": text,
        "models": models,
        "role": role,
        "choices": choices,
        "bound": bound,
        "most": most,
        "defaults": defaults or {},
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True)
class Settings:
    """The resolved settings of a run.

    A field's ``metadata`` holds its ``help``, the ``models`` that know it, its ``choices`` if it
    is a name, its ``bound`` if it is a number, its ``defaults`` by model if they differ, the
    ``group`` (one of ``GROUPS``) that it stands in for a reader, and its ``role``: ``"model"``
    fields go to the model's constructor, ``"compile"`` ones to ``compile``, ``"place"`` and
    ``"pace"`` ones may change when a run is resumed.

    Raises:
        GenzooError: if a value is of another type, a name is none of the choices, a number is out
            of its bound, the model does not know a setting that is given, or checkpoints would
            fall between the steps of one execution.

    >>> Settings(model="vae", dataset="digits", latent_dim=10).latent_dim
    10
    >>> Settings(model="vae").latent_dim, Settings(model="gan").latent_dim
    (2, 100)
    """

    model: str = _setting("dcgan", "Model to train.", choices=MODELS)
    dataset: str = _setting("digits", f"Data set: a name, {paths_in_words()}.", group="data")
    split: str = _setting("train", "Part of the data set to train on.", group="data")
    image_size: int | None = _setting(
        None, "Height and width of the images, in pixels.", bound=AT_LEAST_1, group="data"
    )
    channels: int | None = _setting(
        None, "1 for grey, 3 for colour; by default as the data is.", bound=AT_LEAST_1, group="data"
    )
    # May change when a run goes on: its classes are compared with those that it began with.
    labels: str = _setting(
        "auto",
        "Classes: as the data has them (of folders, those that look like classes), every folder "
        "of images, or none.",
        role=PLACE,
        choices=LABELS,
        group="data",
    )
    batch_size: int = _setting(
        64, "Images in a step, over all devices.", bound=AT_LEAST_1, group="data"
    )
    steps: int = _setting(1000, "Training steps.", role=PACE, bound=AT_LEAST_1)
    seed: int = _setting(
        0,
        "Random seed of the initial weights, the noise and the order of the data.",
        bound=SEED,
        most=math.inf,
    )
    strategy: str = _setting(
        "auto",
        "One device, all of this machine, or those of the machines that TF_CONFIG names; auto: all "
        "GPUs, if there are several.",
        role=PLACE,
        choices=STRATEGIES,
    )
    devices: tuple[str, ...] | None = _setting(
        None,
        "Devices of --strategy mirrored, such as GPU:0,GPU:1; by default every GPU, or CPU.",
        role=PLACE,
    )
    checkpoint_every: int = _setting(
        100, "Steps between checkpoints and rows of the history.", bound=AT_LEAST_1
    )
    sample_every: int = _setting(
        500,
        "Steps between sample grids, each drawn at a checkpoint; the first come sooner.",
        role=PACE,
        bound=AT_LEAST_1,
    )
    keep_checkpoints: int = _setting(
        3, "How many of the last checkpoints to keep.", role=PACE, bound=AT_LEAST_1
    )
    steps_per_execution: int = _setting(
        1,
        "Steps that TensorFlow takes in one call; divides --checkpoint-every.",
        role=PACE,
        bound=AT_LEAST_1,
        most=MOST_REPEATED,
    )
    jit_compile: bool | None = _setting(
        None,
        "Compile the step by XLA; by default for dense float32 models of larger images on a CPU.",
    )
    mixed_precision: str = _setting(
        "float32",
        "Type of the computations; weights, losses and statistics stay float32.",
        choices=("float32", "bfloat16", "float16"),
    )
    data_dir: str | None = _setting(
        None, "Where tensorflow-datasets keeps data sets.", role=PLACE, group="data"
    )
    manual_dir: str | None = _setting(
        None, "Where files fetched by hand lie.", role=PLACE, group="data"
    )
    strict: bool = _setting(False, "Stop at a broken image instead of skipping it.", group="data")

    latent_dim: int | None = _setting(
        None,
        "Size of the latent vector; by default 2 for ae and vae, 100 for GANs.",
        role="model",
        bound=AT_LEAST_1,
        defaults=dict.fromkeys(AUTOENCODERS, 2) | dict.fromkeys(GANS, 100),
    )
    architecture: str = _setting(
        "dense",
        "Networks of encoder and decoder.",
        AUTOENCODERS,
        "model",
        choices=AUTOENCODER_ARCHITECTURES,
    )
    hidden_units: tuple[int, ...] = _setting(
        (512, 256),
        "Widths of the dense encoder's layers; the decoder mirrors them.",
        AUTOENCODERS,
        "model",
        bound=AT_LEAST_1,
    )
    filters: int = _setting(
        32,
        "Channels of the convolutional encoder's first layer, doubled at each halving.",
        AUTOENCODERS,
        "model",
        bound=AT_LEAST_1,
    )
    beta: float = _setting(
        1.0, "Weight of the KL divergence.", ("vae",), "model", bound=NOT_NEGATIVE
    )
    beta_warmup: int = _setting(
        0,
        "Steps in which the weight of the KL divergence rises from 0.",
        ("vae",),
        "model",
        bound=NOT_NEGATIVE,
    )
    free_bits: float = _setting(
        0.0,
        "Nats of each latent unit that cost nothing more.",
        ("vae",),
        "model",
        bound=NOT_NEGATIVE,
    )
    num_samples: int = _setting(
        1,
        "Draws of z for each image.",
        ("vae",),
        "model",
        bound=AT_LEAST_1,
        most=MOST_REPEATED,
    )
    binarize: str | None = _setting(
        None,
        "Draw black or white from the grey value, anew in each step.",
        ("vae",),
        "model",
        choices=("dynamic",),
    )
    generator_units: tuple[int, ...] = _setting(
        (256, 512, 1024), "Widths of the generator's layers.", ("gan",), "model", bound=AT_LEAST_1
    )
    discriminator_units: tuple[int, ...] = _setting(
        (512, 256), "Widths of the discriminator's layers.", ("gan",), "model", bound=AT_LEAST_1
    )
    generator_filters: int = _setting(
        64,
        "Channels of the generator's last hidden layer.",
        CONVOLUTIONAL,
        "model",
        bound=AT_LEAST_1,
    )
    discriminator_filters: int = _setting(
        64, "Channels of the discriminator's first layer.", CONVOLUTIONAL, "model", bound=AT_LEAST_1
    )
    ema_decay: float = _setting(
        0.0,
        "Decay of a running average of the weights that make images; 0 keeps none.",
        (),
        "model",
        bound=BELOW_1,
    )
    ema_half_life: float = _setting(
        0.0,
        "The same, by the images after which weights count half; 0 keeps none.",
        (),
        "model",
        bound=NOT_NEGATIVE,
    )
    discriminator_normalization: str | None = _setting(
        None,
        "Of the discriminator's hidden layers; by default batch for dcgan and cgan, none for gan.",
        GANS,
        "model",
        choices=NORMALIZATIONS,
    )

    loss: str | None = _setting(
        None,
        "Loss; by default bernoulli for ae and vae, non_saturating for GANs.",
        role="compile",
        choices=Names(ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES),
        defaults=dict.fromkeys(AUTOENCODERS, "bernoulli") | dict.fromkeys(GANS, "non_saturating"),
    )
    variance: float | None = _setting(
        None,
        "Variance of the pixels of --loss gaussian; learnt by default.",
        AUTOENCODERS,
        bound=POSITIVE,
        group="loss",
    )
    start_at_mean: bool = _setting(
        False,
        "Begin with the decoder's last bias at the mean of the data.",
        AUTOENCODERS,
        group="model",
    )
    discriminator_steps: int = _setting(
        1,
        "Updates of the discriminator for one of the generator.",
        GANS,
        "compile",
        bound=AT_LEAST_1,
        most=MOST_REPEATED,
    )
    penalty: str | None = _setting(
        None,
        "Penalty on the discriminator's slope; none by default.",
        GANS,
        "compile",
        choices=PENALTIES,
    )
    penalty_weight: float | None = _setting(
        None,
        "Weight of the penalty; by default 10 for wgan_gp, 1 for the others.",
        GANS,
        bound=POSITIVE,
        group="loss",
    )
    augmentation: str | None = _setting(
        None,
        "Augmentation of all images that the discriminator sees; none by default.",
        GANS,
        "compile",
        choices=AUGMENTATIONS,
    )
    schedule: str = _setting(
        "constant",
        "How the learning rates fall, after the warm-up.",
        choices=("constant", *SCHEDULES),
        group="optimizers",
    )
    schedule_steps: int | None = _setting(
        None,
        "Steps after which they are at their end; by default the steps that the run begins with.",
        bound=AT_LEAST_1,
        group="optimizers",
    )
    schedule_end: float = _setting(
        0.0, "Where they end, as a share of the learning rates.", bound=SHARE, group="optimizers"
    )
    warmup_steps: int = _setting(
        0, "Steps in which the learning rates rise from 0.", bound=NOT_NEGATIVE, group="optimizers"
    )
    learning_rate: float = _setting(
        1e-3, "Adam's learning rate.", AUTOENCODERS, bound=POSITIVE, group="optimizers"
    )
    generator_learning_rate: float = _setting(
        2e-4, "Adam's learning rate, generator.", GANS, bound=POSITIVE, group="optimizers"
    )
    discriminator_learning_rate: float = _setting(
        2e-4, "Adam's learning rate, discriminator.", GANS, bound=POSITIVE, group="optimizers"
    )
    beta_1: float | None = _setting(
        None,
        "Adam's beta_1; by default 0.9 for ae and vae, 0.5 for GANs.",
        bound=BELOW_1,
        defaults=dict.fromkeys(AUTOENCODERS, 0.9) | dict.fromkeys(GANS, 0.5),
        group="optimizers",
    )

    def __post_init__(self):
        # The model comes first: what the others may be depends on it.
        for field in dataclasses.fields(self):
            value = _of_type(field, getattr(self, field.name))
            _check(field, value)
            if field not in self.fields_of(self.model) and value != field.default:
                raise _foreign(self.model, field)
            value = field.metadata["defaults"].get(self.model) if value is None else value
            object.__setattr__(self, field.name, value)
        losses = ADVERSARIAL_LOSSES if self.model in GANS else RECONSTRUCTION_LOSSES
        losses.check(self.loss)
        self._check_together()
        if self.checkpoint_every % self.steps_per_execution:
            raise GenzooError(
                f"steps_per_execution must divide checkpoint_every, which is "
                f"{self.checkpoint_every}, and {self.steps_per_execution} does not"
            )

    def _check_together(self) -> None:
        """Check that settings do not contradict each other; a schedule gets its length."""
        if self.variance is not None and self.loss != "gaussian":
            raise GenzooError("variance is that of the gaussian loss; name it by --loss gaussian")
        if self.penalty_weight is not None and self.penalty is None:
            raise GenzooError("penalty_weight has no penalty to weigh; name one by --penalty")
        if self.schedule != "constant" and self.schedule_steps is None:
            # Its own from now on: a run that is made longer is the longer run.
            object.__setattr__(self, "schedule_steps", self.steps)
        if self.schedule == "constant" and self.warmup_steps:
            raise GenzooError(
                "warmup_steps needs a schedule; name one by --schedule, such as cosine with "
                "--schedule-end 1, which stays"
            )
        if self.schedule_steps is not None and self.warmup_steps >= self.schedule_steps:
            raise GenzooError(
                f"warmup_steps must be less than schedule_steps, which is {self.schedule_steps}, "
                f"and {self.warmup_steps} is not"
            )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Settings":
        """Return the settings that ``values`` name.

        Raises:
            GenzooError: if a name is unknown or not one of the model's, or a value is of another
                type or none of those accepted.
        """
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise unknown("setting", name, known)
        model = _of_type(known["model"], values.get("model", cls.model))
        _check(known["model"], model)
        for name in values:
            if known[name] not in cls.fields_of(model):
                raise _foreign(model, known[name])
        return cls(**values)

    def but(self, overrides: dict[str, Any]) -> "Settings":
        """Return these settings with others laid over them; another strategy drops the devices.

        Raises:
            GenzooError: as ``from_dict`` does.

        >>> Settings(model="vae").but({"beta": 4}).beta
        4.0
        """
        if overrides.get("strategy", self.strategy) != self.strategy:
            overrides = {"devices": None} | overrides
        return self.from_dict(self.to_dict() | overrides)

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that this model knows and that are given, ready for JSON.

        One that is None is left out: it is left to the data or the machine.

        >>> "image_size" in Settings().to_dict()
        False
        """
        values = {field.name: getattr(self, field.name) for field in self.fields_of(self.model)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def fields_of(cls, model: str) -> list[dataclasses.Field]:
        """Return the fields that a model knows."""
        return [f for f in dataclasses.fields(cls) if model in (f.metadata["models"] or (model,))]

    def of_role(self, role: str) -> dict[str, Any]:
        """Return the values of a role that this model knows."""
        fields = self.fields_of(self.model)
        return {f.name: getattr(self, f.name) for f in fields if f.metadata["role"] == role}


def _foreign(model: str, field: dataclasses.Field) -> GenzooError:
    return GenzooError(
        f"{model} has no setting '{field.name}'; it belongs to "
        f"{', '.join(field.metadata['models'])}"
    )


def kind_of(field: dataclasses.Field) -> Any:
    """Return the type of a field's values, None left out."""
    if isinstance(field.type, types.UnionType):
        return next(k for k in typing.get_args(field.type) if k is not types.NoneType)
    return field.type


def _check(field: dataclasses.Field, value: Any) -> None:
    """Refuse a value that is none of a field's choices, or out of its bound."""
    if value is None:
        return
    if (choices := field.metadata["choices"]) and value not in choices:
        error = unknown(field.name, value, choices)
        if isinstance(choices, Registry | Names):
            error = GenzooError(f"{error}; one of your own is made known by genzoo --import MODULE")
        raise error
    bound = field.metadata["bound"]
    for number in value if isinstance(value, tuple) else (value,):
        if not isinstance(number, int | float):
            continue
        if not (number == number and abs(number) != math.inf and bound.holds(number)):
            raise GenzooError(f"{field.name} must be {bound.words}, not {number}")
        if isinstance(number, int) and number > (most := field.metadata["most"]):
            raise GenzooError(f"{field.name} must be at most {most}, not {number}")


_ACCEPTED = {
    bool: bool,
    int: numbers.Integral,
    float: numbers.Real,
    str: (str, os.PathLike),
}


def _of_type(field: dataclasses.Field, value: Any) -> Any:
    """Return ``value`` as the field's type: NumPy's numbers as Python's, a path as a string.

    Raises:
        GenzooError: if it is of another.
    """
    kind = kind_of(field)
    if value is None and kind is not field.type:
        return None
    item_kind = typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else None
    accepted = _ACCEPTED[item_kind or kind]
    values = value if item_kind else (value,)
    if isinstance(values, list | tuple) and all(
        isinstance(item, accepted) and isinstance(item, bool) == (kind is bool) for item in values
    ):
        convert = os.fspath if accepted is _ACCEPTED[str] else item_kind or kind
        # Of an integer no float is as large as.
        with contextlib.suppress(OverflowError):
            return tuple(map(convert, values)) if item_kind else convert(value)
    wanted = {int: "list of integers", str: "list of names"}.get(item_kind, kind.__name__)
    raise GenzooError(f"setting '{field.name}' must be of type {wanted}, not {reprlib.repr(value)}")
