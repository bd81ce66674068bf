"""Adam in one operation a variable."""

from typing import Any

import keras
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.schedules import between


@keras.saving.register_keras_serializable("keras_genzoo")
class Adam(keras.optimizers.Adam):
    """``keras.optimizers.Adam`` (1412.6980) with TensorFlow's fused update.

    The numbers are Keras' own up to the rounding of 1 - beta_2 to float32, which for 0.999 moves a
    step by 7e-6 of its size; an update reads and writes each weight once, where Keras' ten
    operations do so ten times. With ``amsgrad``, and for sparse gradients, it is Keras' optimizer
    unchanged.

    Args:
        *args: as for ``keras.optimizers.Adam``.
        beta_2_end: where beta_2 goes, by half a cosine (2501.05441); None, the default, keeps it.
        beta_2_steps: training steps until it is there.
        updates: updates of the optimizer in a training step.
        **kwargs: as for ``keras.optimizers.Adam``.

    Raises:
        GenzooError: if ``beta_2_end`` is not below 1, or given without ``beta_2_steps``.

    >>> optimizer, variable = Adam(0.1), keras.Variable([1.0, 2.0])
    >>> optimizer.apply([tf.constant([1.0, -1.0])], [variable])
    >>> variable.numpy().round(3)
    array([0.9, 2.1], dtype=float32)
    """

    def __init__(
        self,
        *args: Any,
        beta_2_end: float | None = None,
        beta_2_steps: int = 0,
        updates: int = 1,
        **kwargs: Any,
    ):
        super().__init__(*args, **kwargs)
        if (beta_2_end is None) != (beta_2_steps == 0):
            raise GenzooError("a beta_2 that changes needs both: beta_2_end and beta_2_steps")
        if beta_2_end is not None and (not 0 <= beta_2_end < 1 or beta_2_steps < 0):
            raise GenzooError(
                "beta_2_end must be at least 0 and below 1, and beta_2_steps at least 1, not "
                f"{beta_2_end} and {beta_2_steps}"
            )
        if beta_2_steps and self.amsgrad:
            raise GenzooError("beta_2 cannot change with amsgrad; leave one of the two out")
        self.beta_2_end, self.beta_2_steps, self.updates = beta_2_end, beta_2_steps, updates

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; those of a constant beta_2 are Keras' own."""
        config = super().get_config()
        if self.beta_2_steps:
            names = ("beta_2_end", "beta_2_steps", "updates")
            config |= {name: getattr(self, name) for name in names}
        return config

    def _beta_2(self) -> float | tf.Tensor:
        """Return the beta_2 of the next update."""
        if self.beta_2_end is None:
            return self.beta_2
        step = tf.convert_to_tensor(self.iterations) // self.updates
        return between(self.beta_2, self.beta_2_end, step, self.beta_2_steps)

    def update_step(self, gradient, variable, learning_rate):
        """Move a variable and the two moments of its gradient."""
        if self.beta_2_steps:
            # Keras' own update, which rows alone would go to, has a constant beta_2.
            gradient = tf.convert_to_tensor(gradient)
        if self.amsgrad or isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        dtype = variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta1, beta2 = (tf.cast(beta, dtype) for beta in (self.beta_1, self._beta_2()))
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
