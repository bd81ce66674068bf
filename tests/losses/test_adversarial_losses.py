import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit

from keras_genzoo import losses
from keras_genzoo.errors import GenzooError

PROPERTIES = settings.get_profile("losses")
LOGITS = np.array([-3.0, -0.5, 0.0, 1.25, 4.0], "float32")
distributions = arrays("float64", 5, elements=st.floats(1e-3, 1.0)).map(lambda p: p / p.sum())
logit_batches = arrays("float32", st.integers(1, 7), elements=st.floats(-30, 30, width=32))


# Cross-entropy


@PROPERTIES
@given(real=logit_batches, fake=logit_batches)
def test_cross_entropy_losses_equal_the_formulas_on_probabilities(real, fake):
    real, fake = real.astype("float64"), fake.astype("float64")
    log_d_real, log_d_fake = np.log(expit(real)), np.log(expit(fake))
    log_not_d_fake = np.log(expit(-fake))
    expected = -log_d_real.mean() - log_not_d_fake.mean()
    assert float(losses.discriminator_loss(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.adversarial_value(real, fake)) == pytest.approx(-expected, rel=1e-5)
    assert float(losses.minimax_generator_loss(fake)) == pytest.approx(
        log_not_d_fake.mean(), rel=1e-5
    )
    assert float(losses.non_saturating_generator_loss(fake)) == pytest.approx(
        -log_d_fake.mean(), rel=1e-5
    )


def test_cross_entropy_losses_on_fixed_numbers():
    # softplus(-1) = 0.313262, softplus(2) = 2.126928, softplus(-2) = 0.126928
    assert float(losses.discriminator_loss([1.0], [2.0])) == pytest.approx(2.440190, abs=2e-6)
    assert float(losses.minimax_generator_loss([2.0])) == pytest.approx(-2.126928, abs=2e-6)
    assert float(losses.non_saturating_generator_loss([2.0])) == pytest.approx(0.126928, abs=2e-6)


def test_discriminator_loss_averages_real_and_fake_apart():
    # Three times as many fakes must not weigh three times as much.
    assert float(losses.discriminator_loss([0.0], [1.0, 1.0, 1.0])) == pytest.approx(
        math.log(2) + np.logaddexp(0, 1), abs=1e-6
    )
    patches = np.zeros((2, 3, 3, 1), "float32")
    assert float(losses.discriminator_loss(patches, patches)) == pytest.approx(math.log(4))


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [(1e4, -1e4, 0.0), (-1e4, 1e4, 2e4), (1e4, 1e4, 1e4), (-1e4, -1e4, 1e4)],
)
def test_discriminator_loss_at_extreme_logits(real, fake, expected):
    assert float(losses.discriminator_loss([real], [fake])) == expected


def test_generator_losses_at_extreme_logits(gradient):
    assert float(losses.non_saturating_generator_loss([-1e4])) == 1e4
    assert float(losses.non_saturating_generator_loss([1e4])) == 0.0
    assert float(losses.minimax_generator_loss([-1e4])) == 0.0
    assert float(losses.minimax_generator_loss([1e4])) == -1e4
    extremes = [-1e4, 1e4]
    np.testing.assert_array_equal(
        gradient(losses.non_saturating_generator_loss, extremes), [-0.5, 0.0]
    )
    np.testing.assert_array_equal(gradient(losses.minimax_generator_loss, extremes), [0.0, -0.5])


def test_losses_keep_their_digits_far_from_zero():
    # log(1 - sigmoid(-40)) is 0 on float32 probabilities; the true value is -exp(-40).
    assert float(losses.minimax_generator_loss([-40.0])) == pytest.approx(-math.exp(-40), rel=1e-4)


def test_saturating_gradient_vanishes_where_the_other_does_not(gradient):
    count = len(LOGITS)
    np.testing.assert_allclose(
        gradient(losses.minimax_generator_loss, LOGITS), -expit(LOGITS) / count, rtol=1e-5
    )
    np.testing.assert_allclose(
        gradient(losses.non_saturating_generator_loss, LOGITS),
        (expit(LOGITS) - 1) / count,
        rtol=1e-5,
    )
    # Chapter 5, first trouble: D is sure that the image is generated.
    assert gradient(losses.minimax_generator_loss, [-20.0])[0] == pytest.approx(-2.06e-9, rel=1e-2)
    assert gradient(losses.non_saturating_generator_loss, [-20.0])[0] == pytest.approx(-1.0)


def test_discriminator_gradient_is_the_closed_form(gradient):
    fake = np.array([0.3, -2.0], "float32")
    np.testing.assert_allclose(
        gradient(lambda real: losses.discriminator_loss(real, fake), LOGITS),
        (expit(LOGITS) - 1) / len(LOGITS),
        rtol=1e-5,
    )
    np.testing.assert_allclose(
        gradient(lambda fake: losses.discriminator_loss(LOGITS, fake), fake),
        expit(fake) / len(fake),
        rtol=1e-5,
    )


# Least squares and hinge


def test_least_squares_losses_on_fixed_numbers(gradient):
    # ((3-1)² + (0-1)²)/2 = 2.5, (0² + 1² + 2²)/3 = 5/3
    loss = losses.least_squares_discriminator_loss([3.0, 0.0], [0.0, 1.0, 2.0])
    assert float(loss) == pytest.approx((2.5 + 5 / 3) / 2)
    assert float(losses.least_squares_discriminator_loss([1.0], [0.0])) == 0.0
    assert float(losses.least_squares_generator_loss([0.0, 1.0, 2.0])) == pytest.approx(1 / 3)
    np.testing.assert_allclose(
        gradient(losses.least_squares_generator_loss, [-2.0, 1.0]), [-1.5, 0.0]
    )


def test_hinge_losses_on_fixed_numbers(gradient):
    # real: 0, 0.5, 3; fake: 0, 3
    loss = losses.hinge_discriminator_loss([1.5, 0.5, -2.0], [-1.5, 2.0])
    assert float(loss) == pytest.approx(3.5 / 3 + 1.5)
    assert float(losses.hinge_discriminator_loss([1.0], [-1.0])) == 0.0
    assert float(losses.hinge_generator_loss([1.0, -4.0])) == 1.5
    np.testing.assert_allclose(
        gradient(lambda real: losses.hinge_discriminator_loss(real, [0.0]), [1.5, 0.5]),
        [0.0, -0.5],
    )


# Wasserstein and relativistic pairing


def test_wasserstein_losses_on_fixed_numbers(gradient):
    loss = losses.ADVERSARIAL_LOSSES["wasserstein"]
    # E[D(G(z))] = 2, E[D(x)] = -1
    value = loss.discriminator([-3.0, 1.0], [1.0, 2.0, 3.0])
    assert float(value) == 3.0
    assert float(loss.generator_loss([1.0, 2.0, 3.0])) == -2.0
    assert float(loss.monitors["wasserstein_estimate"](value)) == -3.0
    np.testing.assert_allclose(
        gradient(lambda real: loss.discriminator(real, [0.0]), [5.0, -5.0]), [-0.5, -0.5]
    )


@PROPERTIES
@given(real=logit_batches)
def test_relativistic_losses_are_the_logarithms_of_a_sigmoid_of_pairs(real):
    real = real.astype("float64")
    fake = np.roll(real, 1) * 0.5
    expected = -np.log(expit(real - fake)).mean()
    loss = losses.ADVERSARIAL_LOSSES["relativistic"]
    assert float(loss.discriminator(real, fake)) == pytest.approx(expected, rel=1e-5, abs=1e-6)
    # The sides change: the generator wants its images to seem more real than the real ones.
    expected = -np.log(expit(fake - real)).mean()
    assert float(loss.generator_loss(fake, real)) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_relativistic_pairs_are_made_by_place_and_need_equal_numbers():
    loss = losses.ADVERSARIAL_LOSSES["relativistic"]
    # softplus(-3) = 0.048587, softplus(1) = 1.313262
    value = loss.discriminator([[2.0], [0.0]], [[-1.0], [1.0]])
    assert float(value) == pytest.approx((0.048587 + 1.313262) / 2, abs=2e-6)
    with pytest.raises(GenzooError, match="same shape"):
        loss.discriminator([1.0, 2.0], [1.0])


# The table


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_every_loss_has_finite_values_and_gradients(name, gradient):
    loss = losses.ADVERSARIAL_LOSSES[name]
    assert isinstance(loss, losses.AdversarialLoss)
    extreme = np.array([[-1e4], [-1.0], [0.0], [0.5], [1e4]], "float32")
    for value in (loss.discriminator(extreme, extreme), loss.generator_loss(extreme, extreme)):
        assert value.shape == ()
        assert np.isfinite(value)
    assert np.isfinite(gradient(lambda x: loss.discriminator(x, extreme), extreme)).all()
    assert np.isfinite(gradient(lambda x: loss.discriminator(extreme, x), extreme)).all()
    assert np.isfinite(gradient(lambda x: loss.generator_loss(x, extreme), extreme)).all()


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_every_loss_pulls_the_logits_the_right_way(name, gradient):
    loss = losses.ADVERSARIAL_LOSSES[name]
    undecided = np.full(3, 0.5, "float32")
    assert (gradient(lambda real: loss.discriminator(real, undecided), undecided) < 0).all()
    assert (gradient(lambda fake: loss.discriminator(undecided, fake), undecided) > 0).all()
    assert (gradient(lambda fake: loss.generator_loss(fake, undecided), undecided) < 0).all()


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_every_loss_computes_in_float32(name, dtype):
    loss = losses.ADVERSARIAL_LOSSES[name]
    # 4,097 logits: a mean in half precision would miss by far more than the tolerance.
    logits = tf.cast(tf.linspace(-3.0, 5.0, 4097), dtype)
    exact = tf.cast(logits, "float32")
    for value, expected in (
        (loss.discriminator(logits, logits), loss.discriminator(exact, exact)),
        (loss.generator_loss(logits, logits), loss.generator_loss(exact, exact)),
    ):
        assert value.dtype == tf.float32
        assert float(value) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_every_loss_runs_in_a_graph_of_unknown_batch(name):
    loss = losses.ADVERSARIAL_LOSSES[name]
    spec = tf.TensorSpec([None, 1], tf.float32)
    graph = tf.function(loss.discriminator, input_signature=[spec, spec])
    real, fake = LOGITS[:, None], LOGITS[::-1, None]
    assert float(graph(real, fake)) == pytest.approx(
        float(loss.discriminator(real, fake)), rel=1e-6
    )


def test_adversarial_loss_is_frozen():
    loss = losses.ADVERSARIAL_LOSSES["minimax"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        loss.generator = losses.non_saturating_generator_loss


# Scores


def test_a_score_is_a_probability_or_the_logit_itself():
    np.testing.assert_allclose(losses.probability_score(LOGITS), expit(LOGITS), rtol=1e-6)
    np.testing.assert_array_equal(losses.probability_score([-1e4, 1e4]), [0.0, 1.0])
    np.testing.assert_array_equal(losses.logit_score(LOGITS), LOGITS)
    for score in (losses.probability_score, losses.logit_score):
        assert score(tf.zeros(3, tf.bfloat16)).dtype == tf.float32


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_the_mean_score_is_what_the_losss_paper_calls_d(name):
    loss = losses.ADVERSARIAL_LOSSES[name]
    cross_entropy = name in ("non_saturating", "minimax")
    expected = expit(LOGITS).mean() if cross_entropy else LOGITS.mean()
    assert float(loss.mean_score(LOGITS)) == pytest.approx(expected, rel=1e-6)
    assert loss.gives_probabilities == cross_entropy


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_the_optimum_is_the_best_score_where_real_and_generated_are_alike(name, gradient):
    loss = losses.ADVERSARIAL_LOSSES[name]
    values = np.linspace(-3, 3, 601, dtype="float32")
    found = np.array([float(loss.discriminator([v], [v])) for v in values[::20]])
    best = np.flatnonzero(found <= found.min() + 1e-6)
    if loss.optimum is None:
        assert len(best) > 1
    else:
        [logit] = values[::20][best] if name != "least_squares" else [0.5]
        assert float(loss.score(logit)) == pytest.approx(loss.optimum, abs=1e-6)
        assert gradient(lambda x: loss.discriminator(x, x), [logit])[0] == pytest.approx(
            0, abs=1e-6
        )


def test_a_loss_of_two_functions_scores_by_the_mean_logit():
    loss = losses.AdversarialLoss(losses.hinge_discriminator_loss, losses.hinge_generator_loss)
    assert float(loss.mean_score([1.0, 4.0])) == 2.5
    assert loss.optimum is None


@pytest.mark.parametrize("name", losses.ADVERSARIAL_LOSSES)
def test_a_loss_comes_back_from_its_configuration(name):
    loss = losses.ADVERSARIAL_LOSSES[name]
    assert losses.AdversarialLoss.from_config(loss.get_config()) == loss
    # Files of earlier versions hold two functions.
    old = {role: loss.get_config()[role] for role in ("discriminator", "generator")}
    assert losses.AdversarialLoss.from_config(old).generator is loss.generator


# Theory


@PROPERTIES
@given(p_data=distributions, p_generated=distributions)
def test_value_at_the_optimal_discriminator(p_data, p_generated):
    d = np.asarray(losses.optimal_discriminator(p_data, p_generated), "float64")
    np.testing.assert_allclose(d, p_data / (p_data + p_generated), rtol=1e-6)
    value = p_data @ np.log(d) + p_generated @ np.log(1 - d)
    m = (p_data + p_generated) / 2
    js = (p_data @ np.log(p_data / m) + p_generated @ np.log(p_generated / m)) / 2
    assert value == pytest.approx(-math.log(4) + 2 * js, abs=1e-6)
    optimum = float(losses.optimal_value(p_data, p_generated))
    assert optimum == pytest.approx(value, abs=2e-6)
    assert -math.log(4) - 1e-6 <= optimum <= 1e-6
    # No other discriminator does better.
    for other in (d**2, np.sqrt(d), (d + 0.5) / 2):
        assert p_data @ np.log(other) + p_generated @ np.log(1 - other) <= value + 1e-6
    assert float(losses.jensen_shannon_estimate(-optimum)) == pytest.approx(js, abs=1e-6)


def test_discriminator_loss_on_samples_reaches_the_optimum():
    # Each outcome stands in the batch as often as it is probable: means are expectations.
    p_data, p_generated = np.array([4, 3, 1, 0]), np.array([1, 2, 3, 2])
    with np.errstate(divide="ignore"):
        logits = np.asarray(losses.optimal_logits(np.log(p_data), np.log(p_generated)))
    loss = losses.discriminator_loss(np.repeat(logits, p_data), np.repeat(logits, p_generated))
    assert float(loss) == pytest.approx(
        -float(losses.optimal_value(p_data / 8, p_generated / 8)), abs=1e-6
    )
    js = losses.jensen_shannon_divergence(p_data / 8, p_generated / 8)
    assert float(losses.jensen_shannon_estimate(loss)) == pytest.approx(float(js), abs=1e-6)


def test_value_is_least_where_the_distributions_are_equal():
    p = np.array([0.1, 0.2, 0.7])
    assert float(losses.optimal_value(p, p)) == pytest.approx(-math.log(4), abs=1e-6)
    np.testing.assert_array_equal(losses.optimal_discriminator(p, p), [0.5, 0.5, 0.5])
    assert float(losses.jensen_shannon_estimate(math.log(4))) == pytest.approx(0.0, abs=1e-7)
    assert float(losses.optimal_value(p, [0.2, 0.2, 0.6])) > -math.log(4) + 1e-3


def test_optimal_discriminator_at_the_edge_of_the_support():
    d = losses.optimal_discriminator([1.0, 0.0, 0.0, 1e-30], [0.0, 1.0, 0.0, 3e-30])
    np.testing.assert_allclose(d, [1.0, 0.0, 0.5, 0.25], rtol=1e-6)


@PROPERTIES
@given(p_data=distributions, p_generated=distributions)
def test_optimal_logits_are_those_of_the_optimal_discriminator(p_data, p_generated):
    logits = losses.optimal_logits(np.log(p_data), np.log(p_generated))
    np.testing.assert_allclose(
        tf.sigmoid(logits), losses.optimal_discriminator(p_data, p_generated), rtol=1e-5
    )


def test_optimal_logits_beyond_the_range_of_probabilities():
    infinity = np.inf
    logits = losses.optimal_logits(
        [-2000.0, -infinity, 0.0, -infinity], [-2001.5, 0.0, -infinity, -infinity]
    )
    np.testing.assert_array_equal(logits, [1.5, -infinity, infinity, 0.0])
