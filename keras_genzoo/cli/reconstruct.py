"""``genzoo reconstruct``: real images beside what an autoencoder makes of them."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import dataset_option, picture_options, run_argument
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("reconstruct")
@run_argument
@click.option("-n", "count", type=int, default=16, show_default=True, help="Number of images.")
@click.option("--split", help="Part of the data set; by default the one held out, if there is one.")
@dataset_option
@picture_options("PNG file")
def command(run: Path, count: int, split: str | None, **options: Any) -> None:
    """Draw real images in one row and their reconstructions below."""
    start_tensorflow()
    from keras_genzoo import training

    click.echo(shown(training.reconstruct(run, count, split, echo=click.echo, **options)))
