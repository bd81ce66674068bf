"""Grouped convolution that is fast on a CPU."""

import functools

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_genzoo")
class GroupedConv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D`` with ``groups``, channels last, in TensorFlow's own operation.

    The results are those of Keras' layer. Keras 3.15 compiles grouped convolutions by XLA, whose
    weight gradient takes 30 to 300 times as long on a CPU. For the same reason, do not compile a
    training step with this layer by XLA. Where TensorFlow has no gradient of a grouped convolution,
    as on CPUs without oneDNN and in float64, each group is a convolution of its own.

    >>> layer = GroupedConv2D(4, 3, groups=2, padding="same")
    >>> layer(keras.ops.ones((2, 5, 5, 6))).shape, layer.kernel.shape
    (TensorShape([2, 5, 5, 4]), TensorShape([3, 3, 3, 4]))
    """

    def convolution_op(self, inputs, kernel):
        """Return inputs convolved with the kernel ``(h, w, channels / groups, filters)``."""
        kernel = tf.convert_to_tensor(kernel)
        if has_grouped_gradient(kernel.dtype.name):
            return self._convolved(inputs, kernel)
        parts = zip(
            tf.split(inputs, self.groups, axis=-1),
            tf.split(kernel, self.groups, axis=-1),
            strict=True,
        )
        return tf.concat([self._convolved(*part) for part in parts], axis=-1)

    def _convolved(self, inputs, kernel):
        return tf.nn.conv2d(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding.upper(),
            dilations=self.dilation_rate,
        )


@functools.cache
def has_grouped_gradient(dtype: str) -> bool:
    """Return whether TensorFlow has the gradient of a grouped convolution here, by trying it.

    Args:
        dtype: type of the numbers.
    """
    # Out of a graph that is being traced, where no gradient can be taken: hence the raw operation.
    with tf.init_scope():
        try:
            tf.raw_ops.Conv2DBackpropInput(
                input_sizes=(2, 5, 5, 4),
                filter=tf.ones((3, 3, 2, 6), dtype),
                out_backprop=tf.ones((2, 5, 5, 6), dtype),
                strides=(1, 1, 1, 1),
                padding="SAME",
            )
        except tf.errors.OpError:
            return False
    return True
