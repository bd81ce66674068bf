"""Grouped convolution, against one convolution for each group."""

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.networks import GroupedConv2D, grouped


@pytest.mark.parametrize(("strides", "padding"), [(1, "same"), (2, "same"), (1, "valid")])
def test_each_group_is_a_convolution_of_its_own(strides, padding):
    inputs = np.random.default_rng(0).normal(size=(2, 6, 6, 4)).astype("float32")
    layer = GroupedConv2D(6, 3, strides=strides, padding=padding, groups=2)
    outputs = layer(inputs)
    kernel, bias = (weight.numpy() for weight in layer.weights)
    halves = [
        tf.nn.conv2d(inputs[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3],
                     strides, padding.upper())
        for g in range(2)
    ]  # fmt: skip
    np.testing.assert_allclose(outputs, tf.concat(halves, -1) + bias, rtol=1e-5, atol=1e-5)


def test_it_has_gradients_of_both_orders():
    layer = GroupedConv2D(4, 3, groups=2, padding="same")
    inputs = tf.random.stateless_normal((2, 5, 5, 4), (1, 2))
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            total = tf.reduce_sum(tf.square(layer(inputs)))
        slope = tf.reduce_sum(tf.square(tape.gradient(total, inputs)))
    assert np.abs(outer.gradient(slope, layer.kernel)).max() > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("native", [True, False])
def test_without_a_grouped_gradient_each_group_is_computed_by_itself(monkeypatch, dtype, native):
    if not native:
        monkeypatch.setattr(grouped, "has_grouped_gradient", lambda dtype: False)
    layer = GroupedConv2D(6, 3, groups=2, padding="same", dtype=dtype)
    inputs = tf.random.stateless_normal((2, 5, 5, 4), (1, 2), dtype=dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        total = tf.reduce_sum(tf.square(outputs))
    gradients = tape.gradient(total, [inputs, layer.kernel])
    kernel = layer.kernel.numpy()
    halves = [
        tf.nn.conv2d(inputs[..., 2 * g : 2 * g + 2], kernel[..., 3 * g : 3 * g + 3], 1, "SAME")
        for g in range(2)
    ]
    np.testing.assert_allclose(outputs, tf.concat(halves, -1), rtol=1e-5, atol=1e-5)
    # Of a sum of squares the gradient along the inputs is twice the sum itself.
    np.testing.assert_allclose(tf.reduce_sum(gradients[0] * inputs), 2 * total, rtol=1e-4)
    np.testing.assert_allclose(tf.reduce_sum(gradients[1] * kernel), 2 * total, rtol=1e-4)
