"""Training a run: a new one, one that is resumed, and one that repeats a configuration."""

import contextlib
import dataclasses
import functools
import itertools
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_genzoo.data import Source, training_stream
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training.callbacks import Recorder, RestoreMetrics
from keras_genzoo.training.checkpoints import (
    State,
    model_state,
    restore_latest,
    save_checkpoint,
)
from keras_genzoo.training.devices import devices_in_words, unused_gpu
from keras_genzoo.training.held_out import HeldOutImages
from keras_genzoo.training.own_callbacks import OwnCallbacks
from keras_genzoo.training.preparing import Prepared, prepare, resumed_settings
from keras_genzoo.training.preset_runs import run_folder
from keras_genzoo.training.progress import Events, Progress, require_tensorboard
from keras_genzoo.training.run import (
    Run,
    check_free,
    checkpoint_step,
    list_checkpoints,
    locked,
    read_config,
    versions,
)
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.starting import begin_from, begin_from_again
from keras_genzoo.training.stopping import StopOnSignal
from keras_genzoo.training.strategy import make_strategy, xla_pays
from keras_genzoo.training.variables import variables_by_path
from keras_genzoo.training.workers import check_agreement, is_chief, report_lost_workers

# Images that estimate the mean of the data for start_at_mean.
MEAN_IMAGES = 10_000
Echo = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How training ended: the run, the steps done, and the signal that stopped it, if any.

    ``wrote`` is False for workers that are not the chief, which alone writes the run folder.
    ``stopped`` says that a callback of a person's own stopped it before its end.
    """

    run: Run
    step: int
    signal: int | None = None
    wrote: bool = True
    stopped: bool = False

    @property
    def finished(self) -> bool:
        """Whether all steps are done, those of all stages."""
        return self.step >= self.run.settings.total_steps


def fit(
    settings: Settings,
    out: str | os.PathLike | None = None,
    *,
    force: bool = False,
    epochs: int | None = None,
    tensorboard: bool = False,
    download: bool = True,
    recipe: str | None = None,
    start_from: str | os.PathLike | None = None,
    stage: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    echo: Echo = lambda line: None,
) -> Outcome:
    """Train with ``settings`` and write a new run folder.

    Args:
        settings: the settings.
        out: the run folder; by default the next free ``runs/<recipe>-<n>``, or without a recipe for
            the data set ``runs/<model>-<dataset>-<n>``.
        force: replace a run that is there already.
        epochs: passes over the data, in place of the settings' steps.
        tensorboard: also write events for TensorBoard.
        download: whether missing data may be downloaded and prepared.
        recipe: the name of the recipe that the settings started from.
        start_from: a run, or a preset, whose weights training begins with; see ``begin_from``.
        stage: train this stage alone, of a model that trains in several: the first; ``resume`` goes
            on with the others.
        callbacks: more callbacks of Keras, such as ``EarlyStopping`` or ``TensorBoard``. An epoch
            is the interval between two checkpoints. ``on_epoch_end`` is called when the checkpoint
            is written, with the row of the history as ``logs``. One that sets
            ``model.stop_training`` stops the run after that step: it is saved, and ``resume`` goes
            on, where callbacks may be given again and begin anew. What ``on_train_end`` does to
            the weights, as ``restore_best_weights`` asks for, is in the finished model, and in no
            checkpoint.
        echo: writes a line of progress.

    Raises:
        GenzooError: if the data cannot be opened, the model cannot be built, the devices or the
            folder cannot be used, or a callback is none; nothing is written or replaced then.
        TrainingStoppedError: if a loss becomes NaN or infinite, or training collapses.
    """
    out = Path(out) if out is not None else None
    own_callbacks = OwnCallbacks(callbacks)
    if stage is not None and settings.stage_named(stage).first > 0:
        raise GenzooError(
            f"a new run begins with the stage '{settings.stages[0].name}'; the stage '{stage}' is "
            f"trained alone in a run that has that: genzoo fit --resume RUN --stage {stage}"
        )
    strategy = make_strategy(
        settings.strategy, settings.steps_per_execution, settings.devices, echo
    )
    writes = is_chief(strategy)
    if writes:
        check_free(out, force)
    with report_lost_workers(strategy, out):
        chief_echo = echo if writes else _say_nothing
        prepared = prepare(settings, strategy, epochs, download=download, echo=chief_echo)
        if tensorboard:
            require_tensorboard()
        start = None
        if start_from is not None:
            names = prepared.data["class_names"]
            start = begin_from(start_from, prepared.model, chief_echo, names)
        with StopOnSignal(strategy) as stop:
            if not writes:
                run = Run(
                    out or Path("RUN"),
                    prepared.settings,
                    prepared.data,
                    versions(),
                    prepared.resolved,
                )
                return _train(run, prepared, 0, tensorboard, stop, own_callbacks, echo, stage)
            run = Run.create(
                prepared.settings,
                prepared.data,
                out,
                force,
                prepared.resolved,
                recipe=recipe,
                held_out=prepared.held_out.record if prepared.held_out else None,
                start=start,
            )
            with locked(run.path), report_lost_workers(strategy, run.path):
                echo(f"run folder: {shown(run.path)}")
                return _train(run, prepared, 0, tensorboard, stop, own_callbacks, echo, stage)


def resume(
    path: str | os.PathLike,
    overrides: dict[str, Any] | None = None,
    *,
    epochs: int | None = None,
    tensorboard: bool = False,
    stage: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    echo: Echo = lambda line: None,
) -> Outcome:
    """Resume the run in ``path`` from its last valid checkpoint.

    Nothing is written outside of the run folder: if its configuration names a ``data_dir``, missing
    data are downloaded into one only if ``overrides`` name it.

    Args:
        path: the run folder.
        overrides: settings to change: how long to train, how often to draw, where the data lie.
        epochs: passes over the data in all, in place of the settings' steps.
        tensorboard: also write events for TensorBoard.
        stage: train this stage anew from its first step, and stop at its end; ``overrides`` may
            then change its settings. What later stages had trained is lost.
        callbacks: more callbacks of Keras, as for ``fit``.
        echo: writes a line of progress.

    Raises:
        GenzooError: if the run cannot be opened, an override would change its weights, the data
            are not those that it began with, its checkpoints are damaged or missing, or fewer steps
            are asked for than are done.
        TrainingStoppedError: as ``fit`` does.
    """
    run = Run.open(path)
    run.check_whole()
    own_callbacks = OwnCallbacks(callbacks)
    if run.preset is not None:
        raise GenzooError(
            f"{run.preset['name']} is a preset, which has no training to resume; begin a new run "
            f"with its weights: genzoo fit --from {run.preset['name']}"
        )
    overrides = overrides or {}
    settings = resumed_settings(run, overrides, stage)
    strategy = make_strategy(
        settings.strategy, settings.steps_per_execution, settings.devices, echo
    )
    writes = is_chief(strategy)
    lock = locked(run.path) if writes else contextlib.nullcontext()
    with report_lost_workers(strategy, run.path), lock:
        if writes:
            run.sweep()
        download = settings.data_dir is None or "data_dir" in overrides
        chief_echo = echo if writes else _say_nothing
        prepared = prepare(
            settings, strategy, epochs, resumed_run=run, download=download, echo=chief_echo
        )
        if tensorboard:
            require_tensorboard()
        _report_changed_versions(run, echo)
        if run.jit_compile and not prepared.model.jit_compile:
            echo("several devices train without XLA: numbers may differ slightly")
        with StopOnSignal(strategy) as stop:
            if stage is not None and run.start is not None:
                begin_from_again(run.start, prepared.model, echo)
            initial = model_state(prepared.model) if stage is not None else {}
            step = restore_latest(run.checkpoints, prepared.model, echo)
            if step is None:
                _check_not_begun(run)
                step = 0
                if run.start is not None:
                    begin_from_again(run.start, prepared.model, echo)
            _check_stages_over(run, prepared.settings, step, stage)
            run = dataclasses.replace(
                run,
                settings=prepared.settings,
                # A run of an earlier version has no "resolved": it holds the values as settings.
                resolved=prepared.resolved if run.resolved else {},
                held_out=prepared.held_out.record if prepared.held_out else run.held_out,
            )
            if stage is not None:
                step = _begin_stage_anew(run, prepared.model, stage, step, initial, writes)
            if step > run.settings.total_steps:
                raise GenzooError(
                    f"{run.path} has done {step} steps already, more than "
                    f"{run.settings.total_steps}; ask for more with --steps"
                )
            if writes:
                run.write_config()
            if step == run.settings.total_steps and run.model_file.exists():
                echo(f"{shown(run.path)} is finished: {step} steps; ask for more with --steps")
                return Outcome(run, step)
            echo(f"resuming {shown(run.path)} at step {step}")
            return _train(run, prepared, step, tensorboard, stop, own_callbacks, echo, stage)


def repeat(config: str | os.PathLike, overrides: dict[str, Any] | None = None) -> Settings:
    """Return the settings of a ``config.json``, a run or a preset, with overrides.

    Settings that were left to the machine are left to this machine: a run of one device may be
    repeated on several.

    Args:
        config: the file, or what ``run_folder`` takes.
        overrides: a person's own settings.

    Raises:
        GenzooError: if the file is not a configuration, or the model has no such setting.
    """
    content = read_config(run_folder(config, generates=True))
    settings = Settings.from_dict(content["settings"])
    data = content.get("data")
    shape = data.get("image_shape") if isinstance(data, dict) else None
    # Earlier versions stored the resolved jit_compile as if it had been asked for. Where it is what
    # this machine would choose, leave it to the machine.
    if "resolved" not in content and settings.jit_compile and shape and xla_pays(settings, shape):
        settings = settings.replace(jit_compile=None)
    return settings.replace(**(overrides or {}))


def repeated_recipe(config: str | os.PathLike) -> str | None:
    """Return the name of the recipe that a ``config.json``, a run or a preset started from."""
    recipe = read_config(run_folder(config, generates=True)).get("recipe")
    return recipe if isinstance(recipe, str) else None


def _say_nothing(line: str) -> None:
    """Drop the lines of a worker that is not the chief, which writes the same ones."""


def _check_not_begun(run: Run) -> None:
    """Check that a run without a checkpoint has never written one.

    Raises:
        GenzooError: if its checkpoints were deleted.
    """
    # Each interval writes its row before its checkpoint. One row without a checkpoint means a run
    # killed in its first interval; with two rows, the first interval did write a checkpoint.
    if run.model_file.exists() or len(run.read_history()) > 1:
        raise GenzooError(
            f"{run.path} has no checkpoint left to go on from; put its checkpoints back, or start "
            f"a new run: genzoo fit --config {run.path}"
        )


def _check_stages_over(run: Run, settings: Settings, step: int, anew: str | None) -> None:
    """Check that the stages that are over, and are not trained anew, keep their lengths.

    Raises:
        GenzooError: if one does not: a later one was trained on what it had come to.
    """
    for before, now in zip(run.settings.stages[:-1], settings.stages, strict=False):
        if before.name == anew:
            break
        if step > before.last and now != before:
            raise GenzooError(
                f"{run.path} has left the stage '{before.name}' at step {before.last}, and a later "
                f"one is trained on it; repeat it with --stage {before.name}, or start a new run"
            )


def _begin_stage_anew(
    run: Run, model: ImageModel, stage: str, step: int, initial: State, writes: bool
) -> int:
    """Bring a model back to the first step of a stage, and write that checkpoint; return the step.

    Args:
        run: the run, with its new settings.
        model: the model, as ``step`` left it.
        stage: the stage.
        step: steps done.
        initial: the state of the model before the first step of all.
        writes: whether this worker writes the run folder.

    Raises:
        GenzooError: if the run has not come so far.
    """
    begun = run.settings.stage_named(stage)
    if step < begun.first:
        raise GenzooError(
            f"{run.path} is at step {step}, and the stage '{stage}' begins at {begun.first}; go on "
            f"without --stage first: genzoo fit --resume {run.path}"
        )
    variables = variables_by_path(model)
    names = [other.name for other in run.settings.stages if other.first >= begun.first]
    anew = {id(variable) for name in names if name for variable in model.stage_variables(name)}
    for path, variable in variables.items():
        if id(variable) in anew:
            variable.assign(initial[path])
    model.step.assign(begun.first)
    if writes:
        save_checkpoint(
            run.checkpoints,
            model_state(model),
            begun.first,
            run.settings.keep_checkpoints,
            # Those that it goes back behind are the last ones still.
            also_keep=[begun.first],
            outdated=run.model_file,
        )
        for file in list_checkpoints(run.checkpoints):
            if checkpoint_step(file) > begun.first:
                file.unlink(missing_ok=True)
    return begun.first


def _report_changed_versions(run: Run, echo: Echo) -> None:
    for package, version in versions().items():
        before = run.versions.get(package, "unknown")
        if before != version:
            echo(f"{package} was {shown(str(before))}, now {version}: numbers may differ slightly")


def _train(
    run: Run,
    prepared: Prepared,
    step: int,
    tensorboard: bool,
    stop: StopOnSignal,
    own_callbacks: OwnCallbacks,
    echo: Echo,
    only: str | None = None,
) -> Outcome:
    """Train from ``step`` until the last step or until it is stopped; save the finished model.

    Keras is called once for each part of a stage that ``intervals`` returns. The callbacks write
    checkpoints, so that an interrupted run can be resumed. ``only`` names the stage to stop after.
    """
    settings, source, model = run.settings, prepared.source, prepared.model
    strategy = model.distribute_strategy
    writes = is_chief(strategy)
    chief_echo = echo if writes else _say_nothing
    if writes and (reason := unused_gpu()) is not None:
        echo(reason)
    chief_echo(devices_in_words(strategy))
    notes = list(source.notes)
    for note in notes:
        chief_echo(shown(note))
    for line in _plan_in_words(settings, source, step, prepared.held_out):
        chief_echo(line)
    if step == 0 and model.adapts_to_data and run.start is None:
        count = min(source.num_images, MEAN_IMAGES)
        model.adapt(source.sample(count, settings.seed)[0])
    recorder = Recorder(run, step, prepared.images, writes, prepared.held_out)
    progress = Progress(run, step, chief_echo)
    callbacks = [recorder, progress, stop]
    if tensorboard and writes:
        callbacks.append(Events(run, step))
    callbacks.append(own_callbacks)
    # The means of a stage that is over are not those of the next.
    if step % settings.checkpoint_every and all(step != stage.first for stage in settings.stages):
        callbacks.insert(0, RestoreMetrics(model))
    try:
        if model.on_several_machines:
            check_agreement(strategy, settings, source.fingerprint, step)
        for stage in settings.stages:
            if stop.received is not None or recorder.step >= stage.last:
                continue
            if stage.name is not None:
                model.stage = stage.name
                chief_echo(f"stage {stage.name}: to step {stage.last:,}")
            _train_stage(settings, source, model, recorder.step, stage.last, callbacks, stop)
            if model.stop_training or stage.name == only:
                break
        own_callbacks.end()
        ended = recorder.step >= settings.total_steps
        stopped = model.stop_training and stop.received is None and not ended
        outcome = Outcome(run, recorder.step, stop.received, writes, stopped)
        if outcome.finished:
            _save_model(run, model, writes)
        elif stopped:
            chief_echo(
                f"stopped by a callback and saved at step {recorder.step:,} of "
                f"{settings.total_steps:,}; go on with: genzoo fit --resume {shown(run.path)}"
            )
    finally:
        progress.close()
        for path, reason in source.skipped:
            echo(shown(f"skipped: {path} ({reason})"))
        # Reading the images may have added notes.
        for note in source.notes:
            if note not in notes:
                chief_echo(shown(note))
    return outcome


def _train_stage(
    settings: Settings,
    source: Source,
    model: ImageModel,
    step: int,
    steps: int,
    callbacks: list[keras.callbacks.Callback],
    stop: StopOnSignal,
) -> None:
    """Train from ``step`` to ``steps``, or until a signal or a callback stops it."""
    for first, last, interval in intervals(step, steps, settings.checkpoint_every):
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
        if model.stop_training or stop.received is not None:
            break


def _plan_in_words(
    settings: Settings, source: Source, step: int, held_out: HeldOutImages | None
) -> list[str]:
    """Return lines that say how long training takes and how to stop it early."""
    done = f", {step:,} of them done" if step else ""
    steps = settings.total_steps
    passes = steps * settings.batch_size / source.num_images
    lines = [
        f"{steps:,} steps of {settings.batch_size} images{done}: {passes:,.1f} passes "
        f"over {source.num_images:,} images",
        f"a checkpoint every {settings.checkpoint_every:,} steps; Ctrl-C saves and stops",
    ]
    return [held_out.in_words, *lines] if held_out is not None else lines


def _batches(settings: Settings, source: Source, model: ImageModel, step: int) -> Any:
    """Return the batches from a step on; on several machines, the parts of this machine."""
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

    def this_machines_batches(context: tf.distribute.InputContext) -> tf.data.Dataset:
        # Each replica gets one share of every batch; a machine has equally many replicas.
        replicas = model.num_replicas // context.num_input_pipelines
        first = context.input_pipeline_id * replicas
        return stream(shares=range(first, first + replicas), num_shares=model.num_replicas)

    return model.distribute_strategy.distribute_datasets_from_function(this_machines_batches)


def _save_model(run: Run, model: ImageModel, writes: bool) -> None:
    if writes:
        with writing(run.model_file) as temporary:
            model.save(temporary)
        return
    # Saving reads variables that are spread over the machines, which takes all of them; the other
    # workers save into a folder that is deleted.
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")


def intervals(step: int, steps: int, every: int) -> list[tuple[int, int, int]]:
    """Return (first step, last step, steps per epoch) for each call of ``fit``.

    An epoch of Keras is the interval between two checkpoints, and all epochs of a call have the
    same length. So there are up to three calls: the rest of an interrupted interval, the complete
    intervals, and a shorter last interval.

    >>> intervals(130, 450, 100)
    [(130, 200, 70), (200, 400, 100), (400, 450, 50)]
    """
    head = min(-(-step // every) * every, steps)
    body = max(steps // every * every, head)
    bounds = sorted({step, head, body, steps})
    return [(a, b, min(every, b - a)) for a, b in itertools.pairwise(bounds)]
