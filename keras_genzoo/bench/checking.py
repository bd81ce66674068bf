"""Checks of the entries of a bench before anything is trained or written."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from keras_genzoo.bench.entries import SCORES, Entry
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.evaluated_run import EvaluatedRun
from keras_genzoo.evaluation.options import Options
from keras_genzoo.evaluation.score import SCORES as ALL_SCORES
from keras_genzoo.models.registry import MODELS
from keras_genzoo.training.preparing import Prepared, open_splits, prepare
from keras_genzoo.training.recipes import borrowed_in_words
from keras_genzoo.training.run import Run

Echo = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Checked:
    """Entries that can be trained and compared.

    Args:
        entries: the entries, with absolute paths, their scores and parameters.
        options: the options of the evaluation, with the number of images.
        notes: recipes of other data, and scores that some entries do not have, a sentence each.
    """

    entries: list[Entry]
    options: Options
    notes: list[str]


def check_entries(entries: Sequence[Entry], options: Options, echo: Echo) -> Checked:
    """Check that all entries can be trained, on the same images, and scored.

    Opens the data and builds every model.

    Raises:
        GenzooError: if a model cannot be built, the entries have different data, or a score can
            be measured of none of them.
    """
    names = tuple(options.scores or SCORES)
    checked: list[Entry] = []
    first, opened = None, None
    missing: dict[str, list[str]] = {name: [] for name in names}
    for entry in entries:
        echo(f"checking {entry.name}")
        prepared = _prepared(entry)
        if first is None:
            first = prepared
        _check_same_data(entries[0], first, entry, prepared)
        evaluated = _evaluated(entry, prepared, options, echo)
        if opened is None:
            opened = evaluated
            # Too few real images, or an unknown split, are refused here.
            _ = evaluated.real_images
        available = evaluated.available()
        scores = tuple(name for name in names if not ALL_SCORES[name].needs - available)
        for name in set(names) - set(scores):
            missing[name].append(entry.name)
            if len(missing[name]) == len(entries):
                ALL_SCORES.check_needs(name, available)
        if not scores:
            raise GenzooError(
                f"none of the scores {', '.join(names)} can be measured of {entry.name}; name "
                "another by --scores, or leave the recipe out"
            )
        weights = prepared.model.trainable_weights
        parameters = sum(math.prod(weight.shape) for weight in weights)
        checked.append(Entry(entry.name, entry.recipe, prepared.settings, scores, parameters))
    # Who names a recipe knows of which data it is; a model's may be borrowed.
    borrowed = [
        borrowed_in_words(entry.recipe, entry.settings)
        for entry in entries
        if entry.name.split()[0] in MODELS
    ]
    notes = [line for line in dict.fromkeys(borrowed) if line] + [
        f"the score {name} cannot be measured of {', '.join(without)}"
        for name, without in missing.items()
        if without
    ]
    count = options.count if opened is None else opened.count
    return Checked(checked, dataclasses.replace(options, scores=None, count=count), notes)


def _prepared(entry: Entry) -> Prepared:
    try:
        return prepare(entry.settings, tf.distribute.get_strategy())
    except GenzooError as error:
        raise GenzooError(f"{entry.name}: {error}") from error


def _check_same_data(entry: Entry, prepared: Prepared, other: Entry, others: Prepared) -> None:
    """Check that two entries are trained on the same images.

    Raises:
        GenzooError: if they are not.
    """
    shapes = ["x".join(map(str, part.data["image_shape"])) for part in (prepared, others)]
    if shapes[0] != shapes[1]:
        raise GenzooError(
            f"{other.name} makes images of {shapes[1]}, and {entry.name} of {shapes[0]}: their "
            "scores cannot be compared; --set image_size=N brings all to one size"
        )
    if prepared.data["fingerprint"] != others.data["fingerprint"]:
        one, two = (f"{e.settings.dataset}, split {e.settings.split}" for e in (entry, other))
        raise GenzooError(
            f"{other.name} is trained on {two}, and {entry.name} on {one}: their scores cannot be "
            "compared; --dataset and --set split=NAME put all on the same images"
        )


def _evaluated(entry: Entry, prepared: Prepared, options: Options, echo: Echo) -> EvaluatedRun:
    """Return the entry as a run that is evaluated, though there is no folder of it yet."""
    run = Run(Path(entry.name), prepared.settings, prepared.data, {})
    data = open_splits(prepared.settings)
    source = data.to_look_at(options.split)
    return EvaluatedRun(run, prepared.model, "", data, source, options, echo)
