"""The fused batch normalisation gives Keras' numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.networks import BatchNormalization


def layers():
    """Keras' layer and ours with equal, uneven weights."""
    pair = [
        kind(momentum=0.8, epsilon=1e-4)
        for kind in (keras.layers.BatchNormalization, BatchNormalization)
    ]
    values = np.random.default_rng(0).uniform(0.5, 2, (4, 6)).astype("float32")
    for layer in pair:
        layer.build((None, 5, 3, 6))
        layer.set_weights(list(values))
    return pair


def step(layer, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(y**3)
    return y, tape.gradient(loss, [x, layer.gamma.value, layer.beta.value])


def test_outputs_gradients_and_moving_statistics_are_those_of_keras():
    x = tf.random.stateless_normal((7, 5, 3, 6), (1, 2)) * 3 + 1
    theirs, ours = layers()
    expected, expected_gradients = step(theirs, x)
    outputs, gradients = step(ours, x)
    np.testing.assert_allclose(outputs, expected, atol=2e-5)
    for a, b in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=2e-2)
    for a, b in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5)
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ((7, 6), {}),
        ((7, 4, 6), {}),
        ((7, 5, 3, 6), {"axis": 1}),
        ((7, 5, 3, 6), {"scale": False}),
        ((7, 5, 3, 6), {"center": False}),
    ],
)
def test_other_cases_are_keras_unchanged(shape, arguments):
    x = tf.random.stateless_normal(shape, (1, 2))
    theirs, ours = keras.layers.BatchNormalization(**arguments), BatchNormalization(**arguments)
    np.testing.assert_array_equal(ours(x, training=True), theirs(x, training=True))


def test_a_frozen_layer_keeps_its_statistics():
    x = tf.random.stateless_normal((7, 5, 3, 6), (1, 2))
    _, ours = layers()
    ours.trainable = False
    before = ours.get_weights()
    ours(x, training=True)
    for a, b in zip(before, ours.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_bfloat16_keeps_statistics_in_float32():
    layer = BatchNormalization(dtype="mixed_bfloat16")
    outputs = layer(tf.ones((4, 5, 3, 6)) * 3, training=True)
    assert outputs.dtype == tf.bfloat16
    assert layer.moving_mean.dtype == "float32"
