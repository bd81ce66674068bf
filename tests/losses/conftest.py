import numpy as np
import pytest
import tensorflow as tf
from hypothesis import settings

# The same examples in every run; the first call of an operation is slow, so there is no deadline.
settings.register_profile("losses", deadline=None, derandomize=True, max_examples=40)


@pytest.fixture
def gradient():
    """Return the gradient of a function's sum in its float32 argument, as an array."""

    def compute(function, value):
        value = tf.constant(value, tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = function(value)
        return np.asarray(tape.gradient(result, value))

    return compute
