"""A run from beginning to end, and from where it was interrupted to its end."""

import contextlib
import dataclasses
import functools
import itertools
import math
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_genzoo.data import Source, training_stream
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training.callbacks import Recorder, RestoreMetrics
from keras_genzoo.training.checkpoints import restore_latest
from keras_genzoo.training.devices import devices_in_words, unused_gpu
from keras_genzoo.training.held_out import HeldOutImages
from keras_genzoo.training.preparing import Prepared, prepare, resumed_settings
from keras_genzoo.training.progress import Events, Progress, require_tensorboard
from keras_genzoo.training.run import Run, check_free, locked, read_config, versions
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.stopping import StopOnSignal
from keras_genzoo.training.strategy import make_strategy, xla_pays
from keras_genzoo.training.workers import check_agreement, is_chief, others_alive

# Enough to know the mean of the data.
MEAN_IMAGES = 10_000
Echo = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How training ended: the run, the steps done, and the signal that stopped it, if one did.

    ``wrote`` is False for the workers that left the run folder to the chief.
    """

    run: Run
    step: int
    signal: int | None = None
    wrote: bool = True

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.step >= self.run.settings.steps


def fit(
    settings: Settings,
    out: str | os.PathLike | None = None,
    *,
    force: bool = False,
    epochs: int | None = None,
    tensorboard: bool = False,
    download: bool = True,
    recipe: str | None = None,
    echo: Echo = lambda line: None,
) -> Outcome:
    """Train by ``settings`` into a new run folder.

    Args:
        settings: the resolved settings.
        out: the run folder; by default the next free ``runs/<recipe>-<n>``, without a recipe for
            the data set ``runs/<model>-<dataset>-<n>``.
        force: replace a run that is there already.
        epochs: passes over the data, in place of the settings' steps.
        tensorboard: also write events for TensorBoard.
        download: whether data that are not there may be fetched and prepared.
        recipe: the name of the recipe that the settings started from.
        echo: writes a line of progress.

    Raises:
        GenzooError: if the data, the model, the devices or the folder cannot be had as asked;
            nothing is written then, and nothing replaced.
        TrainingStoppedError: if a loss becomes NaN or infinite, or training collapses.
    """
    out = Path(out) if out is not None else None
    strategy = make_strategy(
        settings.strategy, settings.steps_per_execution, settings.devices, echo
    )
    writes = is_chief(strategy)
    if writes:
        check_free(out, force)
    with others_alive(strategy, out):
        tell = echo if writes else _say_nothing
        prepared = prepare(settings, strategy, epochs, download=download, echo=tell)
        if tensorboard:
            require_tensorboard()
        with StopOnSignal(strategy) as stop:
            if not writes:
                run = Run(
                    out or Path("RUN"),
                    prepared.settings,
                    prepared.data,
                    versions(),
                    prepared.resolved,
                )
                return _train(run, prepared, 0, tensorboard, stop, echo)
            run = Run.create(
                prepared.settings,
                prepared.data,
                out,
                force,
                prepared.resolved,
                recipe=recipe,
                held_out=prepared.held_out.facts if prepared.held_out else None,
            )
            with locked(run.path), others_alive(strategy, run.path):
                echo(f"run folder: {shown(run.path)}")
                return _train(run, prepared, 0, tensorboard, stop, echo)


def resume(
    path: str | os.PathLike,
    overrides: dict[str, Any] | None = None,
    *,
    epochs: int | None = None,
    tensorboard: bool = False,
    echo: Echo = lambda line: None,
) -> Outcome:
    """Go on with the run in ``path`` where its last sound checkpoint stands.

    Nothing is written outside of it: data that are not in the ``data_dir`` that its configuration
    names are fetched only if ``overrides`` name the place.

    Args:
        path: the run folder.
        overrides: settings to change: how long, how often to draw, where the data lies.
        epochs: passes over the data in all, in place of the settings' steps.
        tensorboard: also write events for TensorBoard.
        echo: writes a line of progress.

    Raises:
        GenzooError: if the run cannot be opened, a setting that matters has changed, the data
            is not what the run began with, its checkpoints are damaged or gone, or fewer steps
            are asked for than are done.
        TrainingStoppedError: as ``fit`` does.
    """
    run = Run.open(path)
    overrides = overrides or {}
    settings = resumed_settings(run, overrides)
    strategy = make_strategy(
        settings.strategy, settings.steps_per_execution, settings.devices, echo
    )
    writes = is_chief(strategy)
    lock = locked(run.path) if writes else contextlib.nullcontext()
    with others_alive(strategy, run.path), lock:
        if writes:
            run.sweep()
        download = settings.data_dir is None or "data_dir" in overrides
        tell = echo if writes else _say_nothing
        prepared = prepare(settings, strategy, epochs, began_with=run, download=download, echo=tell)
        if tensorboard:
            require_tensorboard()
        _tell_changed_versions(run, echo)
        if run.jit_compile and not prepared.model.jit_compile:
            echo("several devices train without XLA: numbers may differ slightly")
        with StopOnSignal(strategy) as stop:
            step = restore_latest(run.checkpoints, prepared.model, echo)
            if step is None:
                _check_not_begun(run)
                step = 0
            run = dataclasses.replace(
                run,
                settings=prepared.settings,
                # Without any it is of a time when what was chosen stood among the settings.
                resolved=prepared.resolved if run.resolved else {},
                held_out=prepared.held_out.facts if prepared.held_out else run.held_out,
            )
            if step > run.settings.steps:
                raise GenzooError(
                    f"{run.path} has done {step} steps already, more than {run.settings.steps}; "
                    "ask for more with --steps"
                )
            if writes:
                run.write_config()
            if step == run.settings.steps and run.model_file.exists():
                echo(f"{shown(run.path)} is finished: {step} steps; ask for more with --steps")
                return Outcome(run, step)
            echo(f"resuming {shown(run.path)} at step {step}")
            return _train(run, prepared, step, tensorboard, stop, echo)


def repeat(config: str | os.PathLike, overrides: dict[str, Any] | None = None) -> Settings:
    """Return the settings that a ``config.json`` (or its run folder) holds, with overrides.

    What was left to the machine is left to this one: a run of one device may be repeated on more.

    Raises:
        GenzooError: if the file is no configuration, or an override is unknown to the model.
    """
    content = read_config(config)
    settings = Settings.from_dict(content["settings"])
    data = content.get("data")
    shape = data.get("image_shape") if isinstance(data, dict) else None
    # A run of a time when what was chosen stood where what is asked for stands.
    if "resolved" not in content and settings.jit_compile and shape and xla_pays(settings, shape):
        settings = settings.replace(jit_compile=None)
    return settings.replace(**(overrides or {}))


def repeated_recipe(config: str | os.PathLike) -> str | None:
    """Return the name of the recipe that a ``config.json`` (or its run folder) started from."""
    recipe = read_config(config).get("recipe")
    return recipe if isinstance(recipe, str) else None


def _say_nothing(line: str) -> None:
    """Take the lines of a worker that leaves them to the chief."""


def _check_not_begun(run: Run) -> None:
    """Check that a run without a checkpoint has lost none.

    Raises:
        GenzooError: if it has.
    """
    # The row of an interval comes before its checkpoint: of a second row, the first is complete.
    if run.model_file.exists() or len(run.read_history()) > 1:
        raise GenzooError(
            f"{run.path} has no checkpoint left to go on from; put its checkpoints back, or start "
            f"a new run: genzoo fit --config {run.path}"
        )


def _tell_changed_versions(run: Run, echo: Echo) -> None:
    for package, version in versions().items():
        before = run.versions.get(package, "unknown")
        if before != version:
            echo(f"{package} was {shown(str(before))}, now {version}: numbers may differ slightly")


def _train(
    run: Run, prepared: Prepared, step: int, tensorboard: bool, stop: StopOnSignal, echo: Echo
) -> Outcome:
    """Train from ``step`` to the end, or to a signal; leave a checkpoint or the model behind."""
    settings, source, model = run.settings, prepared.source, prepared.model
    strategy = model.distribute_strategy
    writes = is_chief(strategy)
    if writes:
        if (reason := unused_gpu()) is not None:
            echo(reason)
        echo(devices_in_words(strategy))
    notes = source.notes if writes else []
    for note in notes:
        echo(shown(note))
    if writes:
        for line in _plan_in_words(settings, source, step, prepared.held_out):
            echo(line)
    if step == 0 and model.adapts_to_data:
        count = min(source.num_images, MEAN_IMAGES)
        model.adapt(source.sample(count, settings.seed)[0])
    recorder = Recorder(run, step, prepared.images, writes, prepared.held_out)
    progress = Progress(run, step, echo if writes else _say_nothing)
    callbacks = [recorder, progress, stop]
    if tensorboard and writes:
        callbacks.append(Events(run, step))
    if step % settings.checkpoint_every:
        callbacks.insert(0, RestoreMetrics(model))
    try:
        if model.on_several_machines:
            check_agreement(strategy, settings, source.fingerprint, step)
        for first, last, interval in intervals(step, settings.steps, settings.checkpoint_every):
            epoch = first // settings.checkpoint_every
            model.execute_at_once(math.gcd(settings.steps_per_execution, interval))
            model.fit(
                _batches(settings, source, model, first),
                steps_per_epoch=interval,
                initial_epoch=epoch,
                epochs=epoch + (last - first) // interval,
                callbacks=callbacks,
                verbose=0,
            )
            if stop.received is not None:
                break
        outcome = Outcome(run, recorder.step, stop.received, writes)
        if outcome.finished:
            _save_model(run, model, writes)
    finally:
        progress.close()
        for path, reason in source.skipped:
            echo(shown(f"skipped: {path} ({reason})"))
        for note in source.notes if writes else []:
            if note not in notes:
                echo(shown(note))
    return outcome


def _plan_in_words(
    settings: Settings, source: Source, step: int, held_out: HeldOutImages | None
) -> list[str]:
    """Return what is about to be done, and how it is ended early."""
    done = f", {step:,} of them done" if step else ""
    passes = settings.steps * settings.batch_size / source.num_images
    lines = [
        f"{settings.steps:,} steps of {settings.batch_size} images{done}: {passes:,.1f} passes "
        f"over {source.num_images:,} images",
        f"a checkpoint every {settings.checkpoint_every:,} steps; Ctrl-C saves and stops",
    ]
    return [held_out.in_words, *lines] if held_out is not None else lines


def _batches(settings: Settings, source: Source, model: ImageModel, step: int):
    """Return the batches from a step on; of several machines, this one's shares of them."""
    stream = functools.partial(
        training_stream,
        source,
        settings.batch_size,
        seed=settings.seed,
        with_labels=model.needs_labels,
        start_step=step,
    )
    if not model.on_several_machines:
        return stream()

    def of_this_machine(context: tf.distribute.InputContext) -> tf.data.Dataset:
        replicas = model.num_replicas // context.num_input_pipelines
        first = context.input_pipeline_id * replicas
        return stream(shares=range(first, first + replicas), num_shares=model.num_replicas)

    return model.distribute_strategy.distribute_datasets_from_function(of_this_machine)


def _save_model(run: Run, model: ImageModel, writes: bool) -> None:
    if writes:
        with writing(run.model_file) as temporary:
            model.save(temporary)
        return
    # To read what is spread over the machines all of them must take part.
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")


def intervals(step: int, steps: int, every: int) -> list[tuple[int, int, int]]:
    """Return (first step, last step, steps of an epoch) of each call of ``fit``.

    >>> intervals(130, 450, 100)
    [(130, 200, 70), (200, 400, 100), (400, 450, 50)]
    """
    head = min(-(-step // every) * every, steps)
    body = max(steps // every * every, head)
    bounds = sorted({step, head, body, steps})
    return [(a, b, min(every, b - a)) for a, b in itertools.pairwise(bounds)]
