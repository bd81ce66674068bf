"""Options that several commands share, and those that come from the settings of a run."""

import dataclasses
import itertools
import typing
from collections.abc import Callable, Iterable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from keras_genzoo.errors import unknown
from keras_genzoo.training.recipes import find_recipe
from keras_genzoo.training.settings import GROUPS, MODELS, Settings, kind_of

Command = Callable[..., None]


class IntegerList(click.ParamType):
    """Whole numbers with commas between them."""

    name = "integers"

    def convert(self, value, param, context):
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
    """Names with commas between them; whether there are such is for others to say."""

    name = "names"

    def convert(self, value, param, context):
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
        names: those accepted.
    """

    name = "name"

    def __init__(self, kind: str, names: Iterable[str]):
        self.kind = kind
        self.names = tuple(names)

    def convert(self, value, param, context):
        """Return the name.

        Raises:
            GenzooError: if there is no such name.
        """
        if value not in self.names:
            raise unknown(self.kind, value, self.names)
        return value

    def get_metavar(self, param, ctx=None):
        """Return the names, for the help."""
        return f"[{'|'.join(self.names)}]"

    def shell_complete(self, context, param, incomplete):
        """Return the names that begin like this."""
        return [CompletionItem(name) for name in self.names if name.startswith(incomplete)]


def setting_argument(name: str) -> Callable[[Command], Command]:
    """Add the argument that stands for a setting; the value is None where there is none."""
    field = Settings.__dataclass_fields__[name]
    kind = Name(name, field.metadata["choices"])
    return click.argument(name, required=False, type=kind, metavar=f"[{name.upper()}]")


def setting_options(*skip: str) -> Callable[[Command], Command]:
    """Add a flag for each setting of a run; the value is None where a person gives none."""

    def decorate(command: Command) -> Command:
        for field in reversed(dataclasses.fields(Settings)):
            if field.name not in skip:
                command = _option(field)(command)
        return command

    return decorate


def setting_flags(*names: str) -> Callable[[Command], Command]:
    """Add the flags of a few settings of a run; the value is None where a person gives none."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = _option(Settings.__dataclass_fields__[name])(command)
        return command

    return decorate


def _option(field: dataclasses.Field):
    kind = kind_of(field)
    if typing.get_origin(kind) is tuple:
        kind = IntegerList() if typing.get_args(kind)[0] is int else NameList()
    elif choices := field.metadata["choices"]:
        kind = Name(field.name, choices)
    models = field.metadata["models"]
    text = f"{field.metadata['help']} [{', '.join(models)}]" if models else field.metadata["help"]
    flag = f"--{field.name.replace('_', '-')}"
    if kind is bool:
        # Where nothing said is a third answer, no is one, too.
        flag = f"{flag}/--no{flag[1:]}" if field.default is None else flag
        return click.option(flag, field.name, is_flag=True, default=None, help=text)
    return click.option(flag, field.name, type=kind, default=None, help=text)


class FitCommand(click.Command):
    """A command whose help groups its flags; behind a model's name it lists those of the model.

    Their defaults are then those of the recipe that the model and the data set would begin with.
    """

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments for the help, which is written before they are read."""
        context.meta[__name__] = list(args)
        return super().parse_args(context, args)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the flags by group."""
        given = context.meta.get(__name__, [])
        model = next((argument for argument in given if argument in MODELS), None)
        groups: dict[str, list[tuple[str, str]]] = {group: [] for group in GROUPS}
        for parameter in self.get_params(context):
            field = Settings.__dataclass_fields__.get(parameter.name)
            option = isinstance(parameter, click.Option)
            record = parameter.get_help_record(context) if option else None
            if record is None or (field and model and field not in Settings.fields_of(model)):
                continue
            flag, text = record
            if field and model:
                text = field.metadata["help"] + _default_in_words(field, model, given)
            groups[field.metadata["group"] if field else "run"].append((flag, text))
        for group, records in groups.items():
            with formatter.section(group.capitalize()):
                formatter.write_dl(records)


def _default_in_words(field: dataclasses.Field, model: str, given: list[str]) -> str:
    """Return the default of a setting for the help, nothing where data or machine decide it."""
    asked = dict(itertools.pairwise(given)).get("--dataset")
    _, values = find_recipe(model, asked)
    value = getattr(Settings.from_dict(values), field.name)
    if value is None or value is False:
        return ""
    words = ",".join(map(str, value)) if isinstance(value, tuple) else f"{value}"
    return f"  [default: {words}]"


def run_argument(command: Command) -> Command:
    """Add the argument RUN: a folder that ``genzoo fit`` wrote."""
    return click.argument("run", type=click.Path(path_type=Path))(command)


def class_option(command: Command) -> Command:
    """Add ``--class``."""
    words = "Name of the class to make; by default all in turn. [cgan]"
    return click.option("--class", "class_label", metavar="NAME", help=words)(command)


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
