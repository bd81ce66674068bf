"""The log-density of a flow, by the instantaneous change of variables (1806.07366, theorem 1)."""

import math

import numpy as np
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor
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
    integral of the divergence is solved beside it. Near the image the velocity changes fast, so
    steps are even in s with ``t = 1 - (1 - s)²``, and small there.

    Args:
        velocity: images ``(batch, *image_shape)`` and a time in [0, 1] -> velocities.
        images: float32 ``(n, *image_shape)``, at time 1.
        solver: how a step is taken.
        steps: number of steps.
        exact: whether the divergence is exact, or an estimate.
        random: draws the directions of the estimate.
        batch_size: images in memory at a time.
    """
    shape = images.shape[1:]
    size = math.prod(shape)

    @tf.function(autograph=False, reduce_retracing=True)
    def change(state: tf.Tensor, directions: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        x = tf.reshape(state[:, :size], (-1, *shape))
        velocities, divergences = _with_divergence(velocity, x, directions, t)
        return tf.concat([tf.reshape(velocities, (-1, size)), divergences[:, None]], axis=1)

    found = []
    for first in range(0, len(images), batch_size):
        rows = images[first : first + batch_size]
        directions = tf.constant(_unit_vectors(rows) if exact else _signs(rows, random))

        def change_over_s(state, s, directions=directions):
            return 2 * (1 - s) * change(state, directions, tf.constant(1 - (1 - s) ** 2))

        start = tf.constant(np.pad(rows.reshape(len(rows), size), ((0, 0), (0, 1))))
        end = np.asarray(solve(solver, change_over_s, start, steps, 1.0, 0.0), "float64")
        noise, integral = end[:, :size], end[:, size]
        density = -0.5 * (noise**2).sum(axis=1) - size / 2 * math.log(2 * math.pi)
        # Solved from 1 to 0, the integral of the divergence has the other sign.
        found.append(density + integral)
    return np.concatenate(found)


def _with_divergence(
    velocity: Velocity, x: Tensor, directions: Tensor, t: Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the velocities of images and their divergences, ``(batch,)``.

    Args:
        velocity: images and a time -> velocities.
        x: images ``(batch, *image_shape)``.
        directions: ``(batch, count, *image_shape)``, the vectors u of ``sum u J u``.
        t: the time.
    """
    shape, count = x.shape[1:], directions.shape[1]
    repeated = tf.repeat(x, count, axis=0)
    flat = tf.reshape(directions, (-1, *shape))
    with tf.GradientTape() as tape:
        tape.watch(repeated)
        velocities = tf.convert_to_tensor(velocity(repeated, t))
        along = tf.reduce_sum(velocities * flat)
    slopes = tape.gradient(along, repeated, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    products = tf.reduce_sum(slopes * flat, axis=tuple(range(1, len(shape) + 1)))
    divergences = tf.reduce_sum(tf.reshape(products, (-1, count)), axis=1)
    return tf.reshape(velocities, (-1, count, *shape))[:, 0], divergences


def _unit_vectors(rows: np.ndarray) -> np.ndarray:
    """Return every direction of the pixels for each image, ``(n, pixels, *image_shape)``.

    The sum over them is the trace of the Jacobian.
    """
    shape = rows.shape[1:]
    size = math.prod(shape)
    vectors = np.eye(size, dtype="float32").reshape(1, size, *shape)
    return np.broadcast_to(vectors, (len(rows), size, *shape))


def _signs(rows: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return one direction for each image of independent signs, ``(n, 1, *image_shape)``.

    In the mean over them it is the trace, too (Hutchinson's estimator).
    """
    return random.choice(np.array([-1, 1], np.float32), (len(rows), 1, *rows.shape[1:]))
