"""``genzoo export``: a trained model for those who do not have this package."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import IntegerList, NameList, dataset_option, run_argument
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("export")
@run_argument
@click.option(
    "--format",
    default="saved_model",
    show_default=True,
    metavar="[saved_model|litert|onnx|keras]",
    help="For TF Serving, for phones, for ONNX Runtime, for plain Keras.",
)
@click.option("--name", help="What the model is called; by default as the run folder.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder; by default 'savedmodels', where versions of NAME are counted, or for other "
    "formats RUN/export.",
)
@click.option(
    "--version", type=click.IntRange(min=1), help="By default the next free one. [saved_model]"
)
@click.option(
    "--batch-sizes",
    "warm_up",
    type=IntegerList(),
    help="Write requests of these sizes, by which a server warms up. [saved_model]",
)
@click.option(
    "--types",
    type=NameList(),
    help="float32, float16, dynamic, int8, with commas.  [default: float32] [litert]",
)
@click.option(
    "--batch-size",
    type=click.IntRange(min=0),
    help="Images of a call; 0 leaves it free.  [default: 1] [litert]",
)
@click.option(
    "--calibration",
    type=click.IntRange(min=1),
    help="Rows of input that int8 measures its ranges on.  [default: 200] [litert]",
)
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
