"""Options that several commands share, and those that come from the settings of a run."""

import contextlib
import dataclasses
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from keras_genzoo.arguments import Choices
from keras_genzoo.errors import GenzooError
from keras_genzoo.models.registry import MODELS, SOLVERS
from keras_genzoo.presets.hubs import is_address
from keras_genzoo.registry import Names
from keras_genzoo.training.declared import (
    GROUPS,
    RUN_SETTINGS,
    Setting,
    help_of,
    models_with,
    settings_of,
)
from keras_genzoo.training.preset_runs import run_folder
from keras_genzoo.training.recipes import RECIPES, find_recipe
from keras_genzoo.training.settings import Settings, unknown_choice

Command = Callable[..., None]


class IntegerList(click.ParamType):
    """Whole numbers with commas between them."""

    name = "integers"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return a tuple of integers.

        >>> IntegerList().convert("512,256", None, None)
        (512, 256)
        """
        if isinstance(value, tuple):
            return value
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"'{value}' is not a list of integers such as 512,256", param, context)


class NameList(click.ParamType):
    """Names with commas between them; they are not checked here."""

    name = "names"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return a tuple of names.

        >>> NameList().convert("fid, kid", None, None)
        ('fid', 'kid')
        """
        if isinstance(value, tuple):
            return value
        return tuple(part.strip() for part in value.split(","))


class Name(click.ParamType):
    """One of a few names; shells complete them, and a wrong one gets the nearest suggested.

    Args:
        kind: what is named, for the error.
        names: those accepted; a person may add to those of a registry.
    """

    name = "name"

    def __init__(self, kind: str, names: Choices):
        self.kind = kind
        self.names = names

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return the name.

        Raises:
            GenzooError: if there is no such name.
        """
        if value not in self.names:
            raise unknown_choice(self.kind, value, self.names)
        return value

    def get_metavar(self, param: click.Parameter, ctx: Any = None) -> str | None:
        """Return the names, for the help."""
        return f"[{'|'.join(self.names)}]"

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin like this."""
        return [CompletionItem(name) for name in self.names if name.startswith(incomplete)]


class OrNone(click.ParamType):
    """A value of another type, or ``none``, which switches off what a recipe or a config asks for.

    Args:
        kind: the other type.
    """

    def __init__(self, kind: click.ParamType | type):
        self.kind = click.types.convert_type(kind)
        self.name = self.kind.name

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> Any:
        """Return the value, or ``"none"``.

        >>> OrNone(float).convert("none", None, None), OrNone(float).convert("2", None, None)
        ('none', 2.0)
        """
        return value if value == "none" else self.kind.convert(value, param, context)

    def get_metavar(self, param: click.Parameter, ctx: Any = None) -> str | None:
        """Return the metavar of the other type."""
        return self.kind.get_metavar(param, ctx)

    def shell_complete(
        self, context: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return what the other type completes."""
        return self.kind.shell_complete(context, param, incomplete)


def setting_argument(name: str) -> Callable[[Command], Command]:
    """Add the argument that stands for a setting of every run; None where none is given."""
    kind = Name(name, _run_setting(name).argument.choices)
    return click.argument(name, required=False, type=kind, metavar=f"[{name.upper()}]")


def setting_options(*skip: str) -> Callable[[Command], Command]:
    """Add a flag for each setting of the runs of any model; None where a person gives none."""

    def decorate(command: Command) -> Command:
        for setting, owners in reversed(_settings_of_all_models()):
            if setting.name not in skip:
                command = _option(setting, owners)(command)
        return command

    return decorate


def setting_flags(*names: str) -> Callable[[Command], Command]:
    """Add the flags of a few settings of every run; None where a person gives none."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(_run_setting(name), ())(command)
        return command

    return decorate


def _run_setting(name: str) -> Setting:
    return next(setting for setting in RUN_SETTINGS if setting.name == name)


def _settings_of_all_models() -> list[tuple[Setting, tuple[str, ...]]]:
    """Return each setting with the models that have it; an empty tuple means every model.

    Where models declare choices of their own under one name, the flag takes the names of all.

    Raises:
        GenzooError: if two models declare settings of one name and of different types.
    """
    by_name: dict[str, dict[str, Setting]] = {}
    for model in MODELS:
        for name, setting in settings_of(model).items():
            by_name.setdefault(name, {})[model] = setting
    return [
        (_joined(settings), () if len(settings) == len(MODELS) else tuple(settings))
        for settings in by_name.values()
    ]


def _joined(settings: dict[str, Setting]) -> Setting:
    (first_model, first), *others = settings.items()
    for model, setting in others:
        if setting.argument.kind != first.argument.kind:
            raise GenzooError(
                f"the models '{first_model}' and '{model}' declare '{first.name}' of different "
                "types; give one of the two arguments another name"
            )
    choices = [setting.argument.choices for setting in settings.values()]
    if not choices[0] or all(part is choices[0] for part in choices):
        return first
    names = Names(*{id(part): part for part in choices}.values())
    return dataclasses.replace(first, argument=dataclasses.replace(first.argument, choices=names))


def _option(setting: Setting, owners: tuple[str, ...]) -> Callable:
    argument = setting.argument
    kind = argument.kind
    if typing.get_origin(kind) is tuple:
        kind = IntegerList() if typing.get_args(kind)[0] is int else NameList()
    elif argument.choices:
        kind = Name(setting.name, argument.choices)
    text = f"{help_of(setting)} [{', '.join(owners)}]" if owners else help_of(setting)
    flag = f"--{setting.name.replace('_', '-')}"
    if kind is bool:
        # Both have a flag, since a recipe may have either.
        flag = f"{flag}/--no{flag[1:]}"
        return click.option(flag, setting.name, is_flag=True, default=None, help=text)
    if argument.optional and setting.group in ("model", "loss"):
        kind = OrNone(kind)
    return click.option(flag, setting.name, type=kind, default=None, help=text)


class FitCommand(click.Command):
    """A command whose help groups its flags; behind a model's name it lists those of the model.

    Their defaults are then those of the recipe that the model and the data set would begin with.
    """

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Read the arguments for the help first, which is written while they are read."""
        with contextlib.suppress(click.ClickException):
            context.meta[__name__], _, _ = self.make_parser(context).parse_args(list(args))
        return super().parse_args(context, args)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags by group."""
        given = context.meta.get(__name__, {})
        model = _model_of_help(given)
        known = settings_of(model) if model else {s.name: s for s, _ in _settings_of_all_models()}
        chosen = _recipe_settings(model, given) if model else None
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for parameter in self.get_params(context):
            option = isinstance(parameter, click.Option)
            record = parameter.get_help_record(context) if option else None
            if record is None or (models_with(parameter.name) and parameter.name not in known):
                continue
            flag, text = record
            setting = known.get(parameter.name)
            if chosen is not None and setting is not None:
                flag, text = _with_default(flag, setting, chosen)
            groups[setting.group if setting else "run"].append((flag, text))
        for group, records in groups.items():
            if not records:
                continue
            with formatter.section(group.capitalize()):
                formatter.write_dl(records)


def _model_of_help(given: dict[str, Any]) -> str | None:
    """Return the model whose help is asked for, by its name or that of a recipe."""
    recipe = given.get("recipe")
    model = given.get("model") or (
        RECIPES[recipe]["model"] if recipe and recipe in RECIPES else None
    )
    return model if model in MODELS else None


def _recipe_settings(model: str, given: dict[str, Any]) -> Settings:
    """Return the settings of the recipe that a command with these arguments would begin with."""
    recipe = given.get("recipe")
    name = recipe if recipe and recipe in RECIPES and RECIPES[recipe]["model"] == model else None
    _, values = find_recipe(model, given.get("dataset"), name)
    return Settings.from_dict(values)


def _with_default(flag: str, setting: Setting, chosen: Settings) -> tuple[str, str]:
    """Return a flag with the choices of this model, and its help with the default.

    The default is that of the recipe; of an option of a component that it does not choose, the
    component's. Nothing stands where the data or the machine decide it.
    """
    argument, value = setting.argument, getattr(chosen, setting.name)
    if argument.choices and typing.get_origin(argument.kind) is not tuple:
        flag = f"{flag.split(' ')[0]} [{'|'.join(argument.choices)}]"
    text = help_of(setting)
    if setting.part_of:
        owners = [name for name in setting.defaults if name]
        others = set(chosen.setting(setting.part_of).argument.choices) - set(owners)
        text += f" [{', '.join(owners)}]" if others else ""
        defaults = set(setting.defaults.values())
        if value is None and len(defaults) > 1:
            words = ", ".join(f"{name} {default}" for name, default in setting.defaults.items())
            return flag, f"{text}  [default: {words}]"
        value = next(iter(defaults)) if value is None else value
    if value is None or value is False:
        return flag, text
    words = ",".join(map(str, value)) if isinstance(value, tuple) else f"{value}"
    return flag, f"{text}  [default: {words}]"


class RunPath(click.Path):
    """A run folder, or what becomes one: a preset, or of commands that only generate a SavedModel.

    Args:
        generates: whether the command takes a model that generates images and does no more.
    """

    def __init__(self, generates: bool = False):
        super().__init__(path_type=Path)
        self.generates = generates

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the run folder."""
        if not is_address(value):
            value = super().convert(value, param, ctx)
        return run_folder(value, generates=self.generates)


def run_argument(command: Command) -> Command:
    """Add the argument RUN: a folder that ``genzoo fit`` wrote, or a preset."""
    return click.argument("run", type=RunPath())(command)


def generator_argument(command: Command) -> Command:
    """Add the argument RUN of a command that only generates: it may be a SavedModel, too."""
    return click.argument("run", type=RunPath(generates=True))(command)


def class_option(command: Command) -> Command:
    """Add ``--class``."""
    words = "Name of the class to make, of a model that knows classes; by default all in turn."
    return click.option("--class", "class_label", metavar="NAME", help=words)(command)


def sampling_options(command: Command) -> Command:
    """Add how a model with a solver makes its images: ``--solver``, ``--solver-steps`` and so on.

    None stands for what the run was trained with.
    """
    options = [
        click.option(
            "--solver",
            type=Name("solver", SOLVERS),
            help="How the path from noise to an image is solved. [models with a solver]",
        ),
        click.option(
            "--solver-steps", type=int, help="Steps of the solver. [models with a solver]"
        ),
        click.option(
            "--guidance",
            type=float,
            help="Strength of classifier-free guidance, 1 for none. [models with a solver and "
            "classes]",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def dataset_option(command: Command) -> Command:
    """Add ``--dataset``: where the images of RUN lie now."""
    return click.option(
        "--dataset",
        type=click.Path(path_type=Path),
        help="Where the images of the run lie now, if they have moved.",
    )(command)


force_option = click.option("--force", is_flag=True, help="Replace the file if it exists.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Random seed."
)


def picture_options(files: str) -> Callable[[Command], Command]:
    """Add ``--out``, ``--force`` and ``--seed``; ``files`` says what ``--out`` may name."""

    def decorate(command: Command) -> Command:
        out = click.option(
            "--out",
            type=click.Path(path_type=Path),
            help=f"{files}; by default a PNG in the run folder, under the next free name.",
        )
        return seed_option(out(force_option(command)))

    return decorate
