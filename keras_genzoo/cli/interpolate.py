"""``genzoo interpolate``: interpolations in latent space."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import (
    IntegerList,
    Name,
    class_option,
    dataset_option,
    generator_argument,
    picture_options,
    sampling_options,
)
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("interpolate")
@generator_argument
@click.option(
    "--rows", type=int, help="Number of interpolations between random ends; by default 8."
)
@click.option("--steps", type=int, default=10, show_default=True, help="Images in each.")
@click.option(
    "--images",
    type=IntegerList(),
    help="Two real images for each row, by their numbers from 0 in the order in which the data "
    "set was published, such as 0,1. [models with an encoder]",
)
@click.option(
    "--from",
    "from_class",
    metavar="CLASS",
    help="Begin at the first image of a class. [models with an encoder]",
)
@click.option(
    "--to",
    "to_class",
    metavar="CLASS",
    help="End at the first image of a class. [models with an encoder]",
)
@click.option(
    "--split", help="Part of the data set; by default the held-out one. [models with an encoder]"
)
@click.option(
    "--method",
    type=Name("method", ("linear", "spherical")),
    help="By default linear between images, spherical between points of the noise.",
)
@class_option
@sampling_options
@dataset_option
@picture_options("PNG file")
def command(
    run: Path,
    rows: int | None,
    steps: int,
    method: str | None,
    class_label: str | None,
    **options: Any,
) -> None:
    """Interpolate between real images, or between points of the noise.

    A model with an encoder interpolates between the codes of real images, any other between points
    of the noise that it generates images from; RUN may be an exported SavedModel, too, which does
    the latter.
    """
    start_tensorflow()
    from keras_genzoo import training

    made = training.interpolate(run, rows, steps, method, class_label, echo=click.echo, **options)
    click.echo(shown(made))
