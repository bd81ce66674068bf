"""``genzoo compare``: runs side by side."""

import shutil
from pathlib import Path

import click

from keras_genzoo.cli.options import force_option, seed_option
from keras_genzoo.cli.streams import lasting_echo
from keras_genzoo.cli.tensorflow import start_tensorflow
from keras_genzoo.files import new_file
from keras_genzoo.text import shown


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--out",
    "outs",
    type=click.Path(path_type=Path),
    multiple=True,
    help="HTML file for a page with curves and samples, JSON file for all numbers, or CSV file "
    "with a row for each run; may be given several times.",
)
@force_option
@seed_option
def command(runs: tuple[str, ...], outs: tuple[Path, ...], force: bool, seed: int) -> None:
    """Compare RUNs: settings that differ, and scores that were measured alike.

    A RUN is a run folder, a preset, an exported SavedModel, or a pattern such as
    'runs/vae-mnist-?'. Runs that differ by their seed only are one column, with the mean and the
    sample standard deviation. Scores that were measured otherwise than those of most runs are not
    set beside them: a line says what differs.
    """
    outs = tuple(new_file(out, force, ".html", ".json", ".csv") for out in outs)
    start_tensorflow()
    from keras_genzoo import evaluation
    from keras_genzoo.visualization.comparison import COMPARED_SAMPLES, write_comparison

    page = any(out.suffix.lower() == ".html" for out in outs)
    columns = COMPARED_SAMPLES if page else 0
    comparison = evaluation.compare_runs(runs, columns=columns, seed=seed, echo=lasting_echo())
    width = shutil.get_terminal_size((100, 24)).columns
    click.echo(f"\n{evaluation.comparison_text(comparison, width)}")
    for out in outs:
        click.echo(f"\n{shown(write_comparison(comparison, out))}")
