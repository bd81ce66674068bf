"""Grouped convolution that is fast on a CPU."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_genzoo")
class GroupedConv2D(keras.layers.Conv2D):
    """``keras.layers.Conv2D`` with ``groups``, channels last, in TensorFlow's own operation.

    The results are those of Keras' layer. Keras 3.15 compiles grouped convolutions by XLA, whose
    weight gradient takes 30 to 300 times as long on a CPU. For the same reason, do not compile a
    training step with this layer by XLA.

    >>> layer = GroupedConv2D(4, 3, groups=2, padding="same")
    >>> layer(keras.ops.ones((2, 5, 5, 6))).shape, layer.kernel.shape
    (TensorShape([2, 5, 5, 4]), TensorShape([3, 3, 3, 4]))
    """

    def convolution_op(self, inputs, kernel):
        """Return inputs convolved with the kernel ``(h, w, channels / groups, filters)``."""
        return tf.nn.conv2d(
            inputs,
            tf.convert_to_tensor(kernel),
            strides=self.strides,
            padding=self.padding.upper(),
            dilations=self.dilation_rate,
        )
