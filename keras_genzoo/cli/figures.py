"""``genzoo figures``: all figures of a run."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import (
    IntegerList,
    dataset_option,
    force_option,
    run_argument,
    seed_option,
)
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("figures")
@run_argument
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default RUN/figures.")
@click.option(
    "--sweep",
    type=IntegerList(),
    help="Also draw FID against network calls, with these numbers of solver steps, such as "
    "1,2,5,10,20. [models with a solver]",
)
@click.option(
    "-n", "count", type=click.IntRange(min=2), help="Images of each kind that --sweep measures."
)
@dataset_option
@force_option
@seed_option
def command(run: Path, out: Path | None, **options: Any) -> None:
    """Draw all figures of RUN as PNG and SVG, and an animation of its training."""
    start_tensorflow()
    from keras_genzoo import visualization

    for file in visualization.draw_figures(run, out, **options, echo=click.echo):
        click.echo(shown(file))
