"""Training in float16: small gradients survive, infinite ones move nothing, on any replica."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.models.scaling import SharedLossScaleOptimizer
from keras_genzoo.training import make_strategy
from tests.models.cases import ALGORITHMS, build, compiled, optimizers, step

pytestmark = pytest.mark.slow

INF = float("inf")


def scales(model) -> list[float]:
    return [float(optimizer.dynamic_scale.numpy()) for optimizer in model.optimizers]


def trained_values(model) -> list[np.ndarray]:
    return [variable.numpy() for variable in model.trainable_variables]


@pytest.mark.parametrize("name", ["vae", "gan", "dcgan"])
def test_float16_follows_float32(name):
    def train(policy):
        model = build(name, dtype=policy)
        rates = {role: keras.optimizers.SGD(1e-3) for role in optimizers(name)}
        model.compile(**rates, run_eagerly=True)
        before = trained_values(model)
        logs = step(model, times=5)
        moves = [a - b for a, b in zip(trained_values(model), before, strict=True)]
        return logs, np.concatenate([move.ravel() for move in moves])

    logs, moves = train("mixed_float16")
    expected_logs, expected = train("float32")
    assert logs == pytest.approx(expected_logs, rel=2e-2)
    assert np.linalg.norm(moves - expected) < 3e-2 * np.linalg.norm(expected)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_optimizer_has_a_scale_of_its_own_and_weights_stay_float32(name):
    model = build(name, dtype="mixed_float16")
    model.compile(**optimizers(name))
    kinds = {type(optimizer) for optimizer in model.optimizers}
    assert kinds == {SharedLossScaleOptimizer}
    assert scales(model) == [2.0**15] * len(model.optimizers)
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    # Saved models say what a person chose, which another policy may take as it is.
    config = model.get_compile_config()
    assert all("scale" not in str(config[role]["class_name"]).lower() for role in optimizers(name))


def test_gradients_too_small_for_float16_move_the_weights():
    model = build("ae", dtype="mixed_float16")
    # float16 ends at 6e-8.
    model.compile(keras.optimizers.SGD(1e6), loss=small_loss)
    before = trained_values(model)
    step(model)
    moved = [np.abs(a - b).max() for a, b in zip(trained_values(model), before, strict=True)]
    assert min(moved) > 0


def small_loss(images, logits):
    return 1e-7 * tf.reduce_mean(tf.cast(logits, tf.float32), axis=(1, 2, 3))


def infinite_on_the_second(loss, switch):
    """A loss whose gradient is infinite on the second replica while the switch is on.

    Keras asks the first replica alone whether gradients are finite.
    """

    def function(*arguments):
        second = tf.distribute.get_replica_context().replica_id_in_sync_group == 1
        return loss(*arguments) * tf.where(second & switch, tf.constant(INF), 1.0)

    return function


def test_an_infinite_gradient_on_one_replica_moves_none():
    strategy = make_strategy("mirrored")
    # A switch, so that the step is traced once.
    switch = tf.Variable(False, trainable=False)
    with strategy.scope():
        model = build("gan", dtype="mixed_float16")
        model.compile(**optimizers("gan"))
    good = model.adversarial_loss
    model.adversarial_loss = type(good)(
        infinite_on_the_second(good.discriminator, switch),
        infinite_on_the_second(good.generator, switch),
    )
    step(model, count=16)
    before, scale = weights_of_all_replicas(strategy, model), scales(model)
    switch.assign(True)
    step(model, count=16)
    after = weights_of_all_replicas(strategy, model)
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)
    assert scales(model) == [value / 2 for value in scale]
    switch.assign(False)
    step(model, count=16, times=2)
    moved = weights_of_all_replicas(strategy, model)
    for parts, old in zip(moved, after, strict=True):
        assert np.isfinite(parts).all()
        np.testing.assert_array_equal(parts[0], parts[1])
        assert (parts != old).any()
    assert scales(model) == [value / 2 for value in scale]


def weights_of_all_replicas(strategy, model) -> list[np.ndarray]:
    return [
        np.stack([part.numpy() for part in strategy.experimental_local_results(variable.value)])
        for variable in model.trainable_variables
    ]


def test_two_replicas_train_like_one():
    def train(graph):
        model = build("cgan", dtype="mixed_float16")
        rates = {role: keras.optimizers.SGD(1e-2) for role in optimizers("cgan")}
        model.compile(**rates, run_eagerly=not graph)
        step(model, count=16, times=3)
        return model

    one = train(graph=False)
    with make_strategy("mirrored").scope():
        two = train(graph=True)
    for ours, theirs in zip(one.trainable_variables, two.trainable_variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=2e-4)


def test_in_float32_nothing_is_scaled():
    for model in (compiled("gan"), compiled("gan", dtype="mixed_bfloat16")):
        assert not any(isinstance(o, SharedLossScaleOptimizer) for o in model.optimizers)
