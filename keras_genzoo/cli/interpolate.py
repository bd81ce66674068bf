"""``genzoo interpolate``: a walk in latent space."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import (
    Name,
    class_option,
    dataset_option,
    picture_options,
    run_argument,
)
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("interpolate")
@run_argument
@click.option("--rows", type=int, default=8, show_default=True, help="Number of walks.")
@click.option("--steps", type=int, default=10, show_default=True, help="Images in a walk.")
@click.option(
    "--method",
    type=Name("method", ("linear", "spherical")),
    help="By default linear for autoencoders, spherical for GANs.",
)
@class_option
@dataset_option
@picture_options("PNG file")
def command(
    run: Path,
    rows: int,
    steps: int,
    method: str | None,
    class_label: str | None,
    **options: Any,
) -> None:
    """Walk between real images (autoencoders) or between points of the noise (GANs)."""
    start_tensorflow()
    from keras_genzoo import training

    walks = training.interpolate(run, rows, steps, method, class_label, echo=click.echo, **options)
    click.echo(shown(walks))
