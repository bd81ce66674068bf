import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from scipy.stats import bernoulli

from keras_genzoo import losses
from keras_genzoo.errors import GenzooError

PROPERTIES = settings.get_profile("losses")
SHAPE = (3, 2, 2, 1)
image_batches = arrays("float32", SHAPE, elements=st.floats(0, 1, width=32))
logit_batches = arrays("float32", SHAPE, elements=st.floats(-20, 20, width=32))


@PROPERTIES
@given(images=image_batches, logits=logit_batches)
def test_losses_equal_the_formulas_on_probabilities(images, logits):
    x, y = images.astype("float64"), expit(logits.astype("float64"))
    not_y = expit(-logits.astype("float64"))
    bernoulli_loss = -(x * np.log(y) + (1 - x) * np.log(not_y)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(
        losses.bernoulli_loss(images, logits), bernoulli_loss, rtol=1e-5, atol=1e-5
    )
    squared_error = ((x - y) ** 2).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(
        losses.squared_error_loss(images, logits), squared_error, rtol=1e-5, atol=1e-5
    )


def test_bernoulli_loss_is_the_negative_log_likelihood():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (4, 28, 28)).astype("float32")
    images = rng.integers(0, 2, (4, 28, 28))
    expected = -bernoulli.logpmf(images, expit(logits.astype("float64"))).sum(axis=(1, 2))
    np.testing.assert_allclose(losses.bernoulli_loss(images, logits), expected, rtol=1e-5)


def test_losses_on_fixed_numbers():
    images, logits = [[0.0, 1.0], [0.25, 0.5]], [[0.0, 2.0], [-1.0, 0.0]]
    # log 2 + softplus(-2); softplus(-1) + 0.25 + log 2
    np.testing.assert_allclose(
        losses.bernoulli_loss(images, logits), [0.820075, 1.256409], atol=2e-6
    )
    # 0.5² + (1 - 0.880797)²; (0.25 - 0.268941)²
    np.testing.assert_allclose(
        losses.squared_error_loss(images, logits), [0.264209, 0.000359], atol=2e-6
    )


def test_extreme_logits_give_finite_losses_and_gradients(gradient):
    images = np.array([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]], "float32")
    logits = np.array([[-1e4, 1e4], [-1e4, 1e4], [-1e4, 1e4]], "float32")
    np.testing.assert_array_equal(losses.bernoulli_loss(images, logits), [0.0, 2e4, 1e4])
    np.testing.assert_array_equal(losses.squared_error_loss(images, logits), [0.0, 2.0, 0.5])
    np.testing.assert_array_equal(
        gradient(lambda x: losses.bernoulli_loss(images, x), logits),
        [[0.0, 0.0], [-1.0, 1.0], [-0.5, 0.5]],
    )
    np.testing.assert_array_equal(
        gradient(lambda x: losses.squared_error_loss(images, x), logits), np.zeros((3, 2))
    )


def test_gradients_are_the_closed_forms(gradient):
    images = np.array([[0.0, 0.3, 1.0]], "float32")
    logits = np.array([[1.5, -0.7, 0.2]], "float32")
    y = expit(logits)
    np.testing.assert_allclose(
        gradient(lambda x: losses.bernoulli_loss(images, x), logits), y - images, rtol=1e-5
    )
    np.testing.assert_allclose(
        gradient(lambda x: losses.squared_error_loss(images, x), logits),
        2 * (y - images) * y * (1 - y),
        rtol=1e-5,
    )


def test_gradient_at_a_logit_of_zero(gradient):
    images = np.array([[0.0, 0.3, 1.0]], "float32")
    slope = gradient(lambda x: losses.bernoulli_loss(images, x), np.zeros((1, 3)))
    np.testing.assert_allclose(slope, 0.5 - images, rtol=1e-6)


def test_bernoulli_loss_takes_a_sigmoid_output_for_the_logits_it_is_passed_as():
    logits = keras.ops.sigmoid(tf.constant([[4.0]]))
    expected = np.logaddexp(0, -expit(4.0))
    assert float(losses.bernoulli_loss([[1.0]], logits)[0]) == pytest.approx(expected, rel=1e-5)


def test_bernoulli_loss_is_least_at_the_image_itself():
    x = np.array([[0.1, 0.6, 0.9]])
    own = np.log(x / (1 - x))
    entropy = -(x * np.log(x) + (1 - x) * np.log(1 - x)).sum()
    least = float(losses.bernoulli_loss(x, own)[0])
    assert least == pytest.approx(entropy, rel=1e-6)
    for shift in (-0.3, 0.3):
        assert float(losses.bernoulli_loss(x, own + shift)[0]) > least + 1e-3


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 4, 3), (5, 4, 3, 2), (5, 2, 2, 2, 2)])
def test_every_loss_has_one_value_an_example_whatever_the_rank(name, shape, gradient):
    loss = losses.RECONSTRUCTION_LOSSES[name]
    rng = np.random.default_rng(1)
    images = rng.uniform(size=shape).astype("float32")
    logits = rng.normal(size=shape).astype("float32")
    values = loss(images, logits)
    assert values.shape == (5,)
    assert values.dtype == tf.float32
    np.testing.assert_allclose(
        values, loss(images.reshape(5, -1), logits.reshape(5, -1)), rtol=1e-5
    )
    np.testing.assert_allclose(values[3:], loss(images[3:], logits[3:]), rtol=1e-6)
    slope = gradient(lambda x: loss(images, x), logits)
    assert np.isfinite(slope).all()
    assert (slope != 0).all()


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_every_loss_computes_in_float32(name, dtype):
    loss = losses.RECONSTRUCTION_LOSSES[name]
    # 4,096 pixels: a sum in half precision would miss by far more than the tolerance.
    logits = tf.reshape(tf.cast(tf.linspace(-3.0, 5.0, 4096), dtype), (1, 64, 64))
    images = tf.reshape(tf.cast(tf.linspace(0.0, 1.0, 4096), dtype), (1, 64, 64))
    value = loss(images, logits)
    assert value.dtype == tf.float32
    expected = loss(tf.cast(images, "float32"), tf.cast(logits, "float32"))
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    # Images and logits need not share a dtype.
    np.testing.assert_allclose(loss(tf.cast(images, "float32"), logits), expected, rtol=1e-6)


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
def test_every_loss_runs_in_a_graph_of_unknown_batch(name):
    loss = losses.RECONSTRUCTION_LOSSES[name]
    spec = tf.TensorSpec([None, 4, 4, 1], tf.float32)
    images, logits = np.full((2, 4, 4, 1), 0.25, "float32"), np.ones((2, 4, 4, 1), "float32")
    graph = tf.function(loss, input_signature=[spec, spec])
    np.testing.assert_allclose(graph(images, logits), loss(images, logits), rtol=1e-6)


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
@pytest.mark.parametrize(
    ("images", "logits"),
    [((2, 4, 4), (2, 4, 4, 1)), ((2, 4, 4, 1), (2, 4, 4, 3)), ((2, 4), (1, 4))],
)
def test_shapes_that_would_broadcast_are_refused(name, images, logits):
    with pytest.raises(GenzooError, match=r"images \(.*\) and logits \(.*\) must have the same"):
        losses.RECONSTRUCTION_LOSSES[name](np.zeros(images), np.zeros(logits))


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
def test_uint8_images_are_refused(name):
    images = np.zeros((2, 4), "uint8")
    with pytest.raises(GenzooError, match=r"\[0, 1\], not uint8"):
        losses.RECONSTRUCTION_LOSSES[name](images, np.zeros((2, 4)))


def test_pixels_of_one_half_cost_log_2_each():
    images = np.random.default_rng(2).uniform(size=(1, 28, 28, 1))
    loss = losses.bernoulli_loss(images, np.zeros_like(images))
    assert float(loss[0]) == pytest.approx(784 * math.log(2), rel=1e-6)
