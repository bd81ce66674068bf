"""``genzoo list``: what the registries know."""

import click

from keras_genzoo.data import DATASETS, paths_in_words
from keras_genzoo.errors import unknown
from keras_genzoo.evaluation import SCORES
from keras_genzoo.export import EXPORT_FORMATS
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, RECONSTRUCTION_LOSSES
from keras_genzoo.models import MODELS
from keras_genzoo.models.registry import SCHEDULES
from keras_genzoo.networks import (
    ARCHITECTURES,
    AUGMENTATIONS,
    AUTOENCODER_ARCHITECTURES,
    CONDITIONINGS,
    NORMALIZATIONS,
)
from keras_genzoo.training import RECIPES


@click.command("list")
@click.argument("kind", required=False, metavar="[recipes]")
@click.argument("name", required=False)
def command(kind: str | None, name: str | None) -> None:
    """List models, data sets, recipes and losses; 'recipes NAME' shows what a recipe holds."""
    if kind is not None:
        _list_recipes(kind, name)
        return
    tables = {
        "models": list(MODELS),
        "data sets": list(DATASETS),
        "recipes": list(RECIPES),
        "losses of autoencoders": list(RECONSTRUCTION_LOSSES),
        "losses of GANs": list(ADVERSARIAL_LOSSES),
        "architectures of autoencoders": list(AUTOENCODER_ARCHITECTURES),
        "architectures of GANs": list(ARCHITECTURES),
        "conditionings": list(CONDITIONINGS),
        "penalties": list(PENALTIES),
        "augmentations": list(AUGMENTATIONS),
        "normalisations of the discriminator": list(NORMALIZATIONS),
        "schedules": list(SCHEDULES),
        "scores": list(SCORES),
        "export formats": list(EXPORT_FORMATS),
    }
    for title, names in tables.items():
        click.echo(f"{title}: {', '.join(names)}")
    click.echo(f"\nany image data set of tensorflow-datasets, {paths_in_words()} will do, too")


def _list_recipes(kind: str, name: str | None) -> None:
    """Write the recipes, or what one of them holds.

    Raises:
        GenzooError: if there is no such list, or no such recipe.
    """
    if kind != "recipes":
        raise unknown("list", kind, ["recipes"])
    for recipe in [name] if name else RECIPES:
        values = [f"{key} {_words(value)}" for key, value in RECIPES[recipe].items()]
        click.echo(f"{recipe}: {', '.join(values)}")


def _words(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
