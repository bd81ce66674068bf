"""The fused Adam gives Keras' numbers, and those of its paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, Adam
from tests.models.test_strategy import two_replicas


def gradients(steps=6, shape=(5, 3)):
    return np.random.default_rng(1).normal(size=(steps, *shape)).astype("float32")


def moved(optimizer, jit_compile=False, steps=6):
    """The weights and the optimizer's own variables after some steps."""
    variable = keras.Variable(np.random.default_rng(0).normal(size=(5, 3)).astype("float32"))
    optimizer.build([variable])
    update = tf.function(lambda g: optimizer.apply([g], [variable]), jit_compile=jit_compile)
    for gradient in gradients(steps):
        update(tf.constant(gradient))
    return [variable.numpy(), *(v.numpy() for v in optimizer.variables)]


@pytest.mark.parametrize("jit_compile", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-2},
        {"weight_decay": 0.1, "global_clipnorm": 0.5},
        {"use_ema": True, "gradient_accumulation_steps": 2},
        {"amsgrad": True},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.1, 5)},
    ],
)
def test_weights_and_moments_are_those_of_keras(arguments, jit_compile):
    arguments = {"learning_rate": 0.05, **arguments}
    ours = moved(Adam(**arguments), jit_compile)
    theirs = moved(keras.optimizers.Adam(**arguments), jit_compile)
    # The operation takes 1 - beta_2 in float32, which for 0.999 is 1.3e-5 off; Keras in float64.
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)


def test_is_algorithm_1_of_the_paper():
    """1412.6980 in float64, with epsilon in the place of the remark to section 2."""
    beta_2 = float(np.float32(0.999))
    w = np.random.default_rng(0).normal(size=(5, 3))
    m = v = 0.0
    for t, g in enumerate(gradients().astype("float64"), start=1):
        m, v = 0.5 * m + 0.5 * g, beta_2 * v + (1 - beta_2) * g**2
        w = w - 0.05 * np.sqrt(1 - beta_2**t) / (1 - 0.5**t) * m / (np.sqrt(v) + 1e-7)
    ours = moved(Adam(0.05, beta_1=0.5))
    np.testing.assert_allclose(ours[0], w, rtol=2e-6, atol=1e-6)


def test_sparse_gradients_move_the_rows_that_keras_moves():
    results = []
    for optimizer in (Adam(0.1), keras.optimizers.Adam(0.1)):
        variable = keras.Variable(np.ones((4, 2), "float32"))
        optimizer.build([variable])
        gradient = tf.IndexedSlices(tf.constant([[1.0, -2.0]]), tf.constant([2]), (4, 2))
        optimizer.apply([gradient], [variable])
        results.append(variable.numpy())
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision_weights_move_as_keras_moves_them(dtype):
    results = []
    for optimizer in (Adam(0.1), keras.optimizers.Adam(0.1)):
        variable = keras.Variable(np.ones((4, 2)), dtype=dtype)
        optimizer.build([variable])
        for gradient in gradients(3, (4, 2)):
            optimizer.apply([tf.cast(gradient, dtype)], [variable])
        results.append(tf.cast(variable.value, tf.float32).numpy())
    np.testing.assert_allclose(*results, rtol=0.02, atol=0.02)


def test_replicas_move_their_copies_alike():
    strategy = two_replicas()
    with strategy.scope():
        variable = keras.Variable(np.ones((5, 3), "float32"))
        optimizer = Adam(0.05)
        optimizer.build([variable])

    @tf.function
    def update(gradient):
        def step():
            share = tf.distribute.get_replica_context().replica_id_in_sync_group * 2 + 1
            optimizer.apply([gradient * tf.cast(share, tf.float32) / 4], [variable])

        strategy.run(step)

    for gradient in gradients():
        update(tf.constant(gradient))
    single = keras.Variable(np.ones((5, 3), "float32"))
    plain = keras.optimizers.Adam(0.05)
    plain.build([single])
    for gradient in gradients():
        plain.apply([tf.constant(gradient)], [single])
    for copy in variable.value.values:
        np.testing.assert_allclose(copy.numpy(), single.numpy(), rtol=1e-5)


def test_a_saved_optimizer_is_ours_again(tmp_path):
    model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    model.compile()
    model.save(tmp_path / "model.keras")
    assert type(keras.saving.load_model(tmp_path / "model.keras").generator_optimizer) is Adam


@pytest.mark.parametrize("updates", [1, 2])
def test_a_beta_2_that_changes_corrects_the_bias_by_its_value_of_the_step(updates):
    w = np.random.default_rng(0).normal(size=(5, 3))
    m = v = 0.0
    for t, g in enumerate(gradients().astype("float64"), start=1):
        progress = min((t - 1) // updates / 4, 1)
        beta_2 = 0.99 - 0.09 * (1 + np.cos(np.pi * progress)) / 2
        m, v = 0.5 * m + 0.5 * g, beta_2 * v + (1 - beta_2) * g**2
        w = w - 0.05 * np.sqrt(1 - beta_2**t) / (1 - 0.5**t) * m / (np.sqrt(v) + 1e-7)
    schedule = {"beta_2": 0.9, "beta_2_end": 0.99, "beta_2_steps": 4, "updates": updates}
    optimizer = Adam(0.05, beta_1=0.5, **schedule)
    np.testing.assert_allclose(moved(optimizer)[0], w, rtol=1e-5, atol=1e-6)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert copy.get_config() == optimizer.get_config()
    assert copy.beta_2_steps == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"beta_2_end": 0.9}, "needs both: beta_2_end and beta_2_steps"),
        ({"beta_2_end": 1.0, "beta_2_steps": 5}, "below 1"),
        ({"beta_2_end": 0.9, "beta_2_steps": 5, "amsgrad": True}, "with amsgrad"),
    ],
)
def test_a_change_of_beta_2_that_makes_no_sense_is_refused(arguments, words):
    with pytest.raises(GenzooError, match=words):
        Adam(**arguments)
