"""Which type a run computes in, where that is left to the machine."""

import statistics
import time
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.data import Source
from keras_genzoo.errors import GenzooError
from keras_genzoo.training.build import build_model
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.strategy import choose_jit_compile

# Executions that are timed of each type, after the one that compiles.
TIMED = 3
# Sixteen bits cost digits, so they must take a tenth off a step at least.
PAYS = 0.9


def choose_precision(
    settings: Settings, strategy: tf.distribute.Strategy, source: Source
) -> tuple[Settings, str]:
    """Return the settings with bfloat16 if that pays here, else float32, and why in words.

    It pays if it takes a tenth off a step or more. Each type trains a model of its own for a few
    steps, with images of the run. The types are float32 and bfloat16, whose numbers have the same
    range; float16 would need its loss scaled.

    Args:
        settings: the settings, whose ``mixed_precision`` is ``"auto"``.
        strategy: the devices.
        source: the open data.

    Raises:
        GenzooError: if the model cannot be built, or there are several machines, which might choose
            differently.
    """
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise GenzooError(
            "--mixed-precision auto measures one machine, and several might disagree; give "
            "float32, bfloat16 or float16"
        )
    times = {}
    for name in ("float32", "bfloat16"):
        tried = settings.replace(mixed_precision=name)
        times[name] = _milliseconds(tried, strategy, source)
    faster = "bfloat16" if times["bfloat16"] < PAYS * times["float32"] else "float32"
    slower = "float32" if faster == "bfloat16" else "bfloat16"
    words = (
        f"computing in {faster}: a step takes {times[faster]:,.1f} ms here, in {slower} "
        f"{times[slower]:,.1f}"
    )
    return settings.replace(mixed_precision=faster), words


def _milliseconds(settings: Settings, strategy: tf.distribute.Strategy, source: Source) -> float:
    """Return how long a step takes: the median of a few."""
    with strategy.scope():
        model = build_model(
            settings, source.image_shape, source.num_classes, source.labels_in_words
        )
    jit_compile = choose_jit_compile(settings, strategy, source.image_shape)
    model.jit_compile = jit_compile and model.num_replicas == 1
    model.execute_at_once(settings.steps_per_execution)
    images, labels = source.fetch(np.arange(settings.batch_size) % source.num_images)
    batch = (images, labels) if model.needs_labels else images
    clock = _Clock()
    model.fit(
        tf.data.Dataset.from_tensors(batch).repeat(),
        steps_per_epoch=(1 + TIMED) * settings.steps_per_execution,
        callbacks=[clock],
        verbose=0,
    )
    return 1000 * statistics.median(clock.seconds) / settings.steps_per_execution


class _Clock(keras.callbacks.Callback):
    """Times the executions but the first, which compiles."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._last: float | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the time since the execution before."""
        now = time.perf_counter()
        if self._last is not None:
            self.seconds.append(now - self._last)
        self._last = now
