"""The algorithms themselves, against their equations written out a second time."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import ADVERSARIAL_LOSSES
from keras_genzoo.models import DCGAN, GAN, VAE, Autoencoder
from keras_genzoo.models.averaging import keeps_last_weights, last_weights
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.networks import Dropout, normal
from tests.models.cases import ALGORITHMS, GANS, SHAPE, build, compiled, data, images, of, step

ALGORITHMS_OF_GANS = [name for name in GANS if name in ALGORITHMS]


def snapshot(network) -> list[np.ndarray]:
    return [variable.numpy() for variable in network.trainable_variables]


def moved(network, before) -> bool:
    return any((a != b).any() for a, b in zip(snapshot(network), before, strict=True))


def fit_cgan(labels, dataset=False):
    model, x = compiled("cgan"), images(8)
    if dataset:
        return model.fit(tf.data.Dataset.from_tensors((x, labels)), verbose=0)
    return model.fit(x, labels, verbose=0)


@of(GANS)
def test_each_update_moves_its_own_network_alone(name):
    model = compiled(name)
    x, y = data(model, 8)
    real, condition = model.unpack((x, y) if y is not None else x)
    z = model.condition_noise(model.latents(8, 0, 0), condition)
    with tf.GradientTape() as tape:
        fake = model.generator(z, training=True)

    generator, discriminator = snapshot(model.generator), snapshot(model.discriminator)
    model.update_discriminator(real, fake, condition)
    assert moved(model.discriminator, discriminator)
    assert not moved(model.generator, generator)

    discriminator = snapshot(model.discriminator)
    model.update_generator(tape, fake, condition, real_images=real)
    assert moved(model.generator, generator)
    assert not moved(model.discriminator, discriminator)


@pytest.mark.parametrize("name", ALGORITHMS_OF_GANS)
def test_updates_are_counted_exactly(name):
    model = compiled(name)  # two discriminator steps for one of the generator
    step(model, times=3)
    assert int(model.generator_optimizer.iterations) == 3
    assert int(model.discriminator_optimizer.iterations) == 6


@pytest.mark.parametrize("loss", ["non_saturating", "minimax"])
def test_a_step_is_algorithm_1_written_out(loss):
    def fresh():
        model = build("gan", generator_units=(9,), discriminator_units=(8,))
        plain = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]
        discriminator = keras.Sequential(plain)
        discriminator.set_weights([w * 3 for w in discriminator.get_weights()])
        return build("gan", generator=model.generator, discriminator=discriminator)

    model, reference = fresh(), fresh()
    rates = keras.optimizers.SGD(0.3), keras.optimizers.SGD(0.2)
    model.compile(*rates, loss=loss, run_eagerly=True)
    x = images(8)
    logs = step(model, count=8)

    generator, discriminator = reference.generator, reference.discriminator
    real = x.astype("float32") / 127.5 - 1
    z = reference.latents(8, 0, 0, 0)
    fake = generator(z).numpy()
    with tf.GradientTape() as tape:
        d_real = tf.sigmoid(discriminator(real))
        d_fake = tf.sigmoid(discriminator(fake))
        value = tf.reduce_mean(tf.math.log(d_real)) + tf.reduce_mean(tf.math.log(1 - d_fake))
    gradients = tape.gradient(value, discriminator.trainable_variables)
    for variable, gradient in zip(discriminator.trainable_variables, gradients, strict=True):
        variable.assign_add(0.2 * gradient)  # ascends, equation 1
    with tf.GradientTape() as tape:
        d_fake_after = tf.sigmoid(discriminator(generator(z)))
        objective = (
            tf.reduce_mean(tf.math.log(1 - d_fake_after))
            if loss == "minimax"
            else -tf.reduce_mean(tf.math.log(d_fake_after))
        )
    gradients = tape.gradient(objective, generator.trainable_variables)
    for variable, gradient in zip(generator.trainable_variables, gradients, strict=True):
        variable.assign_sub(0.3 * gradient)

    for ours, theirs in zip(model.trainable_variables, reference.trainable_variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=2e-6)
    assert logs["discriminator_loss"] == pytest.approx(-float(value), rel=1e-5)
    assert logs["generator_loss"] == pytest.approx(float(objective), rel=1e-5)
    assert logs["real_score"] == pytest.approx(float(tf.reduce_mean(d_real)), rel=1e-5)
    assert logs["fake_score"] == pytest.approx(float(tf.reduce_mean(d_fake)), rel=1e-5)
    if loss == "minimax":
        expected = (np.log(4) + float(value)) / 2
        assert logs["jensen_shannon_estimate"] == pytest.approx(expected, abs=1e-5)
    else:
        assert "jensen_shannon_estimate" not in logs


@pytest.mark.parametrize("loss", ["hinge", "least_squares"])
def test_the_scores_of_a_loss_without_probabilities_are_the_outputs_themselves(loss):
    model = build("gan", discriminator_units=())
    model.compile(loss=loss, run_eagerly=True)
    real = model.to_range(images(8))
    fake = model.generator(model.latents(8, 0, 0, 0), training=True)
    expected = [float(tf.reduce_mean(model.discriminator(x))) for x in (real, fake)]
    logs = step(model)
    assert [logs["real_score"], logs["fake_score"]] == pytest.approx(expected, rel=1e-4)


def test_noise_is_new_in_every_step_whatever_the_optimizer_counts():
    model = build("vae", binarize=None)
    model.compile(keras.optimizers.SGD(1.0, gradient_accumulation_steps=4), run_eagerly=True)
    first, second = step(model, times=1), step(model, times=1)
    assert int(model.optimizer.iterations) == 0
    assert first["kl_loss"] == second["kl_loss"]  # no weight has moved
    assert first["reconstruction_loss"] != second["reconstruction_loss"]
    model.compile(run_eagerly=True)
    assert int(model.step) == 2


def test_the_estimate_goes_with_the_loss_that_it_belongs_to():
    model = build("gan")
    for loss in ("minimax", ADVERSARIAL_LOSSES["minimax"]):
        model.compile(loss=loss, run_eagerly=True)
        assert "jensen_shannon_estimate" in step(model)
    model.compile(loss="hinge", run_eagerly=True)
    assert "jensen_shannon_estimate" not in step(model)


def test_averaged_weights_are_those_at_the_end():
    model = build("gan", ema_decay=0.0)
    adam = keras.optimizers.Adam(1e-2, use_ema=True, ema_momentum=0.9)
    model.compile(generator_optimizer=adam, run_eagerly=True)
    model.fit(images(24), batch_size=8, shuffle=False, verbose=0)
    averages = adam._model_variables_moving_average
    for variable, average in zip(model.generator.trainable_variables, averages, strict=True):
        np.testing.assert_array_equal(variable.numpy(), average.numpy())


@pytest.mark.parametrize(
    "name",
    [
        name if name == "gan" else pytest.param(name, marks=pytest.mark.slow)
        for name in ALGORITHMS_OF_GANS
    ],
)
def test_the_averaged_generator_is_the_average_by_its_equation(name):
    model = compiled(name, ema_decay=0.3)
    expected = [v.numpy().astype("float64") for v in model.generator.variables]
    # The decay rises to 0.3 in the third step.
    for count in range(1, 6):
        step(model, seed=count)
        decay = min(0.3, (1 + count) / (10 + count))
        new = [variable.numpy() for variable in model.generator.variables]
        expected = [
            decay * old + (1 - decay) * value for old, value in zip(expected, new, strict=True)
        ]
    for variable, value in zip(model.average_generator.variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)


def test_images_come_from_the_averaged_generator_and_training_does_not():
    averaged, plain = build("gan"), build("gan", ema_decay=0.0)
    assert plain.average_generator is None
    for model in (averaged, plain):
        model.compile(run_eagerly=True)
    assert step(averaged, times=3) == step(plain, times=3)
    for ours, theirs in zip(
        averaged.generator.get_weights(), plain.generator.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    assert (averaged.generate(4, seed=0) != plain.generate(4, seed=0)).any()
    averaged.generator.set_weights(averaged.average_generator.get_weights())
    z = averaged.sample_latents(4, seed=0)
    images_made = averaged.to_uint8(averaged.generator(z))
    np.testing.assert_array_equal(averaged.generate(4, seed=0), images_made)


@pytest.mark.parametrize("name", ["gan", "vae", pytest.param("flow", marks=pytest.mark.slow)])
def test_the_last_weights_are_those_of_a_model_without_an_average(name):
    averaged, plain = build(name, ema_decay=0.5), build(name, ema_decay=0.0)
    assert not keeps_last_weights(averaged)
    for model in (averaged, plain):
        model.compile(run_eagerly=True)
        step(model, times=2)
    assert keeps_last_weights(averaged)
    assert not keeps_last_weights(plain)
    before = averaged.generate(4, seed=0)
    with last_weights(averaged):
        np.testing.assert_array_equal(averaged.generate(4, seed=0), plain.generate(4, seed=0))
    np.testing.assert_array_equal(averaged.generate(4, seed=0), before)


def generator_with(*extra):
    layers = [keras.layers.Dense(256, activation="tanh"), *extra]
    return keras.Sequential([keras.Input((5,)), *layers, keras.layers.Reshape(SHAPE)])


def test_the_average_of_a_random_generator_goes_on_after_loading(tmp_path):
    model = compiled("gan", generator=generator_with(Dropout(0.5)))
    step(model, times=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    assert step(loaded, seed=9, times=2) == step(model, seed=9, times=2)
    for ours, theirs in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


class Plain(keras.Model):
    """A generator that Keras cannot make anew: its class is not registered."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(256)

    def call(self, z):
        return keras.ops.reshape(keras.ops.tanh(self.dense(z)), (-1, *SHAPE))


@keras.saving.register_keras_serializable("tests")
class Registered(Plain):
    """The same, registered."""


def test_own_generators_are_averaged_if_keras_can_copy_them():
    own = Registered()
    model = compiled("gan", generator=own)
    step(model)
    assert model.generator is own
    assert model.average_generator is not own
    # A copy computes in the type of the original, not in the model's.
    model = build("gan", generator=Registered(), dtype="mixed_bfloat16")
    assert model.average_generator.dense.compute_dtype == "float32"

    class Local(Plain):
        pass

    for own in (Local(), generator_with(keras.layers.Lambda(lambda x: keras.ops.tanh(x)))):
        with pytest.raises(GenzooError, match=r"copy of .* or take ema_decay=0"):
            build("gan", generator=own)
    assert build("gan", generator=Local(), ema_decay=0.0).average_generator is None


def test_a_call_takes_the_averaged_generator_unless_it_trains():
    model = compiled("gan")
    step(model, times=2)
    z = model.sample_latents(3, seed=0)
    np.testing.assert_array_equal(model(z), model.average_generator(z))
    np.testing.assert_array_equal(model(z, training=True), model.generator(z, training=True))


@pytest.mark.slow
def test_the_average_is_the_same_if_steps_are_run_in_pairs():
    def train(**options):
        model = build("gan")
        model.compile(**options)
        model.fit(images(16), batch_size=4, shuffle=False, verbose=0)
        return model.average_generator.get_weights()

    for ours, theirs in zip(train(steps_per_execution=2), train(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_loss_that_is_one_number_for_the_batch_is_refused():
    model = build("vae")
    model.compile(loss=keras.losses.BinaryCrossentropy(from_logits=True), run_eagerly=True)
    with pytest.raises(GenzooError, match="one number for each image"):
        step(model)


def test_seeds_of_any_size_give_noise_of_their_own():
    seeds = (0, 1, -1, 2**31 - 1, 2**31, 2**32)
    drawn = [build("gan", seed=seed).latents(2, 0, 0).numpy() for seed in seeds]
    assert len(np.unique(np.stack(drawn).reshape(len(seeds), -1), axis=0)) == len(seeds)


def test_real_and_generated_images_do_not_share_batch_statistics():
    model = build("dcgan")
    model.compile()
    real, _ = model.unpack(images(8))
    z = model.latents(8, 0, 0)
    fake = model.generator(z, training=True)
    separate = model.discriminate(real, None, training=True)
    model.compile()
    values = model.update_discriminator(real, fake, None)
    expected = float(tf.reduce_mean(tf.sigmoid(separate)))
    assert float(values["real_score"]) == pytest.approx(expected, rel=1e-5)


def test_one_optimizer_for_both_networks_is_refused():
    model, optimizer = build("gan"), keras.optimizers.Adam()
    with pytest.raises(GenzooError, match="an optimizer each"):
        model.compile(optimizer, optimizer)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"loss": "non_saturatin"}, "did you mean 'non_saturating'"),
        ({"discriminator_steps": 0}, "discriminator_steps must be at least 1"),
        ({"generator_optimizer": keras.optimizers.Adam(use_ema=True)}, "averaged once"),
    ],
)
def test_compile_refuses_what_it_cannot_do(arguments, words):
    with pytest.raises(GenzooError, match=words):
        build("gan").compile(**arguments)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GAN((8, 8)), "image_shape must be"),
        (lambda: GAN((8, 8, 1), latent_dim=0), "latent_dim must be at least 1"),
        (lambda: VAE(num_samples=0), "num_samples must be at least 1"),
        (lambda: VAE(beta=-1.0), "beta must not be negative"),
        (lambda: VAE(binarize="dynamc"), "did you mean 'dynamic'"),
        (lambda: DCGAN((6, 6, 1)), "take a size of 8 or more"),
        (lambda: build("dcgan", generator_filters=0), "generator_filters must be at least 1"),
        (lambda: build("gan", ema_decay=1.0), "ema_decay must be at least 0 and below 1"),
        (lambda: build("gan", ema_decay=-0.1), "ema_decay must be at least 0 and below 1"),
        (lambda: build("gan", ema_decay=float("nan")), "ema_decay must be at least 0"),
        (lambda: build("gan", dtype="bfloat16"), "ema_decay needs weights of float32"),
        (lambda: build("cgan", num_classes=1), "num_classes must be at least 2"),
        (lambda: build("gan").generate(2, class_labels=1), "knows no classes"),
        (lambda: build("gan").generate(0), "at least 1"),
        (lambda: build("cgan").generate(2, class_labels=4), "go from 0 to 3; there is no class 4$"),
        (
            lambda: build("cgan").generate(6, class_labels=[0, -1, 9, 7, 4, 5]),
            r"there is no class -1, 4, 5, \.\.\.$",
        ),
        (lambda: build("cgan").generate(2, class_labels=[0, 1, 2]), "2 images need 2"),
        (lambda: build("cgan").generate(2, class_labels="a"), "must be an integer"),
        (lambda: build("gan").decode(np.zeros((2, 3))), "must have shape"),
        (lambda: build("ae").interpolate(*images(2), 3, method="cubic"), "unknown interpolation"),
        (lambda: compiled("cgan").fit(images(8), verbose=0), "needs class labels"),
        (lambda: fit_cgan(np.full(8, 4)), "they go from 4 to 4"),
        (lambda: fit_cgan(np.full(8, 0.5)), "must be integers from 0 to 3"),
        (lambda: fit_cgan(np.eye(4, dtype=int)[[0] * 8]), r"not of shape \(n, 4\)"),
        (lambda: fit_cgan(np.full(8, 4), dataset=True), "must be integers from 0 to 3"),
        (lambda: build("gan").compile(loss=keras.losses.BinaryCrossentropy()), "AdversarialLoss"),
        (lambda: build("gan").compile(optimizer="adam"), "did you mean 'generator_optimizer'"),
        (lambda: build("ae").encode(images(2).astype("float32")), "uint8"),
        (lambda: build("ae").reconstruct(images(2).astype("int32")), "uint8"),
        (lambda: build("ae").encode(images(0)), "no rows"),
        (lambda: compiled("gan").fit(images(8) / np.float32(255), verbose=0), r"as if scaled"),
        (lambda: interpolate_latents(np.zeros(2), np.ones(2), 1), "at least 2 steps"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(make, words):
    with pytest.raises(GenzooError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)


LATENTS = np.zeros((3, 5), "float32")


@pytest.mark.parametrize(
    ("name", "inputs", "words"),
    [
        ("cgan", LATENTS, r"pass both, as in predict\(\(z, class_labels\)\)"),
        ("cgan", (LATENTS, np.arange(3) + 9), "class labels must be integers from 0 to 3"),
        ("cgan", (LATENTS[:, :2], np.arange(3)), r"of noise \(n, 5\), not of \(3, 2\)"),
        ("dcgan", images(3), r"of noise \(n, 5\), not of \(3, 16, 16, 1\)"),
        ("ae", images(3).astype("float32"), "images must be uint8"),
        ("ae", images(3)[:, :8], "built for images of shape"),
    ],
)
def test_predictions_of_other_things_are_refused_in_one_line(name, inputs, words):
    model = build(name)
    for call in (model.predict_on_batch, lambda x: model.predict(x, verbose=0), model):
        with pytest.raises(GenzooError, match=words) as caught:
            call(inputs)
        assert "\n" not in str(caught.value)


def test_predict_makes_images_of_noise_and_labels():
    model = build("cgan")
    z = model.sample_latents(3, seed=0)
    made = model.predict((z, np.arange(3)), verbose=0)
    np.testing.assert_array_equal(model.to_uint8(made), model.decode(z, np.arange(3)))


@of(ALGORITHMS)
def test_a_batch_size_is_given_by_its_name(name):
    model = build(name)
    z = model.sample_latents(3, seed=0)
    np.testing.assert_array_equal(model.decode(z, batch_size=2), model.decode(z))
    with pytest.raises(TypeError, match="positional"):
        model.decode(z, None, 256)


def test_thousands_of_classes_cost_no_table_of_all_of_them():
    model = build("cgan", num_classes=30_000, generator_filters=1, discriminator_filters=1)
    graph = tf.function(model.condition_noise).get_concrete_function(
        tf.TensorSpec((None, 5)), tf.TensorSpec((None,), tf.int32)
    )
    assert graph.graph.as_graph_def().ByteSize() < 1e6
    assert model.decode(LATENTS, class_labels=29_999).shape == (3, *SHAPE)


def test_cgan_tells_both_networks_the_class():
    model = build("cgan")
    z = np.tile(model.sample_latents(1, seed=0), (4, 1))
    made = model.decode(z, class_labels=[0, 1, 2, 3])
    assert len(np.unique(made.reshape(4, -1), axis=0)) == 4
    x = model.to_range(np.tile(images(1), (4, 1, 1, 1)))
    logits = model.discriminate(x, np.arange(4), training=False).numpy()
    assert len(np.unique(logits)) == 4


def test_cgan_makes_every_class_in_turn_unless_told():
    model = build("cgan")
    labels = np.arange(8) % 4
    np.testing.assert_array_equal(
        model.generate(8, seed=2), model.generate(8, class_labels=labels, seed=2)
    )


def test_autoencoder_loss_is_the_cross_entropy_of_its_own_reconstruction():
    model = build("ae")
    model.compile(run_eagerly=True)
    x = images(8)
    logs = model.evaluate(x, verbose=0, return_dict=True)
    y = model(x).numpy().astype("float64").reshape(8, -1)
    target = x.astype("float64").reshape(8, -1) / 255
    loss = -(target * np.log(y) + (1 - target) * np.log(1 - y)).sum(axis=1).mean()
    assert logs["loss"] == pytest.approx(loss, rel=1e-5)


def test_vae_loss_is_the_negative_elbo_written_out():
    model = build("vae", beta=0.5, num_samples=3, binarize=None)
    model.compile(run_eagerly=True)
    x = images(6)
    logs = model.evaluate(x, batch_size=6, verbose=0, return_dict=True)
    z_mean, z_log_var = (part.astype("float64") for part in model.encode(x))
    kl = -0.5 * (1 + z_log_var - z_mean**2 - np.exp(z_log_var)).sum(axis=1)
    epsilon = model.noise(normal, 6, (3, 3), 1, 0, 0).numpy()
    z = z_mean[:, None] + np.exp(z_log_var / 2)[:, None] * epsilon
    logits = np.asarray(model.decoder(z.reshape(18, 3).astype("float32")), "float64")
    target = np.repeat(x.astype("float64") / 255, 3, axis=0)
    cross_entropy = np.logaddexp(0, logits) - target * logits
    reconstruction = cross_entropy.reshape(18, -1).sum(axis=1).mean()
    assert logs["kl_loss"] == pytest.approx(kl.mean(), rel=1e-4)
    assert logs["reconstruction_loss"] == pytest.approx(reconstruction, rel=1e-5)
    assert logs["loss"] == pytest.approx(reconstruction + 0.5 * kl.mean(), rel=1e-5)


def test_dynamic_binarisation_draws_black_and_white_by_the_grey_value():
    model = build("vae", binarize="dynamic")
    model.compile()
    seen = []
    model.reconstruction_loss = lambda x, logits: (seen.append(x), tf.zeros(len(x)))[1]
    grey = tf.fill((400, *SHAPE), 0.3)
    model.compute_losses(grey, training=True)
    pixels = seen[0].numpy()
    assert set(np.unique(pixels)) == {0.0, 1.0}
    assert pixels.mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.slow
def test_an_autoencoder_learns_to_restore_digits():
    keras.utils.set_random_seed(0)
    x = np.zeros((64, 8, 8, 1), "uint8")
    x[np.arange(64), np.arange(64) % 8] = 255
    model = Autoencoder((8, 8, 1), latent_dim=4, hidden_units=(64,))
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit(x, batch_size=16, epochs=60, verbose=0)
    assert np.abs(model.reconstruct(x).astype(int) - x).mean() < 10


def test_spherical_walks_keep_the_length_and_linear_ones_do_not():
    a, b = np.eye(4)[:2] * 3
    assert np.linalg.norm(interpolate_latents(a, b, 7, "spherical"), axis=1) == pytest.approx(3)
    assert np.linalg.norm(interpolate_latents(a, b, 7)[3]) == pytest.approx(3 / np.sqrt(2))
    assert np.isfinite(interpolate_latents(np.zeros(4), a, 3, "spherical")).all()
    same = interpolate_latents(a, a, 3, "spherical")
    np.testing.assert_allclose(same, np.tile(a, (3, 1)), atol=1e-6)
