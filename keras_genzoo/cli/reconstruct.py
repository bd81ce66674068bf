"""``genzoo reconstruct``: real images and their reconstructions."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import IntegerList, dataset_option, picture_options, run_argument
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("reconstruct")
@run_argument
@click.option("-n", "count", type=int, help="Number of random images; by default 16.")
@click.option(
    "--images",
    type=IntegerList(),
    help="The images instead, by their numbers from 0 in the order in which the data set was "
    "published, such as 0,1,2.",
)
@click.option("--split", help="Part of the data set; by default the held-out one, if any.")
@dataset_option
@picture_options("PNG file")
def command(run: Path, count: int | None, split: str | None, **options: Any) -> None:
    """Draw real images in one row and their reconstructions below.

    The model must have an encoder.
    """
    start_tensorflow()
    from keras_genzoo import training

    click.echo(shown(training.reconstruct(run, count, split, echo=click.echo, **options)))
