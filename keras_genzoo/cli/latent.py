"""``genzoo latent``: a map of the codes of images."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import RunPath, dataset_option, force_option, seed_option
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.files import new_figure_path, next_free
from keras_genzoo.text import shown


@click.command("latent")
@click.argument("runs", type=RunPath(), nargs=-1, required=True)
@click.option(
    "-n", "count", type=click.IntRange(min=2), default=10_000, show_default=True, help="Images."
)
@click.option("--split", help="Part of the data set; by default the held-out one, if any.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="PNG file, with an SVG beside it; by default latent.png in the first run's folder, or "
    "the next free name.",
)
@dataset_option
@force_option
@seed_option
def command(
    runs: tuple[Path, ...],
    count: int,
    split: str | None,
    out: Path | None,
    force: bool,
    **options: Any,
) -> None:
    """Draw the codes of the same images in each of RUNS, side by side.

    The models must have an encoder.
    """
    start_tensorflow()
    from keras_genzoo import visualization

    default = runs[0] / "latent.png"
    path = new_figure_path(out or (default if force else next_free(default, ".png", ".svg")), force)
    files = visualization.draw_latent_map(
        list(runs), count, split, out=path, echo=click.echo, **options
    )
    for file in files:
        click.echo(shown(file))
