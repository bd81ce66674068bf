"""``genzoo report``: the report of a run as one HTML page."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import dataset_option, force_option, run_argument, seed_option
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.files import new_file
from keras_genzoo.text import shown


@click.command("report")
@run_argument
@click.option(
    "--measure/--no-measure",
    default=True,
    show_default=True,
    help="Measure scores and maps that are missing or belong to other weights.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML file; by default RUN/report.html."
)
@dataset_option
@force_option
@seed_option
def command(run: Path, out: Path | None, force: bool, **options: Any) -> None:
    """Write the report of RUN as one HTML page that can be read offline.

    It shows samples, training, scores, maps, nearest training images and settings.
    """
    start_tensorflow()
    from keras_genzoo import visualization

    out = new_file(out or run / "report.html", force, ".html")
    visualization.write_report(run, out, **options, echo=click.echo)
    click.echo(shown(out))
