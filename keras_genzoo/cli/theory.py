"""``genzoo theory``: discriminators and GANs on known densities, compared with theory."""

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
    help="PNG file; an SVG file, and a JSON file with the numbers, are written beside it.",
)
@click.option("--panels", is_flag=True, help="Also write each panel as a file: theory-a.png, ...")
@force_option
@seed_option
def command(out: Path, panels: bool, force: bool, seed: int) -> None:
    """Compare GANs with theory on known densities, in a figure of twelve panels.

    A trained D is compared with p_d / (p_d + p_g), and V with -log 4 + 2 JS. GANs in one and in two
    dimensions find all modes of the data, or only a few if the generator learns faster than the
    discriminator.
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
