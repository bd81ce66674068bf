"""Noise is that of TensorFlow's Philox generator, compiled by XLA and not."""

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.networks import Dropout, fold_in, normal, uniform

SEED = tf.constant([123456, -99])
SHAPES = [(1, 1), (5,), (7, 3), (128, 20), (300, 101)]


@pytest.mark.parametrize("shape", SHAPES)
def test_uniform_numbers_are_tensorflows(shape):
    expected = tf.random.stateless_uniform(shape, SEED, alg="philox")
    np.testing.assert_array_equal(uniform(shape, SEED), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_normal_numbers_are_tensorflows(shape):
    expected = tf.random.stateless_normal(shape, SEED, alg="philox")
    np.testing.assert_allclose(normal(shape, SEED), expected, rtol=0, atol=5e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_number_is_folded_in_as_by_tensorflow(jit_compile):
    compiled = tf.function(fold_in, jit_compile=jit_compile, autograph=False)
    seed = SEED
    for number in tf.constant([0, 3, -1, 2**31 - 1]):
        expected = tf.random.experimental.stateless_fold_in(seed, number, alg="philox")
        np.testing.assert_array_equal(fold_in(seed, number), expected)
        np.testing.assert_array_equal(compiled(seed, number), expected)
        seed = expected


@pytest.mark.parametrize("draw", [normal, uniform])
@pytest.mark.parametrize("shape", SHAPES)
def test_xla_draws_the_same(draw, shape):
    # The seed is an argument: of a constant the numbers would be folded before XLA comes.
    compiled = tf.function(lambda seed: draw(shape, seed), jit_compile=True, autograph=False)
    np.testing.assert_allclose(compiled(SEED), draw(shape, SEED), rtol=0, atol=1e-6)


def test_xla_drops_the_same_units():
    inputs = tf.ones((16, 50))

    def dropped(jit):
        layer = Dropout(0.3, seed=3)
        call = tf.function(lambda x: layer(x, training=True), jit_compile=jit, autograph=False)
        return [call(inputs).numpy() for _ in range(3)]

    np.testing.assert_array_equal(dropped(True), dropped(False))
