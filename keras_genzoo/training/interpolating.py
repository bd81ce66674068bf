"""Interpolations in the latent space of a finished run, between chosen ends or ends at random."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.classes import MOST_CLASSES
from keras_genzoo.errors import GenzooError
from keras_genzoo.images import image_grid, readable_scale, save_png
from keras_genzoo.training.build import load_generator
from keras_genzoo.training.chosen import Chosen, first_images_of_classes, images_by_number
from keras_genzoo.training.named_grid import rows_named
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.run import Run
from keras_genzoo.training.use import class_number, new_picture_file

if TYPE_CHECKING:
    from keras_genzoo.data import Source

Echo = Callable[[str], None]
INTERPOLATIONS = 8


def interpolate(
    path: str | os.PathLike,
    rows: int | None = None,
    steps: int = 10,
    method: str | None = None,
    class_label: str | int | None = None,
    *,
    images: Sequence[int] | None = None,
    from_class: str | None = None,
    to_class: str | None = None,
    split: str | None = None,
    solver: str | None = None,
    solver_steps: int | None = None,
    guidance: float | None = None,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write interpolations in latent space as PNG, a row each.

    Models with an encoder interpolate between real images, others between points of the noise. A
    conditional model keeps to one class in a row: with an encoder that of the row's first image, as
    the model finds it, otherwise the classes in turn.

    Args:
        path: the run folder, or the folder of an exported SavedModel, which has no encoder.
        rows: number of interpolations between ends chosen at random; by default 8.
        steps: images in each.
        method: ``linear`` or ``spherical``; by default the model's own.
        class_label: of all rows, as ``sample`` takes it.
        images: of an autoencoder's run: the numbers of the images instead, from 0, in the order in
            which the data set was published; two for each row.
        from_class: of an autoencoder's run: begin at the first image of this class instead, and
            end at that of ``to_class``.
        to_class: the class of the last image.
        split: part of the data that the real images are of; by default the one held out, if there
            is one.
        solver: of a model with a solver, another one than the run's.
        solver_steps: of such a model, another number of steps.
        guidance: of such a model with classes, another strength of guidance.
        dataset: where the images of an autoencoder's run lie now, if they have moved.
        seed: random seed of the ends.
        out: a ``.png`` file; by default ``interpolate.png`` in the run, or the next free one of
            ``interpolate-2.png``, ...
        force: replace the file if it exists.
        echo: called with lines that say which classes or images the rows are, and when the run is
            unfinished.

    Raises:
        GenzooError: if a number is too small, the method or class is unknown, real images are
            named for a model that cannot begin at them, or the data of an autoencoder's run cannot
            be had or are others.
    """
    _check_ends(rows, images, from_class, to_class)
    rows = INTERPOLATIONS if rows is None else rows
    if rows < 1 or steps < 2:
        raise GenzooError(
            f"an interpolation takes at least 1 row and 2 steps, not {rows} and {steps}"
        )
    run = Run.open(path, generates=True)
    out = new_picture_file(run, "interpolate.png", out, force, ".png")
    model, _ = load_generator(run, echo)
    model.set_sampling(solver=solver, solver_steps=solver_steps, guidance=guidance)
    options = {"method": method} if method else {}
    label = class_number(run, model, class_label)
    names: list[str] = []
    if model.has_encoder:
        source = splits_of(run, dataset).to_look_at(split)
        chosen = _chosen_ends(source, images, from_class, to_class)
        ends = source.sample(2 * rows, seed)[0] if chosen is None else chosen.images
        if chosen is not None:
            pairs = list(zip(chosen.words[::2], chosen.words[1::2], strict=True))
            echo("; ".join(f"from {first} to {last}" for first, last in pairs))
            pairs = list(zip(chosen.names[::2], chosen.names[1::2], strict=True))
            names = [f"{first} to {last}" for first, last in pairs]
    else:
        _check_no_real_images(run, images or from_class or split, dataset)
        ends = model.sample_latents(2 * rows, seed)
    rows = len(ends) // 2
    labels: list[int] = []
    if model.needs_labels and model.has_encoder and label is None:
        echo("each row keeps to the class under which the model finds its first image most likely")
    elif model.needs_labels:
        # One class along the whole row.
        labels = [row % model.num_classes if label is None else label for row in range(rows)]
        names = [run.class_names[number] for number in labels]
        if label is None:
            more = ", ..." if rows > MOST_CLASSES else ""
            words = ", ".join(names[: min(MOST_CLASSES, model.num_classes)])
            echo(f"classes of the rows, from the top: {words}{more}")
    parts = []
    for row in range(rows):
        of_class: dict[str, Any] = {"class_labels": labels[row]} if labels else {}
        first, last = ends[2 * row : 2 * row + 2]
        parts.append(model.interpolate(first, last, steps, **options, **of_class))
    made = np.concatenate(parts)
    scale = readable_scale(made.shape[1])
    grid = image_grid(made, steps, scale=scale)
    save_png(out, rows_named(grid, names, made.shape[1] * scale + 2) if names else grid)
    return out


def _check_ends(
    rows: int | None, images: Any, from_class: str | None, to_class: str | None
) -> None:
    """Check that the ends of interpolations are named in one way, and all of them.

    Raises:
        GenzooError: if not.
    """
    if (from_class is None) != (to_class is None):
        given, missing = ("from", "to") if to_class is None else ("to", "from")
        raise GenzooError(f"--{given} names a class; name the other end, too: --{missing}")
    if images is not None and from_class is not None:
        raise GenzooError("give --images, or --from and --to, not both")
    if rows is not None and (images is not None or from_class is not None):
        raise GenzooError("--rows is of ends chosen at random; leave it out where they are named")
    if images is not None and (not images or len(images) % 2):
        raise GenzooError(f"--images takes two images for each row, such as 0,1, not {len(images)}")
    if from_class is not None and from_class == to_class:
        raise GenzooError(
            f"--from and --to are both {from_class}; name two classes, or two images: --images 0,1"
        )


def _chosen_ends(
    source: "Source", images: Any, from_class: str | None, to_class: str | None
) -> Chosen | None:
    """Return the images that a person has named, None if none are."""
    if images is not None:
        return images_by_number(source, images)
    return (
        first_images_of_classes(source, [from_class, to_class])
        if from_class is not None and to_class is not None
        else None
    )


def _check_no_real_images(run: Run, named: object, dataset: object) -> None:
    """Check that no real images are named for a model that cannot begin at them.

    Raises:
        GenzooError: if they are.
    """
    kind = run.settings.model if run.saved_model is None else "SavedModel"
    if named:
        raise GenzooError(
            f"a {kind} has no encoder, and interpolates between points of the noise; --images, "
            "--from, --to and --split are for models that encode images: choose the points by "
            "--seed"
        )
    if dataset is not None:
        raise GenzooError(f"a {kind} interpolates between points of the noise; leave --dataset out")
