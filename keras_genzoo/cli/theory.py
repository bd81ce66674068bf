"""``genzoo theory``: the optimum of a GAN, trained and drawn."""

from pathlib import Path

import click

from keras_genzoo.cli.options import force_option, seed_option
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.files import new_figure_path, new_file
from keras_genzoo.text import shown


@click.command("theory")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("theory.png"),
    show_default=True,
    help="PNG file; an SVG, and a JSON of its numbers, go beside it.",
)
@click.option("--panels", is_flag=True, help="Also write each panel by itself: theory-a.png, ...")
@force_option
@seed_option
def command(out: Path, panels: bool, force: bool, seed: int) -> None:
    """Train on known densities: D against p_d / (p_d + p_g), V against -log 4 + 2 JS.

    Draws them in twelve panels, and what GANs make of one and of two dimensions: all modes of the
    data, or few of them if the generator learns faster than the discriminator.
    """
    path = new_figure_path(out, force)
    start_tensorflow()
    from keras_genzoo.visualization import theory

    new_file(theory.numbers_place(path), force, ".json")
    for place in theory.figure_places(path, panels):
        new_figure_path(place.with_name(f"{place.name}.png"), force)
    measured, files = theory.draw_theory(path, seed, click.echo, panels=panels)
    for name, numbers in measured.items():
        cells = {k: f"{v:.4f}" if isinstance(v, float) else v for k, v in numbers.items()}
        click.echo(f"{name}: {', '.join(f'{what} {value}' for what, value in cells.items())}")
    for file in files:
        click.echo(shown(file))
