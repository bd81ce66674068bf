"""Flow matching: its target, guidance, likelihood and bad input, by fields known in closed form."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import model_likelihood
from keras_genzoo.models import SOLVERS, Flow
from keras_genzoo.models.flow import NO_CLASS
from tests.models.cases import check_loading, compiled, images, step

SMALL = {"unet_filters": (4, 4), "solver_steps": 2}
LABELS = {"conditioning": "embedding", "num_classes": 4}
SHAPE = (4, 4, 1)
MEAN, SPREAD = 0.2, 0.3


@keras.saving.register_keras_serializable("tests")
class GaussianField(keras.Model):
    """The velocity that belongs to pixels of N(MEAN, SPREAD²): its mean given x_t is linear."""

    def call(self, inputs):
        x, times = inputs
        t = times[:, None, None, None]
        variance = (1 - t) ** 2 + (t * SPREAD) ** 2
        slope = (t * SPREAD**2 - (1 - t)) / variance
        return MEAN + slope * (x - t * MEAN)


@keras.saving.register_keras_serializable("tests")
class LabelField(keras.Model):
    """A velocity that is the label plus 2 everywhere, and 1 without a class."""

    def call(self, inputs):
        x, _, labels = inputs
        return (
            keras.ops.zeros_like(x) + (keras.ops.cast(labels, "float32") + 2)[:, None, None, None]
        )


def log_density(x):
    """Return log N(x; MEAN, SPREAD²) of each image in levels, which are 2 / 255 apart."""
    pixel = -0.5 * ((x - MEAN) / SPREAD) ** 2 - math.log(SPREAD * math.sqrt(2 * math.pi))
    return (pixel + math.log(2 / 255)).sum(axis=(1, 2, 3))


# A field in closed form ------------------------------------------------------------------------


def test_noise_becomes_the_gaussian_of_the_data():
    model = Flow(SHAPE, network=GaussianField())
    z = model.sample_latents(8, 0)
    made = model.make(z, solver="midpoint", solver_steps=200)
    np.testing.assert_allclose(made, MEAN + SPREAD * z, atol=1e-3)
    assert np.abs(model.path(z)[:, -1].astype(int) - model.to_uint8(made)).max() <= 1


def test_the_velocity_takes_images_of_numpy():
    model = Flow(SHAPE, network=GaussianField())
    x = np.random.default_rng(0).normal(size=(3, *SHAPE))
    expected = model.velocity()(tf.constant(x, "float32"), 0.3)
    np.testing.assert_array_equal(model.velocity()(x, 0.3), expected)
    black = np.zeros((3, *SHAPE), "uint8")
    expected = model.velocity()(tf.fill((3, *SHAPE), -1.0), 0.3)
    np.testing.assert_array_equal(model.velocity()(black, 0.3), expected)
    model = Flow(SHAPE, network=LabelField(), conditioning="embedding", num_classes=4)
    of_class = model.velocity(np.array([0, 3, 1]), guidance=1)(x, 0.3)
    assert np.asarray(of_class)[:, 0, 0, 0].tolist() == [2, 5, 3]


@pytest.mark.parametrize("exact", [True, False])
def test_the_likelihood_is_that_of_the_gaussian(exact):
    # The Jacobian is diagonal, so that an estimate by random signs has no error.
    model = Flow(SHAPE, network=GaussianField())
    x = np.random.default_rng(0).normal(MEAN, SPREAD, (5, *SHAPE)).astype("float32")
    x = np.clip(x, -1, 1)
    found = model.log_likelihood(x, exact=exact, solver_steps=40, seed=6, batch_size=2)
    grey_level = np.random.default_rng(6).random(x.shape, "float32") - 0.5
    np.testing.assert_allclose(found, log_density(x + grey_level * 2 / 255), atol=0.02)


@pytest.mark.slow
def test_an_estimate_of_the_divergence_is_right_in_the_mean():
    model = Flow((2, 2, 1), unet_filters=(4, 4))
    rng = np.random.default_rng(2)
    for variable in model.network.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.3, variable.shape))
    one = images(1)[:, :2, :2]
    [exact] = model.log_likelihood(one, exact=True, solver="euler", solver_steps=2)
    many = np.repeat(one, 400, axis=0)
    # The noise of the grey level differs from image to image, too, by little.
    found = model.log_likelihood(many, exact=False, solver="euler", solver_steps=2, batch_size=400)
    assert found.mean() == pytest.approx(exact, abs=4 * found.std() / 20 + 0.05)


@pytest.mark.slow
def test_a_field_that_is_trained_agrees_with_the_one_in_closed_form():
    keras.utils.set_random_seed(0)
    # Linear in the image, with a slope and an offset that are learnt functions of time.
    x, times = keras.Input((2, 2, 1)), keras.Input(())
    hidden = keras.layers.Dense(32, activation="tanh")(6 * times[:, None] - 3)
    hidden = keras.layers.Dense(32, activation="tanh")(hidden)
    slope, offset = (
        keras.layers.Reshape((1, 1, 1))(keras.layers.Dense(1)(hidden)) for _ in range(2)
    )
    model = Flow((2, 2, 1), network=keras.Model([x, times], slope * x + offset), ema_decay=0.99)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 1200)))
    data = np.random.default_rng(0).normal(MEAN, SPREAD, (20000, 2, 2, 1)).astype("float32")
    data = data[np.abs(data).max(axis=(1, 2, 3)) < 1]
    model.fit(data, batch_size=256, epochs=1200 // (len(data) // 256), verbose=0)
    for t in (0.05, 0.35, 0.65, 0.95):
        # Within two standard deviations of x_t, where there are data.
        spread = 2 * math.hypot(1 - t, t * SPREAD)
        points = t * MEAN + tf.reshape(tf.linspace(-spread, spread, 16), (4, 2, 2, 1))
        known = GaussianField()([points, tf.fill((4,), t)])
        assert np.abs(model.velocity()(points, t) - known).max() < 0.15
    found = model.log_likelihood(data[:200], solver_steps=50).mean()
    assert found == pytest.approx(log_density(data[:200]).mean(), abs=0.1)


def test_bits_per_dimension_are_those_of_8_bit_images_and_one_draw():
    model = Flow(SHAPE, network=GaussianField())
    x = model.to_uint8(np.random.default_rng(1).normal(MEAN, SPREAD, (40, *SHAPE)))
    result = model_likelihood(model, x, num_samples=50, seed=3)
    assert result.log_likelihood == pytest.approx(log_density(x / 127.5 - 1).mean(), abs=0.05)
    assert result.bits_per_dim == pytest.approx(-result.log_likelihood / (16 * math.log(2)))
    assert (result.num_samples, result.binarization, result.elbo) == (1, "grey", None)


def test_bright_images_have_a_likelihood_like_any_other():
    model = Flow(SHAPE, network=GaussianField())
    bright = np.random.default_rng(1).integers(128, 256, (20, *SHAPE), "uint8")
    found = model_likelihood(model, bright, seed=3).log_likelihood
    assert found == pytest.approx(log_density(bright / 127.5 - 1).mean(), rel=0.02)


# Training --------------------------------------------------------------------------------------


def test_the_loss_is_the_error_of_the_velocity_from_noise_to_image():
    class Remembering(GaussianField):
        def call(self, inputs):
            self.inputs_given = inputs
            return super().call(inputs)

    model = Flow(SHAPE, network=Remembering())
    data = np.linspace(-1, 1, 16).reshape(1, *SHAPE).repeat(3, axis=0).astype("float32")
    losses = model.losses_of(tf.constant(data), None, 0, 7, training=True)
    x_t, times = model.network.inputs_given
    t = times[:, None, None, None]
    # The image is known up to its grey level, so that the noise can be recovered.
    noise = (x_t - t * data) / (1 - t)
    expected = np.mean((GaussianField()([x_t, times]) - (data - noise)) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(losses, expected, rtol=0.1)
    assert len(np.unique(times)) == 3


def test_times_follow_their_distribution():
    rows = 4000
    even = np.asarray(Flow(SHAPE, **SMALL).times(rows, 0))
    middle = np.asarray(Flow(SHAPE, **SMALL, time_distribution="logit_normal").times(rows, 0))
    assert even.min() >= 0
    assert middle.max() <= 1
    assert even.std() == pytest.approx(math.sqrt(1 / 12), rel=0.05)
    assert np.log(middle / (1 - middle)).std() == pytest.approx(1, rel=0.05)


def test_a_share_of_the_labels_is_dropped_in_training_alone():
    class Telling(LabelField):
        def call(self, inputs):
            return super().call([inputs[0], inputs[1], 1000 * (1 + inputs[2])])

    model = Flow(SHAPE, network=Telling(), label_dropout=0.25, **LABELS)
    data, labels = tf.zeros((2000, *SHAPE)), tf.zeros(2000, tf.int32)
    dropped = np.asarray(model.losses_of(data, labels, 0, 3, training=True)) < 1e5
    assert dropped.mean() == pytest.approx(0.25, abs=0.03)
    assert not (np.asarray(model.losses_of(data, labels, 0, 3, training=False)) < 1e5).any()


@pytest.mark.slow
def test_a_conditional_flow_saves_and_goes_on_alike(tmp_path):
    check_loading("flow", tmp_path / "model.keras", guidance=1.5, unet_blocks=2, **LABELS)


@pytest.mark.slow
def test_float16_trains_with_loss_scaling():
    model = compiled("flow", dtype="mixed_float16", ema_decay=0.0)
    assert np.isfinite(step(model, times=3)["velocity_loss"])
    assert type(model.optimizer).__name__ == "SharedLossScaleOptimizer"


# Making images ---------------------------------------------------------------------------------


def test_guidance_goes_beyond_the_class_from_the_velocity_without_one():
    model = Flow(SHAPE, network=LabelField(), solver="euler", solver_steps=1, **LABELS)
    z = model.sample_latents(1, 0)
    for guidance, velocity in ((0, 1), (1, 5), (2.5, 1 + 2.5 * 4)):
        made = model.make(z, np.array([3]), guidance=guidance)
        np.testing.assert_allclose(made, z + velocity, rtol=1e-5)
    assert NO_CLASS == -1


def test_solver_steps_and_guidance_can_be_chosen_for_a_call_or_for_good():
    model = Flow(SHAPE, network=LabelField(), **LABELS)
    assert model.sampling_in_words() == "midpoint, 10 steps, 20 network calls, guidance 1"
    once = model.generate(4, seed=1, solver="euler", solver_steps=3, guidance=0.2)
    assert model.sampling()["solver"] == "midpoint"
    model.set_sampling(solver="euler", solver_steps=3, guidance=0.2)
    np.testing.assert_array_equal(model.generate(4, seed=1), once)
    model.set_sampling(solver_steps=5)
    assert model.sampling() == {
        "solver": "euler", "solver_steps": 5, "guidance": 0.2, "network_calls": 10,
    }  # fmt: skip
    model.set_sampling(guidance=1)
    assert model.sampling()["network_calls"] == 5
    assert Flow(SHAPE, **SMALL).sampling_in_words() == "midpoint, 2 steps, 4 network calls"


def test_predict_makes_images_as_they_are_to_be_made_now():
    model = Flow(SHAPE, network=GaussianField(), solver="euler", solver_steps=1)
    model.compile()
    z = model.sample_latents(2, 0)
    model.predict(z, verbose=0)
    model.set_sampling(solver_steps=5)
    np.testing.assert_allclose(model.predict(z, verbose=0), model.make(z), atol=1e-5)


def test_predict_keeps_images_in_float32_on_their_way_from_noise():
    model = Flow((8, 8, 1), **SMALL, dtype="mixed_bfloat16")
    model.compile(run_eagerly=True)
    z = model.sample_latents(2, 0)
    np.testing.assert_array_equal(model.predict(z, verbose=0), model.make(z))


def test_a_path_begins_at_the_noise_and_ends_at_the_image():
    model = Flow(SHAPE, network=LabelField(), solver_steps=8, **LABELS)
    z = model.sample_latents(3, 0) - 3
    path = model.path(z, [0, 1, 2], frames=5)
    assert path.shape == (3, 5, *SHAPE)
    np.testing.assert_array_equal(path[:, 0], model.to_uint8(z))
    np.testing.assert_array_equal(path[:, -1], model.decode(z, [0, 1, 2]))


# Bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"image_shape": (30, 30, 1)}, "30x30 pixels do not divide by 4; take an image size of 28"),
        ({"guidance": 2.0}, "this flow knows no classes; leave it out, or train with"),
        ({"guidance": 2.0, "label_dropout": 0.0, **LABELS}, "label_dropout=0 trains none"),
        ({"guidance": -1.0, **LABELS}, "guidance must be 0 or more, not -1.0"),
        ({"solver_steps": 0}, "solver_steps must be from 1 to 10000, not 0"),
        ({"solver": "huen"}, "unknown solver 'huen'; did you mean 'heun'"),
        ({"conditioning": "embeding", "num_classes": 3}, "did you mean 'embedding'"),
        ({"conditioning": "embedding"}, "num_classes must be at least 2, not None"),
        ({"time_distribution": "normal"}, "unknown time distribution 'normal'"),
        ({"label_dropout": 1.0}, "label_dropout must be at least 0 and below 1, not 1.0"),
        ({"unet_filters": (8,)}, "a U-Net has two levels or more"),
        ({"unet_filters": (8, 0)}, "a U-Net has two levels or more"),
        ({"ema_decay": 0.9, "ema_half_life": 5.0}, "give one of the two"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, words):
    with pytest.raises(GenzooError, match=words) as caught:
        Flow(**({"image_shape": (8, 8, 1)} | arguments))
    assert "\n" not in str(caught.value)


def test_bad_requests_are_refused_in_one_line():
    plain = Flow((8, 8, 1), **SMALL)
    labelled = Flow((8, 8, 1), **SMALL, **LABELS)
    for ask, words in (
        (lambda: plain.generate(2, guidance=3.0), "this flow knows no classes"),
        (lambda: plain.generate(2, class_labels=1), "knows no classes"),
        (lambda: plain.generate(2, solver_steps=0), "solver_steps must be from 1"),
        (
            lambda: plain.generate(2, solver="rk45"),
            "unknown solver 'rk45'; known: euler, heun, midpoint",
        ),
        (lambda: plain.set_sampling(guidance=3.0), "this flow knows no classes"),
        (lambda: plain.path(plain.sample_latents(1), frames=1), "at least 2 frames"),
        (lambda: plain.decode(np.zeros((2, 4, 4, 1))), r"latents must have shape \(n, 8, 8, 1\)"),
        (lambda: labelled.generate(2, class_labels=4), "class labels go from 0 to 3; there is no"),
        (lambda: labelled.generate(2, class_labels=[0]), "2 images need 2 class labels, got 1"),
    ):
        with pytest.raises(GenzooError, match=words) as caught:
            ask()
        assert "\n" not in str(caught.value)
    without = Flow((8, 8, 1), **SMALL, **LABELS, label_dropout=0.0)
    assert (plain.has_likelihood, labelled.has_likelihood) == (True, True)
    assert not without.has_likelihood


def test_a_model_of_one_pass_has_no_solver():
    model = compiled("gan")
    assert model.sampling() == {}
    with pytest.raises(GenzooError, match=r"has no solver steps; .* such as flow") as caught:
        model.set_sampling(solver=None, solver_steps=3)
    assert "\n" not in str(caught.value)


def test_an_own_network_that_ends_in_an_activation_is_refused():
    x, times = keras.Input(SHAPE), keras.Input(())
    network = keras.Model([x, times], keras.layers.Activation("tanh")(x))
    with pytest.raises(GenzooError, match="the velocity network ends in tanh, but must give"):
        Flow(SHAPE, network=network)


def test_every_solver_makes_the_images_of_a_trained_like_field():
    model = Flow(SHAPE, network=GaussianField())
    made = [model.generate(4, seed=0, solver=name, solver_steps=60) for name in SOLVERS]
    for other in made[1:]:
        assert np.abs(other.astype(int) - made[0]).max() <= 3
