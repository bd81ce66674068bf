"""``genzoo sample``: images out of a trained model."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import class_option, picture_options, run_argument
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("sample")
@run_argument
@click.option(
    "-n",
    "count",
    type=int,
    help="Number of images; by default 64, or as many more as make the last row whole.",
)
@class_option
@click.option("--columns", type=click.IntRange(min=1), help="Images in a row of the grid.")
@picture_options("PNG file, or .npz for the arrays")
def command(
    run: Path,
    count: int | None,
    class_label: str | None,
    columns: int | None,
    **picture: Any,
) -> None:
    """Generate images with the model of RUN: a PNG grid, or with --out FILE.npz the arrays."""
    start_tensorflow()
    from keras_genzoo import training

    images = training.sample(run, count, class_label, columns=columns, echo=click.echo, **picture)
    click.echo(shown(images))
