"""Convolutions as products: the numbers of TensorFlow, and of its gradients of two orders."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.networks import (
    Conv2D,
    Conv2DTranspose,
    convolutional_discriminator,
    convolutions,
    layers_under,
)
from keras_genzoo.networks.convolutions import doubled, halved, product_is_faster


def drawn(seed, *shape, dtype="float64"):
    return tf.constant(np.random.default_rng(seed).normal(size=shape), dtype)


def derivatives(function, *arguments):
    """Return a function's value, gradients, and the gradients of a number made of these."""
    with tf.GradientTape() as second:
        second.watch(arguments)
        with tf.GradientTape() as first:
            first.watch(arguments)
            value = function(*arguments)
            number = tf.reduce_sum(tf.sin(value))
        gradients = first.gradient(number, arguments)
        number = sum(tf.reduce_sum(tf.sin(gradient)) for gradient in gradients)
    return value, *gradients, *second.gradient(number, arguments)


def check_alike(mine, others):
    for one, other in zip(mine, others, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 8), (5, 8), (6, 3)])
def test_two_orders_of_gradients_are_those_of_tensorflow(height, width):
    images, kernel = drawn(0, 3, height, width, 5), drawn(1, 4, 4, 5, 6)
    features = drawn(2, 3, -(-height // 2), -(-width // 2), 6)

    def plainly_halved(images, kernel):
        return tf.nn.conv2d(images, kernel, 2, "SAME")

    def plainly_doubled(features, kernel):
        return tf.nn.conv2d_transpose(features, kernel, images.shape, 2, "SAME")

    traced = tf.function(lambda *arguments: derivatives(halved, *arguments))
    check_alike(traced(images, kernel), derivatives(plainly_halved, images, kernel))
    traced = tf.function(
        lambda *arguments: derivatives(lambda x, w: doubled(x, w, height, width), *arguments)
    )
    check_alike(traced(features, kernel), derivatives(plainly_doubled, features, kernel))


LAYERS = {
    "a kernel as large as the image": (Conv2D, (4, 4, 3), {"kernel_size": 4}),
    "an image of one pixel": (Conv2DTranspose, (1, 1, 3), {"kernel_size": 4}),
    "one pixel, strides": (Conv2DTranspose, (1, 1, 3), {"kernel_size": 2, "strides": 3}),
    "one pixel, padding": (
        Conv2DTranspose,
        (1, 1, 3),
        {"kernel_size": 4, "strides": 2, "output_padding": 1},
    ),
    "7 to 4": (Conv2D, (7, 7, 3), {"kernel_size": 4, "strides": 2, "padding": "same"}),
    "4 to 8": (Conv2DTranspose, (4, 4, 3), {"kernel_size": 4, "strides": 2, "padding": "same"}),
    "4 to 7": (
        Conv2DTranspose,
        (4, 4, 3),
        {"kernel_size": 4, "strides": 2, "padding": "same", "output_padding": 1},
    ),
    "another kernel": (Conv2D, (8, 8, 3), {"kernel_size": 3, "strides": 2, "padding": "same"}),
}


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize("case", LAYERS)
def test_a_layer_gives_the_numbers_of_keras_layer(case, activation, monkeypatch):
    monkeypatch.setattr(convolutions, "product_is_faster", lambda *arguments: True)
    kind, shape, options = LAYERS[case]
    options = {"filters": 5, "activation": activation, "dtype": "float64"} | options
    layer, plain = kind(**options), getattr(keras.layers, kind.__name__)(**options)
    images = drawn(3, 2, *shape)
    for one in (layer, plain):
        one.build(images.shape)
        one.set_weights([drawn(4 + len(w.shape), *w.shape) for w in one.weights])
    assert layer.name.startswith(plain.name.rstrip("_0123456789"))

    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images) ** 2)
    with tf.GradientTape() as plain_tape:
        plain_loss = tf.reduce_sum(plain(images) ** 2)
    check_alike([layer(images), loss], [plain(images), plain_loss])
    mine = tape.gradient(loss, [weight.value for weight in layer.weights])
    check_alike(mine, plain_tape.gradient(plain_loss, [weight.value for weight in plain.weights]))


@pytest.mark.parametrize(
    ("dtype", "size", "faster"),
    [("bfloat16", 8, True), ("bfloat16", 7, True), ("bfloat16", 9, False), ("float32", 8, False)],
)
def test_products_are_taken_where_they_were_measured_to_be_faster(dtype, size, faster, monkeypatch):
    monkeypatch.setattr(convolutions, "_only_a_cpu", lambda: True)
    assert product_is_faster(tf.as_dtype(dtype), size, size) == faster
    monkeypatch.setattr(convolutions, "_only_a_cpu", lambda: False)
    assert not product_is_faster(tf.as_dtype(dtype), size, size)


def test_the_discriminator_takes_products_in_bfloat16(monkeypatch):
    taken = []
    monkeypatch.setattr(convolutions, "_only_a_cpu", lambda: True)
    monkeypatch.setattr(
        convolutions,
        "halved",
        lambda images, kernel: taken.append(tuple(images.shape[1:3])) or halved(images, kernel),
    )
    with layers_under("mixed_bfloat16"):
        network = convolutional_discriminator((28, 28, 1), 4)
    taken.clear()
    network(tf.zeros((2, 28, 28, 1)))
    assert taken == [(7, 7)]
