"""All figures that a run can show: those of the thesis for its model, curves, an animation."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.data import Source, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.conditional import classes_to_make
from keras_genzoo.files import new_folder, write_json, writing_folder
from keras_genzoo.models import CGAN, Autoencoder, ImageModel
from keras_genzoo.training import Run, load_model
from keras_genzoo.training.build import adversarial_loss, load_weights
from keras_genzoo.training.chosen import by_number
from keras_genzoo.training.contents import FIGURES
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization.animation import training_film
from keras_genzoo.visualization.curves import training_curves
from keras_genzoo.visualization.latent import codes_of, latent_manifold, latent_map
from keras_genzoo.visualization.style import (
    foot,
    grid_size,
    head,
    new_figure,
    save_figure,
    show_grid,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Echo = Callable[[str], None]
MAP_IMAGES = 10_000


def draw_figures(
    path: str | os.PathLike,
    out: str | os.PathLike | None = None,
    *,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> list[Path]:
    """Draw all figures of a run into a folder, each as PNG and SVG; all of them or none.

    ``figures.json`` beside them says which weights they are of.

    Args:
        path: the run folder.
        out: the folder of the figures; by default ``figures`` in the run.
        dataset: where the run's images lie now, if they have moved.
        seed: random seed of the noise and of the choice of real images.
        force: replace a folder of figures; one that holds anything else stays as it is.
        echo: told what is drawn from an unfinished run.

    Raises:
        GenzooError: if the run has no model, the data cannot be had, or the folder is not empty.
    """
    run = Run.open(path)
    out = new_folder(out or run.path / "figures", force, *FIGURES)
    model, weights = load_weights(run, echo)
    splits = splits_of(run, dataset)
    files: list[Path] = []
    with writing_folder(out, replace=force) as folder:
        for name, figure in _figures(run, model, splits, seed):
            files += save_figure(figure, folder / name)
        if run.pictures():
            files.append(training_film(run.pictures(), folder / "training.gif"))
        facts = {
            "run": str(run.path),
            "weights": weights,
            "weights_digest": weights_digest(model),
            "step": int(model.step),
            "seed": seed,
        }
        write_json(folder / "figures.json", facts)
        files.append(folder / "figures.json")
        # Once more: a person may have put something there meanwhile.
        new_folder(out, force, *FIGURES)
    return [out / file.name for file in files]


def _figures(run: Run, model: ImageModel, splits: Splits, seed: int):
    """Give (name, figure) one after the other: few are in memory at a time."""
    history = run.read_history()
    if history:
        loss = adversarial_loss(run.settings)
        curves = training_curves(history, loss and loss.optimum)
        head(curves, run.subject)
        yield "curves", curves
    title = title_of(run, model)
    for name, figure in _figures_of_weights(run, model, splits, seed):
        head(figure, title)
        yield name, figure


def _figures_of_weights(run: Run, model: ImageModel, splits: Splits, seed: int):
    """Give the figures that other weights would change."""
    source = splits.to_look_at()
    real, labels = source.sample(min(64, source.num_images), seed)
    classes = None
    if model.needs_labels:
        classes, _ = classes_to_make(labels, splits, 64, seed)
    generated = model.generate(64, class_labels=classes, seed=seed)
    yield "real_and_generated", side_by_side(real, generated)
    if model.needs_labels:
        yield "classes", class_rows(model, run.class_names, seed)
    if model.has_encoder:
        first = by_number(source, range(min(10, source.num_images)))
        figure = reconstructions_and_walk(model, first.images)
        foot(figure, f"real: the first {len(first.images)} images of {_split_in_words(source)}")
        yield "reconstructions_and_walk", figure
        if model.latent_dim >= 2 and (model.latent_dim == 2 or source.num_images > 1):
            images, labels = source.sample(min(MAP_IMAGES, source.num_images), seed)
            labels = labels if source.num_classes else None
            words = f"codes of {len(images):,} images of {_split_in_words(source)}"
            codes = codes_of(model, images, labels, words)
            yield "latent_map", latent_map([codes], source.class_names)
            if model.latent_dim == 2:
                yield "latent_manifold", latent_manifold(model, codes.points)


def title_of(run: Run, model: ImageModel) -> str:
    """Return what stands above a figure: the model, its data, and the step of its weights."""
    return f"{run.subject}, step {int(model.step):,}"


def _split_in_words(source: Source) -> str:
    return f"{source.name}, split {source.split}"


def side_by_side(real: np.ndarray, generated: np.ndarray) -> "Figure":
    """Draw real images beside generated ones (thesis, figures 6.1 and 8.1; 4.3 at the right)."""
    width, height = grid_size(real)
    figure = new_figure(2 * width + 0.5, height + 0.4)
    left, right = figure.subplots(1, 2)
    show_grid(left, real, title="real")
    show_grid(right, generated, title="generated")
    return figure


def class_rows(
    model: CGAN, class_names: Sequence[str], seed: int = 0, columns: int = 5
) -> "Figure":
    """Draw a row of images for each class (thesis, figure 7.2).

    Of more than 20 classes, evenly spread ones are drawn.

    Args:
        model: the model.
        class_names: names of its classes.
        seed: random seed of the noise.
        columns: images in a row.
    """
    classes = shown_classes(model.num_classes)
    labels = np.repeat(classes, columns)
    images = model.generate(len(labels), class_labels=labels, seed=seed)
    width, height = grid_size(images, columns)
    figure = new_figure(width + 0.4, height + 0.4)
    axes = figure.subplots()
    show_grid(axes, images, columns)
    axes.set_axis_on()
    rows = (np.arange(len(classes)) + 0.5) * axes.get_images()[0].get_array().shape[0]
    names = [class_names[number] for number in classes]
    axes.set_yticks(rows / len(classes), names, parse_math=False)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    part = "" if len(classes) == model.num_classes else f", {len(classes)} of {model.num_classes:,}"
    axes.set_ylabel(f"class asked for{part}")
    return figure


def reconstructions_and_walk(model: Autoencoder, images: np.ndarray) -> "Figure":
    """Draw real images, their reconstructions, and the interpolation from the first to the second.

    The thesis' figure 4.4. Of one image there is no interpolation.
    """
    names, parts = ["real", "reconstruction"], [images, model.reconstruct(images)]
    if len(images) > 1:
        names.append("interpolation,\n1st to 2nd")
        parts.append(model.interpolate(images[0], images[1], steps=len(images)))
    rows = np.concatenate(parts)
    width, height = grid_size(rows, len(images))
    figure = new_figure(width + 1.4, height + 0.8)
    axes = figure.subplots()
    show_grid(axes, rows, len(images))
    axes.set_axis_on()
    tall = axes.get_images()[0].get_array().shape[0]
    axes.set_yticks((np.arange(len(names)) + 0.5) * tall / len(names), names)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def draw_latent_map(
    paths: Sequence[str | os.PathLike],
    count: int = MAP_IMAGES,
    split: str | None = None,
    *,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    out: str | os.PathLike,
    echo: Echo = lambda line: None,
) -> list[Path]:
    """Draw the codes of the same images under one or several runs, with the same axes.

    The thesis' figures 3.2 and 4.2, side by side.

    Raises:
        GenzooError: if a run has no encoder, or their data differ.
    """
    panels, names = [], None
    first: tuple[np.ndarray, np.ndarray] | None = None
    for path in paths:
        run = Run.open(path)
        model = load_model(run, echo)
        if not model.has_encoder:
            raise GenzooError(
                f"{run.settings.model} has no encoder; only ae and vae have a latent map"
            )
        source = splits_of(run, dataset).to_look_at(split)
        images, labels = source.sample(min(count, source.num_images), seed)
        if first is not None and not np.array_equal(first[0], images):
            raise GenzooError(f"{path} and {paths[0]} were trained on other data; draw them apart")
        first, names = (images, labels), source.class_names
        title = title_of(run, model)
        words = f"codes of {len(images):,} images of {_split_in_words(source)}"
        panels.append(codes_of(model, images, labels if source.num_classes else None, title))
    figure = latent_map(panels, names)
    head(figure, words)
    return save_figure(figure, out)
