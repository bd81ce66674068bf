"""``genzoo list``: what the registries know."""

import click

from keras_genzoo.data import DATASETS, paths_in_words
from keras_genzoo.losses import ADVERSARIAL_LOSSES, RECONSTRUCTION_LOSSES
from keras_genzoo.models import MODELS
from keras_genzoo.training import RECIPES


@click.command("list")
def command() -> None:
    """List models, data sets, recipes and losses."""
    tables = {
        "models": list(MODELS),
        "data sets": list(DATASETS),
        "recipes": list(RECIPES),
        "losses of autoencoders": list(RECONSTRUCTION_LOSSES),
        "losses of GANs": list(ADVERSARIAL_LOSSES),
    }
    for title, names in tables.items():
        click.echo(f"{title}: {', '.join(names)}")
    click.echo(f"\nany image data set of tensorflow-datasets, {paths_in_words()} will do, too")
