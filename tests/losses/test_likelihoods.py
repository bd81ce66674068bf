"""Likelihoods of a decoder against SciPy, near the points where their formulas would break."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, stats
from scipy.special import expit, logit

from keras_genzoo import losses
from keras_genzoo.errors import GenzooError

# Around 0, where C(y) is 0 / 0, around the end of its series at 1/2, and far out.
LOGITS = np.array([0, 1e-6, 1e-3, 0.1, 0.4999, 0.5, 0.5001, 1, 3, 10, 40, 80])
LOGITS = np.concatenate([-LOGITS[::-1], LOGITS])


def continuous_bernoulli(t):
    """The density and the mean by their definition, in float64; not near t = 0."""
    y = expit(t)
    factor = 2 * np.arctanh(1 - 2 * y) / (1 - 2 * y)
    return (
        lambda x: factor * y**x * (1 - y) ** (1 - x),
        y / (2 * y - 1) + 1 / (2 * np.arctanh(1 - 2 * y)),
    )


@pytest.mark.parametrize("variance", [1e-4, 0.04, 1.0, 9.0])
def test_gaussian_loss_is_the_negative_log_density(variance):
    rng = np.random.default_rng(0)
    images, logits = rng.uniform(size=(3, 4, 4)), rng.normal(0, 3, (3, 4, 4))
    expected = -stats.norm(expit(logits), np.sqrt(variance)).logpdf(images).sum(axis=(1, 2))
    got = losses.gaussian_loss(images, logits, np.log(variance) / 2)
    np.testing.assert_allclose(got, expected, rtol=1e-4)
    np.testing.assert_allclose(losses.Gaussian(variance)(images, logits), got, rtol=1e-6)


def test_a_learnt_variance_is_least_at_the_mean_squared_error():
    rng = np.random.default_rng(1)
    images, logits = rng.uniform(size=(2, 8, 8)), rng.normal(size=(2, 8, 8))
    best = np.mean((images - expit(logits)) ** 2)
    loss = losses.Gaussian()
    raw = losses.LEAST_LOG_SIGMA + np.log(np.expm1(np.log(best) / 2 - losses.LEAST_LOG_SIGMA))
    with tf.GradientTape() as tape:
        value = tf.constant(raw, tf.float32)
        tape.watch(value)
        total = tf.reduce_sum(loss(images, logits, value))
    assert float(tape.gradient(total, value)) == pytest.approx(0, abs=1e-3)
    assert float(total) == pytest.approx(64 * (1 + np.log(2 * np.pi * best)), rel=1e-5)


@pytest.mark.parametrize("t", [t for t in LOGITS if abs(t) >= 1e-3])
@pytest.mark.parametrize("x", [0.0, 0.3, 1.0])
def test_continuous_bernoulli_loss_is_the_negative_log_density(t, x):
    if abs(t) > 30:  # its definition has no digits left there
        expected = -np.log(abs(t)) - t * x + max(t, 0)
    else:
        expected = -np.log(continuous_bernoulli(t)[0](x))
    got = float(losses.continuous_bernoulli_loss([[x]], [[t]])[0])
    assert got == pytest.approx(expected, rel=1e-5, abs=2e-6)


@pytest.mark.parametrize("t", [0.0, 1e-6, -0.2, 0.49, 0.51, -4.0, 20.0])
def test_the_continuous_bernoulli_density_has_integral_1_and_the_mean_that_is_shown(t):
    def density(x):
        return np.exp(-float(losses.continuous_bernoulli_loss([[x]], [[t]])[0]))

    grid = np.linspace(0, 1, 2001)
    values = np.exp(-losses.continuous_bernoulli_loss(grid[:, None], np.full((2001, 1), t)))
    assert density(0.5) == pytest.approx(float(values[1000]), rel=1e-6)
    assert integrate.simpson(values, x=grid) == pytest.approx(1, abs=1e-5)
    mean = integrate.simpson(values * grid, x=grid)
    assert float(losses.continuous_bernoulli_mean(t)) == pytest.approx(mean, abs=1e-5)


def test_the_continuous_bernoulli_mean_is_that_of_the_paper():
    t = LOGITS[(np.abs(LOGITS) > 1e-2) & (np.abs(LOGITS) < 30)]
    expected = [continuous_bernoulli(value)[1] for value in t]
    np.testing.assert_allclose(losses.continuous_bernoulli_mean(t), expected, atol=1e-6)
    assert float(losses.continuous_bernoulli_mean(0.0)) == 0.5


@pytest.mark.parametrize(
    "function",
    [
        losses.continuous_bernoulli_mean,
        lambda t: losses.continuous_bernoulli_loss(np.full(t.shape, 0.3), t),
        lambda t: losses.gaussian_loss(np.full(t.shape, 0.3), t, -6.0),
    ],
)
def test_gradients_are_finite_everywhere_and_those_of_differences(function, gradient):
    logits = np.concatenate([LOGITS, [-1e4, 1e4]])[:, None]
    slope = gradient(function, logits)
    assert np.isfinite(slope).all()
    assert np.isfinite(function(tf.constant(logits, tf.float32))).all()


def test_the_slope_of_the_log_normaliser_is_its_closed_form(gradient):
    t = LOGITS[np.abs(LOGITS) < 30][:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        exact = np.where(np.abs(t) < 1e-2, t / 6, 1 / t - 1 / np.sinh(t))
    slope = gradient(lambda v: losses.continuous_bernoulli_loss(np.full(t.shape, 0.3), v), t)
    np.testing.assert_allclose(slope, expit(t) - 0.3 - exact, atol=3e-6)


@pytest.mark.parametrize("name", losses.RECONSTRUCTION_LOSSES)
def test_every_loss_says_what_is_shown_of_logits_and_finds_logits_for_a_mean(name):
    loss = losses.RECONSTRUCTION_LOSSES[name]
    logits = np.array([[-8.0, -0.3, 0.0, 0.4, 6.0]], "float32")
    mean = np.asarray(loss.mean(logits))
    assert ((mean > 0) & (mean < 1)).all()
    np.testing.assert_allclose(expit(loss.mean_logits(logits)), mean, atol=1e-6)
    np.testing.assert_allclose(loss.mean(loss.logits_of(mean)), mean, atol=1e-5)
    if name != "continuous_bernoulli":
        np.testing.assert_allclose(loss.logits_of(mean), logit(mean), atol=1e-5)


def test_every_loss_says_what_kind_of_likelihood_it_is():
    table = losses.RECONSTRUCTION_LOSSES
    kinds = {n: (table[n].is_log_likelihood, table[n].is_binary) for n in table}
    assert kinds == {
        "bernoulli": (True, True),
        "squared_error": (False, False),
        "gaussian": (True, False),
        "continuous_bernoulli": (True, False),
    }
    assert losses.Gaussian().learns_sigma
    assert not losses.Gaussian(0.1).learns_sigma


def test_a_loss_with_options_is_serialised_with_them():
    config = keras.saving.serialize_keras_object(losses.Gaussian(0.25))
    assert keras.saving.deserialize_keras_object(config).variance == 0.25


@pytest.mark.parametrize("variance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_variance_that_is_not_positive_is_refused(variance):
    with pytest.raises(GenzooError, match="variance of the pixels must be positive"):
        losses.Gaussian(variance)
