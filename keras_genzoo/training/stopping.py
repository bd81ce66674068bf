"""Ending training in good order when a person or the system asks for it."""

import signal
import threading

import keras
import tensorflow as tf

from keras_genzoo.training.workers import gathered

# Not every system has it.
_HANGUP = getattr(signal, "SIGHUP", None)
_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([_HANGUP] if _HANGUP else [])]


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the current step when Ctrl-C or SIGTERM comes; a second one ends at once.

    So it does when the terminal is closed (SIGHUP), unless that is ignored, as under ``nohup``.

    Where several steps are taken at once, it ends after those. Use as a context; ``received`` is
    the signal's number, None without one. Workers of several machines end together, after the
    checkpoint interval in which one of them got the signal.

    Args:
        strategy: the devices.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        super().__init__()
        self.strategy = strategy
        self.together = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
        self.received: int | None = None
        self._asked: int | None = None
        self._previous = {}

    def __enter__(self) -> "StopOnSignal":
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN or number != _HANGUP:
                    self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    def _receive(self, number, frame) -> None:
        self._asked = number
        # Of several workers, none ends before all have heard.
        if not self.together:
            self.received = number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def on_train_batch_end(self, batch, logs=None):
        """Stop if a signal came."""
        if self.received is not None:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        """Stop if a signal came to any worker."""
        if self.together and (number := max(gathered(self.strategy, self._asked or 0))):
            self.received = number
            self.model.stop_training = True
