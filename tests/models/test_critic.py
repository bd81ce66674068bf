import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.models import GAN
from keras_genzoo.models.critic import Critic
from tests.models.cases import SHAPE, images


def cubes(x):
    """Logits whose gradient in the pixels is 3 x²."""
    return tf.reduce_sum(x**3, axis=(1, 2, 3))[:, None]


def test_the_gradient_of_a_remembered_pass_is_that_of_its_own():
    x = tf.random.stateless_uniform((2, 3, 3, 1), (0, 1))
    critic = Critic(cubes)
    with tf.GradientTape() as tape:
        tape.watch(x)
        outputs = critic.remembered(x)
        gradient = critic.gradient(x)
        norm = tf.reduce_sum(gradient**2)
    np.testing.assert_allclose(outputs, cubes(x))
    np.testing.assert_allclose(gradient, 3 * x**2, rtol=1e-6)
    np.testing.assert_allclose(tape.gradient(norm, x), 36 * x**3, rtol=1e-6)
    # Asked again, or of images that it has not judged, the critic judges them.
    np.testing.assert_allclose(critic.gradient(x), gradient)
    np.testing.assert_allclose(critic.gradient(2 * x), 4 * gradient, rtol=1e-6)


def test_r1_and_r2_take_no_pass_of_their_own():
    passes = []

    class Counted(keras.Layer):
        def call(self, inputs):
            passes.append(len(inputs))
            return keras.ops.sum(inputs, axis=(1, 2, 3))[:, None]

    model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,))
    model.discriminator = Counted()
    model.compile(penalty="r1+r2", run_eagerly=True)
    model.update_discriminator(*[tf.cast(images(4), "float32")] * 2, None)
    assert passes == [4, 4]
