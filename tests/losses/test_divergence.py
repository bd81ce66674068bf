import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy, multivariate_normal, norm

from keras_genzoo import losses
from keras_genzoo.errors import GenzooError

PROPERTIES = settings.get_profile("losses")
LOG_2 = math.log(2)


def _normalise(p):
    return p / p.sum()


# Some outcomes are impossible.
weights = st.one_of(st.just(0.0), st.floats(1e-4, 1.0))
distributions = arrays("float64", 6, elements=weights).filter(lambda p: p.sum() > 0).map(_normalise)
positive = arrays("float64", 6, elements=st.floats(1e-4, 1.0)).map(_normalise)


def random_covariance(rng, d):
    root = rng.normal(size=(d, d))
    return root @ root.T + 0.5 * np.eye(d)


# Discrete distributions


@PROPERTIES
@given(p=distributions, q=positive)
def test_kl_equals_scipy(p, q):
    kl = float(losses.kl_divergence(p, q))
    assert kl == pytest.approx(entropy(p, q), rel=1e-5, abs=1e-6)
    assert kl >= -1e-6
    assert float(losses.kl_divergence(p, p)) == 0.0


@PROPERTIES
@given(p=distributions, q=distributions)
def test_js_equals_scipy_and_is_a_bounded_symmetric_divergence(p, q):
    js = float(losses.jensen_shannon_divergence(p, q))
    assert js == pytest.approx(jensenshannon(p, q) ** 2, rel=1e-5, abs=1e-6)
    assert js == float(losses.jensen_shannon_divergence(q, p))
    assert -1e-6 <= js <= LOG_2 + 1e-6
    assert float(losses.jensen_shannon_divergence(p, p)) == 0.0


def test_discrete_divergences_on_fixed_numbers():
    p, q = [0.5, 0.5], [0.9, 0.1]
    # 0.5 log(5/9) + 0.5 log 5; 0.9 log 1.8 + 0.1 log 0.2
    assert float(losses.kl_divergence(p, q)) == pytest.approx(0.510826, abs=1e-6)
    assert float(losses.kl_divergence(q, p)) == pytest.approx(0.368064, abs=1e-6)
    assert float(losses.jensen_shannon_divergence(p, q)) == pytest.approx(0.101749, abs=1e-6)


def test_support():
    assert float(losses.kl_divergence([0.5, 0.5], [1.0, 0.0])) == math.inf
    assert float(losses.kl_divergence([1.0, 0.0], [0.5, 0.5])) == pytest.approx(LOG_2)
    assert float(losses.kl_divergence([1.0, 0.0], [1.0, 0.0])) == 0.0
    disjoint = losses.jensen_shannon_divergence([0.3, 0.7, 0.0], [0.0, 0.0, 1.0])
    assert float(disjoint) == pytest.approx(LOG_2)


def test_kl_gradient_is_finite_outside_the_support(gradient):
    p, q = np.array([0.25, 0.75, 0.0]), np.array([0.5, 0.5, 0.0])
    np.testing.assert_allclose(
        gradient(lambda q: losses.kl_divergence(p, q), q), [-0.5, -1.5, 0.0], rtol=1e-6
    )
    slope = gradient(lambda p: losses.kl_divergence(p, q), p)
    np.testing.assert_allclose(slope[:2], np.log(p[:2] / q[:2]) + 1, rtol=1e-6)
    assert np.isfinite(slope).all()


def test_discrete_divergences_keep_leading_axes_and_broadcast():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(4), (3, 2)), rng.dirichlet(np.ones(4))
    np.testing.assert_allclose(
        losses.kl_divergence(p, q), entropy(p, q[None, None], axis=-1), rtol=1e-5
    )
    js = losses.jensen_shannon_divergence(p, q)
    assert js.shape == (3, 2)
    np.testing.assert_allclose(js, jensenshannon(p, q[None, None], axis=-1) ** 2, rtol=1e-4)


# Estimates from samples


def test_monte_carlo_kl_comes_near_the_closed_form():
    # KL(N(1, 2²) ‖ N(0, 3²)) = log(3/2) + (4 + 1)/18 - 1/2
    samples = np.random.default_rng(0).normal(1, 2, 100_000)
    log_p, log_q = norm.logpdf(samples, 1, 2), norm.logpdf(samples, 0, 3)
    estimate = float(losses.monte_carlo_kl(log_p, log_q))
    standard_error = (log_p - log_q).std() / math.sqrt(len(samples))
    assert estimate == pytest.approx(math.log(1.5) + 5 / 18 - 0.5, abs=4 * standard_error)
    assert standard_error < 2e-3
    with pytest.raises(GenzooError, match=r"log_p \(3,\) and log_q \(3, 1\)"):
        losses.monte_carlo_kl(np.zeros(3), np.zeros((3, 1)))


def test_maximum_likelihood_minimises_kl():
    # Outcomes in their exact proportions: KL = -entropy - mean log-likelihood for every model.
    p_data = np.array([0.5, 0.25, 0.125, 0.125])
    samples = np.repeat(np.arange(4), [4, 2, 1, 1])
    models = [p_data, np.full(4, 0.25), np.array([0.4, 0.3, 0.2, 0.1])]
    likelihoods = []
    for model in models:
        likelihood = float(losses.mean_log_likelihood(np.log(model)[samples]))
        kl = float(losses.kl_divergence(p_data, model))
        assert kl == pytest.approx(-entropy(p_data) - likelihood, abs=1e-6)
        likelihoods.append(likelihood)
    assert max(likelihoods) == likelihoods[0]


# Gaussians


def reference_gaussian_kl(mean_1, covariance_1, mean_2, covariance_2):
    """Formula A.1 as it stands, with inverses, in float64."""
    inverse, difference = np.linalg.inv(covariance_2), mean_1 - mean_2
    log_ratio = np.linalg.slogdet(covariance_2)[1] - np.linalg.slogdet(covariance_1)[1]
    trace = np.trace(inverse @ covariance_1)
    return (log_ratio - len(mean_1) + trace + difference @ inverse @ difference) / 2


@pytest.mark.parametrize("d", [1, 2, 5, 20])
def test_gaussian_kl_equals_the_formula(d):
    rng = np.random.default_rng(d)
    for _ in range(3):
        mean_1, mean_2 = rng.normal(size=(2, d))
        covariance_1, covariance_2 = random_covariance(rng, d), random_covariance(rng, d)
        kl = float(losses.gaussian_kl(mean_1, covariance_1, mean_2, covariance_2))
        expected = reference_gaussian_kl(mean_1, covariance_1, mean_2, covariance_2)
        assert kl == pytest.approx(expected, rel=1e-4)


def test_gaussian_kl_on_fixed_numbers():
    # KL(N(1, 2²) ‖ N(0, 3²)) = log(3/2) + 5/18 - 1/2
    kl = losses.gaussian_kl([1.0], [[4.0]], [0.0], [[9.0]])
    assert float(kl) == pytest.approx(0.183243, abs=1e-6)
    # ½(log(1/0.75) - 2 + 2 + 0): correlation 1/2 against none
    kl = losses.gaussian_kl([0.0, 0.0], [[1.0, 0.5], [0.5, 1.0]], [0.0, 0.0], np.eye(2))
    assert float(kl) == pytest.approx(0.143841, abs=1e-6)


def test_gaussian_kl_agrees_with_monte_carlo():
    rng = np.random.default_rng(0)
    mean_1, mean_2 = rng.normal(size=(2, 3))
    covariance_1, covariance_2 = random_covariance(rng, 3), random_covariance(rng, 3)
    first = multivariate_normal(mean_1, covariance_1)
    second = multivariate_normal(mean_2, covariance_2)
    samples = first.rvs(50_000, random_state=0)
    log_p, log_q = first.logpdf(samples), second.logpdf(samples)
    standard_error = (log_p - log_q).std() / math.sqrt(len(samples))
    kl = float(losses.gaussian_kl(mean_1, covariance_1, mean_2, covariance_2))
    estimate = float(losses.monte_carlo_kl(log_p, log_q))
    assert estimate == pytest.approx(kl, abs=4 * standard_error)
    assert standard_error < kl / 20


def test_gaussian_kl_is_zero_only_for_the_same_gaussian():
    rng = np.random.default_rng(3)
    mean, covariance = rng.normal(size=4), random_covariance(rng, 4)
    same = losses.gaussian_kl(mean, covariance, mean, covariance)
    assert float(same) == pytest.approx(0.0, abs=1e-5)
    assert float(losses.gaussian_kl(mean, covariance, mean + 0.5, covariance)) > 1e-2
    assert float(losses.gaussian_kl(mean, covariance, mean, 1.5 * covariance)) > 1e-2


def test_gaussian_kl_broadcasts_batches():
    rng = np.random.default_rng(4)
    means = rng.normal(size=(3, 2))
    covariances = np.stack([random_covariance(rng, 2) for _ in range(3)])
    mean, covariance = rng.normal(size=2), random_covariance(rng, 2)
    for arguments in (
        (means, covariances, mean, covariance),
        (mean, covariance, means, covariances),
        (means, covariance, mean, covariance),
        (mean, covariances, mean, covariance),
        (mean, covariance, mean, covariances),
    ):
        kl = losses.gaussian_kl(*arguments)
        assert kl.shape == (3,)
        batch = [
            np.broadcast_to(x, (3, *x.shape[-k:]))
            for x, k in zip(arguments, (1, 2, 1, 2), strict=True)
        ]
        expected = [reference_gaussian_kl(*one) for one in zip(*batch, strict=True)]
        np.testing.assert_allclose(kl, expected, rtol=1e-4)


def test_gaussian_kl_refuses_what_is_no_covariance():
    with pytest.raises(
        GenzooError, match=r"\(\.\.\., 2, 2\), not \(2,\); pass a diagonal covariance"
    ):
        losses.gaussian_kl(np.zeros(2), np.ones(2), np.zeros(2), np.eye(2))
    with pytest.raises(GenzooError, match=r"\(\.\.\., 2, 2\), not \(3, 3\)"):
        losses.gaussian_kl(np.zeros(2), np.eye(2), np.zeros(2), np.eye(3))
    with pytest.raises(ValueError, match="Cholesky"):
        losses.gaussian_kl(np.zeros(2), np.eye(2), np.zeros(2), np.diag([1.0, -1.0]))


latents = arrays("float32", (2, 3), elements=st.floats(-3, 3, width=32))


@PROPERTIES
@given(z_mean=latents, z_log_var=latents)
def test_diagonal_kl_equals_the_full_one_and_the_formula(z_mean, z_log_var):
    kl = losses.diagonal_gaussian_kl(z_mean, z_log_var)
    assert kl.shape == (2,)
    assert (np.asarray(kl) >= 0).all()
    mean, log_var = z_mean.astype("float64"), z_log_var.astype("float64")
    expected = -0.5 * (1 + log_var - mean**2 - np.exp(log_var)).sum(axis=1)
    np.testing.assert_allclose(kl, expected, rtol=1e-5, atol=1e-6)
    covariance = np.exp(log_var)[:, :, None] * np.eye(3)
    full = losses.gaussian_kl(mean, covariance, np.zeros(3), np.eye(3))
    np.testing.assert_allclose(kl, full, rtol=1e-4, atol=1e-5)


def test_diagonal_kl_on_fixed_numbers():
    # -½(1 + 0 - 1 - 1), -½(1 + log 4 - 0 - 4), both together
    z_mean = [[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]
    z_log_var = [[0.0, 0.0], [0.0, math.log(4)], [0.0, math.log(4)]]
    np.testing.assert_allclose(
        losses.diagonal_gaussian_kl(z_mean, z_log_var), [0.5, 0.806853, 1.306853], atol=1e-6
    )


def test_diagonal_kl_near_the_prior_and_far_from_it():
    # Near it the KL is log σ²² / 4, which 1 + log σ² - σ² would lose in float32.
    near = losses.diagonal_gaussian_kl(np.zeros((1, 1)), np.full((1, 1), 1e-3))
    assert float(near[0]) == pytest.approx(1e-6 / 4, rel=1e-3)
    far = losses.diagonal_gaussian_kl(np.full((1, 1), 1e4), np.full((1, 1), -1e4))
    assert float(far[0]) == pytest.approx((1e8 + 1e4 - 1) / 2)
    assert float(losses.diagonal_gaussian_kl([[0.0]], [[100.0]])[0]) == math.inf


def test_diagonal_kl_gradients_are_the_closed_forms(gradient):
    z_mean, z_log_var = np.array([[0.5, -2.0]]), np.array([[1.0, -0.5]])
    np.testing.assert_allclose(
        gradient(lambda x: losses.diagonal_gaussian_kl(x, z_log_var), z_mean), z_mean, rtol=1e-6
    )
    np.testing.assert_allclose(
        gradient(lambda x: losses.diagonal_gaussian_kl(z_mean, x), z_log_var),
        np.expm1(z_log_var) / 2,
        rtol=1e-5,
    )


def test_diagonal_kl_sums_spatial_latents_and_refuses_other_shapes():
    rng = np.random.default_rng(5)
    z_mean, z_log_var = rng.normal(size=(2, 4, 2, 2, 3))
    np.testing.assert_allclose(
        losses.diagonal_gaussian_kl(z_mean, z_log_var),
        losses.diagonal_gaussian_kl(z_mean.reshape(4, -1), z_log_var.reshape(4, -1)),
        rtol=1e-5,
    )
    with pytest.raises(GenzooError, match=r"z_mean \(4, 2\) and z_log_var \(1, 2\)"):
        losses.diagonal_gaussian_kl(np.zeros((4, 2)), np.zeros((1, 2)))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float64"])
def test_divergences_compute_in_float32(dtype):
    p = tf.cast(np.full((1, 4096), 1 / 4096), dtype)
    q = tf.cast(np.linspace(0.5, 1.5, 4096)[None] / 4096, dtype)
    z_mean, z_log_var = tf.cast(tf.linspace([-1.0], [2.0], 4096, axis=1), dtype), q
    one = tf.cast([[[2.0]]], dtype)
    for function, arguments in (
        (losses.kl_divergence, (p, q)),
        (losses.jensen_shannon_divergence, (p, q)),
        (losses.optimal_value, (p, q)),
        (losses.optimal_discriminator, (p, q)),
        (losses.mean_log_likelihood, (z_mean,)),
        (losses.monte_carlo_kl, (z_mean, q)),
        (losses.diagonal_gaussian_kl, (z_mean, z_log_var)),
        (losses.gaussian_kl, (one[0], one, one[0], one)),
        (losses.reparameterize, (z_mean, z_log_var, q)),
        (losses.elbo, (z_mean, q)),
    ):
        value = function(*arguments)
        assert value.dtype == tf.float32
        expected = function(*(tf.cast(argument, "float32") for argument in arguments))
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)


def test_divergences_run_in_a_graph_of_unknown_batch():
    row, matrix = tf.TensorSpec([None, 2], tf.float32), tf.TensorSpec([None, 2, 2], tf.float32)
    z_mean, z_log_var = np.array([[[0.5, 1.0]] * 3, [[-1.0, 0.2]] * 3], "float32")
    covariance = np.exp(z_log_var)[:, :, None] * np.eye(2, dtype="float32")
    diagonal = tf.function(losses.diagonal_gaussian_kl, input_signature=[row, row])
    full = tf.function(losses.gaussian_kl, input_signature=[row, matrix, row, matrix])
    prior = np.zeros((3, 2), "float32"), np.stack([np.eye(2, dtype="float32")] * 3)
    np.testing.assert_allclose(
        diagonal(z_mean, z_log_var), full(z_mean, covariance, *prior), rtol=1e-5
    )


# Variational autoencoder


def test_reparameterize_moves_and_scales_the_noise(gradient):
    z_mean, z_log_var = np.array([[1.0, -2.0]]), np.array([[math.log(9), math.log(0.25)]])
    epsilon = np.array([[2.0, -4.0]])
    np.testing.assert_allclose(
        losses.reparameterize(z_mean, z_log_var, epsilon), [[7.0, -4.0]], rtol=1e-6
    )
    np.testing.assert_allclose(
        gradient(lambda x: losses.reparameterize(x, z_log_var, epsilon), z_mean), [[1.0, 1.0]]
    )
    # dz/d(log σ²) = σ ε / 2
    np.testing.assert_allclose(
        gradient(lambda x: losses.reparameterize(z_mean, x, epsilon), z_log_var),
        [[3.0, -1.0]],
        rtol=1e-6,
    )


def test_reparameterized_samples_have_the_posterior_moments():
    epsilon = np.random.default_rng(0).normal(size=(20_000, 1, 2))
    z = losses.reparameterize([[1.0, -2.0]], [[0.0, math.log(0.25)]], epsilon)
    assert z.shape == (20_000, 1, 2)
    np.testing.assert_allclose(np.mean(z, axis=0), [[1.0, -2.0]], atol=0.03)
    np.testing.assert_allclose(np.std(z, axis=0), [[1.0, 0.5]], atol=0.03)


def test_elbo_is_the_log_likelihood_less_the_posterior_gap():
    # z ~ N(0, 1), x|z ~ N(z, 1): log p(x) is that of N(0, 2), the true posterior N(x/2, 1/2).
    x = 1.3
    log_evidence = norm.logpdf(x, 0, math.sqrt(2))
    epsilon = np.random.default_rng(0).normal(size=(40_000, 1))

    def bound(mean, variance):
        z_mean, z_log_var = np.array([[mean]]), np.array([[math.log(variance)]])
        z = np.asarray(losses.reparameterize(z_mean, z_log_var, epsilon[:, None]))
        j_rec = -norm.logpdf(x, z[..., 0], 1)
        values = losses.elbo(j_rec, losses.diagonal_gaussian_kl(z_mean, z_log_var))
        assert values.shape == (40_000, 1)
        return np.mean(values)

    assert bound(x / 2, 0.5) == pytest.approx(log_evidence, abs=0.02)
    gap = float(losses.gaussian_kl([0.0], [[1.0]], [x / 2], [[0.5]]))
    assert bound(0.0, 1.0) == pytest.approx(log_evidence - gap, abs=0.05)
    assert gap > 0.3


def test_elbo_is_minus_the_vae_loss():
    np.testing.assert_allclose(losses.elbo([80.0, 90.0], [20.0, 5.0]), [-100.0, -95.0])
