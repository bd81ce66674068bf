"""The solvers of an ODE: their order, and how often they call the velocity."""

import math

import numpy as np
import pytest

from keras_genzoo.models import SOLVERS
from keras_genzoo.models.solvers import solve


class Spiral:
    """dx/dt = (i + cos t) x, whose solution from 1 is exp(i t + sin t); it counts its calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, x, t):
        self.calls += 1
        return (1j + math.cos(t)) * x


def error(name, steps, start=0.0, end=1.5):
    def exact(t):
        return np.exp(1j * t + math.sin(t))

    return abs(solve(SOLVERS[name], Spiral(), exact(start), steps, start, end) - exact(end))


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("midpoint", 2), ("heun", 2)])
def test_the_error_falls_with_the_order_of_the_solver(name, order):
    for ends in ((0.0, 1.5), (1.5, 0.0)):
        ratio = error(name, 200, *ends) / error(name, 400, *ends)
        assert ratio == pytest.approx(2**order, rel=0.05)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_step_calls_the_velocity_as_often_as_the_solver_says(name):
    spiral = Spiral()
    solve(SOLVERS[name], spiral, 1.0, 7)
    assert spiral.calls == 7 * SOLVERS[name].calls == 7 * {"euler": 1}.get(name, 2)


def test_one_step_of_each_on_a_line_in_time():
    # dx/dt = t²: Euler sees 0, the midpoint (1/2)², Heun the mean of 0 and 1.
    steps = {name: solve(SOLVERS[name], lambda x, t: t * t, 0.0, 1) for name in SOLVERS}
    assert steps == {"euler": 0.0, "midpoint": 0.25, "heun": 0.5}
