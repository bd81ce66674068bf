"""``genzoo export``: a trained model for those who do not have this package."""

import typing
from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import (
    IntegerList,
    Name,
    NameList,
    dataset_option,
    run_argument,
    sampling_options,
)
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.export.formats import EXPORT_FORMATS, ExportOption, options_of_formats
from keras_genzoo.text import shown


class ExportCommand(click.Command):
    """A command that has the options of each format that is registered when it is called."""

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """Return the parameters: those of the formats stand behind ``--out``."""
        params = super().get_params(context)
        place = 1 + next(i for i, param in enumerate(params) if param.name == "out")
        own = [_option(*declared) for declared in options_of_formats().values()]
        return [params[0], _format_option(), *params[1:place], *own, *params[place:]]


def _format_option() -> click.Option:
    words = ", ".join(EXPORT_FORMATS[name].words for name in EXPORT_FORMATS)
    return click.Option(
        ["--format"],
        default="saved_model",
        show_default=True,
        type=Name("format", EXPORT_FORMATS),
        help=f"{words[0].upper()}{words[1:]}.",
    )


def _option(option: ExportOption, formats: list[str]) -> click.Option:
    """Return the flag of an option, whose help names the formats that have it."""
    default = f"  [default: {option.default}]" if option.default else ""
    text = f"{option.help}{default} [{', '.join(formats)}]"
    declared = [option.flag, option.name]
    if option.kind is bool:
        return click.Option(declared, is_flag=True, default=None, help=text)
    kind: Any = option.kind
    if typing.get_origin(kind) is tuple:
        kind = IntegerList() if typing.get_args(kind)[0] is int else NameList()
    elif option.least is not None:
        least = option.least
        kind = click.IntRange(int(least)) if kind is int else click.FloatRange(least)
    return click.Option(declared, type=kind, help=text)


@click.command("export", cls=ExportCommand)
@run_argument
@click.option("--name", help="What the model is called; by default as the run folder.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder; by default 'savedmodels', where versions of NAME are counted, 'presets' for a "
    "preset, or for other formats RUN/export.",
)
@sampling_options
@dataset_option
@click.option("--verify", "check", is_flag=True, help="Compare each file with the model.")
@click.option(
    "--force",
    is_flag=True,
    help="Replace files and the settings of a server; versions are never replaced.",
)
def command(run: Path, **options: Any) -> None:
    """Export the model of RUN: files that work where this package is not installed."""
    start_tensorflow()
    from keras_genzoo import export

    paths = export.export_run(run, echo=click.echo, **options)
    for path in paths:
        click.echo(shown(path))
