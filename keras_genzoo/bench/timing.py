"""How long a step of training takes, and on which machine."""

import os
import platform
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_genzoo.bench.records import change_record
from keras_genzoo.memory import peak_memory
from keras_genzoo.training.devices import devices_in_words
from keras_genzoo.training.run import versions
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.train import fit

# Steps that tell roughly how long one takes, then seconds and bounds of the steps that are timed.
ROUGHLY, SECONDS, LEAST, MOST = 5, 10.0, 10, 2000


class StepTimer(keras.callbacks.Callback):
    """Times the steps of training, reading the data included, and keeps that in a run's record.

    The first steps that TensorFlow executes are left out, because they compile; so are sample
    grids, checkpoints, and what is measured there. The record is written after each checkpoint, so
    that it has the time of no step that a killed process lost.

    Args:
        record: the file of the record; None keeps nothing.
    """

    def __init__(self, record: Path | None = None):
        super().__init__()
        self.record = record
        self.first: int | None = None
        self.steps = 0
        self.seconds = 0.0
        self._last: float | None = None
        self._compiled = False

    @property
    def ms_a_step(self) -> float | None:
        """Milliseconds a step; None if none was timed."""
        return 1000 * self.seconds / self.steps if self.steps else None

    def set_params(self, params: dict[str, Any]) -> None:
        """Expect that steps are compiled: Keras passes these at each call of its ``fit``."""
        super().set_params(params)
        self._compiled = False

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Note the first step."""
        self.first = int(self.model.step)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the clock; what came before was no training."""
        self._last = time.perf_counter() if self._compiled else None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the steps that have been executed."""
        now = time.perf_counter()
        if self._last is not None:
            self.steps += self.model.steps_per_execution
            self.seconds += now - self._last
        self._compiled, self._last = True, now

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the times so far."""
        if self.record is None:
            return
        part = {
            "first": self.first,
            "last": int(self.model.step),
            "steps": self.steps,
            "seconds": self.seconds,
            "memory": peak_memory(),
            "machine": machine_in_words(self.model.distribute_strategy),
            "versions": ", ".join(f"{name} {version}" for name, version in versions().items()),
        }

        def change(record: Any) -> None:
            mine = record.trained and record.trained[-1]["first"] == self.first
            record.trained = [*record.trained[: -1 if mine else None], part]

        change_record(self.record, change)


def time_step(settings: Settings) -> float:
    """Return the milliseconds that a step takes on this machine, from a short training.

    Raises:
        GenzooError: if the settings cannot be trained.
        TrainingStoppedError: if training cannot go on.
    """
    roughly = _timed(settings, ROUGHLY)
    return _timed(settings, max(LEAST, min(MOST, round(1000 * SECONDS / roughly))))


def _timed(settings: Settings, steps: int) -> float:
    timer = StepTimer()
    # One execution more than is timed, which compiles.
    at_once = settings.steps_per_execution
    steps = (-(-steps // at_once) + 1) * at_once
    # Without a checkpoint in between: the call of Keras that follows would compile again.
    short = settings.replace(steps=steps, checkpoint_every=steps)
    with tempfile.TemporaryDirectory() as folder:
        fit(short, Path(folder) / "run", callbacks=[timer])
    assert timer.ms_a_step is not None  # The training was long enough.
    return timer.ms_a_step


def machine_in_words(strategy: tf.distribute.Strategy) -> str:
    """Return the processor, its cores and the devices that train, in words."""
    devices = devices_in_words(strategy).removeprefix("training on ")
    if devices.startswith("the CPU"):
        return devices.replace("the CPU", _processor(), 1)
    return f"{devices}; {_processor()}, {os.cpu_count()} cores"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return " ".join(found[1].split()) if found else platform.processor() or platform.machine()
