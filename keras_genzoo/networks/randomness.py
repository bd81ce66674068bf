"""Random numbers of a batch that are the same on one replica and on many."""

from collections.abc import Callable

import keras
import tensorflow as tf


def rows_of_global_batch(draw: Callable, batch_size, shape: tuple, seed) -> tf.Tensor:
    """Draw this replica's rows of what one replica would draw for the whole batch.

    Args:
        draw: ``tf.random.stateless_normal`` or ``stateless_uniform``.
        batch_size: rows of this replica.
        shape: shape of a row.
        seed: two integers, the same on all replicas.

    Returns:
        float32 tensor ``(batch_size, *shape)``; distinct on every replica.
    """
    context = tf.distribute.get_replica_context()
    rows = tf.concat([[context.num_replicas_in_sync * batch_size], shape], axis=0)
    first = context.replica_id_in_sync_group * batch_size
    return draw(rows, seed, alg="philox")[first : first + batch_size]


@keras.saving.register_keras_serializable("keras_genzoo")
class Dropout(keras.layers.Dropout):
    """``keras.layers.Dropout`` with another mask on each replica; Keras' is the same on all.

    >>> Dropout(0.5)(keras.ops.ones((2, 4)), training=True).shape
    TensorShape([2, 4])
    """

    def call(self, inputs, training=False):
        """Drop a share ``rate`` of the inputs when ``training``, and scale up the rest."""
        if not training or not self.rate:
            return inputs
        seed = tf.cast(self.seed_generator.next(), tf.int32)
        uniform = rows_of_global_batch(
            tf.random.stateless_uniform, tf.shape(inputs)[0], tf.shape(inputs)[1:], seed
        )
        kept = tf.cast(uniform >= self.rate, inputs.dtype)
        return inputs * kept / (1 - self.rate)


@keras.saving.register_keras_serializable("keras_genzoo")
class SeededNormal(keras.layers.Layer):
    """Seeds ``(batch,)`` of int64 -> noise N(0, I), float32 ``(batch, size)``, a row a seed.

    A row depends on its seed alone, not on its neighbours, so that a server may put several
    requests into one batch. Devices differ by rounding at most.

    Args:
        size: numbers in a row.
        **kwargs: as for any layer.

    >>> noise = SeededNormal(3)
    >>> first, second = noise(tf.constant([7, 8], "int64")), noise(tf.constant([8, 7], "int64"))
    >>> bool(tf.reduce_all(first == second[::-1]))
    True
    """

    def __init__(self, size: int, **kwargs):
        super().__init__(**kwargs)
        self.size = int(size)

    def get_config(self):
        """Return every constructor argument."""
        return {**super().get_config(), "size": self.size}

    def call(self, seeds):
        """Draw a row for each seed."""

        def row(seed):
            return tf.random.stateless_normal((self.size,), tf.stack([seed, 0]), alg="philox")

        return tf.map_fn(row, seeds, fn_output_signature=tf.TensorSpec((self.size,), tf.float32))
