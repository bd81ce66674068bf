"""Several optimizers as one to callbacks, and the callbacks that cannot work with them."""

from collections.abc import Iterable
from typing import Any

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor


class OptimizerPair:
    """A GAN's two optimizers as callbacks see them, as ``model.optimizer``.

    It moves no weights. ``learning_rate`` is the generator's; whoever sets it scales the
    discriminator's by the same factor, so that the ratio of the two stays. What it gives is a
    value and no variable: ``learning_rate.assign`` would move one of the two in silence.

    Args:
        generator: the generator's optimizer.
        discriminator: the discriminator's.

    >>> generator, discriminator = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.4)
    >>> OptimizerPair(generator, discriminator).learning_rate = 0.05
    >>> round(float(generator.learning_rate), 4), round(float(discriminator.learning_rate), 4)
    (0.05, 0.2)
    """

    built = True

    def __init__(
        self, generator: keras.optimizers.Optimizer, discriminator: keras.optimizers.Optimizer
    ):
        self._generator = generator
        self._discriminator = discriminator
        self._ratio: float | None = None

    @property
    def learning_rate(self):
        """The generator's learning rate, a value."""
        return keras.ops.copy(self._generator.learning_rate)

    @learning_rate.setter
    def learning_rate(self, value: Tensor) -> None:
        _refuse_schedules([self._generator, self._discriminator], "model.optimizer")
        old = float(self._generator.learning_rate)
        # A warm-up begins at a rate of 0, from which no ratio can be read.
        if old:
            self._ratio = float(self._discriminator.learning_rate) / old
        if self._ratio is None:
            raise GenzooError(
                "the generator's learning rate is 0, so that the discriminator's cannot keep its "
                "ratio to it; begin with rates above 0"
            )
        self._generator.learning_rate = value
        self._discriminator.learning_rate = float(value) * self._ratio

    @property
    def iterations(self):
        """Updates of the generator so far."""
        return self._generator.iterations

    @property
    def variables(self) -> list[keras.Variable]:
        """Those of both."""
        return [*self._generator.variables, *self._discriminator.variables]

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"a GAN's optimizer has no {name}: take model.generator_optimizer and "
            "model.discriminator_optimizer"
        )


def check_callbacks(model: keras.Model, callbacks: Any) -> None:
    """Check that callbacks work with the model's optimizers.

    Raises:
        GenzooError: if one sets a learning rate that follows a schedule, or swaps averages that
            are not kept, or that two optimizers keep.
    """
    for callback in _each(callbacks):
        kind = type(callback).__name__
        if isinstance(callback, _SET_RATES):
            _refuse_schedules(model.optimizers, kind)
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            if len(model.optimizers) > 1:
                raise GenzooError(
                    f"{kind} swaps the weights of one optimizer, not of two; "
                    "leave it out, and make the model with ema_decay=0.999"
                )
            if not _inner(model.optimizer).use_ema:
                raise GenzooError(f"{kind} needs averaged weights; give the optimizer use_ema=True")


_SCHEDULE = keras.optimizers.schedules.LearningRateSchedule
_SET_RATES = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


def _refuse_schedules(optimizers: Iterable[keras.optimizers.Optimizer], who: str) -> None:
    for optimizer in map(_inner, optimizers):
        # ``learning_rate`` is the rate of this step, whatever the schedule is.
        if isinstance(optimizer._learning_rate, _SCHEDULE):
            raise GenzooError(
                f"{who} cannot set the learning rate of {optimizer.name}, which follows a "
                "LearningRateSchedule; leave one of the two out"
            )


def _each(callbacks: Any) -> Iterable[keras.callbacks.Callback]:
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks.callbacks
    return keras.tree.flatten(callbacks)


def _inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return the optimizer inside of loss scaling."""
    return getattr(optimizer, "inner_optimizer", optimizer)
