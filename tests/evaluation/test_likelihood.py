"""Likelihoods against a model whose marginal is known, and what must not matter."""

import keras
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    binarized,
    likelihood,
    likelihood_bounds,
    model_likelihood,
    parzen_log_likelihood,
    vae_likelihood,
)
from keras_genzoo.evaluation.parzen import window_log_density
from keras_genzoo.evaluation.reconstruction import reconstruction_bce
from keras_genzoo.models import VAE, Autoencoder, ImageModel

NOISE = 0.5


class LinearGaussian:
    """x = W z + b + noise: the posterior is Gaussian, and diagonal where W is orthogonal."""

    def __init__(self, pixels=6, latent_dim=2):
        rng = np.random.default_rng(0)
        self.weights = np.linalg.qr(rng.normal(size=(pixels, latent_dim)))[0] * [1.5, 0.7]
        self.bias = rng.normal(size=pixels)
        self.x = rng.normal(size=(30, pixels)).astype("float32")
        self.precision = 1 + (self.weights**2).sum(axis=0) / NOISE**2

    def log_marginal(self):
        covariance = self.weights @ self.weights.T + NOISE**2 * np.eye(len(self.bias))
        return stats.multivariate_normal(self.bias, covariance).logpdf(self.x)

    def posterior(self, x):
        mean = (x - self.bias) @ self.weights / NOISE**2 / self.precision
        return mean, np.broadcast_to(-np.log(self.precision), mean.shape)

    def wrong_posterior(self, x):
        mean, log_var = self.posterior(x)
        return mean + 0.3, log_var + 0.8

    def log_probability(self, x, z):
        return stats.norm(z @ self.weights.T + self.bias, NOISE).logpdf(x).sum(axis=1)


def test_with_the_true_posterior_one_draw_gives_the_marginal_exactly():
    model = LinearGaussian()
    bounds = likelihood_bounds(model.x, model.posterior, model.log_probability, num_samples=1)
    np.testing.assert_allclose(bounds.log_likelihood, model.log_marginal(), rtol=1e-5)


def test_with_another_posterior_many_draws_approach_the_marginal_from_below():
    model = LinearGaussian()
    few, many = (
        likelihood_bounds(model.x, model.wrong_posterior, model.log_probability, k).log_likelihood
        for k in (1, 5000)
    )
    exact = model.log_marginal()
    np.testing.assert_allclose(many, exact, atol=0.1)
    assert few.mean() < many.mean() < exact.mean() + 0.01


def test_elbo_is_below_the_marginal_by_the_divergence_of_the_posteriors():
    model = LinearGaussian()
    bounds = likelihood_bounds(model.x, model.wrong_posterior, model.log_probability, 20000)
    # KL between Gaussians whose variances differ by e^0.8 and means by 0.3.
    ratio = np.exp(0.8)
    gap = ((ratio - 1 - 0.8) / 2 + 0.3**2 * model.precision / 2).sum()
    elbo = bounds.reconstruction - bounds.kl
    np.testing.assert_allclose(model.log_marginal() - elbo, gap, atol=0.15)


def test_batches_of_images_and_of_draws_do_not_matter(monkeypatch):
    model = LinearGaussian()
    arguments = (model.x, model.wrong_posterior, model.log_probability, 7)
    expected = likelihood_bounds(*arguments)
    monkeypatch.setattr(likelihood, "_IMAGES", 4)
    monkeypatch.setattr(likelihood, "_DRAWS", 3)
    for one, other in zip(likelihood_bounds(*arguments), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_vae_that_ignores_its_code_has_the_likelihood_of_its_pixels():
    model = VAE((8, 8, 1), latent_dim=3, hidden_units=(4,))
    model.compile()
    for weight in model.weights:
        weight.assign(keras.ops.zeros_like(weight))
    images = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 1), "uint8")
    result = vae_likelihood(model, images, num_samples=5)
    # Posterior N(0, I), all probabilities one half, whatever the pixels.
    assert result.kl == result.active_units == 0
    assert result.elbo == pytest.approx(-64 * np.log(2), rel=1e-6)
    assert result.log_likelihood == pytest.approx(-64 * np.log(2), rel=1e-6)
    assert (result.binarization, result.num_images) == ("dynamic", 9)


def test_binarisations_are_four_different_things():
    images = np.tile(np.arange(256, dtype="uint8"), (200, 1))
    images[:, 100] = np.arange(200)  # Each its own draw.
    grey, threshold, dynamic, fixed = (
        binarized(images, how, seed=3) for how in ("grey", "threshold", "dynamic", "fixed")
    )
    np.testing.assert_allclose(grey, images / 255, rtol=1e-6)
    np.testing.assert_array_equal(threshold, images >= 128)
    for drawn in (dynamic, fixed):
        assert set(np.unique(drawn)) == {0, 1}
        assert not drawn[:, 0].any()
        assert drawn[:, 255].all()
        np.testing.assert_allclose(drawn.mean(axis=0), grey.mean(axis=0), atol=2.5 / np.sqrt(200))
    np.testing.assert_array_equal(fixed, binarized(images, "fixed", seed=4))
    order = np.random.default_rng(0).permutation(200)
    np.testing.assert_array_equal(fixed[order], binarized(images[order], "fixed"))
    assert (dynamic != binarized(images, "dynamic", seed=4)).any()


def test_what_has_no_likelihood_is_refused():
    images = np.zeros((2, 8, 8, 1), "uint8")
    with pytest.raises(GenzooError, match="this Autoencoder has no likelihood; it needs"):
        vae_likelihood(Autoencoder((8, 8, 1), hidden_units=(4,)), images)
    model = VAE((8, 8, 1), hidden_units=(4,))
    model.compile(loss="squared_error")
    with pytest.raises(GenzooError, match="bernoulli"):
        vae_likelihood(model, images)
    model.compile()
    with pytest.raises(GenzooError, match="did you mean 'dynamic'"):
        vae_likelihood(model, images, binarization="dynamc")
    with pytest.raises(GenzooError, match="num_samples must be at least 1"):
        vae_likelihood(model, images, num_samples=0)


class Uniform(ImageModel):
    """A model of a third family: every pixel is uniform, so that log p(x) is known exactly."""

    has_likelihood = True

    def estimate_log_likelihood(self, images, num_samples, seed):
        return np.full(len(images), np.log(256.0) * np.prod(self.image_shape))


class GridOfCodes(ImageModel):
    """A model whose codes are a grid: x = z + noise, with the true posterior."""

    has_likelihood = True

    def posterior(self, images):
        return images / 2, np.full(images.shape, np.log(0.5))

    def log_probability(self, images, z):
        return stats.norm(z, 1).logpdf(images).sum(axis=(1, 2, 3))


def test_a_model_of_another_family_gives_its_own_estimate():
    images = np.zeros((90, 2, 2, 1), "uint8")
    result = model_likelihood(Uniform((2, 2, 1), 1), images, num_samples=3)
    assert result.log_likelihood == pytest.approx(4 * np.log(256))
    assert (result.elbo, result.kl, result.latent_dim) == (None, None, None)
    assert (result.binarization, result.num_images) == ("grey", 90)

    class Wrong(Uniform):
        def estimate_log_likelihood(self, images, num_samples, seed):
            return 0.0

    with pytest.raises(GenzooError, match=r"one number for each image, shape \(80,\), not \(\)"):
        model_likelihood(Wrong((2, 2, 1), 1), images)


def test_codes_of_any_shape_have_a_likelihood():
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 2, 1), "uint8")
    result = model_likelihood(GridOfCodes((3, 2, 1), 6), images, num_samples=2)
    exact = stats.norm(0, np.sqrt(2)).logpdf(images / 255).sum(axis=(1, 2, 3)).mean()
    assert result.log_likelihood == pytest.approx(exact, rel=1e-5)
    assert result.latent_dim == 6


def test_parzen_window_is_the_mean_of_its_gaussians():
    rng = np.random.default_rng(0)
    x, samples = rng.random((5, 3)), rng.random((40, 3))
    got = window_log_density(x, samples, [0.2, 0.7])
    for row, sigma in zip(got, (0.2, 0.7), strict=True):
        each = stats.norm(samples, sigma).logpdf(x[:, None]).sum(axis=2)
        np.testing.assert_allclose(row, logsumexp(each, axis=1) - np.log(40), rtol=1e-9)


def test_parzen_bandwidth_is_chosen_on_the_validation_images():
    rng = np.random.default_rng(0)
    samples, validation, test = (rng.normal(0, 0.5, (n, 1)) for n in (4000, 500, 500))
    result = parzen_log_likelihood(samples, validation, test)
    exact = stats.norm(0, 0.5).logpdf(test)
    assert result.bandwidth in (pytest.approx(0.1), pytest.approx(10 ** (-8 / 9)))
    assert result.mean == pytest.approx(exact.mean(), abs=0.03)
    assert result.standard_error == pytest.approx(exact.std() / np.sqrt(500), rel=0.1)


def test_bce_of_reconstructions_is_the_loss_of_an_autoencoder():
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), "uint8")
    model = Autoencoder((8, 8, 1), hidden_units=(4,))
    model.compile()
    loss = model.evaluate(images, batch_size=40, verbose=0, return_dict=True)["loss"]
    assert reconstruction_bce(model, images) == pytest.approx(loss, rel=1e-5)
