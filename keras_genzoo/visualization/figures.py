"""The figures of a run: samples, reconstructions, latent maps, training curves, an animation.

Docstrings name the figures of the thesis that these reproduce, such as figure 4.4 of chapter 4.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.data import Source, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.conditional import classes_to_make
from keras_genzoo.evaluation.options import Options
from keras_genzoo.evaluation.sampling_quality import quality_by_calls
from keras_genzoo.files import new_folder, write_json, writing_folder
from keras_genzoo.models import ImageModel
from keras_genzoo.models.capabilities import capable_models
from keras_genzoo.training import Run, load_model
from keras_genzoo.training.build import adversarial_loss, load_weights
from keras_genzoo.training.chosen import images_by_number
from keras_genzoo.training.contents import FIGURES
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization.animation import training_animation
from keras_genzoo.visualization.codes import codebook_figure
from keras_genzoo.visualization.curves import training_curves
from keras_genzoo.visualization.latent import (
    codes_in_2d,
    latent_manifold,
    latent_map,
    why_no_manifold,
    why_no_map,
)
from keras_genzoo.visualization.sampling import path_rows, quality_curves
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
    sweep: Sequence[int] | None = None,
    count: int | None = None,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> list[Path]:
    """Draw all figures of a run into a folder, each as PNG and SVG; all of them or none.

    ``figures.json`` beside them records the weights that they were drawn with.

    Args:
        path: the run folder.
        out: the folder of the figures; by default ``figures`` in the run.
        sweep: of a model with a solver: also measure the FID with these numbers of solver steps,
            of every solver, and draw it against network calls; ``figures.json`` has the numbers.
        count: images of each kind that FID is measured of; by default as ``genzoo evaluate``.
        dataset: where the run's images lie now, if they have moved.
        seed: random seed of the noise and of the choice of real images.
        force: replace a folder of figures; a folder with other files is never replaced.
        echo: called with a line if the run is unfinished, and for each figure of the latent space
            that cannot be drawn.

    Raises:
        GenzooError: if the run has no model, the data cannot be opened, or the folder is not empty.
    """
    run = Run.open(path)
    out = new_folder(out or run.path / "figures", force, *FIGURES)
    model, weights = load_weights(run, echo)
    splits = splits_of(run, dataset)
    files: list[Path] = []
    quality = None
    if sweep is not None:
        options = Options(["fid"], count=count, seed=seed, dataset=dataset)
        quality = quality_by_calls(path, sweep, options=options, echo=echo)
    elif count is not None:
        raise GenzooError("-n is the number of images that --sweep measures; give both or neither")
    with writing_folder(out, replace=force) as folder:
        for name, figure in _figures(run, model, splits, seed, echo):
            files += save_figure(figure, folder / name)
        if quality is not None:
            figure = quality_curves(quality["points"], _quality_in_words(quality["protocol"]))
            head(figure, figure_title(run, model))
            files += save_figure(figure, folder / "quality")
        if run.sample_grids():
            files.append(training_animation(run.sample_grids(), folder / "training.gif"))
        facts = {
            "run": str(run.path),
            "weights": weights,
            "weights_digest": weights_digest(model),
            "step": int(model.step),
            "seed": seed,
            **({} if quality is None else {"quality": quality}),
        }
        write_json(folder / "figures.json", facts)
        files.append(folder / "figures.json")
        # Check again: files may have been added since the first check.
        new_folder(out, force, *FIGURES)
    return [out / file.name for file in files]


def _figures(
    run: Run, model: ImageModel, splits: Splits, seed: int, echo: Echo
) -> Iterator[tuple[str, "Figure"]]:
    """Yield (name, figure) one by one, so that only one figure is in memory."""
    history = run.read_history()
    if history:
        loss = adversarial_loss(run.settings)
        curves = training_curves(history, None if loss is None else loss.optimum)
        head(curves, run.subject)
        yield "curves", curves
    title = figure_title(run, model)
    for name, figure in _model_figures(run, model, splits, seed, echo):
        head(figure, title)
        yield name, figure


def _model_figures(
    run: Run, model: ImageModel, splits: Splits, seed: int, echo: Echo
) -> Iterator[tuple[str, "Figure"]]:
    """Yield the figures that depend on the weights of the model."""
    source = splits.to_look_at()
    real, labels = source.sample(min(64, source.num_images), seed)
    classes = None
    if model.needs_labels:
        classes, _ = classes_to_make(labels, splits, 64, seed)
    if reason := model.why_no_samples():
        echo(f"no real_and_generated: {reason}")
    else:
        generated = model.generate(64, class_labels=classes, seed=seed)
        yield "real_and_generated", side_by_side(real, generated)
    if model.needs_labels:
        yield "classes", class_rows(model, run.class_names, seed)
    if model.has_solver:
        figure = path_rows(model, seed)
        foot(figure, model.sampling_in_words())
        yield "path", figure
    if model.has_encoder:
        first = images_by_number(source, range(min(10, source.num_images)))
        figure = reconstructions_and_interpolation(model, first.images)
        foot(figure, f"real: the first {len(first.images)} images of {_split_in_words(source)}")
        # The file keeps its first name: scripts and old runs refer to it.
        yield "reconstructions_and_walk", figure
        yield from _latent_figures(model, source, seed, echo)
    if not model.codes_are_latents:
        images, _ = source.sample(min(MAP_IMAGES, source.num_images), seed)
        figure = codebook_figure(model, images)
        foot(figure, f"{len(images):,} images of {_split_in_words(source)}")
        yield "codes", figure


def _latent_figures(
    model: ImageModel, source: Source, seed: int, echo: Echo
) -> Iterator[tuple[str, "Figure"]]:
    """Yield the figures of the latent space; say which cannot be drawn, and why."""
    if reason := why_no_map(model, source.num_images):
        echo(f"no latent_map: {reason}")
        return
    images, labels = source.sample(min(MAP_IMAGES, source.num_images), seed)
    words = f"codes of {len(images):,} images of {_split_in_words(source)}"
    codes = codes_in_2d(model, images, labels if source.num_classes else None, words)
    yield "latent_map", latent_map([codes], source.class_names)
    if reason := why_no_manifold(model):
        echo(f"no latent_manifold: {reason}")
    else:
        yield "latent_manifold", latent_manifold(model, codes.points)


def _quality_in_words(protocol: dict) -> str:
    return (
        f"{protocol['num_fake']:,} images each, of the same noise, against "
        f"{protocol['num_real']:,} of {protocol['real']}; "
        f"features {protocol['features']['name']}"
    )


def figure_title(run: Run, model: ImageModel) -> str:
    """Return the title of a figure: the model, its data, and the step of its weights."""
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
    model: ImageModel, class_names: Sequence[str], seed: int = 0, columns: int = 5
) -> "Figure":
    """Draw a row of images for each class (thesis, figure 7.2).

    If there are more than 20 classes, 20 evenly spread ones are drawn.

    Args:
        model: a model that needs labels.
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
    tall, _ = show_grid(axes, images, columns)
    axes.set_axis_on()
    rows = (np.arange(len(classes)) + 0.5) * tall
    names = [class_names[number] for number in classes]
    axes.set_yticks(rows / len(classes), names, parse_math=False)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    part = "" if len(classes) == model.num_classes else f", {len(classes)} of {model.num_classes:,}"
    axes.set_ylabel(f"class asked for{part}")
    return figure


def reconstructions_and_interpolation(model: ImageModel, images: np.ndarray) -> "Figure":
    """Draw real images, their reconstructions, and an interpolation (thesis, figure 4.4).

    The interpolation goes from the first image to the second; with one image there is none.

    Args:
        model: a model with an encoder.
        images: uint8 ``(n, height, width, channels)``.
    """
    names, parts = ["real", "reconstruction"], [images, model.reconstruct(images)]
    if len(images) > 1:
        names.append("interpolation,\n1st to 2nd")
        parts.append(model.interpolate(images[0], images[1], steps=len(images)))
    rows = np.concatenate(parts)
    width, height = grid_size(rows, len(images))
    figure = new_figure(width + 1.4, height + 0.8)
    axes = figure.subplots()
    tall, _ = show_grid(axes, rows, len(images))
    axes.set_axis_on()
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
    """Draw the codes of the same images in one or several runs, side by side on equal axes.

    With an autoencoder and a VAE these are figures 3.2 and 4.2 of the thesis.

    Args:
        paths: the run folders.
        count: number of images at most.
        split: part of the data; by default the held-out one, if there is one.
        dataset: where the images of the runs lie now, if they have moved.
        seed: random seed of the choice of images.
        out: where to write, without suffix.
        echo: called with a line for each unfinished run.

    Raises:
        GenzooError: if a model has no encoder or its codes cannot be drawn, or the runs have
            different data.
    """
    panels, names = [], None
    first: tuple[np.ndarray, np.ndarray] | None = None
    for path in paths:
        run = Run.open(path)
        model = load_model(run, echo)
        if not model.has_encoder:
            raise GenzooError(
                f"{run.settings.model} has no encoder; a latent map takes a model that has one, "
                f"{capable_models('has_encoder')}"
            )
        source = splits_of(run, dataset).to_look_at(split)
        images, labels = source.sample(min(count, source.num_images), seed)
        if first is not None and not np.array_equal(first[0], images):
            raise GenzooError(f"{path} and {paths[0]} were trained on other data; draw them apart")
        first, names = (images, labels), source.class_names
        title = figure_title(run, model)
        words = f"codes of {len(images):,} images of {_split_in_words(source)}"
        panels.append(codes_in_2d(model, images, labels if source.num_classes else None, title))
    figure = latent_map(panels, names)
    head(figure, words)
    return save_figure(figure, out)
