"""``genzoo list``: what the registries know."""

from pathlib import Path
from typing import Any

import click

from keras_genzoo.data import DATASETS, paths_in_words
from keras_genzoo.errors import unknown
from keras_genzoo.evaluation import SCORES as ALL_SCORES
from keras_genzoo.export import EXPORT_FORMATS
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, RECONSTRUCTION_LOSSES
from keras_genzoo.models import MODELS
from keras_genzoo.models.registry import SCHEDULES, SOLVERS
from keras_genzoo.networks import (
    ARCHITECTURES,
    AUGMENTATIONS,
    AUTOENCODER_ARCHITECTURES,
    CONDITIONINGS,
    NORMALIZATIONS,
)
from keras_genzoo.presets import BUNDLED, CARD, RECORD, SCORES, bundled_presets
from keras_genzoo.reading import read_json
from keras_genzoo.training import RECIPES
from keras_genzoo.training.configuration import flat
from keras_genzoo.training.placed_runs import read_record


@click.command("list")
@click.argument("kind", required=False, metavar="[recipes|presets]")
@click.argument("name", required=False)
def command(kind: str | None, name: str | None) -> None:
    """List models, data sets, presets, recipes and losses.

    'recipes NAME' shows what a recipe holds; 'presets' shows a table of the trained models.
    """
    if kind is not None:
        if kind not in _LISTS:
            raise unknown("list", kind, _LISTS)
        _LISTS[kind](name)
        return
    tables = {
        "models": list(MODELS),
        "data sets": list(DATASETS),
        "presets": bundled_presets(),
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
        "solvers of flows": list(SOLVERS),
        "scores": list(ALL_SCORES),
        "export formats": list(EXPORT_FORMATS),
    }
    for title, names in tables.items():
        click.echo(f"{title}: {', '.join(names)}")
    click.echo(f"\nany image data set of tensorflow-datasets, {paths_in_words()} will do, too")


def _list_recipes(name: str | None) -> None:
    """Write the recipes, or what one of them holds.

    Raises:
        GenzooError: if there is no such recipe.
    """
    for recipe in [name] if name else RECIPES:
        values = [f"{key} {_words(value)}" for key, value in RECIPES[recipe].items()]
        click.echo(f"{recipe}: {', '.join(values)}")


def _list_presets(name: str | None) -> None:
    """Write a table of the trained models in the package, or the card of one of them.

    Raises:
        GenzooError: if there is no such preset.
    """
    names = bundled_presets()
    if name is not None:
        if name not in names:
            raise unknown("preset", name, names)
        click.echo((BUNDLED / name / CARD).read_text(encoding="utf-8").rstrip())
        return
    rows = [("preset", "data", "size", "FID", "terms of the data"), *map(_row, names)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    click.echo(
        "\nThe FID is by the features that a preset's card names, and compares presets of"
        "\nthe same data: 'genzoo list presets NAME'."
    )


def _row(name: str) -> tuple[str, ...]:
    folder = BUNDLED / name
    dataset = flat(read_record(folder / RECORD)["settings"])["dataset"]
    size = sum(file.stat().st_size for file in folder.iterdir()) / 1e6
    # The card has the terms in full.
    terms = DATASETS[dataset].terms.partition(" (")[0]
    return name, dataset, f"{size:.1f} MB", _fid(folder), terms


def _fid(folder: Path) -> str:
    """Return the FID of a preset, "" if it was not measured."""
    try:
        return f"{read_json(folder / SCORES)['scores']['fid']:.2f}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


_LISTS = {"recipes": _list_recipes, "presets": _list_presets}


def _words(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
