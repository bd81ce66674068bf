"""Bounds of models whose marginal is known, their gradients, and steps taken in parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import model_likelihood
from keras_genzoo.losses import ReconstructionLoss, importance_weighted_bound
from keras_genzoo.models import CVAE, HVAE, IWAE, VAE
from keras_genzoo.networks import normal
from tests.models.cases import SHAPE, images

PIXELS, NOISE = 6, 0.5
IMAGE_SHAPE = (PIXELS, 1, 1)
X = np.random.default_rng(1).integers(0, 256, (20, *IMAGE_SHAPE), "uint8")


class NormalPixels(ReconstructionLoss):
    """Pixels with a normal distribution about the decoder's outputs themselves."""

    is_log_likelihood = True

    def __call__(self, images, logits, log_sigma=None):
        log_density = (images - logits) ** 2 / (2 * NOISE**2) + np.log(NOISE * np.sqrt(2 * np.pi))
        return tf.reduce_sum(log_density, axis=(1, 2, 3))


def linear(inputs, kernel, bias):
    """Return a dense layer with these weights, of flattened and joined inputs."""
    flat = [keras.layers.Flatten()(part) for part in inputs]
    joined = keras.ops.concatenate(flat, axis=-1) if len(flat) > 1 else flat[0]
    weights = [np.asarray(kernel, "float32"), np.asarray(bias, "float32")]
    layer = keras.layers.Dense(weights[1].size)
    layer.build(joined.shape)
    layer.set_weights(weights)
    return layer(joined)


def gaussian(inputs, kernel, bias, variance):
    """Return a network to a mean that is linear in its inputs, and a constant log-variance."""
    mean = linear(inputs, kernel, bias)
    log_var = linear(inputs, np.zeros_like(kernel), np.log(np.broadcast_to(variance, len(bias))))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], [mean, log_var])


def decoder(size, kernel, bias):
    z = keras.Input((size,))
    return keras.Model(z, keras.layers.Reshape(IMAGE_SHAPE)(linear([z], kernel, bias)))


class OneLevel:
    """x = W z + b + noise, W orthogonal: the posterior is a diagonal Gaussian."""

    rng = np.random.default_rng(0)
    weights = np.linalg.qr(rng.normal(size=(PIXELS, 2)))[0] * [1.5, 0.7]
    bias = rng.normal(size=PIXELS) / 4
    precision = 1 + (weights**2).sum(axis=0) / NOISE**2
    kernel = weights / NOISE**2 / precision

    @classmethod
    def log_marginal(cls, bias=0.0):
        covariance = cls.weights @ cls.weights.T + NOISE**2 * np.eye(PIXELS)
        x = X.reshape(len(X), -1) / 255 - bias
        return stats.multivariate_normal(cls.bias, covariance).logpdf(x)

    @classmethod
    def model(cls, kind=VAE, off=0.0, **arguments):
        """Return the model; ``off`` moves mean and log-variance of q from the true posterior's."""
        x = keras.Input(IMAGE_SHAPE)
        bias = off - cls.bias @ cls.kernel
        encoder = gaussian([x], cls.kernel, bias, np.exp(2 * off) / cls.precision)
        own = {"encoder": encoder, "decoder": decoder(2, cls.weights.T, cls.bias)}
        model = kind(IMAGE_SHAPE, 2, **own, **arguments)
        model.compile(loss=NormalPixels(), run_eagerly=True)
        return model


def losses(model, draws, x=X, seed=0):
    """Return the loss of each image, with so many draws."""
    model.num_samples = draws
    epsilon = normal((len(x), draws, model.latent_dim), (seed, 1))
    loss, parts = model.losses_of_draws(model.to_range(x), epsilon, training=True)
    return loss.numpy(), parts


# The importance-weighted bound


def test_the_bound_of_one_draw_is_the_estimate_of_the_elbo():
    elbo, iwae = OneLevel.model(off=0.3), OneLevel.model(IWAE, off=0.3)
    x = elbo.to_range(X)
    epsilon = normal((len(X), 1, 2), (3, 4))
    elbo.num_samples = iwae.num_samples = 1
    z, log_ratio = elbo.posterior_draws(x, epsilon)
    expected = -elbo.log_probability(x, z[:, 0]) - log_ratio[:, 0]
    loss, parts = iwae.losses_of_draws(x, epsilon, training=True)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    # The log-ratio is an estimate of the divergence in closed form.
    many = normal((len(X), 20000, 2), (5, 6))
    _, log_ratio = elbo.posterior_draws(x, many)
    np.testing.assert_allclose(-np.mean(log_ratio, axis=1), parts["kl_loss"], atol=0.1)


def test_with_the_true_posterior_every_bound_is_the_marginal():
    for draws in (1, 7):
        loss, _ = losses(OneLevel.model(IWAE), draws)
        np.testing.assert_allclose(-loss, OneLevel.log_marginal(), rtol=1e-4, atol=1e-4)


def test_bounds_grow_with_the_draws_towards_the_marginal():
    exact = OneLevel.log_marginal().mean()
    model = OneLevel.model(IWAE, off=0.3)
    x = np.repeat(X, 100, axis=0)
    bounds = [-losses(model, draws, x)[0].mean() for draws in (1, 5, 50)]
    _, parts = losses(OneLevel.model(off=0.3), 50, x)
    elbo = -float(tf.reduce_mean(parts["loss"]))
    assert bounds[0] == pytest.approx(elbo, abs=0.2)
    assert elbo < bounds[1] - 0.1 < bounds[2] - 0.1 < exact - 0.1
    assert -losses(model, 5000)[0].mean() == pytest.approx(exact, abs=0.02)


def test_an_important_draw_outweighs_the_others():
    assert float(importance_weighted_bound([[0.0, -1e4, -1e4]])[0]) == pytest.approx(-np.log(3))


class GivenPosterior(IWAE):
    """The posterior of each image is a row of ``rows``, so that its gradient is one sample."""

    def encoding(self, images, training=False, class_labels=None):
        return self.rows


def encoder_gradients(gradient, draws, count=4000):
    """Return samples of the gradient of one image's bound in its posterior's mean."""
    model = OneLevel.model(GivenPosterior, gradient=gradient)
    mean = tf.constant(np.tile(X[:1].reshape(1, -1) / 255 @ OneLevel.kernel + 0.4, (count, 1)))
    mean = tf.cast(mean, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(mean)
        model.rows = [mean, tf.zeros_like(mean) - 0.9]
        model.num_samples = draws
        epsilon = normal((count, draws, 2), (draws, 9))
        loss, _ = model.losses_of_draws(model.to_range(X[:1].repeat(count, 0)), epsilon, True)
        loss = tf.reduce_sum(loss)
    return tape.gradient(loss, mean).numpy()[:, 0]


def signal_to_noise(samples):
    return abs(samples.mean()) / samples.std()


def test_both_estimators_have_one_expectation_and_dreg_less_noise():
    plain, dreg = (encoder_gradients(name, 5, 20000) for name in ("reparameterized", "dreg"))
    error = np.hypot(plain.std(), dreg.std()) / np.sqrt(20000)
    assert plain.mean() == pytest.approx(dreg.mean(), abs=4 * error)
    assert abs(dreg.mean()) > 8 * error
    assert dreg.std() < plain.std()


def test_signal_falls_with_the_draws_in_iwae_and_not_in_dreg():
    plain, dreg = (
        [signal_to_noise(encoder_gradients(name, draws, 20000)) for draws in (4, 16)]
        for name in ("reparameterized", "dreg")
    )
    # As 1/sqrt(K), 1802.04537: by 2 from 4 draws to 16.
    assert 1.6 < plain[0] / plain[1] < 3.2
    assert dreg[1] > dreg[0]


def test_at_the_true_posterior_dreg_has_no_noise_at_all():
    def gradient_of(name):
        model = OneLevel.model(IWAE, gradient=name)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model.compute_losses(model.to_range(X), training=True)[0])
        return tape.gradient(loss, model.encoder.trainable_variables + model.decoder.weights)

    plain, dreg = gradient_of("reparameterized"), gradient_of("dreg")
    assert max(np.abs(g).max() for g in dreg[:2]) < 1e-4
    assert max(np.abs(g).max() for g in plain[:2]) > 1e-2
    # The decoder's is the same.
    for ours, theirs in zip(plain[4:], dreg[4:], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


# Draws taken in parts


@pytest.mark.parametrize(
    "arguments",
    [
        {"objective": "iwae", "gradient": "dreg"},
        {"objective": "iwae", "conditioning": "concat", "num_classes": 4, "draws_at_once": 14},
        {"beta": 0.5, "beta_warmup": 4, "draws_at_once": 9},
    ],
    ids=["dreg", "labels", "elbo"],
)
def test_a_step_in_parts_is_the_step_of_the_whole(arguments):
    arguments = {"draws_at_once": 6, "num_samples": 3, "hidden_units": (5,)} | arguments
    labels = tf.range(8) % 4 if "conditioning" in arguments else None

    def gradients(**changes):
        keras.utils.set_random_seed(3)
        model = VAE(SHAPE, 2, binarize="dynamic", seed=5, **(arguments | changes))
        model.compile(run_eagerly=True)
        model.step.assign(2)
        made = model.gradients(model.to_range(images(8)), labels)
        return model.images_at_once(8), *made

    whole, expected, logs = gradients(draws_at_once=0)
    size, found, means = gradients()
    assert whole is None
    assert 1 < size < 8
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for name, value in logs.items():
        assert float(means[name]) == pytest.approx(float(tf.reduce_mean(value)), rel=1e-5)


@pytest.mark.parametrize("arguments", [{"objective": "iwae"}, {"beta": 0.5, "beta_warmup": 4}])
@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_losses_are_measured_in_the_parts_of_training(arguments, jit_compile, monkeypatch):
    of_draws, sizes = VAE.losses_of_draws, []

    def counted(model, images, *others):
        sizes.append(images.shape[0])
        return of_draws(model, images, *others)

    monkeypatch.setattr(VAE, "losses_of_draws", counted)
    arguments = {"num_samples": 3, "hidden_units": (5,), "binarize": "dynamic"} | arguments

    def measured(draws_at_once):
        keras.utils.set_random_seed(3)
        model = VAE(SHAPE, 2, seed=5, draws_at_once=draws_at_once, **arguments)
        model.compile(run_eagerly=not jit_compile, jit_compile=jit_compile)
        sizes.clear()
        return model.evaluate(images(11), batch_size=8, verbose=0, return_dict=True)

    whole = measured(0)
    assert measured(6) == pytest.approx(whole, rel=1e-5)
    if not jit_compile:
        assert sizes == [2, 2, 2, 2, 2, 1]


def test_more_draws_than_fit_are_taken_in_parts_unless_the_batch_counts_as_a_whole():
    def at_once(batch, decoder=None, **arguments):
        arguments = {"objective": "iwae"} | arguments
        model = VAE((28, 28, 1), 2, hidden_units=(200,), decoder=decoder, **arguments)
        model.compile()
        return model.images_at_once(batch)

    assert at_once(20, num_samples=50) is None
    assert 1 <= at_once(100, num_samples=5000) < 20
    assert at_once(100, num_samples=10_000) >= 1
    assert at_once(None, num_samples=5000) >= 1
    assert at_once(100, num_samples=5000, objective="elbo", free_bits=0.1) is None
    layers = [keras.layers.Dense(784), keras.layers.BatchNormalization()]
    own = [keras.Input((2,)), *layers, keras.layers.Reshape((28, 28, 1))]
    assert at_once(100, keras.Sequential(own), num_samples=5000) is None


@pytest.mark.slow
def test_parts_of_batches_of_one_size_compile_by_xla():
    def train(jit_compile):
        keras.utils.set_random_seed(3)
        model = IWAE(SHAPE, 2, hidden_units=(5,), gradient="dreg", draws_at_once=6, num_samples=3)
        model.compile(keras.optimizers.SGD(1e-3), jit_compile=jit_compile)
        batches = tf.data.Dataset.from_tensor_slices(images(16)).batch(8, drop_remainder=True)
        return model.fit(batches, verbose=0).history["loss"]

    assert train(True) == pytest.approx(train(False), rel=1e-4)
    model = IWAE(SHAPE, 2, hidden_units=(5,), draws_at_once=6, num_samples=3)
    model.compile(jit_compile=True)
    with pytest.raises(GenzooError, match="XLA takes parts of batches of one size only"):
        model.fit(tf.data.Dataset.from_tensor_slices(images(16)).batch(8), verbose=0)


# Two levels


class TwoLevels:
    """z1 = a z2 + noise, x = w z1 + v z2 + noise: every conditional is a Gaussian of numbers."""

    a, spread, w, v = 0.8, 0.6, np.linspace(-1, 1, PIXELS), np.linspace(0.2, 0.6, PIXELS)

    @classmethod
    def log_marginal(cls):
        above = cls.a * cls.w + cls.v
        covariance = np.outer(above, above) + cls.spread**2 * np.outer(cls.w, cls.w)
        covariance += NOISE**2 * np.eye(PIXELS)
        x = X.reshape(len(X), -1) / 255
        return stats.multivariate_normal(np.zeros(PIXELS), covariance).logpdf(x)

    @classmethod
    def model(cls, off=0.0, **arguments):
        # q(z2|x): x = (a w + v) z2 + noise of the covariance below.
        below = cls.spread**2 * np.outer(cls.w, cls.w) + NOISE**2 * np.eye(PIXELS)
        above = np.linalg.solve(below, cls.a * cls.w + cls.v)
        precision = 1 + above @ (cls.a * cls.w + cls.v)
        x, top = keras.Input(IMAGE_SHAPE), keras.Input((1,))
        encoder = gaussian([x], above[:, None] / precision, [off], np.exp(off) / precision)
        # q(z1|x, z2): prior of mean a z2, and x - v z2 = w z1 + noise.
        lower = 1 / cls.spread**2 + cls.w @ cls.w / NOISE**2
        of_top = cls.a / cls.spread**2 - cls.w @ cls.v / NOISE**2
        kernel = np.append(cls.w / NOISE**2, of_top)[:, None] / lower
        own = {
            "encoder": encoder,
            "lower_encoder": gaussian([x, top], kernel, [off], np.exp(off) / lower),
            "lower_prior": gaussian([top], [[cls.a]], [0.0], cls.spread**2),
            "decoder": decoder(2, np.stack([cls.v, cls.w]), np.zeros(PIXELS)),
        }
        model = HVAE(IMAGE_SHAPE, 2, **own, **arguments)
        model.compile(loss=NormalPixels(), run_eagerly=True)
        return model


def test_with_the_true_posteriors_the_bounds_of_a_hierarchy_are_the_marginal():
    exact = TwoLevels.log_marginal()
    loss, _ = losses(TwoLevels.model(objective="iwae"), 3)
    np.testing.assert_allclose(-loss, exact, rtol=1e-4, atol=1e-4)
    result = model_likelihood(TwoLevels.model(), X, num_samples=2)
    assert result.log_likelihood == pytest.approx(exact.mean(), rel=1e-5)
    assert result.elbo == pytest.approx(exact.mean(), rel=1e-5)


def test_bounds_of_a_hierarchy_are_below_the_marginal():
    exact = TwoLevels.log_marginal().mean()
    x = np.repeat(X, 100, axis=0)
    elbo, parts = losses(TwoLevels.model(0.3), 3, x)
    np.testing.assert_allclose(elbo, parts["reconstruction_loss"] + parts["kl_loss"], rtol=1e-5)
    few, many = (losses(TwoLevels.model(0.3, objective="iwae"), k, x)[0].mean() for k in (1, 20))
    assert -few == pytest.approx(-elbo.mean(), abs=0.2)
    assert -few < -many - 0.1 < exact - 0.1
    result = model_likelihood(TwoLevels.model(0.3), X, num_samples=200)
    assert result.log_likelihood == pytest.approx(exact, abs=0.1)
    assert result.elbo == pytest.approx(-elbo.mean(), abs=0.1)


def test_a_latent_of_a_hierarchy_has_the_prior_n_0_i():
    model = TwoLevels.model()
    z = model.sample_latents(20000, seed=0)
    made = model.logits(z).numpy().reshape(len(z), -1)
    above = TwoLevels.a * TwoLevels.w + TwoLevels.v
    expected = np.outer(above, above) + TwoLevels.spread**2 * np.outer(TwoLevels.w, TwoLevels.w)
    np.testing.assert_allclose(np.cov(made.T), expected, atol=0.05)


# Classes


def test_the_likelihood_of_a_conditional_model_is_of_images_given_their_classes():
    shifts = np.array([[0.0] * PIXELS, np.linspace(-1, 1, PIXELS)])
    labels = np.arange(len(X)) % 2
    x = keras.Input((PIXELS, 1, 3))
    # A plane holds its number once for each pixel, so each takes its share of the shift.
    kernel = np.zeros((PIXELS, 3, 2))
    kernel[:, 0] = OneLevel.kernel
    kernel[:, 1:] = -(shifts @ OneLevel.kernel) / PIXELS
    bias = -OneLevel.bias @ OneLevel.kernel
    model = CVAE(
        IMAGE_SHAPE,
        2,
        num_classes=2,
        encoder=gaussian([x], kernel.reshape(-1, 2), bias, 1 / OneLevel.precision),
        decoder=decoder(4, np.concatenate([OneLevel.weights.T, shifts]), OneLevel.bias),
    )
    model.compile(loss=NormalPixels(), run_eagerly=True)
    each = np.stack([OneLevel.log_marginal(shift) for shift in shifts])
    result = model_likelihood(model, X, num_samples=1, class_labels=labels)
    assert result.log_likelihood == pytest.approx(each[labels, np.arange(len(X))].mean(), rel=1e-5)
    assert result.given == "classes"
    # Of images alone, the class under which the bound is highest.
    likely = model.likely_labels(model.to_range(X)).numpy()
    np.testing.assert_array_equal(likely, each.argmax(axis=0))
    with pytest.raises(GenzooError, match="these images have none; measure against images with"):
        model_likelihood(model, X, num_samples=1)


def test_labels_are_seen_by_both_networks_and_checked():
    keras.utils.set_random_seed(1)
    model = CVAE(SHAPE, 2, num_classes=3, hidden_units=(8,))
    x = images(4)
    of_0, of_1 = (model.encode(x, label)[0] for label in (0, 1))
    assert (of_0 != of_1).any()
    z = np.repeat(model.sample_latents(1, 0), 3, axis=0)
    made = model.decode(z)
    assert len(np.unique(made.reshape(3, -1), axis=0)) == 3
    np.testing.assert_array_equal(made[1], model.generate(1, 1, seed=0)[0])
    # The dense encoder reads one number of each plane.
    assert model.encoder.count_params() == (256 + 3 + 1) * 8 + 2 * 9 * 2
    for wrong in (lambda: model.reconstruct(x, 3), lambda: model.generate(2, [0, -1])):
        with pytest.raises(GenzooError, match="class labels go from 0 to 2"):
            wrong()
    with pytest.raises(GenzooError, match="4 images need 4 class labels, got 2"):
        model.encode(x, [0, 1])
    labels = np.array([2, 0, 2, 1])
    shown = model.to_uint8(model.predict((x, labels), verbose=0))
    np.testing.assert_array_equal(shown, model.reconstruct(x, labels))
    with pytest.raises(GenzooError, match="knows no classes"):
        VAE(SHAPE, 2, hidden_units=(8,)).reconstruct(x, class_labels=1)


# What has no meaning


@pytest.mark.parametrize(
    ("kind", "arguments", "words"),
    [
        (VAE, {"gradient": "dreg"}, "'dreg' is of the importance-weighted bound"),
        (VAE, {"objective": "iwea"}, "did you mean 'iwae'"),
        (IWAE, {"gradient": "drge"}, "did you mean 'dreg'"),
        (IWAE, {"num_samples": 0}, "num_samples must be at least 1"),
        (IWAE, {"draws_at_once": -1}, "draws_at_once must be 0 or more"),
        (IWAE, {"beta": 0.5}, "no KL divergence that beta"),
        (IWAE, {"beta_warmup": 3}, "no KL divergence that beta"),
        (IWAE, {"free_bits": 0.1}, "no KL divergence that beta"),
        (IWAE, {"loss": "squared_error"}, "bounds a log-likelihood"),
        (VAE, {"free_bits": 0.1, "draws_at_once": 2}, "leave draws_at_once out"),
        (VAE, {"binarize": "fixed"}, "choose from: dynamic, threshold|dynamic, threshold"),
        (VAE, {"binarize": "threshold", "loss": "gaussian"}, "density of grey values"),
        (VAE, {"conditioning": "projection"}, "conditioning of an autoencoder 'projection'"),
        (CVAE, {"num_classes": 1}, "num_classes must be at least 2"),
        (HVAE, {"top_dim": 4}, "top_dim must be at least 1 and below latent_dim, which is 4"),
        (HVAE, {"gradient": "dreg", "objective": "iwae"}, "'dreg' is for one level"),
        (HVAE, {"architecture": "convolutional"}, "no networks for two levels of latents"),
        (VAE, {"activation": "tahn"}, "did you mean 'tanh'"),
    ],
)
def test_what_has_no_meaning_is_refused_in_one_line(kind, arguments, words):
    loss = {"loss": arguments.pop("loss")} if "loss" in arguments else {}
    with pytest.raises(GenzooError, match=words) as caught:
        kind(SHAPE, 4, **arguments).compile(**loss)
    assert "\n" not in str(caught.value)


def test_a_threshold_in_training_is_that_of_evaluation():
    model = VAE(SHAPE, 2, hidden_units=(8,), binarize="threshold")
    model.compile(run_eagerly=True)
    x = np.full((1, *SHAPE), 127, "uint8")
    x[0, 0] = 128
    made, _ = model.randomized(model.to_range(x), training=True)
    np.testing.assert_array_equal(made, x >= 128)
    assert model_likelihood(model, x, num_samples=1).binarization == "threshold"
