"""``genzoo theory``: GANs on known densities, compared with theory and with each other."""

from pathlib import Path

import click

from keras_genzoo.cli.options import force_option, seed_option
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import new_figure_path, new_file
from keras_genzoo.text import shown

SEEDS, STEPS = 5, 4000


@click.command("theory")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="PNG file; an SVG file, and a JSON file with the numbers, are written beside it.  "
    "[default: theory.png, or stability.png; theory.html of --interactive]",
)
@click.option("--panels", is_flag=True, help="Also write each panel as a file: theory-a.png, ...")
@click.option(
    "--stability",
    is_flag=True,
    help="Instead, train with each loss and penalty on 8 and on 25 Gaussians, some random seeds "
    "each, and draw how many keep all modes; takes 10 to 20 minutes.",
)
@click.option(
    "--interactive",
    is_flag=True,
    help="Instead, write a page in which a GAN on points of the plane trains before your eyes, "
    "with the loss and the penalty that you choose.",
)
@click.option(
    "--open/--no-open", "opens", default=True, help="Open the page of --interactive in a browser."
)
@click.option("--seeds", type=click.IntRange(1), help=f"Seeds of --stability.  [default: {SEEDS}]")
@click.option("--steps", type=click.IntRange(1), help=f"Steps of --stability.  [default: {STEPS}]")
@force_option
@seed_option
def command(
    out: Path | None,
    panels: bool,
    stability: bool,
    interactive: bool,
    opens: bool,
    seeds: int | None,
    steps: int | None,
    force: bool,
    seed: int,
) -> None:
    """Compare GANs with theory on known densities, in a figure of twelve panels.

    A trained D is compared with p_d / (p_d + p_g), and V with -log 4 + 2 JS. GANs in one and in two
    dimensions find all modes of the data, or only a few if the generator learns faster than the
    discriminator. A second figure shows mode collapse and its cure during training.
    """
    if stability and panels:
        raise GenzooError("--panels are those of the figure without --stability; take one of them")
    if not stability and (seeds or steps):
        raise GenzooError("--seeds and --steps are those of --stability; add it")
    if interactive:
        if panels or stability:
            raise GenzooError(
                "--interactive writes a page, not the figures of --panels and --stability; take "
                "one of them"
            )
        _interactive(out or Path("theory.html"), force, seed, opens)
        return
    path = new_figure_path(out or Path("stability.png" if stability else "theory.png"), force)
    if stability:
        _stability(path, seeds or SEEDS, steps or STEPS, force, seed)
    else:
        _theory(path, panels, force, seed)


def _theory(path: Path, panels: bool, force: bool, seed: int) -> None:
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


def _interactive(path: Path, force: bool, seed: int, opens: bool) -> None:
    from keras_genzoo.export import playground

    page = playground.write_theory_page(path, seed=seed, force=force)
    click.echo(shown(page))
    if opens and not playground.open_page(page):
        click.echo(playground.NO_DISPLAY)


def _stability(path: Path, seeds: int, steps: int, force: bool, seed: int) -> None:
    start_tensorflow()
    from keras_genzoo.visualization import stability

    for file in stability.stability_places(path):
        new_file(file, force, file.suffix)
    cases, files = stability.draw_stability(path, seeds, steps, seed, click.echo)
    click.echo(stability.stability_table(cases), nl=False)
    for file in files:
        click.echo(shown(file))
