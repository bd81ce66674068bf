"""Random numbers that do not depend on the number of replicas, nor on whether XLA compiles them."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor


def uniform(shape: Tensor, seed: Tensor) -> tf.Tensor:
    """Return numbers from U[0, 1), a pure function of shape and seed.

    Without XLA they equal ``tf.random.stateless_uniform(shape, seed, alg="philox")``. Under XLA
    that function returns other numbers, but the same random bits, so these are used here.

    Args:
        shape: shape of the result.
        seed: two integers.

    Returns:
        float32 tensor of ``shape``.

    >>> uniform((2, 3), (1, 2)).shape
    TensorShape([2, 3])
    """
    bits = _bits(shape, seed, tf.uint32)
    # 23 random bits as the mantissa give a number in [1, 2).
    return tf.bitcast(bits & 0x7FFFFF | 0x3F800000, tf.float32) - 1


def fold_in(seed: Tensor, number: Tensor) -> tf.Tensor:
    """Return a seed that depends on a seed and a number.

    It equals ``tf.random.experimental.stateless_fold_in(seed, number, alg="philox")``, which takes
    five times as many operations: a step of training has hundreds, and each is traced.

    Args:
        seed: two integers.
        number: int32 scalar.

    Returns:
        int32 tensor of shape ``(2,)``.

    >>> fold_in((1, 2), 3).shape
    TensorShape([2])
    """
    return tf.stack([_bits((), seed, tf.int32), number])


# Those of ``_philox_scramble_seed`` in TensorFlow's ``random_ops_util.py``.
_PHILOX = 1
_SCRAMBLING_KEY = np.array([0x02461E293EC8F720], "uint64")
_SECOND = np.array([0, 2**64 - 1], "uint64")


def _bits(shape: Tensor, seed: Tensor, dtype: tf.DType) -> tf.Tensor:
    """Return the random bits of TensorFlow's Philox generator for a seed of two integers.

    The generator is named, since XLA would choose another one than TensorFlow.
    """
    draw = tf.raw_ops.StatelessRandomUniformFullIntV2
    scramble = {"counter": tf.cast(seed, tf.uint64), "dtype": tf.uint64, "alg": _PHILOX}
    key = draw(shape=[1], key=_SCRAMBLING_KEY, **scramble)
    counter = draw(shape=[2], key=_SCRAMBLING_KEY, **scramble) & _SECOND
    return draw(shape=shape, key=key, counter=counter, dtype=dtype, alg=_PHILOX)


def normal(shape: Tensor, seed: Tensor) -> tf.Tensor:
    """Return numbers from N(0, 1), a pure function of shape and seed, by the Box-Muller transform.

    Up to rounding they equal ``tf.random.stateless_normal(shape, seed, alg="philox")``, which
    returns other numbers under XLA.

    Args:
        shape: shape of the result.
        seed: two integers.

    Returns:
        float32 tensor of ``shape``.

    >>> normal((2, 3), (1, 2)).shape
    TensorShape([2, 3])
    """
    count = tf.reduce_prod(shape)
    pairs = uniform([(count + 1) // 2, 2], seed)
    radius = tf.sqrt(-2 * tf.math.log(tf.maximum(pairs[:, 0], 1e-7)))
    angle = 2 * math.pi * pairs[:, 1]
    numbers = tf.stack([radius * tf.sin(angle), radius * tf.cos(angle)], axis=1)
    return tf.reshape(tf.reshape(numbers, [-1])[:count], shape)


def rows_of_global_batch(
    draw: Callable, batch_size: int | Tensor, shape: tuple, seed: Tensor
) -> tf.Tensor:
    """Draw random numbers for this replica's part of the batch.

    Every replica draws the numbers of the whole batch from the same seed and keeps its own rows. So
    a training step on many replicas uses the same numbers as on one.

    Args:
        draw: ``normal`` or ``uniform``.
        batch_size: number of rows of this replica.
        shape: shape of a row.
        seed: two integers, the same on all replicas.

    Returns:
        float32 tensor ``(batch_size, *shape)``, different on each replica.
    """
    context = tf.distribute.get_replica_context()
    rows = tf.concat([[context.num_replicas_in_sync * batch_size], shape], axis=0)
    numbers = draw(rows, seed)
    if context.num_replicas_in_sync == 1:
        return numbers
    first = context.replica_id_in_sync_group * batch_size
    return numbers[first : first + batch_size]


@keras.saving.register_keras_serializable("keras_genzoo")
class Dropout(keras.layers.Dropout):
    """``keras.layers.Dropout`` with its own mask on each replica; Keras uses one mask on all.

    >>> Dropout(0.5)(keras.ops.ones((2, 4)), training=True).shape
    TensorShape([2, 4])
    """

    def call(self, inputs, training=False):
        """Drop a share ``rate`` of the inputs when ``training``, and scale up the rest."""
        if not training or not self.rate:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        kept = rows_of_global_batch(uniform, tf.shape(inputs)[0], tf.shape(inputs)[1:], seed)
        return inputs * tf.cast(kept >= self.rate, inputs.dtype) / (1 - self.rate)


@keras.saving.register_keras_serializable("keras_genzoo")
class SeededNormal(keras.layers.Layer):
    """Seeds ``(batch,)`` of int64 -> noise N(0, I), float32 ``(batch, size)``, one row per seed.

    A row depends on its own seed only, so that a server may combine requests into one batch.
    Results of different devices differ by rounding at most.

    Args:
        size: numbers in a row.
        **kwargs: as for any layer.

    >>> noise = SeededNormal(3)
    >>> first, second = noise(tf.constant([7, 8], "int64")), noise(tf.constant([8, 7], "int64"))
    >>> bool(tf.reduce_all(first == second[::-1]))
    True
    """

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.size = int(size)

    def get_config(self):
        """Return every constructor argument."""
        return {**super().get_config(), "size": self.size}

    def call(self, seeds):
        """Draw a row for each seed."""

        def row(seed):
            return normal((self.size,), tf.stack([seed, 0]))

        return tf.map_fn(row, seeds, fn_output_signature=tf.TensorSpec((self.size,), tf.float32))
