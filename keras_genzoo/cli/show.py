"""``genzoo show``: the settings and the progress of a run."""

from pathlib import Path

import click

from keras_genzoo.classes import classes_in_words
from keras_genzoo.cli.options import run_argument
from keras_genzoo.text import shown
from keras_genzoo.training import Run, recipe_in_words


@click.command("show")
@run_argument
def command(run: Path) -> None:
    """Show the settings, the progress and the last sample grids of RUN.

    Settings that were left to the data or the machine are shown with the values in use.
    """
    opened = Run.open(run)
    click.echo(opened.title)
    if opened.recipe is not None:
        click.echo(shown(f"recipe: {recipe_in_words(opened.recipe, opened.settings)}"))
    if opened.begun is not None:
        click.echo(shown(f"begun: {opened.begun.replace('T', ' ')}"))
    if opened.held_out is not None:
        split, number = opened.held_out["split"], opened.held_out["num_images"]
        click.echo(shown(f"held-out losses: of the first {number:,} images of {split}"))
    click.echo()
    for name, value in opened.values.items():
        click.echo(shown(f"{name}: {value}"))
    if opened.class_names:
        names = opened.class_names
        click.echo(f"classes: {classes_in_words(len(names), names)}")
        if opened.settings.needs_labels:
            click.echo("rows of the sample grids: these classes, from the top")
    done = opened.last_step() or 0
    # What was not trained here has no checkpoints that would tell how far its training came.
    if opened.preset is not None:
        click.echo(f"\npreset: {shown(opened.preset['name'])}")
    elif opened.saved_model is not None:
        click.echo(f"\nSavedModel: {shown(opened.saved_model['name'])}")
        return
    else:
        click.echo(f"\nsteps: {done:,} of {opened.settings.total_steps:,}")
    for name, value in next(reversed(opened.read_history(up_to=done)), {}).items():
        if name != "step":
            click.echo(shown(f"{name}: {value:.4f}"))
    model = opened.model_file if opened.model_file.exists() else "not yet (run not finished)"
    click.echo(shown(f"model: {model}"))
    for grid in opened.sample_grids()[-3:]:
        click.echo(shown(f"sample grid: {grid}"))
