"""Callbacks of a person's own, called as by one ``fit`` of Keras."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_genzoo.errors import GenzooError


class OwnCallbacks(keras.callbacks.Callback):
    """Calls a person's callbacks: training begins for them once, and ends once.

    A run calls ``fit`` of Keras up to three times for each stage. A callback that began anew each
    time, such as ``EarlyStopping``, would forget what it has seen, and ``TensorBoard`` its steps.

    Args:
        callbacks: the callbacks.

    Raises:
        GenzooError: if one is no callback of Keras.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback]):
        super().__init__()
        for callback in callbacks:
            if not isinstance(callback, keras.callbacks.Callback):
                raise GenzooError(
                    "callbacks is a list of callbacks of Keras (keras.callbacks.Callback), and "
                    f"{callback!r:.60} is none"
                )
        self.callbacks = tuple(callbacks)
        self._begun = False

    def set_params(self, params: dict[str, Any]) -> None:
        """Pass on the parameters of the part that is trained now."""
        super().set_params(params)
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: keras.Model) -> None:
        """Pass on the model, once."""
        super().set_model(model)
        if not self._begun:
            for callback in self.callbacks:
                callback.set_model(model)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begin, once."""
        if not self._begun:
            self._begun = True
            for callback in self.callbacks:
                callback.on_train_begin(logs)

    def end(self) -> None:
        """End, if training has begun: it is over, or stopped and saved."""
        if self._begun:
            for callback in self.callbacks:
                callback.on_train_end()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the interval to the next checkpoint."""
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on what the history has of the interval."""
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin a step."""
        for callback in self.callbacks:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on the means of the interval so far."""
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)
