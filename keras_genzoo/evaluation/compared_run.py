"""A run that is compared with others: its weights, scores, history and a row of samples."""

import dataclasses
import shlex
from typing import Any

import numpy as np

from keras_genzoo.classes import classes_in_words, shown_classes
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.results import results_of
from keras_genzoo.text import shown
from keras_genzoo.training import Run
from keras_genzoo.training.build import Generator, load_generator
from keras_genzoo.training.variables import weights_digest


@dataclasses.dataclass(frozen=True)
class Samples:
    """Images that a model makes of noise that other models get, too.

    Args:
        images: uint8 ``(n, height, width, channels)``.
        latent_shape: of the noise ``z``: models of another shape get other noise.
        classes: the classes asked for, in words; "" of a model that knows none.
    """

    images: np.ndarray
    latent_shape: tuple[int, ...]
    classes: str = ""


@dataclasses.dataclass(frozen=True)
class ComparedRun:
    """One of the runs that are compared, as far as it can be read.

    Args:
        name: its short name among the others.
        run: the run.
        step: of its weights; without weights of its history, None if that is empty, too.
        digest: of its weights, None without weights.
        results: its scores, as ``evaluate`` keeps them, of these weights.
        history: the rows of its history.
        samples: images of its model; None if they were not asked for, or it makes none.
        notes: what is missing or not as expected, a sentence each.
    """

    name: str
    run: Run
    step: int | None
    digest: str | None
    results: list[dict[str, Any]]
    history: list[dict[str, float]]
    samples: Samples | None
    notes: list[str]

    @property
    def seed(self) -> int:
        """The random seed that it was trained with."""
        return self.run.settings.seed


def open_compared(run: Run, name: str, columns: int, seed: int) -> ComparedRun:
    """Read a run as far as it can be read; what cannot be is a note.

    Args:
        run: the run.
        name: its short name among the others.
        columns: the number of images to generate; 0 for none.
        seed: random seed of their noise.
    """
    notes: list[str] = []
    model, digest, history, samples = None, None, [], None
    try:
        model, _ = load_generator(run, notes.append)
        digest = weights_digest(model)
    except GenzooError as error:
        notes.append(f"{name}: its weights cannot be read: {error}")
    try:
        history = run.read_history()
    except GenzooError as error:
        notes.append(f"{name}: no curves: {error}")
    if model is not None and columns:
        try:
            samples = _samples(model, run, columns, seed)
        except GenzooError as error:
            notes.append(f"{name}: no samples: {error}")
    step = int(history[-1]["step"]) if history else None
    step = step if model is None else int(model.step)
    results = _results(run, name, digest, step, notes)
    return ComparedRun(name, run, step, digest, results, history, samples, notes)


def _samples(model: Generator, run: Run, columns: int, seed: int) -> Samples:
    """Return images of a model.

    Raises:
        GenzooError: if it makes none; says why.
    """
    if not model.has_prior:
        raise GenzooError(f"{run.settings.model} does not generate")
    if reason := model.why_no_samples():
        raise GenzooError(reason)
    labels, words = None, ""
    if model.needs_labels:
        labels = np.resize(shown_classes(model.num_classes, columns), columns)
        words = classes_in_words(model.num_classes, run.class_names, columns)
    images = model.generate(columns, class_labels=labels, seed=seed)
    return Samples(images, model.latent_shape, words)


def _results(
    run: Run, name: str, digest: str | None, step: int | None, notes: list[str]
) -> list[dict[str, Any]]:
    """Return the scores of a run's weights; note why there are none."""
    measure = f"genzoo evaluate {shown(shlex.quote(str(run.path)))}"
    try:
        # Without weights none of them are current.
        found = results_of(run.path, digest or "", -1 if digest is None or step is None else step)
    except GenzooError as error:
        notes.append(f"{name}: its scores cannot be read: {error}")
        return []
    if digest is None:
        if found.stale:
            notes.append(
                f"{name}: its scores are taken as they are: there are no weights to check that "
                "they belong to"
            )
        return [one.values for one in found.stale]
    if not found.current:
        notes.append(f"{name} has no scores; {measure} measures them")
    if found.stale and not found.current:
        weights = found.stale[0].weights
        other = "other weights, also " if weights == f"step {step:,}" else ""
        notes[-1] = (
            f"{name}: its scores are of {other}{weights}, not of its weights of step {step:,}, "
            f"and are left out; {measure} measures them anew"
        )
    return [one.values for one in found.current]
