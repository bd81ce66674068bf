"""The log-density of a flow, by the instantaneous change of variables (1806.07366, theorem 1)."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_genzoo.models.solvers import Solver, Velocity, solve


def log_likelihood_by_solver(
    velocity: Velocity,
    images: np.ndarray,
    solver: Solver,
    steps: int,
    *,
    exact: bool,
    random: np.random.Generator,
    batch_size: int = 64,
) -> np.ndarray:
    """Return the log-density of images in nats, float64 ``(n,)``.

    The path is followed from the image back to noise, whose density is that of N(0, I); the
    integral of the divergence is solved beside it.

    Args:
        velocity: images ``(batch, *image_shape)`` and a time in [0, 1] -> velocities.
        images: float32 ``(n, *image_shape)``, at time 1.
        solver: how a step is taken.
        steps: number of steps.
        exact: whether the divergence is exact, or an estimate.
        random: draws the directions of the estimate.
        batch_size: images in memory at a time.
    """
    found = []
    for first in range(0, len(images), batch_size):
        rows = images[first : first + batch_size]
        probes = _unit_vectors(rows) if exact else _signs(rows, random)
        found.append(_log_density(velocity, rows, solver, steps, probes))
    return np.concatenate(found)


def _unit_vectors(rows: np.ndarray) -> np.ndarray:
    """Return every direction of the pixels for each image, ``(n, pixels, *image_shape)``."""
    shape = rows.shape[1:]
    size = math.prod(shape)
    vectors = np.eye(size, dtype="float32").reshape(1, size, *shape)
    return np.broadcast_to(vectors, (len(rows), size, *shape))


def _signs(rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return one direction for each image of independent signs, ``(n, 1, *image_shape)``."""
    return random.choice(np.float32([-1, 1]), (len(rows), 1, *rows.shape[1:]))


def _log_density(
    velocity: Velocity, rows: np.ndarray, solver: Solver, steps: int, probes: np.ndarray
) -> np.ndarray:
    shape, size, count = rows.shape[1:], math.prod(rows.shape[1:]), probes.shape[1]
    directions = tf.constant(probes.reshape(-1, *shape))

    def of_state(state: tf.Tensor, t: float) -> tf.Tensor:
        """Return the velocity of the images, and beside it their divergence."""
        x = tf.repeat(tf.reshape(state[:, :size], (-1, *shape)), count, axis=0)
        with tf.GradientTape() as tape:
            tape.watch(x)
            velocities = tf.convert_to_tensor(velocity(x, t))
            along = tf.reduce_sum(velocities * directions)
        # The directions' part of the Jacobian; the sum over unit vectors is its trace.
        slopes = tape.gradient(along, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        products = tf.reduce_sum(slopes * directions, axis=tuple(range(1, len(shape) + 1)))
        divergences = tf.reduce_sum(tf.reshape(products, (-1, count)), axis=1)
        moved = tf.reshape(velocities, (-1, count, size))[:, 0]
        return tf.concat([moved, divergences[:, None]], axis=1)

    state: Any = tf.constant(np.pad(rows.reshape(len(rows), size), ((0, 0), (0, 1))))
    state = np.asarray(solve(solver, of_state, state, steps, start=1.0, end=0.0), "float64")
    noise, integral = state[:, :size], state[:, size]
    density = -0.5 * (noise**2).sum(axis=1) - size / 2 * math.log(2 * math.pi)
    # Solved from 1 to 0, the integral of the divergence has the other sign.
    return density + integral
