"""The settings of one run: recipes fill them, flags override them, ``config.json`` keeps them.

Reading or listing them imports neither Keras nor TensorFlow.
"""

import contextlib
import math
import numbers
import os
import reprlib
import typing
from collections.abc import Sequence
from typing import Any

from keras_genzoo.arguments import Argument, Bound, Choices
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.models.registry import MODELS
from keras_genzoo.registry import Names, Registry
from keras_genzoo.training.declared import (
    RUN_SETTINGS,
    Setting,
    models_with,
    optimizer_roles,
    settings_of,
    steps_of,
)
from keras_genzoo.training.manifest import model_declaration


class Stage(typing.NamedTuple):
    """A stage of a run: its name, None if the model trains in one, and its first and last step."""

    name: str | None
    first: int
    last: int


_OWN_HINT = "one of your own is made known by genzoo --import MODULE"


class Settings:
    """The resolved settings of a run; each is an attribute, and none can be changed.

    They are those of every run (``declared.RUN_SETTINGS``) and those that the model, its
    components and its optimizers declare (``declared.settings_of``).

    Args:
        model: name of the model.
        dataset: name or place of the data set.
        **values: other settings by name. One that is not given takes its default, as one of the
            model's does that is None; ``"none"`` is no value, where that is one of the choices.

    Raises:
        GenzooError: if the model does not know a setting, a value is of another type, a name is
            none of the choices, a number is out of its bound, or settings contradict each other.

    >>> Settings(model="vae", dataset="digits", latent_dim=10).latent_dim
    10
    >>> Settings(model="vae").latent_dim, Settings(model="gan").latent_dim
    (2, 100)
    """

    def __init__(self, model: str = "dcgan", dataset: str = "digits", **values: Any):
        given = {"model": model, "dataset": dataset, **values}
        model = checked(RUN_SETTINGS[0], model)
        self.__dict__["_settings"] = known = settings_of(model)
        for name in given.keys() & {setting.name for setting in RUN_SETTINGS}:
            if given[name] is None and not known[name].argument.optional:
                _of_type(known[name], None)
        plain = {
            name: checked(setting, given.get(name))
            for name, setting in known.items()
            if not setting.part_of
        }
        # After the components: options of an unknown component would be unknown, too.
        for name in given:
            if name not in known:
                raise _unknown_setting(model, name, known)
        self.__dict__["_values"] = plain | {
            name: _option(setting, given.get(name), plain[setting.part_of])
            for name, setting in known.items()
            if setting.part_of
        }
        self._check_together()

    def _check_together(self) -> None:
        """Check that settings do not contradict each other; give a schedule its length."""
        if self.checkpoint_every % self.steps_per_execution:
            raise GenzooError(
                f"steps_per_execution must divide checkpoint_every, which is "
                f"{self.checkpoint_every}, and {self.steps_per_execution} does not"
            )
        if (self.beta_2_end is None) != (self.beta_2_steps == 0):
            raise GenzooError("a beta_2 that changes needs both: beta_2_end and beta_2_steps")
        if self.schedule != "constant" and self.schedule_steps is None:
            # Fixed now, so that a run that is made longer keeps its schedule.
            self._values["schedule_steps"] = self.steps
        for stage in self.stages[1:]:
            name = f"{stage.name}_schedule_steps"
            if self.schedule != "constant" and self._values[name] is None:
                self._values[name] = stage.last - stage.first
        if self.schedule == "constant" and self.warmup_steps:
            raise GenzooError(
                "warmup_steps needs a schedule; name one by --schedule; for a constant rate after "
                "the warm-up, --schedule cosine --schedule-end 1"
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
            GenzooError: as the constructor does.
        """
        return cls(**values)

    def replace(self, **changes: Any) -> "Settings":
        """Return these settings with some changed, as ``laid_over`` says.

        Raises:
            GenzooError: as the constructor does.

        >>> Settings(model="vae").replace(beta=4).beta
        4.0
        """
        return Settings(**laid_over(self.to_dict(), changes))

    def to_dict(self) -> dict[str, Any]:
        """Return the settings that have a value, ready for JSON.

        One that is left to the data or the machine has none, nor has an option of a component
        that is not chosen.

        >>> "image_size" in Settings().to_dict()
        False
        """
        return {
            name: _plain(self._values[name])
            for name in self._settings
            if self._values[name] is not None or self._is_switched_off(name)
        }

    def _is_switched_off(self, name: str) -> bool:
        """Whether None is not the default of a setting, so that it was asked for by ``"none"``."""
        setting = self._settings[name]
        if setting.part_of:
            return setting.defaults.get(self._values[setting.part_of]) is not None
        return setting.argument.default is not None

    def with_role(self, role: str) -> dict[str, Any]:
        """Return the values of the settings of a role, without the options of components."""
        return {
            name: self._values[name]
            for name, setting in self._settings.items()
            if setting.role == role and not setting.part_of
        }

    def setting(self, name: str) -> Setting:
        """Return the declaration of a setting that the model has."""
        return self._settings[name]

    def options(self, part: str) -> dict[str, Any]:
        """Return the options of the component that a setting chooses, by their own names.

        >>> Settings("gan", penalty="r1", penalty_weight=3).options("penalty")["weight"]
        3.0
        """
        prefix = self._settings[part].argument.choices.prefix
        chosen = self._values[part]
        return {
            name.removeprefix(prefix): self._values[name]
            for name, setting in self._settings.items()
            if setting.part_of == part and chosen in setting.defaults
        }

    @property
    def needs_labels(self) -> bool:
        """Whether the model trains on class labels.

        >>> Settings("gan").needs_labels, Settings("gan", conditioning="concat").needs_labels
        (False, True)
        """
        declared = model_declaration(self.model).needs_labels
        return declared or self.with_role("model").get("conditioning") is not None

    @property
    def stages(self) -> list[Stage]:
        """The stages of the run, in order; a model that has none has one without a name.

        >>> Settings("vae", steps=5).stages
        [Stage(name=None, first=0, last=5)]
        >>> Settings("vqvae", steps=5, prior_steps=3).stages[-1]
        Stage(name='prior', first=5, last=8)
        """
        names = model_declaration(self.model).stages or (None,)
        stages = [Stage(names[0], 0, self.steps)]
        for name in names[1:]:
            first = stages[-1].last
            stages.append(Stage(name, first, first + self._values[steps_of(name)]))
        return stages

    @property
    def total_steps(self) -> int:
        """Training steps of all stages."""
        return self.stages[-1].last

    def stage_named(self, name: str) -> Stage:
        """Return a stage by its name.

        Raises:
            GenzooError: if the model has no such stage.
        """
        names = model_declaration(self.model).stages
        if not names:
            raise GenzooError(f"{self.model} is trained in one stage; leave --stage out")
        if name not in names:
            raise unknown("stage", name, names)
        return self.stages[names.index(name)]

    def schedule_length(self, optimizer: str) -> int:
        """Return the steps of the schedule of an optimizer, by the argument that takes it."""
        stage = optimizer.removesuffix("_optimizer")
        later = [other.name for other in self.stages[1:]]
        return self._values[f"{stage}_schedule_steps" if stage in later else "schedule_steps"]

    def learning_rates(self) -> dict[str, float]:
        """Return the learning rate of each optimizer, by the argument of ``compile``."""
        roles = optimizer_roles(self.model)
        return {optimizer: self._values[name] for optimizer, name in roles.items()}

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name not in values:
            raise AttributeError(f"{values.get('model')} has no setting '{name}'")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("settings cannot be changed; take replace(...)")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self._values == other._values

    def __hash__(self) -> int:
        return hash(tuple(self._values.items()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"Settings({values})"


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it.

    >>> _plain((1, 2)), _plain(None)
    ([1, 2], 'none')
    """
    if value is None:
        return "none"
    return list(value) if isinstance(value, tuple) else value


def laid_over(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return settings with changes laid over them; what a change replaces is left out.

    Another component drops the options of the one before, another strategy its devices, and an
    average by half-life the one by decay.

    >>> laid_over({"model": "gan", "penalty": "r1", "penalty_weight": 3}, {"penalty": "r2"})
    {'model': 'gan', 'penalty': 'r2'}
    """
    model = changes.get("model", values.get("model"))
    known = settings_of(model) if model and model in MODELS else {}

    def changes_to_another(name: str) -> bool:
        # A recipe may leave its component to the default of the model.
        before = values.get(name, known[name].argument.default)
        return name in changes and changes[name] != before

    dropped = {
        name
        for name, setting in known.items()
        if setting.part_of and changes_to_another(setting.part_of)
    }
    if known and changes_to_another("strategy"):
        dropped.add("devices")
    if changes.get("ema_half_life"):
        dropped.add("ema_decay")
    if changes.get("ema_decay"):
        dropped.add("ema_half_life")
    return {name: value for name, value in values.items() if name not in dropped} | changes


def check_seeds(seeds: Sequence[int]) -> None:
    """Check the random seeds of runs that differ by nothing else.

    Raises:
        GenzooError: if there is none, or one is given twice.
    """
    if not seeds:
        raise GenzooError("name at least one seed, such as --seeds 0,1,2")
    for seed in seeds:
        if list(seeds).count(seed) > 1:
            raise GenzooError(f"the seed {seed} is given twice; give each once")


def checked(setting: Setting, value: Any, argument: Argument | None = None) -> Any:
    """Return a value of a setting as its type; its default in place of None.

    Args:
        setting: the setting.
        value: the value.
        argument: of an option, the declaration of the component that is chosen.

    Raises:
        GenzooError: if it is of another type, none of the choices, or out of its bound.
    """
    argument = argument or setting.argument
    if value is None:
        return argument.default
    if value == "none" and argument.optional and "none" not in argument.choices:
        return None
    value = _of_type(setting, value)
    items = value if isinstance(value, tuple) else (value,)
    for item in items:
        if argument.choices and item not in argument.choices:
            choices = argument.choices
            kind = choices.kind if isinstance(choices, Registry) else setting.name
            raise unknown_choice(kind, item, choices)
        if isinstance(item, int | float):
            _check_bound(setting, argument.bound, item)
    return value


def unknown_choice(kind: str, name: Any, choices: Choices) -> GenzooError:
    """Return the error that a name is none of the choices, to which a person may add their own."""
    error = unknown(kind, name, choices)
    return GenzooError(f"{error}; {_OWN_HINT}") if isinstance(choices, Registry | Names) else error


def _check_bound(setting: Setting, bound: Bound, number: float) -> None:
    if not (number == number and abs(number) != math.inf and bound.accepts(number)):
        raise GenzooError(f"{setting.name} must be {bound.words}, not {number}")
    if isinstance(number, int) and number > bound.most:
        raise GenzooError(f"{setting.name} must be at most {bound.most}, not {number}")


def _option(setting: Setting, value: Any, chosen: str | None) -> Any:
    """Return the value of an option of a component; None if another component is chosen.

    Raises:
        GenzooError: if it is given, and another component is chosen.
    """
    if chosen in setting.options:
        return checked(setting, value, setting.options[chosen])
    if value is None:
        return None
    owners = " and ".join(f"'{name}'" for name in setting.defaults)
    part = setting.part_of.replace("_", "-")
    if chosen is None:
        raise GenzooError(
            f"{setting.name} belongs to the {setting.part_of} {owners}, and none is chosen; leave "
            f"it out, or name one by --{part}"
        )
    raise GenzooError(
        f"{setting.name} belongs to the {setting.part_of} {owners}, not to '{chosen}'; leave it "
        f"out, or name another by --{part}"
    )


def _unknown_setting(model: str, name: str, known: dict[str, Setting]) -> GenzooError:
    if owners := models_with(name):
        return GenzooError(f"{model} has no setting '{name}'; it belongs to {', '.join(owners)}")
    return unknown("setting", name, known)


_ACCEPTED: dict[Any, Any] = {
    bool: bool,
    int: numbers.Integral,
    float: numbers.Real,
    str: (str, os.PathLike),
}


def _of_type(setting: Setting, value: Any) -> Any:
    """Return ``value`` as the setting's type: NumPy's numbers as Python's, a path as a string.

    Raises:
        GenzooError: if it is of another.
    """
    kind = setting.argument.kind
    item_kind = typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else None
    accepted = _ACCEPTED[item_kind or kind]
    values = value if item_kind else (value,)
    if isinstance(values, list | tuple) and all(
        isinstance(item, accepted) and isinstance(item, bool) == (kind is bool) for item in values
    ):
        convert = os.fspath if accepted is _ACCEPTED[str] else item_kind or kind
        # float() overflows for huge integers.
        with contextlib.suppress(OverflowError):
            return tuple(map(convert, values)) if item_kind else convert(value)
    lists: dict[Any, str] = {int: "list of integers", str: "list of names"}
    wanted = lists.get(item_kind, kind.__name__)
    raise GenzooError(
        f"setting '{setting.name}' must be of type {wanted}, not {reprlib.repr(value)}"
    )
