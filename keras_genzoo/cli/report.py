"""``genzoo report``: one page of a run."""

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
    help="Measure the scores and maps that are missing or of other weights.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML file; by default RUN/report.html."
)
@dataset_option
@force_option
@seed_option
def command(run: Path, out: Path | None, force: bool, **options: Any) -> None:
    """Write all that is known of RUN as one HTML page that needs no network."""
    start_tensorflow()
    from keras_genzoo import visualization

    out = new_file(out or run / "report.html", force, ".html")
    visualization.write_report(run, out, **options, echo=click.echo)
    click.echo(shown(out))
