"""Pictures out of a finished run: samples, reconstructions, walks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import new_file, writing
from keras_genzoo.images import image_grid, readable_scale, save_png
from keras_genzoo.models import CGAN, Autoencoder, ImageModel
from keras_genzoo.training.build import load_model
from keras_genzoo.training.preparing import open_splits
from keras_genzoo.training.run import Run

Echo = Callable[[str], None]


def sample(
    path: Path,
    count: int = 64,
    class_label: int | None = None,
    *,
    columns: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write ``count`` generated images as a PNG grid, or as an ``.npz`` of arrays.

    A conditional model without ``class_label`` makes a column for each class, in turn.

    Raises:
        GenzooError: if the run has no model, the class is unknown, or the file exists.
    """
    run = Run.open(path)
    out = new_file(out or run.path / "sample.png", force, ".png", ".npz")
    model = load_model(run, echo)
    images = model.generate(count, class_labels=class_label, seed=seed)
    if out.suffix.lower() == ".npz":
        arrays = {"images": images}
        if isinstance(model, CGAN):
            arrays["labels"] = model.checked_labels(class_label, count).astype("int32")
        with writing(out) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)
    else:
        if columns is None and isinstance(model, CGAN) and class_label is None:
            columns = model.num_classes
        save_png(out, image_grid(images, columns, scale=readable_scale(images.shape[1])))
    return out


def reconstruct(
    path: Path,
    count: int = 16,
    split: str | None = None,
    *,
    seed: int = 0,
    out: Path | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write real images, and below each row its reconstructions, as PNG.

    Raises:
        GenzooError: if the model has no encoder, or the data cannot be had.
    """
    run = Run.open(path)
    out = new_file(out or run.path / "reconstruct.png", force, ".png")
    model = load_model(run, echo)
    if not isinstance(model, Autoencoder):
        raise GenzooError(f"{run.settings.model} has no encoder; only ae and vae reconstruct")
    images = real_images(run, count, split, seed)
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
    path: Path,
    rows: int = 8,
    steps: int = 10,
    method: str | None = None,
    class_label: int | None = None,
    *,
    seed: int = 0,
    out: Path | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> Path:
    """Write walks in latent space as PNG, a row each.

    Autoencoders walk between real images, GANs between points of the noise.

    Raises:
        GenzooError: if a number is too small, or the method or class is unknown.
    """
    if rows < 1 or steps < 2:
        raise GenzooError(f"a walk takes at least 1 row and 2 steps, not {rows} and {steps}")
    run = Run.open(path)
    out = new_file(out or run.path / "interpolate.png", force, ".png")
    model = load_model(run, echo)
    options = {"method": method} if method else {}
    if isinstance(model, Autoencoder):
        model.check_no_labels(class_label)
        ends = real_images(run, 2 * rows, None, seed)
    else:
        ends = model.sample_latents(2 * rows, seed)
        options["class_labels"] = class_label
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


def real_images(run: Run, count: int, split: str | None, seed: int) -> np.ndarray:
    """Return ``count`` images of the run's data, by default of the part held out.

    Raises:
        GenzooError: if there are not as many, or the data cannot be had.
    """
    source = open_splits(run.settings).to_look_at(split)
    images, _ = source.sample(count, seed)
    return images
