"""Loss scaling: what float16 needs so that small gradients do not vanish (1710.03740)."""

import keras
import tensorflow as tf


class SharedLossScaleOptimizer(keras.optimizers.LossScaleOptimizer):
    """``keras.optimizers.LossScaleOptimizer`` whose replicas skip an update together.

    Keras asks the first replica alone whether gradients are finite, before they are summed, and
    so writes what another one found to be infinite. Here an update is made if the gradients of
    all are finite; if not, no replica moves, and all halve the scale.

    >>> optimizer = SharedLossScaleOptimizer(keras.optimizers.SGD(1.0), initial_scale=8.0)
    >>> variable = keras.Variable([1.0, 2.0])
    >>> optimizer.build([variable])
    >>> optimizer.apply([tf.constant([float("inf"), 0.0])], [variable])
    >>> variable.numpy(), float(optimizer.dynamic_scale)
    (array([1., 2.], dtype=float32), 4.0)
    """

    def check_finite(self, grads):
        """Return whether the gradients of all replicas are finite."""
        finite = super().check_finite(grads)
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return finite
        broken = tf.cast(tf.logical_not(finite), tf.float32)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, broken) == 0


def scaled(
    optimizer: keras.optimizers.Optimizer, policy: keras.DTypePolicy
) -> keras.optimizers.Optimizer:
    """Return the optimizer, with loss scaling around it where the policy computes in float16."""
    if policy.compute_dtype != "float16" or isinstance(
        optimizer, keras.optimizers.LossScaleOptimizer
    ):
        return optimizer
    return SharedLossScaleOptimizer(optimizer, name=f"scaled_{optimizer.name}")
