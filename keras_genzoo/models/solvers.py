"""Solvers of an ODE dx/dt = velocity(x, t), in even steps from one time to another.

A flow makes its images by one of them. They hold for eager tensors and for those of a functional
network alike, in which the steps are written out.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from keras_genzoo.losses.tensors import Tensor

# (x, t) -> dx/dt, of the shape of x; t is a Python number.
Velocity = Callable[[Any, float], Any]


@dataclasses.dataclass(frozen=True)
class Solver:
    """A way to take one step.

    Args:
        step: ``(velocity, x, t, dt)`` to x at time t + dt.
        calls: how often a step calls the velocity.
    """

    step: Callable[[Velocity, Any, float, float], Any]
    calls: int


def _euler(velocity: Velocity, x: Tensor, t: float, dt: float) -> Tensor:
    return x + dt * velocity(x, t)


def _midpoint(velocity: Velocity, x: Tensor, t: float, dt: float) -> Tensor:
    return x + dt * velocity(x + dt / 2 * velocity(x, t), t + dt / 2)


def _heun(velocity: Velocity, x: Tensor, t: float, dt: float) -> Tensor:
    first = velocity(x, t)
    return x + dt / 2 * (first + velocity(x + dt * first, t + dt))


# The error over a fixed time falls as dt with Euler's method, and as dt² with the other two.
EULER, MIDPOINT, HEUN = Solver(_euler, 1), Solver(_midpoint, 2), Solver(_heun, 2)


def solve(
    solver: Solver, velocity: Velocity, x: Tensor, steps: int, start: float = 0.0, end: float = 1.0
) -> Any:
    """Return x at time ``end``.

    Args:
        solver: how to take a step.
        velocity: the right-hand side.
        x: x at time ``start``.
        steps: number of steps.
        start: the first time.
        end: the last time; it may be the earlier one.

    >>> round(solve(HEUN, lambda x, t: x, 1.0, 100), 3)
    2.718
    """
    dt = (end - start) / steps
    for step in range(steps):
        x = solver.step(velocity, x, start + step * dt, dt)
    return x
