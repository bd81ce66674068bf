"""Opens the data and builds the model of a run, and checks both before the first step.

Nothing here writes files, so that an error leaves nothing behind.
"""

import dataclasses
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_genzoo.data import (
    DATASETS,
    Source,
    Splits,
    is_to_prepare,
    open_source,
    training_stream,
)
from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit
from keras_genzoo.models import ImageModel
from keras_genzoo.models.checking import packs_text
from keras_genzoo.text import shown
from keras_genzoo.training.build import build_model
from keras_genzoo.training.contents import DATA
from keras_genzoo.training.declared import PACE, PLACE
from keras_genzoo.training.held_out import HeldOutImages, open_held_out
from keras_genzoo.training.precision import choose_precision
from keras_genzoo.training.run import Run, resolved_by_data
from keras_genzoo.training.sample_grids import NUM_REAL_IMAGES
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.strategy import check_batch_size, choose_jit_compile


@dataclasses.dataclass(frozen=True)
class Prepared:
    """What training starts from.

    Args:
        settings: the settings, with absolute paths, with epochs converted to steps, and with the
            type to compute in.
        source: the open data.
        model: the compiled model.
        images: real images for the sample grids.
        resolved: the values of settings that were left to the data and this machine, as in ``Run``.
        held_out: images for the held-out losses, None without such losses.
    """

    settings: Settings
    source: Source
    model: ImageModel
    images: np.ndarray
    resolved: dict[str, Any]
    held_out: HeldOutImages | None = None

    @property
    def data(self) -> dict[str, Any]:
        """What ``config.json`` records about the data."""
        return _description(self.source)


def prepare(
    settings: Settings,
    strategy: tf.distribute.Strategy,
    epochs: int | None = None,
    resumed_run: Run | None = None,
    download: bool = True,
    echo: Callable[[str], None] = lambda line: None,
) -> Prepared:
    """Open the data, and build the model.

    Args:
        settings: the settings.
        strategy: the devices.
        epochs: passes over the data, in place of the settings' steps.
        resumed_run: the run that is resumed; its data must be unchanged.
        download: whether missing data may be downloaded and prepared.
        echo: called with lines that say what is being done, and why there are no held-out losses.

    Raises:
        GenzooError: if the data cannot be opened, are other data than those of the resumed run, or
            do not fit the model.
    """
    settings = _with_absolute_paths(settings)
    if resumed_run is not None:
        _check_still_there(settings)
    places = settings.data_dir, settings.manual_dir
    first = download and is_to_prepare(settings.dataset, *places)
    note = ": fetched and converted first, once; this takes minutes" if first else ""
    echo(shown(f"opening {settings.dataset}, split {settings.split}{note}"))
    source = open_data(settings, download=download)
    if resumed_run is not None:
        moved = settings.dataset != resumed_run.settings.dataset
        check_same_data(resumed_run, source, settings.dataset if moved else None)
    check_batch_size(settings.batch_size, strategy)
    # Called for its check alone: it refuses a batch that is larger than the data.
    training_stream(source, settings.batch_size)
    refuse_what_does_not_fit(
        # Float32 images, once as the model's input and once as its output.
        2 * 4 * settings.batch_size * math.prod(source.image_shape),
        f"a batch of {settings.batch_size} images",
        "take a smaller batch or image size",
    )
    if epochs is not None:
        steps_per_epoch = source.num_images // settings.batch_size
        settings = settings.replace(steps=epochs * steps_per_epoch)
    if settings.mixed_precision == "auto":
        settings, words = choose_precision(settings, strategy, source)
        echo(words)
    if resumed_run is None:
        jit_compile = choose_jit_compile(settings, strategy, source.image_shape)
    else:
        jit_compile = resumed_run.jit_compile
    with strategy.scope():
        shape, words = source.image_shape, source.labels_in_words
        model = build_model(settings, shape, source.num_classes, words)
    _check_together(model, source, settings.batch_size)
    for line in model.remarks():
        echo(line)
    # A run may be resumed on several devices, where steps are not compiled by XLA.
    model.jit_compile = jit_compile and model.num_replicas == 1
    positions = np.linspace(0, source.num_images - 1, NUM_REAL_IMAGES).astype(int)
    images, _ = source.fetch(positions)
    # --strict reads every image in advance; only the images that are trained on need that.
    splits = open_splits(settings.replace(strict=False))
    recorded = resumed_run.held_out if resumed_run is not None else None
    held_out = open_held_out(model, splits, settings.split, recorded, echo)
    resolved = {"jit_compile": jit_compile, **resolved_by_data(source.image_shape)}
    return Prepared(settings, source, model, images, resolved, held_out)


def _check_together(model: ImageModel, source: Source, batch_size: int) -> None:
    """Check that the images suffice for what the model does with a batch and with classes.

    Raises:
        GenzooError: if a batch leaves images over of those that are looked at together, or there
            are more classes than images.
    """
    images = batch_size // model.num_replicas
    if images % model.packing:
        raise GenzooError(packs_text(images, model.packing))
    model.check_batch_size(batch_size)
    classes = source.num_classes or 0
    if model.needs_labels and classes > source.num_images:
        raise GenzooError(
            f"{source.num_images:,} images cannot show {classes:,} classes, and a class "
            "without an image cannot be learnt; give more images, or fewer classes"
        )


def open_data(settings: Settings, split: str | None = None, download: bool = True) -> Source:
    """Open the data set that ``settings`` name, or another split of it."""
    return open_source(
        settings.dataset,
        split or settings.split,
        image_size=settings.image_size,
        channels=settings.channels,
        labels=settings.labels,
        data_dir=settings.data_dir,
        manual_dir=settings.manual_dir,
        strict=settings.strict,
        download=download,
    )


def open_splits(settings: Settings) -> Splits:
    """Return the splits of the data set in ``settings``; ``train`` is the split trained on.

    If the settings name ``data_dir``, nothing is downloaded into it: the settings may come from
    another person's run.
    """
    download = settings.data_dir is None

    def open_split(split: str) -> Source:
        _check_still_there(settings)
        return open_data(settings, None if split == "train" else split, download)

    return Splits(open_split)


def splits_of(run: Run, dataset: str | os.PathLike | None = None) -> Splits:
    """Return the splits of a run's data; ``train`` is the split that the run was trained on.

    Args:
        run: the run.
        dataset: where the images lie now, if they have moved.

    Raises:
        GenzooError: if ``dataset`` does not hold the run's images.
    """
    if dataset is None:
        return open_splits(run.settings)
    splits = open_splits(moved_settings(run, dataset))
    check_same_data(run, splits.train, dataset)
    return splits


def moved_settings(run: Run, dataset: str | os.PathLike) -> Settings:
    """Return the settings of a run whose images lie elsewhere now.

    Raises:
        GenzooError: if nothing lies there, or the run was trained on a named data set, which has no
            path.
    """
    settings, place = run.settings, Path(dataset).expanduser()
    if os.fspath(dataset) == settings.dataset:
        return settings
    if not _is_place(settings):
        raise GenzooError(
            f"{run.path} was trained with dataset {settings.dataset}, not {dataset}; only a folder "
            "or file can move: leave --dataset out, or start a new run"
        )
    if not place.exists():
        raise GenzooError(
            f"there is no folder or file {dataset}; name the place where the images of {run.path} "
            "lie now"
        )
    return settings.replace(dataset=str(place.absolute()))


def resumed_settings(run: Run, overrides: dict[str, Any], stage: str | None = None) -> Settings:
    """Return the settings of a run with the overrides of a resumed one.

    A resumed run may change how long it trains, how often it draws, and where its data lie; one
    that repeats a stage, also how that is trained.

    Raises:
        GenzooError: if an override would change the weights that the run arrives at.
    """
    settings = run.settings.replace(**overrides)
    # An override may name a value that was left to the data or the machine, if it is the same.
    began = Settings.from_dict(run.values)
    if "dataset" in overrides:
        moved = moved_settings(run, settings.dataset)
        settings = settings.replace(dataset=moved.dataset)
    for name in overrides.keys() - {"dataset"}:
        role = settings.setting(name).role
        before, now = getattr(began, name), getattr(settings, name)
        of_stage = stage is not None and name.startswith(f"{stage}_") and role == "training"
        if role not in (PLACE, PACE) and now != before and not of_stage:
            raise GenzooError(
                f"{run.path} was trained with {name} {before}, not {now}; a resumed run keeps it: "
                "leave the option out, or start a new run"
            )
    if stage is not None:
        settings.stage_named(stage)
    asked = {name: getattr(run.settings, name) for name in run.decided}
    return settings.replace(**asked)


def check_same_data(run: Run, source: Source, moved_to: str | os.PathLike | None = None) -> None:
    """Check that the data are those that the run began with.

    Args:
        run: the run.
        source: the data to train on now.
        moved_to: where the data lie now, if they have moved.

    Raises:
        GenzooError: if they differ.
    """
    before, after = (_comparable(data, run) for data in (run.data, _description(source)))
    for name, now in after.items():
        if before[name] == now:
            continue
        remedy = "put the old data back, or start a new run"
        same_images = before["fingerprint"] == after["fingerprint"]
        if same_images and source.labels_are_folders:
            remedy = (
                f"the images are the same, but now count as {source.labels_in_words}; give "
                "--labels folders to go on as the run began"
            )
        elif same_images and name in ("num_classes", "class_names"):
            remedy = (
                "the images and labels are the same, but an earlier version counted the classes "
                "differently; start a new run"
            )
        if moved_to is not None and not same_images:
            raise GenzooError(
                f"{moved_to} holds other data than {run.path} began with: {name} was "
                f"{before[name]}, here it is {now}; name the place where its images lie now"
            )
        raise GenzooError(
            f"the data of {run.path} has changed: {name} was {before[name]}, now {now}; {remedy}"
        )


def _comparable(data: dict[str, Any], run: Run) -> dict[str, Any]:
    """Return the record of a run's data, without classes that have no effect on training.

    These are a single class, and all classes if the model takes no labels. Earlier versions counted
    them differently, which must not stop a run from being resumed.
    """
    unused = data["num_classes"] == 1 or not run.settings.needs_labels
    if names := data["class_names"]:
        data = data | {"class_names": [shown(str(name)) for name in names]}
    return data | ({"num_classes": None, "class_names": None} if unused else {})


def _description(source: Source) -> dict[str, Any]:
    description = {name: getattr(source, name) for name in DATA}
    return description | {"image_shape": list(source.image_shape)}


def _is_place(settings: Settings) -> bool:
    """Whether a run's data set is a folder or file; ``config.json`` has its absolute path then."""
    return settings.dataset not in DATASETS and Path(settings.dataset).is_absolute()


def _check_still_there(settings: Settings) -> None:
    """Check that the images of a run are still where they were.

    Raises:
        GenzooError: if they are not.
    """
    if _is_place(settings) and not Path(settings.dataset).exists():
        raise GenzooError(
            f"the images of this run were in {settings.dataset}, which is gone; give their new "
            "place with --dataset"
        )


def _with_absolute_paths(settings: Settings) -> Settings:
    """Return the settings with absolute paths, so that they hold in any working directory."""
    paths = {
        name: str(Path(value).expanduser().absolute())
        for name in ("data_dir", "manual_dir")
        if (value := getattr(settings, name)) is not None
    }
    dataset = Path(settings.dataset).expanduser()
    if dataset.exists() and settings.dataset not in DATASETS:
        paths["dataset"] = str(dataset.absolute())
    return settings.replace(**paths)
