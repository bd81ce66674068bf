"""Learning rates and other numbers that change over training, as functions of the step alone."""

import math
from typing import Any

import keras
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.registry import SCHEDULES


def cosine(progress):
    """Return the share of the way from start to end that is left, by half a cosine (1608.03983).

    >>> round(float(cosine(0.25)), 4)
    0.8536
    """
    return (1 + ops.cos(math.pi * progress)) / 2


def between(start: float, end: float, step: Tensor, steps: int) -> Tensor:
    """Return a number on its way from ``start`` to ``end``, by half a cosine over ``steps``.

    Args:
        start: the number at step 0.
        end: the number from step ``steps`` on.
        step: training steps so far.
        steps: length of the way; with 0 the number stays at ``start``.

    Returns:
        float32 scalar.

    >>> [round(float(between(4.0, 2.0, step, 10)), 4) for step in (0, 5, 10, 99)]
    [4.0, 3.0, 2.0, 2.0]
    """
    if not steps:
        return ops.cast(start, "float32")
    left = cosine(ops.minimum(ops.cast(step, "float32") / steps, 1.0))
    return end + (start - end) * left


def linear(progress):
    """Return the share of the way that is left, which falls evenly."""
    return 1 - progress


def halves(progress):
    """Return the share that is left: 1, from half of the way 1/2, from three quarters 1/4, 0."""
    left = ops.where(progress < 0.5, 1.0, ops.where(progress < 0.75, 0.5, 0.25))
    return ops.where(progress < 1, left, 0.0)


@keras.saving.register_keras_serializable("keras_genzoo")
class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that warms up, then falls over a number of steps, and stays.

    Its length is its own: a run that is made longer is the longer run.

    Args:
        name: ``"cosine"``, ``"linear"``, or ``"step"``: halved at a half and at three quarters.
        learning_rate: the rate after the warm-up.
        steps: training steps until the last rate is reached, the warm-up included.
        end: the last rate, as a share of ``learning_rate``; a ``"step"`` schedule ends above it
            by a quarter of the way.
        warmup: steps in which the rate rises evenly from 0.
        updates: updates of the optimizer in a training step.

    Raises:
        GenzooError: if the name is unknown, or a number is out of range.

    >>> schedule = Schedule("linear", 0.1, steps=10, warmup=2)
    >>> [round(float(schedule(step)), 4) for step in (0, 1, 2, 6, 10, 99)]
    [0.0, 0.05, 0.1, 0.05, 0.0, 0.0]
    """

    def __init__(
        self,
        name: str,
        learning_rate: float,
        steps: int,
        *,
        end: float = 0.0,
        warmup: int = 0,
        updates: int = 1,
    ):
        super().__init__()
        SCHEDULES.check(name)
        if steps < 1 or not 0 <= warmup < steps:
            raise GenzooError(
                f"a schedule takes 1 step or more, and a warm-up shorter than that, not {steps} "
                f"and {warmup}"
            )
        if not 0 <= end <= 1:
            raise GenzooError(
                f"a schedule ends at a share of its rate between 0 and 1, not at {end}"
            )
        self.name, self.learning_rate, self.steps = name, float(learning_rate), int(steps)
        self.end, self.warmup, self.updates = float(end), int(warmup), int(updates)

    def __call__(self, step):
        """Return the rate of an update, a float32 scalar."""
        step = ops.floor(ops.cast(step, "float32") / self.updates)
        progress = ops.clip((step - self.warmup) / (self.steps - self.warmup), 0.0, 1.0)
        share = self.end + (1 - self.end) * SCHEDULES[self.name](progress)
        if self.warmup:
            share = ops.where(step < self.warmup, step / self.warmup, share)
        return self.learning_rate * share

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "name": self.name,
            "learning_rate": self.learning_rate,
            "steps": self.steps,
            "end": self.end,
            "warmup": self.warmup,
            "updates": self.updates,
        }
