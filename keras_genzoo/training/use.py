"""Images out of a finished run: samples and reconstructions."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_genzoo.classes import classes_in_words, shown_classes
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.files import new_file, next_free
from keras_genzoo.images import GAP, check_grid, image_grid, readable_scale, save_png
from keras_genzoo.models.capabilities import capable_models
from keras_genzoo.text import shown
from keras_genzoo.training.build import Generator, load_generator, load_model
from keras_genzoo.training.chosen import images_by_number
from keras_genzoo.training.named_grid import columns_named, images_named, rows_named
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.run import Run
from keras_genzoo.training.sampling import generated, write_arrays

Echo = Callable[[str], None]
SAMPLES, RECONSTRUCTIONS = 64, 16


def sample(
    path: str | os.PathLike,
    count: int | None = None,
    class_label: str | int | None = None,
    *,
    columns: int | None = None,
    solver: str | None = None,
    solver_steps: int | None = None,
    guidance: float | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write generated images as a PNG grid, or as an ``.npz`` of arrays.

    A conditional model without ``class_label`` makes its classes in turn: in a grid a column for
    each, of more than 20 for evenly spread ones, all of one length: where ``count`` would leave the
    last row ragged, it is filled up. The names of the classes stand in the grid. Its ``.npz`` holds
    ``images``, ``labels`` (int32 numbers of classes) and ``class_names`` (the name of each number).
    Its images are written as they are made: any number of them takes the memory of one batch.

    Args:
        path: the run folder, or the folder of an exported SavedModel.
        count: number of images; by default 64, or as many more as make the last row whole.
        class_label: the name of a class, or its number as ``model.generate`` takes it.
        columns: images in a row of the grid.
        solver: of a model with a solver, another one than the run's.
        solver_steps: of such a model, another number of steps.
        guidance: of such a model with classes, another strength of guidance.
        seed: random seed of the noise.
        out: a ``.png`` or ``.npz`` file; by default ``sample.png`` in the run, or the next free
            one of ``sample-2.png``, ``sample-3.png``, ...
        force: replace the file if it exists.
        echo: called with lines that say which classes the columns are, of images more than asked
            for, and when the run is unfinished.

    Raises:
        GenzooError: if the run has no model, the class is unknown, the model has no such option of
            a solver, ``out`` exists, or a grid would have more pixels than readers of PNG take.
    """
    run = Run.open(path, generates=True)
    out = new_picture_file(run, "sample.png", out, force, ".png", ".npz")
    model, _ = load_generator(run, echo)
    model.set_sampling(solver=solver, solver_steps=solver_steps, guidance=guidance)
    label = class_number(run, model, class_label)
    if out.suffix.lower() == ".npz":
        count = SAMPLES if count is None else count
        others = {}
        if model.needs_labels:
            others["labels"] = model.checked_labels(label, count)
            others["class_names"] = np.array(run.class_names)
        batches = generated(model, count, label, seed, echo)
        write_arrays(out, batches, (count, *model.image_shape), **others)
        return out
    save_png(out, _sample_grid(run, model, count, label, columns, seed, echo))
    return out


def _sample_grid(
    run: Run,
    model: Generator,
    count: int | None,
    label: int | None,
    columns: int | None,
    seed: int,
    echo: Echo,
) -> np.ndarray:
    """Return a grid of generated images; a conditional model's has the names of the classes."""
    in_turn = model.needs_labels and label is None
    classes = shown_classes(model.num_classes) if in_turn else []
    columns = columns or (len(classes) or None)
    asked, count = count, SAMPLES if count is None else count
    if count > 0 and columns and (asked is None or columns == len(classes)):
        # Fill the last row: as many images of each class.
        count += -count % columns
        if asked not in (None, count):
            echo(f"{count} images, not {asked}: as many of each class")
    labels = np.resize(classes, max(0, count)).tolist() if in_turn else []
    height, width, _ = model.image_shape
    scale = readable_scale(height)
    check_grid(count, (height * scale + GAP, width * scale + GAP))
    batches = generated(model, count, labels if in_turn else label, seed, echo)
    images = np.concatenate(list(batches))
    grid = image_grid(images, columns, scale=scale)
    if in_turn:
        order = "a column for each class" if columns == len(classes) else "classes in turn"
        echo(f"{order}, from the left: {classes_in_words(model.num_classes, run.class_names)}")
        if columns != len(classes):
            return images_named(images, [run.class_names[i] for i in labels], columns, scale)
        names = [run.class_names[i] for i in classes]
        return columns_named(grid, names, images.shape[2] * scale + 2)
    if model.needs_labels and label is not None:
        return rows_named(grid, [run.class_names[label]], images.shape[1] * scale + 2)
    return grid


def class_number(run: Run, model: Generator, label: str | int | None) -> int | None:
    """Return the number of a class that is given by its name; a number stays what it is.

    Raises:
        GenzooError: if the model knows no classes, or none of that name.
    """
    if not model.needs_labels:
        model.check_no_labels(label)
    if not isinstance(label, str):
        return label
    names, name = run.class_names, shown(label)
    if name not in names:
        raise unknown("class", name, names)
    return names.index(name)


def reconstruct(
    path: str | os.PathLike,
    count: int | None = None,
    split: str | None = None,
    *,
    images: Sequence[int] | None = None,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write real images, and below each row its reconstructions, as PNG.

    Args:
        path: the run folder.
        count: number of images, chosen at random; by default 16.
        split: part of the data; by default the one held out, if there is one.
        images: the numbers of the images instead, from 0, in the order in which the data set was
            published.
        dataset: where the run's images lie now, if they have moved.
        seed: random seed of the choice of images.
        out: a ``.png`` file; by default ``reconstruct.png`` in the run, or the next free one of
            ``reconstruct-2.png``, ...
        force: replace the file if it exists.
        echo: called with lines that say which images were chosen by their numbers, and when the run
            is unfinished.

    Raises:
        GenzooError: if the model has no encoder, the data cannot be had or are not those of the
            run, or ``out`` exists.
    """
    if count is not None and images is not None:
        raise GenzooError("give the number of images (-n) or the images (--images), not both")
    run = Run.open(path)
    out = new_picture_file(run, "reconstruct.png", out, force, ".png")
    model = load_model(run, echo)
    if not model.has_encoder:
        capable = capable_models("has_encoder")
        raise GenzooError(
            f"{run.settings.model} has no encoder; reconstruct takes a model with one, {capable}"
        )
    source = splits_of(run, dataset).to_look_at(split)
    if images is None:
        real, labels = source.sample(RECONSTRUCTIONS if count is None else count, seed)
    else:
        chosen = images_by_number(source, images)
        echo(f"from the left: {'; '.join(chosen.words)}")
        real, labels = chosen.images, chosen.labels
    of_classes = model.needs_labels and labels.min(initial=0) >= 0
    if model.needs_labels and not of_classes:
        echo("each image takes the class under which the model finds it most likely")
    columns = min(len(real), RECONSTRUCTIONS)
    rows = []
    for first in range(0, len(real), columns):
        row = real[first : first + columns]
        blank = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
        of_row = {"class_labels": labels[first : first + columns]} if of_classes else {}
        rows += [row, blank, model.reconstruct(row, **of_row), blank]
    grid = image_grid(np.concatenate(rows), columns, scale=readable_scale(real.shape[1]))
    save_png(out, grid)
    return out


def new_picture_file(
    run: Run, name: str, out: str | os.PathLike | None, force: bool, *suffixes: str
) -> Path:
    """Return where to write: ``out``, or the first free name in the run.

    Raises:
        GenzooError: as ``new_file``.
    """
    if out is None and not force:
        return next_free(run.path / name)
    return new_file(out or run.path / name, force, *suffixes)
