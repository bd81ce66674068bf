"""``genzoo playground``: a model as one HTML page to play with."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import dataset_option, force_option, generator_argument
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("playground")
@generator_argument
@click.option(
    "--out", type=click.Path(path_type=Path), help="HTML file; by default RUN/playground.html."
)
@click.option(
    "--runtime",
    type=click.Path(path_type=Path),
    help="Package @litertjs/core on this machine, its .tgz or folder; by default it is fetched "
    "once from registry.npmjs.org.",
)
@click.option(
    "--open/--no-open", "opens", default=True, show_default=True, help="Open the page in a browser."
)
@dataset_option
@force_option
def command(run: Path, opens: bool, **options: Any) -> None:
    """Write a page to play with the model of RUN: one HTML file that works offline.

    Generators have dice, sliders, classes and interpolation; autoencoders a map of their codes,
    and a place to draw. A generator whose weights are averaged has a switch to those of its last
    step, unless the page would then take more than 16 MB; a preset has the averaged ones alone.
    RUN may be an exported SavedModel, too; its page has dice, classes and interpolation.
    """
    start_tensorflow()
    from keras_genzoo.export import playground

    page = playground.write_playground(run, echo=click.echo, **options)
    click.echo(shown(page))
    if opens and not playground.open_page(page):
        click.echo(playground.NO_DISPLAY)
