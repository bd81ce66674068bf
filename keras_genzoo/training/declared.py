"""The settings of a run: those of every run, and what the model and its components declare."""

import dataclasses
import functools
from typing import Any

from keras_genzoo.arguments import (
    AT_LEAST_1,
    BELOW_1,
    FINITE,
    NOT_NEGATIVE,
    POSITIVE,
    REPEATS,
    SEED,
    SHARE,
    Argument,
    Bound,
    Choices,
)
from keras_genzoo.data.registry import LABELS, paths_in_words
from keras_genzoo.errors import GenzooError
from keras_genzoo.models.registry import MODELS, SCHEDULES
from keras_genzoo.registry import Names, Registry
from keras_genzoo.training.manifest import component_options, model_declaration

STRATEGIES = ("auto", "one", "mirrored", "multi_worker")
# The parts of the help of 'genzoo fit'.
GROUPS = ("run", "data", "model", "loss", "optimizers")
# Roles of settings that change no weight: a resumed run may change them.
PLACE, PACE = "place", "pace"
# Keras' defaults of Adam.
_ADAM = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999}


@dataclasses.dataclass(frozen=True)
class Setting:
    """One setting of a run.

    Args:
        argument: its name, type, default, help, bound and choices.
        group: one of ``GROUPS``.
        role: ``"model"`` for an argument of the model's constructor, ``"compile"`` for one of its
            ``compile``, ``PLACE`` or ``PACE`` for what a resumed run may change, else
            ``"training"``.
        part_of: of an option of a component, the setting that chooses the component.
        options: of an option, its declaration by the name of the component that has it.
    """

    argument: Argument
    group: str = "run"
    role: str = "training"
    part_of: str = ""
    options: dict[str, Argument] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, that of the flag with underscores."""
        return self.argument.name

    @property
    def defaults(self) -> dict[str, Any]:
        """Of an option, its default by the name of the component that has it."""
        return {component: option.default for component, option in self.options.items()}


def _setting(
    name: str,
    kind: Any,
    default: Any,
    text: str,
    *,
    group: str = "run",
    role: str = "training",
    bound: Bound = FINITE,
    choices: Choices = (),
    optional: bool = False,
) -> Setting:
    optional = optional or default is None
    return Setting(Argument(name, kind, default, text, optional, bound, choices), group, role)


# ``help_of`` fills in the paths, since a person may register kinds of source.
DATASET_HELP = "Data set: a name, {paths}."
RUN_SETTINGS = (
    _setting("model", str, "dcgan", "Model to train.", choices=MODELS),
    _setting("dataset", str, "digits", DATASET_HELP, group="data"),
    _setting("split", str, "train", "Part of the data set to train on.", group="data"),
    _setting(
        *("image_size", int, None, "Height and width of the images, in pixels."),
        bound=AT_LEAST_1,
        group="data",
    ),
    _setting(
        *("channels", int, None, "1 for grey, 3 for colour; by default as the data is."),
        bound=AT_LEAST_1,
        group="data",
    ),
    # A resumed run compares the classes with those that it began with.
    _setting(
        *("labels", str, "auto"),
        "Classes: auto takes those of the data, and folders that look like classes; folders takes "
        "each folder of images for one; none takes none.",
        role=PLACE,
        choices=LABELS,
        group="data",
    ),
    _setting(
        *("batch_size", int, 64, "Images in a step, over all devices."),
        bound=AT_LEAST_1,
        group="data",
    ),
    _setting("steps", int, 1000, "Training steps.", role=PACE, bound=AT_LEAST_1),
    _setting(
        *("seed", int, 0),
        "Random seed of the initial weights, the noise and the order of the data.",
        bound=SEED,
    ),
    _setting(
        *("strategy", str, "auto"),
        "One device, all of this machine, or those of the machines that TF_CONFIG names; auto: all "
        "GPUs, if there are several.",
        role=PLACE,
        choices=STRATEGIES,
    ),
    _setting(
        *("devices", tuple[str, ...], None),
        "Devices of --strategy mirrored, such as GPU:0,GPU:1; by default every GPU, or CPU.",
        role=PLACE,
    ),
    _setting(
        *("checkpoint_every", int, 100, "Steps between checkpoints and rows of the history."),
        bound=AT_LEAST_1,
    ),
    _setting(
        *("sample_every", int, 500),
        "Steps between sample grids, each drawn at a checkpoint; the first come sooner.",
        role=PACE,
        bound=AT_LEAST_1,
    ),
    _setting(
        *("keep_checkpoints", int, 3, "How many of the last checkpoints to keep."),
        role=PACE,
        bound=AT_LEAST_1,
    ),
    _setting(
        *("steps_per_execution", int, 1),
        "Steps that TensorFlow takes in one call; divides --checkpoint-every.",
        role=PACE,
        bound=REPEATS,
    ),
    _setting(
        *("jit_compile", bool, None),
        "Compile the step by XLA; by default for dense float32 models of larger images on a CPU.",
    ),
    _setting(
        *("mixed_precision", str, "float32"),
        "Type of the computations; weights, losses and statistics stay float32. auto: bfloat16 "
        "where a short measurement shows that it pays.",
        choices=("float32", "bfloat16", "float16", "auto"),
    ),
    _setting(
        *("data_dir", str, None, "Where tensorflow-datasets keeps data sets."),
        role=PLACE,
        group="data",
    ),
    _setting(
        "manual_dir",
        str,
        None,
        "Folder of files that you downloaded yourself.",
        role=PLACE,
        group="data",
    ),
    _setting("strict", bool, False, "Stop at a broken image instead of skipping it.", group="data"),
    _setting(
        *("schedule", str, "constant", "How the learning rates fall, after the warm-up."),
        choices=Names(("constant",), SCHEDULES),
        group="optimizers",
    ),
    _setting(
        *("schedule_steps", int, None),
        "Steps until the final learning rates; by default the steps that the run begins with.",
        bound=AT_LEAST_1,
        group="optimizers",
    ),
    _setting(
        *("schedule_end", float, 0.0, "Final learning rates, as a share of the first."),
        bound=SHARE,
        group="optimizers",
    ),
    _setting(
        *("warmup_steps", int, 0, "Steps in which the learning rates rise from 0."),
        bound=NOT_NEGATIVE,
        group="optimizers",
    ),
)


def settings_of(model: str) -> dict[str, Setting]:
    """Return the settings of a run of a model, by name.

    Raises:
        GenzooError: if there is no such model, or it declares a setting twice.

    >>> settings = settings_of("vae")
    >>> settings["beta"].argument.default, settings["hidden_units"].part_of
    (1.0, 'architecture')
    """
    return _settings_of(model, Registry.changes)


@functools.lru_cache(maxsize=256)
def _settings_of(model: str, changes: int) -> dict[str, Setting]:
    """Return the settings; ``changes`` tells one state of the registries from another."""
    declaration = model_declaration(model)
    found = {setting.name: setting for setting in RUN_SETTINGS}
    for role, group, arguments in (
        ("model", "model", declaration.constructor),
        ("compile", "loss", declaration.compile),
    ):
        for argument in arguments:
            for setting in (Setting(argument, group, role), *_options(argument, group, role)):
                _add(found, setting, model)
    more = _optimizer_settings(declaration.optimizers) + _stage_settings(declaration.stages)
    for setting in more:
        _add(found, setting, model)
    return found


def help_of(setting: Setting) -> str:
    """Return the help of a setting.

    >>> help_of(RUN_SETTINGS[1])[:35]
    'Data set: a name, a folder of image'
    """
    return setting.argument.help.replace("{paths}", paths_in_words())


def models_with(name: str) -> list[str]:
    """Return the models that have a setting.

    >>> models_with("top_dim")
    ['hvae']
    """
    return [model for model in MODELS if name in settings_of(model)]


def optimizer_roles(model: str) -> dict[str, str]:
    """Return the setting of each optimizer's learning rate, by the argument that takes it.

    >>> optimizer_roles("vae")
    {'optimizer': 'learning_rate'}
    """
    optimizers = model_declaration(model).optimizers
    return {name: name.removesuffix("optimizer") + "learning_rate" for name in optimizers}


def _add(found: dict[str, Setting], setting: Setting, model: str) -> None:
    if setting.name in found:
        raise GenzooError(
            f"the model '{model}' declares '{setting.name}', which is another setting of its runs "
            "already; give the argument another name"
        )
    found[setting.name] = setting


def _options(argument: Argument, group: str, role: str) -> list[Setting]:
    """Return the settings of the components that an argument may choose."""
    registry = argument.choices
    if not isinstance(registry, Registry):
        return []
    options: dict[str, dict[str, Argument]] = {}
    for component in registry:
        for option in component_options(registry, component):
            name = registry.prefix + option.name
            options.setdefault(name, {})[component] = dataclasses.replace(option, name=name)
    for name, declared in options.items():
        _check_alike(registry, name, declared)
    return [
        Setting(next(iter(declared.values())), group, role, argument.name, declared)
        for declared in options.values()
    ]


def _check_alike(registry: Registry, name: str, declared: dict[str, Argument]) -> None:
    """Check that components declare an option of one name alike, and apart from those of a run.

    Raises:
        GenzooError: if they do not; names the component that was registered last.
    """
    first, *_, last = [*declared, *declared]
    if any(option.kind != declared[first].kind for option in declared.values()):
        raise GenzooError(
            f"the {registry.kind} '{last}' declares '{name}' of another type than '{first}'; give "
            "the argument another name"
        )
    if any(setting.name == name for setting in RUN_SETTINGS):
        raise GenzooError(
            f"the {registry.kind} '{last}' declares '{name}', which is a setting of every run; "
            "give the argument another name"
        )


def _stage_settings(stages: tuple[str, ...]) -> list[Setting]:
    """Return how long each stage of training is but the first, whose steps are ``steps``."""
    settings = []
    for stage in stages[1:]:
        words = f"Training steps of the stage '{stage}', which follows --steps."
        length = f"Steps until its final learning rate; by default --{stage}-steps."
        settings += [
            _setting(steps_of(stage), int, 1000, words, role=PACE, bound=AT_LEAST_1),
            _setting(
                f"{stage}_schedule_steps", int, None, length, bound=AT_LEAST_1, group="optimizers"
            ),
        ]
    return settings


def steps_of(stage: str) -> str:
    """Return the setting that holds the steps of a stage that is not the first."""
    return f"{stage}_steps"


def _optimizer_settings(optimizers: dict[str, dict[str, Any]]) -> list[Setting]:
    """Return a learning rate for each optimizer, and what all of them share."""
    settings: list[tuple[str, Any, str, Bound]] = []
    for name, defaults in optimizers.items():
        role = name.removesuffix("optimizer")
        whose = f", {role[:-1].replace('_', ' ')}" if role else ""
        rate = (_ADAM | defaults)["learning_rate"]
        text = f"Adam's learning rate{whose}."
        settings.append((f"{role}learning_rate", rate, text, POSITIVE))
    shared = _ADAM | next(iter(optimizers.values()), {})
    settings += [
        ("beta_1", shared["beta_1"], "Adam's beta_1.", BELOW_1),
        ("beta_2", shared["beta_2"], "Adam's beta_2.", BELOW_1),
        ("beta_2_end", None, "Where beta_2 goes, by half a cosine.", BELOW_1),
    ]
    steps = "Training steps until beta_2 is there."
    return [
        *(
            _setting(name, float, default, text, bound=bound, group="optimizers")
            for name, default, text, bound in settings
        ),
        _setting("beta_2_steps", int, 0, steps, bound=NOT_NEGATIVE, group="optimizers"),
    ]
