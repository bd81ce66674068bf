"""Two replicas on two logical CPUs train like one."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import make_strategy
from tests.models.cases import GANS, SHAPE, build, compiled, data, optimizers, step

pytestmark = pytest.mark.slow


def two_replicas() -> tf.distribute.Strategy:
    strategy = make_strategy("mirrored")
    assert strategy.num_replicas_in_sync == 2
    return strategy


def without_batch_statistics(name) -> dict[str, keras.Model]:
    """Networks of the case whose outputs depend on no other image of the batch."""
    if name not in GANS:
        return {}
    model = build(name)
    height, width, channels = model.discriminator_shape
    generator = [
        keras.Input((model.noise_dim,)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(math.prod(SHAPE), activation="tanh"),
        keras.layers.Reshape(SHAPE),
    ]
    discriminator = [
        keras.Input((height, width, channels)),
        keras.layers.Conv2D(4, 4, strides=4),
        keras.layers.LeakyReLU(0.2),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ]
    return {
        "generator": keras.Sequential(generator),
        "discriminator": keras.Sequential(discriminator),
    }


# In a graph, as people train, one of each kind; the others spare the seconds of tracing it.
@pytest.mark.parametrize(
    ("name", "graph"),
    [("vae", True), ("cgan", True), *((n, False) for n in ("iwae", "cvae", "hvae", "flow"))],
)
def test_two_replicas_train_like_one(name, graph):
    one = compiled(name, graph=graph, **without_batch_statistics(name))
    expected = step(one, times=3)
    with two_replicas().scope():
        two = compiled(name, graph=graph, **without_batch_statistics(name))
    logs = step(two, times=3)
    assert logs == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)


def test_batch_statistics_are_those_of_the_global_batch():
    # One step of plain gradient descent: Adam would blow the rounding of the two sums up.
    def train():
        model = build("cgan")
        rates = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
        model.compile(*rates, run_eagerly=True)
        step(model, count=16, times=2)
        return model

    one = train()
    with two_replicas().scope():
        two = train()
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=1e-3, atol=1e-5)


def test_replicas_hold_equal_variables_after_training():
    strategy = two_replicas()
    with strategy.scope():
        model = compiled("dcgan")
    step(model, count=16, times=2)
    for variable in model.variables:
        first, second = (
            part.numpy() for part in strategy.experimental_local_results(variable.value)
        )
        np.testing.assert_array_equal(first, second)


def test_replicas_draw_distinct_noise_that_one_replica_would_draw_at_once():
    whole = build("gan").latents(6, 0, 3).numpy()
    strategy = two_replicas()
    with strategy.scope():
        model = build("gan")
    parts = strategy.run(lambda: model.latents(3, 0, 3))
    rows = np.concatenate([part.numpy() for part in strategy.experimental_local_results(parts)])
    np.testing.assert_array_equal(rows, whole)
    assert len(np.unique(rows.round(6), axis=0)) == 6


def test_the_default_gan_with_its_dropout_trains_like_one():
    def train():
        model = build("gan")
        rates = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
        model.compile(*rates, run_eagerly=True)
        step(model, times=3)
        return model

    one = train()
    with two_replicas().scope():
        two = train()
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)


def test_batches_of_a_data_set_that_do_not_divide_are_refused():
    with two_replicas().scope():
        model = compiled("ae")
    x, _ = data(model, 9)
    dataset = tf.data.Dataset.from_tensor_slices(x)
    with pytest.raises(GenzooError, match="a batch of 3 images does not divide by 2"):
        model.fit(dataset.batch(3, drop_remainder=True), verbose=0)
    with pytest.raises(GenzooError, match="drop_remainder=True"):
        model.fit(dataset.batch(8), verbose=0)


@pytest.mark.parametrize("name", ["ae", "vae"])
def test_evaluation_takes_a_last_small_batch_and_gives_the_numbers_of_one_replica(name):
    one = compiled(name, graph=True)
    with two_replicas().scope():
        two = compiled(name, graph=True)
    x, _ = data(one, 17)
    expected = one.evaluate(x, batch_size=8, verbose=0, return_dict=True)
    found = two.evaluate(x, batch_size=8, verbose=0, return_dict=True)
    assert found == pytest.approx(expected, rel=1e-5)


def test_own_batch_statistics_of_one_replica_alone_are_refused():
    plain = [keras.Input(SHAPE), keras.layers.BatchNormalization(), keras.layers.Flatten()]
    own = keras.Sequential([*plain, keras.layers.Dense(1)])
    with two_replicas().scope(), pytest.raises(GenzooError, match="synchronized=True"):
        build("gan", discriminator=own)


def test_a_batch_that_does_not_divide_is_refused():
    with two_replicas().scope():
        model = compiled("gan", graph=True)
    x, _ = data(model, 16)
    with pytest.raises(GenzooError, match="does not divide by 2 replicas"):
        model.fit(x, batch_size=5, verbose=0)
    with pytest.raises(GenzooError, match="a batch of 1 images"):
        model.fit(x[:9], batch_size=8, verbose=0)


@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_a_model_trained_on_two_replicas_loads_on_one(name, tmp_path):
    with two_replicas().scope():
        model = build(name)
        model.compile(**optimizers(name), run_eagerly=True)
    step(model, times=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))


@pytest.mark.parametrize("name", ["vae", "gan"])
@pytest.mark.parametrize(
    "option", [{"gradient_accumulation_steps": 2}, {"use_ema": True, "ema_overwrite_frequency": 2}]
)
def test_optimizers_that_replicas_cannot_share_are_refused(name, option):
    role = "discriminator_optimizer" if name in GANS else "optimizer"
    with two_replicas().scope():
        model = build(name)
        with pytest.raises(GenzooError, match=f"{list(option)[-1]} works on one device, not on 2"):
            model.compile(**{role: keras.optimizers.Adam(**option)})


def test_replicas_share_a_batch_that_is_given_by_itself():
    with two_replicas().scope():
        model = compiled("vae", graph=True)
    x, _ = data(model, 8)
    losses = model.train_on_batch(x, return_dict=True)
    assert math.isfinite(losses["loss"])
    assert model.step.numpy() == 1
