"""Architectures, likelihoods, KL warm-up, free bits, the start at the mean and averaged weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import vae_likelihood
from keras_genzoo.evaluation.reconstruction import reconstruction_bce
from keras_genzoo.losses import RECONSTRUCTION_LOSSES, Gaussian, bernoulli_loss
from keras_genzoo.models import VAE, Autoencoder
from keras_genzoo.networks import (
    AUTOENCODER_ARCHITECTURES,
    AutoencoderArchitecture,
    ConvolutionalAutoencoder,
)
from keras_genzoo.training import make_strategy
from tests.models.cases import images, train, weights

SHAPE = (16, 16, 1)
SIZES = {"dense": {"hidden_units": (8,)}, "convolutional": {"filters": 4}}
FULL = {"beta": 0.5, "beta_warmup": 4, "free_bits": 0.02, "num_samples": 2}


def build(kind=VAE, loss="bernoulli", architecture="dense", *, graph=False, rate=0.01, **arguments):
    keras.utils.set_random_seed(7)
    sizes = SIZES.get(architecture, {})
    arguments = {"seed": 11, "architecture": architecture} | sizes | arguments
    model = kind(arguments.pop("image_shape", SHAPE), 3, **arguments)
    model.compile(keras.optimizers.SGD(rate), loss=loss, run_eagerly=not graph)
    return model


def step(model, times=1, first=0):
    for seed in range(first, first + times):
        logs = train(model, images(8, seed))
    return logs


# Architectures


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_an_architecture_is_named_with_its_options_or_given(kind):
    named = build(kind, architecture="convolutional")
    given = build(kind, architecture=ConvolutionalAutoencoder(4))
    np.testing.assert_array_equal(named.reconstruct(images(3)), given.reconstruct(images(3)))
    config = named.get_config()
    assert (config["architecture"], config["filters"]) == ("convolutional", 4)
    assert "hidden_units" not in config
    assert config | {"name": ""} == given.get_config() | {"name": ""}
    assert kind.from_config(config).get_config() == config


@keras.saving.register_keras_serializable("tests")
class Narrow(AutoencoderArchitecture):
    """A person's own."""

    def __init__(self, width=5):
        self.width = width

    def encoder(self, image_shape, latent_dim, *, gaussian=False, synchronized=False):
        return AUTOENCODER_ARCHITECTURES["dense"]((self.width,)).encoder(
            image_shape, latent_dim, gaussian=gaussian
        )

    def decoder(self, image_shape, latent_dim, *, synchronized=False):
        return AUTOENCODER_ARCHITECTURES["dense"]((self.width,)).decoder(image_shape, latent_dim)

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def test_an_own_architecture_is_saved_with_its_arguments(tmp_path):
    model = build(architecture=Narrow(6))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.architecture.width == 6
    np.testing.assert_array_equal(loaded.reconstruct(images(2)), model.reconstruct(images(2)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"architecture": "resnet"}, "architecture 'resnet'"),
        (
            {"architecture": 3},
            "of class AutoencoderArchitecture, or one of dense, gated, convolutional",
        ),
        ({"architecture": "convolutional", "hidden_units": (8,)}, "'hidden_units'.*filters"),
        ({"architecture": "convolutional", "filters": 0}, "filters must be at least 1"),
        ({"architecture": "convolutional", "image_shape": (16, 8, 1)}, "square images, not 16x8"),
        ({"beta_warmpu": 3}, "argument of VAE .*did you mean 'beta_warmup'"),
        ({"beta_warmup": -1}, "beta_warmup must be 0 or more steps"),
        ({"beta": float("nan")}, "beta must be finite"),
        ({"free_bits": -0.1}, "free_bits must be 0 or more nats"),
        ({"free_bits": float("nan")}, "free_bits must be 0 or more nats"),
        ({"ema_decay": 0.9, "ema_half_life": 10.0}, "give one of the two"),
        ({"loss": "gausian"}, "did you mean 'gaussian'"),
        ({"loss": Gaussian}, "one of bernoulli, squared_error, gaussian"),
        ({"loss": "gaussian", "binarize": "dynamic"}, "density of grey values.*binarize=None"),
    ],
)
def test_what_an_autoencoder_cannot_be_is_refused_in_one_line(arguments, words):
    with pytest.raises(GenzooError, match=words) as caught:
        build(**arguments)
    assert "\n" not in str(caught.value)


# Likelihoods


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_what_is_shown_is_the_mean_of_the_likelihood(name):
    model = build(loss=name)
    z = model.sample_latents(4, seed=0)
    mean = np.asarray(RECONSTRUCTION_LOSSES[name].mean(model.decoder(z)))
    np.testing.assert_array_equal(model.decode(z), np.rint(255 * mean).astype("uint8"))
    exported = model.signatures()["decode"]({"z": z})["images"]
    np.testing.assert_allclose(exported, mean, atol=1e-6)
    x = images(3)
    codes = model.code(model.encode(x))
    np.testing.assert_array_equal(model.reconstruct(x), model.decode(codes))
    y = np.asarray(model(x), "float64")
    x = x / 255
    bce = -(x * np.log(y) + (1 - x) * np.log(1 - y)).sum(axis=(1, 2, 3)).mean()
    assert reconstruction_bce(model, images(3)) == pytest.approx(bce, rel=1e-4)


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_a_learnt_variance_is_a_weight_that_moves_and_is_logged(kind, tmp_path):
    model = build(kind, "gaussian", rate=1e-4)
    assert len(model.trainable_variables) == 1 + len(build(kind).trainable_variables)
    before = float(model.log_sigma)
    assert step(model)["sigma"] == pytest.approx(np.exp(before), rel=0.01)
    assert float(model.log_sigma) < before
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(loaded.log_sigma) == float(model.log_sigma)
    assert step(loaded) == step(model)
    # Another loss takes the weight away, the same one keeps it.
    value = float(model.log_sigma)
    model.compile(loss=Gaussian(), run_eagerly=True)
    assert float(model.log_sigma) == value
    model.compile(loss=Gaussian(0.1), run_eagerly=True)
    assert model.log_sigma is None
    assert len(model.trainable_variables) == len(build(kind).trainable_variables)
    assert "sigma" not in step(model)


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
def test_a_model_loaded_without_its_loss_shows_what_it_showed(name, tmp_path):
    model = build(loss=name)
    step(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.reconstruct(images(3)), model.reconstruct(images(3)))
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert step(again) == step(model)
    model.save_weights(tmp_path / "model.weights.h5")
    loaded.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(loaded.reconstruct(images(3)), model.reconstruct(images(3)))


def test_the_loss_function_itself_is_the_likelihood_of_its_name():
    model = build(loss=bernoulli_loss)
    assert model.has_likelihood
    assert model.get_compile_config()["loss"] == "bernoulli"


@pytest.mark.parametrize("name", ["gaussian", "continuous_bernoulli"])
def test_a_density_has_a_likelihood_of_grey_values(name):
    model = build(loss=Gaussian(0.04) if name == "gaussian" else name)
    for weight in model.decoder.weights:
        weight.assign(keras.ops.zeros_like(weight))
    x = images(5)
    result = vae_likelihood(model, x, num_samples=3)
    assert result.binarization == "grey"
    # The decoder gives one half for every pixel, whatever the code.
    density = stats.norm(0.5, 0.2) if name == "gaussian" else stats.uniform()
    expected = density.logpdf(x / 255).sum(axis=(1, 2, 3)).mean()
    assert result.reconstruction == pytest.approx(expected, rel=1e-5, abs=1e-4)
    for binarization in ("dynamic", "threshold"):
        with pytest.raises(GenzooError, match=r"density of grey values.*take 'grey'"):
            vae_likelihood(model, x, 3, binarization)


# The weight of the KL divergence, and its floor


def test_the_weight_of_the_divergence_rises_with_the_step_and_in_training_alone():
    model = build(beta=2.0, beta_warmup=4, rate=0.0)
    for number in range(6):
        logs = step(model)
        weight = 2 * min(number / 4, 1)
        expected = logs["reconstruction_loss"] + weight * logs["kl_loss"]
        assert logs["loss"] == pytest.approx(expected, rel=1e-6)
        assert logs["elbo"] == pytest.approx(-logs["reconstruction_loss"] - logs["kl_loss"])
    held_out = build(beta=2.0, beta_warmup=4).evaluate(images(8), verbose=0, return_dict=True)
    plain = build(beta=2.0).evaluate(images(8), verbose=0, return_dict=True)
    assert held_out.pop("elbo") < 0
    assert held_out == plain


def test_free_bits_are_a_floor_of_each_units_mean_over_the_batch():
    model = build(free_bits=0.3, rate=0.0)
    logs = step(model)
    z_mean, z_log_var = (part.astype("float64") for part in model.encode(images(8)))
    terms = (np.exp(z_log_var) + z_mean**2 - 1 - z_log_var).mean(axis=0) / 2
    assert terms.min() < 0.3 < terms.max()
    expected = np.maximum(terms, 0.3).sum()
    assert logs["loss"] - logs["reconstruction_loss"] == pytest.approx(expected, rel=1e-3)
    assert logs["kl_loss"] == pytest.approx(terms.sum(), rel=1e-4)
    held_out = model.evaluate(images(8), verbose=0, return_dict=True)
    assert held_out["loss"] == pytest.approx(held_out["reconstruction_loss"] + terms.sum())


def test_a_unit_below_the_floor_is_left_in_peace():
    model = build(free_bits=1e3)
    x = model.to_range(images(8))
    with tf.GradientTape() as tape:
        loss, parts = model.compute_losses(x, training=True)
        rest = loss - parts["reconstruction_loss"]
    np.testing.assert_allclose(rest, 3e3)
    assert all(g is None or not np.any(g) for g in tape.gradient(rest, model.trainable_variables))


def test_an_elbo_is_logged_where_the_loss_is_another_number():
    assert "elbo" not in step(build(beta=0.5))
    assert "elbo" not in step(build(loss="squared_error", free_bits=0.1))
    assert "elbo" in step(build(loss="gaussian", free_bits=0.1))


# The start at the mean


@pytest.mark.parametrize("name", RECONSTRUCTION_LOSSES)
@pytest.mark.parametrize("architecture", AUTOENCODER_ARCHITECTURES)
def test_a_decoder_starts_at_the_mean_of_the_data(name, architecture):
    model = build(loss=name, architecture=architecture, ema_decay=0.5)
    x = (images(50) * np.linspace(0, 1, 16)[:, None]).astype("uint8")
    model.adapt(x)
    made = model.decode(np.zeros((1, 3)))[0, ..., 0]
    mean = x.mean(axis=0)[..., 0]
    if architecture == "convolutional":
        mean = np.full_like(mean, x.mean())
    np.testing.assert_allclose(made, mean, atol=4)
    if name == "gaussian":
        sigma = step(model)["sigma"]
        assert sigma == pytest.approx((x - mean[..., None]).std() / 255, rel=0.05)


def test_a_start_at_the_mean_saves_nats_and_keeps_black_pixels_finite():
    x = np.zeros((20, *SHAPE), "uint8")
    x[:, 4:8] = 255
    plain, started = build(), build()
    started.adapt(x)
    before, after = (m.evaluate(x, verbose=0, return_dict=True) for m in (plain, started))
    assert after["reconstruction_loss"] < before["reconstruction_loss"] / 3
    assert np.isfinite(started.decoder.get_weights()[-1]).all()


def test_a_start_at_the_mean_is_refused_where_it_has_no_meaning():
    model = build()
    step(model)
    with pytest.raises(GenzooError, match="not been trained"):
        model.adapt(images(4))
    dense, reshape = keras.layers.Dense, keras.layers.Reshape(SHAPE)
    for ends in ([dense(256, use_bias=False)], [dense(256), keras.layers.Rescaling(3.0)]):
        own = keras.Sequential([keras.Input((3,)), *ends, reshape])
        before = own.get_weights()
        with pytest.raises(GenzooError, match="decoder"):
            build(decoder=own).adapt(images(4))
        for ours, theirs in zip(before, own.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


# Averaged weights


@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_both_networks_are_averaged_by_the_equation(kind):
    model = build(kind, ema_decay=0.3, rate=1e-3)
    networks = [(model.encoder, model.average_encoder), (model.decoder, model.average_decoder)]
    expected = [[w.astype("float64") for w in net.get_weights()] for net, _ in networks]
    for count in range(1, 5):
        step(model, first=count)
        decay = min(0.3, (1 + count) / (10 + count))
        for index, (network, _) in enumerate(networks):
            pairs = zip(expected[index], network.get_weights(), strict=True)
            expected[index] = [decay * old + (1 - decay) * new for old, new in pairs]
    for (_, average), values in zip(networks, expected, strict=True):
        for ours, theirs in zip(average.get_weights(), values, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_all_but_training_is_done_by_the_averaged_networks():
    averaged, plain = build(ema_half_life=20.0), build()
    assert step(averaged, times=3) == step(plain, times=3)
    for network in ("encoder", "decoder"):
        pairs = zip(
            getattr(averaged, network).get_weights(),
            getattr(plain, network).get_weights(),
            strict=True,
        )
        for ours, theirs in pairs:
            np.testing.assert_array_equal(ours, theirs)

    def used(model):
        x, z = images(6), model.sample_latents(2, seed=0)
        signatures = model.signatures()
        return [
            *model.encode(x),
            model.decode(z),
            model(x),
            *model.evaluate(x, verbose=0, return_dict=True).values(),
            vae_likelihood(model, x, 2).elbo,
            reconstruction_bce(model, x),
            signatures["decode"]({"z": z})["images"],
            signatures["reconstruct"]({"images": x / np.float32(255)})["reconstructions"],
        ]

    before = used(averaged)
    for ours, theirs in zip(before, used(plain), strict=True):
        assert np.any(np.asarray(ours) != np.asarray(theirs))
    averaged.encoder.set_weights([w * 0 for w in averaged.encoder.get_weights()])
    averaged.decoder.set_weights([w * 0 for w in averaged.decoder.get_weights()])
    for ours, theirs in zip(before, used(averaged), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_are_averaged_once():
    model = build(ema_decay=0.5)
    with pytest.raises(GenzooError, match="averaged once"):
        model.compile(keras.optimizers.Adam(use_ema=True))


# Going on, mixed precision, XLA, replicas


@pytest.mark.parametrize("architecture", AUTOENCODER_ARCHITECTURES)
def test_all_parts_go_on_bit_by_bit_after_loading(architecture, tmp_path):
    model = build(VAE, "gaussian", architecture, ema_half_life=30.0, rate=1e-4, **FULL)
    model.adapt(images(20))
    step(model, times=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))
    assert step(loaded, times=2) == step(model, times=2)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "policy"),
    [("gaussian", "mixed_float16"), ("continuous_bernoulli", "mixed_bfloat16")],
)
def test_half_precision_follows_float32(loss, policy):
    def trained(policy):
        model = build(VAE, loss, "convolutional", dtype=policy, rate=1e-5, **FULL)
        return step(model, times=2), model

    logs, model = trained(policy)
    expected, _ = trained("float32")
    assert logs == pytest.approx(expected, rel=0.05, abs=0.5)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model.generate(2, seed=0).dtype == np.uint8


# Every architecture, and every loss, with the first of the other.
PAIRS = sorted(
    {(name, next(iter(RECONSTRUCTION_LOSSES))) for name in AUTOENCODER_ARCHITECTURES}
    | {(next(iter(AUTOENCODER_ARCHITECTURES)), name) for name in RECONSTRUCTION_LOSSES}
)


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "loss"), PAIRS)
def test_xla_gives_the_numbers_of_plain_steps(architecture, loss):
    def trained(**how):
        model = build(VAE, loss, architecture, ema_decay=0.5, **FULL)
        model.compile(keras.optimizers.SGD(1e-4), loss=loss, **how)
        return step(model, times=2), model.get_weights()

    logs, plain = trained(run_eagerly=True)
    compiled_logs, fast = trained(jit_compile=True)
    assert compiled_logs == pytest.approx(logs, rel=1e-4, abs=1e-4)
    for ours, theirs in zip(plain, fast, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("architecture", "loss"), PAIRS)
def test_two_replicas_train_like_one(architecture, loss):
    def trained():
        options = FULL | {"free_bits": 0.1, "ema_half_life": 30.0}
        model = build(VAE, loss, architecture, rate=1e-5, **options)
        model.adapt(images(20))
        logs = step(model, times=3)
        return logs, model, model.evaluate(images(8), verbose=0, return_dict=True)

    logs, one, held_out = trained()
    with make_strategy("mirrored").scope():
        logs_of_two, two, held_out_of_two = trained()
    assert logs_of_two == pytest.approx(logs, rel=1e-5, abs=1e-5)
    assert held_out_of_two == pytest.approx(held_out, rel=1e-5, abs=1e-5)
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)
