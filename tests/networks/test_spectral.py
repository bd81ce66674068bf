"""Spectral normalisation (1802.05957), against the singular values of the kernel."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.networks import SpectralConv2D, SpectralDense

CASES = {
    "dense": (lambda: SpectralDense(5, kernel_initializer="he_normal"), (3, 7)),
    "convolution": (lambda: SpectralConv2D(5, 3, strides=2, padding="same"), (3, 6, 6, 4)),
}
both = pytest.mark.parametrize("name", CASES)


def made(name):
    keras.utils.set_random_seed(0)
    build, shape = CASES[name]
    layer, inputs = build(), np.random.default_rng(0).normal(size=shape).astype("float32")
    layer.bias_initializer = "ones"
    layer.build(shape)
    return layer, tf.constant(inputs)


def norm(kernel) -> float:
    matrix = np.reshape(kernel, (-1, kernel.shape[-1]))
    return float(np.linalg.svd(matrix, compute_uv=False)[0])


@both
def test_the_kernel_comes_to_have_a_norm_of_1(name):
    layer, inputs = made(name)
    for _ in range(60):
        layer(inputs, training=True)
    assert norm(layer.kernel.numpy()) != pytest.approx(1.0, rel=0.05)
    assert norm(layer.normalized_kernel(training=False)) == pytest.approx(1.0, rel=1e-4)


@both
def test_a_pass_changes_no_weight_and_outside_of_training_nothing(name):
    layer, inputs = made(name)
    before = [variable.numpy() for variable in (layer.kernel, layer.bias, layer.u)]
    first, second = layer(inputs), layer(inputs)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(layer.u.numpy(), before[-1])
    layer(inputs, training=True)
    np.testing.assert_array_equal(layer.kernel.numpy(), before[0])
    assert (layer.u.numpy() != before[-1]).any()
    assert [weight.path.split("/")[-1] for weight in layer.trainable_weights] == ["kernel", "bias"]


@both
def test_the_outputs_are_those_of_the_divided_kernel(name):
    layer, inputs = made(name)
    for _ in range(60):
        layer(inputs, training=True)
    plain = (keras.layers.Dense(5) if name == "dense" else
             keras.layers.Conv2D(5, 3, strides=2, padding="same"))  # fmt: skip
    plain.build(inputs.shape)
    plain.set_weights([layer.kernel.numpy() / norm(layer.kernel.numpy()), layer.bias.numpy()])
    np.testing.assert_allclose(layer(inputs), plain(inputs), rtol=1e-4, atol=1e-5)


def test_the_gradient_is_that_of_the_paper():
    # Equation 12, with u and v held: dL/dW = (G - <G, W / sigma> u v') / sigma.
    layer, inputs = made("dense")
    for _ in range(200):
        layer(inputs, training=True)
    weights = np.random.default_rng(1).normal(size=(3, 5))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(inputs) * weights.astype("float32"))
    kernel = layer.kernel.numpy().astype("float64")
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    outer = inputs.numpy().T @ weights
    normed = kernel / values[0]
    expected = (outer - (outer * normed).sum() * np.outer(left[:, 0], right[0])) / values[0]
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel), expected, rtol=1e-3, atol=1e-4)


@both
def test_under_16_bits_the_norm_is_that_of_the_weights(name):
    exact, inputs = made(name)
    keras.utils.set_random_seed(0)
    build, shape = CASES[name]
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = build()
    finally:
        keras.config.set_dtype_policy("float32")
    layer.build(shape)
    layer.set_weights(exact.get_weights())
    outputs = layer(inputs)
    assert outputs.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs, tf.float32), exact(inputs), atol=0.05)
    kernel = tf.cast(layer.normalized_kernel(training=False), tf.float32)
    assert norm(kernel.numpy()) == pytest.approx(norm(exact.normalized_kernel(False)), rel=1e-2)
