"""Adam in one operation a variable."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_genzoo")
class Adam(keras.optimizers.Adam):
    """``keras.optimizers.Adam`` (1412.6980) with TensorFlow's fused update.

    The numbers are Keras' own up to the rounding of 1 - beta_2 to float32, which for 0.999 moves a
    step by 7e-6 of its size; an update reads and writes each weight once, where Keras' ten
    operations do so ten times. With ``amsgrad``, and for sparse gradients, it is Keras' optimizer
    unchanged. The arguments are Keras', too.

    >>> optimizer, variable = Adam(0.1), keras.Variable([1.0, 2.0])
    >>> optimizer.apply([tf.constant([1.0, -1.0])], [variable])
    >>> variable.numpy().round(3)
    array([0.9, 2.1], dtype=float32)
    """

    def update_step(self, gradient, variable, learning_rate):
        """Move a variable and the two moments of its gradient."""
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta1, beta2 = (tf.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta1**step,
            beta2_power=beta2**step,
            lr=tf.cast(learning_rate, dtype),
            beta1=beta1,
            beta2=beta2,
            epsilon=tf.cast(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )
