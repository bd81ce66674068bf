"""Stops training after a complete step when Ctrl-C or a signal asks for it."""

from typing import Any

import keras
import tensorflow as tf

from keras_genzoo.training.signals import stop_signals_handled
from keras_genzoo.training.workers import gather_numbers


class StopOnSignal(keras.callbacks.Callback):
    """Stops training after the current step at the first Ctrl-C or SIGTERM.

    A second signal ends the process at once. A closed terminal (SIGHUP) counts as well, unless the
    signal is ignored, as under ``nohup``. Steps of one execution are always completed. Workers on
    several machines stop together, after the checkpoint interval in which one of them got the
    signal.

    Use it as a context manager, and as a callback of ``fit``. ``received`` is the signal's number,
    None without one.

    Args:
        strategy: the devices.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        super().__init__()
        self.strategy = strategy
        self.together = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self.received: int | None = None
        self._asked: int | None = None
        self._handled = stop_signals_handled(self._receive)

    def __enter__(self) -> "StopOnSignal":
        self._restore = self._handled.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._handled.__exit__(*error)

    def _receive(self, number: int, frame: object) -> None:
        self._asked = number
        # Several workers agree to stop in on_epoch_end, so that they stop together.
        if not self.together:
            self.received = number
        self._restore()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop if this process received a signal."""
        if self.received is not None:
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop all workers if one of them received a signal."""
        if self.together and (number := max(gather_numbers(self.strategy, self._asked or 0))):
            self.received = number
            self.model.stop_training = True
