"""Images out of a finished run: samples, reconstructions, interpolations."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_genzoo.classes import MOST_CLASSES, classes_in_words, shown_classes
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.files import new_file, writing
from keras_genzoo.images import image_grid, readable_scale, save_png
from keras_genzoo.models import CGAN, Autoencoder, ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training.build import load_model
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.run import Run

Echo = Callable[[str], None]


def sample(
    path: str | os.PathLike,
    count: int = 64,
    class_label: str | int | None = None,
    *,
    columns: int | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write ``count`` generated images as a PNG grid, or as an ``.npz`` of arrays.

    A conditional model without ``class_label`` makes its classes in turn: in a grid a column for
    each, of more than 20 for evenly spread ones. Its ``.npz`` holds ``images``, ``labels`` (int32
    numbers of classes) and ``class_names`` (the name of each number).

    Args:
        path: the run folder.
        count: number of images.
        class_label: the name of a class, or its number as ``model.generate`` takes it.
        columns: images in a row of the grid.
        seed: key of the noise.
        out: a ``.png`` or ``.npz`` file; by default ``sample.png`` in the run.
        force: replace the file if it exists.
        echo: told which classes the columns are, and when the run is unfinished.

    Raises:
        GenzooError: if the run has no model, the class is unknown, or the file exists.
    """
    run = Run.open(path)
    out = new_file(out or run.path / "sample.png", force, ".png", ".npz")
    model = load_model(run, echo)
    labels = class_number(run, model, class_label)
    if out.suffix.lower() == ".npz":
        arrays = {"images": model.generate(count, class_labels=labels, seed=seed)}
        if isinstance(model, CGAN):
            arrays["labels"] = model.checked_labels(labels, count).astype("int32")
            arrays["class_names"] = np.array(run.class_names)
        with writing(out) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
        return out
    if labels is None and isinstance(model, CGAN):
        classes = shown_classes(model.num_classes)
        labels = np.resize(classes, count)
        columns = columns or len(classes)
        order = "a column for each class" if columns == len(classes) else "classes in turn"
        echo(f"{order}, from the left: {classes_in_words(model.num_classes, run.class_names)}")
    images = model.generate(count, class_labels=labels, seed=seed)
    save_png(out, image_grid(images, columns, scale=readable_scale(images.shape[1])))
    return out


def class_number(run: Run, model: ImageModel, label: str | int | None) -> int | None:
    """Return the number of a class that is given by its name; a number stays what it is.

    Raises:
        GenzooError: if the model knows no classes, or none of that name.
    """
    if not isinstance(model, CGAN):
        model.check_no_labels(label)
    if not isinstance(label, str):
        return label
    names, name = run.class_names, shown(label)
    if name not in names:
        raise unknown("class", name, names)
    return names.index(name)


def reconstruct(
    path: str | os.PathLike,
    count: int = 16,
    split: str | None = None,
    *,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write real images, and below each row its reconstructions, as PNG.

    Args:
        path: the run folder.
        count: number of images.
        split: part of the data; by default the one held out, if there is one.
        dataset: where the run's images lie now, if they have moved.
        seed: key of the choice of images.
        out: a ``.png`` file; by default ``reconstruct.png`` in the run.
        force: replace the file if it exists.
        echo: told when the run is unfinished.

    Raises:
        GenzooError: if the model has no encoder, the data cannot be had or are not those of the
            run, or the file exists.
    """
    run = Run.open(path)
    out = new_file(out or run.path / "reconstruct.png", force, ".png")
    model = load_model(run, echo)
    if not isinstance(model, Autoencoder):
        raise GenzooError(f"{run.settings.model} has no encoder; only ae and vae reconstruct")
    images = real_images(run, count, split, seed, dataset)
    columns = min(count, 16)
    rows = []
    for first in range(0, count, columns):
        row = images[first : first + columns]
        blank = np.full((columns - len(row), *row.shape[1:]), 255, np.uint8)
        rows += [row, blank, model.reconstruct(row), blank]
    grid = image_grid(np.concatenate(rows), columns, scale=readable_scale(images.shape[1]))
    save_png(out, grid)
    return out


def interpolate(
    path: str | os.PathLike,
    rows: int = 8,
    steps: int = 10,
    method: str | None = None,
    class_label: str | int | None = None,
    *,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write walks in latent space as PNG, a row each.

    Autoencoders walk between real images, GANs between points of the noise; a conditional model
    keeps to one class in a row, and takes the classes in turn.

    Args:
        path: the run folder.
        rows: number of walks.
        steps: images in each.
        method: ``linear`` or ``spherical``; by default the model's own.
        class_label: of all rows, as ``sample`` takes it.
        dataset: where the images of an autoencoder's run lie now, if they have moved.
        seed: key of the ends.
        out: a ``.png`` file; by default ``interpolate.png`` in the run.
        force: replace the file if it exists.
        echo: told which classes the rows are, and when the run is unfinished.

    Raises:
        GenzooError: if a number is too small, the method or class is unknown, or the data of an
            autoencoder's run cannot be had or are others.
    """
    if rows < 1 or steps < 2:
        raise GenzooError(f"a walk takes at least 1 row and 2 steps, not {rows} and {steps}")
    run = Run.open(path)
    out = new_file(out or run.path / "interpolate.png", force, ".png")
    model = load_model(run, echo)
    options = {"method": method} if method else {}
    label = class_number(run, model, class_label)
    if isinstance(model, Autoencoder):
        ends = real_images(run, 2 * rows, None, seed, dataset)
    elif dataset is not None:
        raise GenzooError(
            f"a {run.settings.model} interpolates between points of the noise; leave --dataset out"
        )
    else:
        ends = model.sample_latents(2 * rows, seed)
        options["class_labels"] = label
    if isinstance(model, CGAN) and label is None:
        numbers = [row % model.num_classes for row in range(min(rows, MOST_CLASSES))]
        names = [run.class_names[number] for number in numbers]
        more = ", ..." if rows > MOST_CLASSES else ""
        echo(f"classes of the rows, from the top: {', '.join(names)}{more}")
    walks = [
        _walk(model, ends[2 * row], ends[2 * row + 1], steps, row, options) for row in range(rows)
    ]
    images = np.concatenate(walks)
    save_png(out, image_grid(images, steps, scale=readable_scale(images.shape[1])))
    return out


def _walk(model: ImageModel, start, end, steps: int, row: int, options: dict) -> np.ndarray:
    if isinstance(model, CGAN) and options.get("class_labels") is None:
        # The class stays the same along a walk, whatever it is.
        options = options | {"class_labels": row % model.num_classes}
    return model.interpolate(start, end, steps, **options)


def real_images(
    run: Run,
    count: int,
    split: str | None,
    seed: int,
    dataset: str | os.PathLike | None = None,
) -> np.ndarray:
    """Return ``count`` images of the run's data, by default of the part held out.

    Raises:
        GenzooError: if there are not as many, or the data cannot be had.
    """
    source = splits_of(run, dataset).to_look_at(split)
    images, _ = source.sample(count, seed)
    return images
