"""``genzoo umap``: whether generated images lie among the real ones."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.cli.options import (
    NameList,
    dataset_option,
    force_option,
    run_argument,
    seed_option,
)
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.text import shown


@click.command("umap")
@run_argument
@click.option(
    "--distance",
    "distances",
    type=NameList(),
    help="Distances between images, separated by commas: pixels, features, ssim; by default all.",
)
@click.option(
    "-n", "num_real", type=click.IntRange(min=1),
    help="Real images to fit on; by default 1000, or all if there are fewer.",
)  # fmt: skip
@click.option(
    "-m", "num_generated", type=click.IntRange(min=1), default=64, show_default=True,
    help="Generated images to place.",
)  # fmt: skip
@click.option(
    "--split",
    help="Part of the data set; by default the held-out one, or train if that has too few images.",
)
@click.option("--features", help="Feature network, as for evaluate.")
@click.option(
    "--num-neighbours", type=click.IntRange(min=2), default=15, show_default=True,
    help="UMAP's n_neighbors.",
)  # fmt: skip
@click.option(
    "--min-dist",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="UMAP's min_dist.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder; by default RUN/umap.")
@dataset_option
@force_option
@seed_option
def command(run: Path, distances: tuple[str, ...] | None, **options: Any) -> None:
    """Fit UMAP on real images of RUN's data, and place generated ones on the map."""
    start_tensorflow()
    from keras_genzoo import visualization

    numbers = visualization.draw_umap(run, distances, **options, echo=click.echo)
    for name, one in numbers["maps"].items():
        click.echo(
            f"{name}: {one['share_where_sparse']:.1%} of the generated images lie where real ones "
            f"are sparse ({one['share_of_real_where_sparse']:.0%} of the real ones do); "
            f"background explained by the map: {max(0, one['follows_background']):.1%}"
        )
    for warning in numbers["warnings"]:
        click.echo(shown(f"warning: {warning}"))
    click.echo(shown(options["out"] or run / "umap"))
