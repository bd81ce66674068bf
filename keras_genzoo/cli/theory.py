"""``genzoo theory``: the optimum of a GAN, trained and drawn."""

from pathlib import Path

import click

from keras_genzoo.cli.options import force_option, seed_option
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.files import new_picture
from keras_genzoo.text import shown


@click.command("theory")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("theory.png"),
    show_default=True,
    help="PNG file, with an SVG beside it.",
)
@force_option
@seed_option
def command(out: Path, force: bool, seed: int) -> None:
    """Train on known densities: D against p_d / (p_d + p_g), V against -log 4 + 2 JS."""
    path = new_picture(out, force)
    start_tensorflow()
    from keras_genzoo import visualization

    measured, files = visualization.draw_theory(path, seed, click.echo)
    for name, numbers in measured.items():
        cells = {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in numbers.items()}
        click.echo(f"{name}: {', '.join(f'{what} {value}' for what, value in cells.items())}")
    for file in files:
        click.echo(shown(file))
