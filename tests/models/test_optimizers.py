"""Callbacks that set learning rates move both optimizers of a GAN; what cannot work is refused."""

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, Adam
from tests.models.cases import build, compiled, data, images, weights

callbacks = keras.callbacks


def rates(model):
    return [float(optimizer.learning_rate) for optimizer in model.optimizers]


def fit(model, *used, epochs=1):
    """Train, one step an epoch; return both rates after each."""
    after = []
    keep = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after.append(rates(model)))
    x, y = data(model, 8)
    model.fit(x, y, epochs=epochs, callbacks=[*used, keep], verbose=0)
    return after


def test_a_scheduler_moves_both_rates_and_keeps_their_ratio():
    model = compiled("gan")  # rates 1e-3 and 2e-3
    halved = fit(model, callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2), epochs=3)
    expected = [[1e-3 / 2**n, 2e-3 / 2**n] for n in (1, 2, 3)]
    np.testing.assert_allclose(halved, expected, rtol=1e-6)
    [absolute] = fit(model, callbacks.LearningRateScheduler(lambda epoch: 5e-3))
    np.testing.assert_allclose(absolute, [5e-3, 1e-2], rtol=1e-6)


def test_a_rate_of_0_in_between_does_not_lose_the_ratio():
    warm_up = callbacks.LearningRateScheduler(lambda epoch: float(epoch) * 1e-3)
    np.testing.assert_allclose(
        fit(compiled("gan"), warm_up, epochs=3), [[0, 0], [1e-3, 2e-3], [2e-3, 4e-3]], rtol=1e-6
    )
    model = build("gan")
    model.compile(Adam(0.0), Adam(1e-3), run_eagerly=True)
    with pytest.raises(GenzooError, match="the generator's learning rate is 0"):
        fit(model, warm_up)


def test_the_rate_of_one_optimizer_alone_is_not_to_be_had_as_that_of_both():
    model = compiled("gan")
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    with pytest.raises(AttributeError, match="assign"):
        model.optimizer.learning_rate.assign(1e-2)
    np.testing.assert_allclose(rates(model), [1e-3, 2e-3], rtol=1e-6)


def test_a_plateau_moves_both_rates():
    plateau = callbacks.ReduceLROnPlateau(
        "generator_loss", mode="max", factor=0.1, patience=1, min_delta=1e3
    )
    expected = [[1e-3, 2e-3], [1e-4, 2e-4], [1e-5, 2e-5]]
    np.testing.assert_allclose(fit(compiled("gan"), plateau, epochs=3), expected, rtol=1e-6)


def test_rates_inside_of_loss_scaling_are_moved_too():
    model = build("gan", dtype="mixed_float16")
    model.compile(Adam(1e-3), Adam(2e-3), run_eagerly=True)
    model.optimizer.learning_rate = 1e-2
    np.testing.assert_allclose(rates(model), [1e-2, 2e-2], rtol=1e-6)


@pytest.mark.parametrize(
    "callback",
    [callbacks.LearningRateScheduler(lambda epoch: 1.0), callbacks.ReduceLROnPlateau("loss")],
)
@pytest.mark.parametrize("name", ["ae", "gan"])
def test_a_rate_that_follows_a_schedule_is_not_set(name, callback):
    model = build(name)
    role = "optimizer" if name == "ae" else "discriminator_optimizer"
    rate = keras.optimizers.schedules.CosineDecay(0.1, 5)
    model.compile(**{role: keras.optimizers.Adam(rate)}, run_eagerly=True)
    with pytest.raises(GenzooError, match="which follows a LearningRateSchedule") as caught:
        model.fit(images(8), callbacks=callback, verbose=0)
    assert "\n" not in str(caught.value)
    assert int(model.step) == 0
    if name == "gan":
        with pytest.raises(GenzooError, match="which follows a LearningRateSchedule"):
            model.optimizer.learning_rate = 0.1
        assert rates(model)[0] == pytest.approx(2e-4)


@pytest.mark.parametrize(
    ("name", "words"), [("gan", "of one optimizer, not of two"), ("ae", "give .* use_ema=True")]
)
def test_averages_that_cannot_be_swapped_are_refused_before_the_first_step(name, words):
    model = compiled(name)
    with pytest.raises(GenzooError, match=words):
        model.fit(images(8), callbacks=[callbacks.SwapEMAWeights()], verbose=0)
    assert int(model.step) == 0


def test_averages_of_one_optimizer_are_swapped():
    model = build("ae")
    model.compile(keras.optimizers.Adam(use_ema=True), run_eagerly=True)
    model.fit(images(8), callbacks=[callbacks.SwapEMAWeights()], verbose=0)


def test_other_callbacks_work_as_with_any_model(tmp_path):
    model, x = compiled("gan"), images(8)
    used = [
        callbacks.TensorBoard(tmp_path / "logs", write_steps_per_second=True),
        callbacks.BackupAndRestore(tmp_path / "backup"),
        callbacks.ModelCheckpoint(tmp_path / "model.keras"),
        callbacks.EarlyStopping("generator_loss", mode="min"),
        callbacks.CSVLogger(tmp_path / "log.csv"),
        callbacks.TerminateOnNaN(),
    ]
    model.fit(x, validation_data=(x,), callbacks=used, verbose=0)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_a_pair_of_optimizers_cannot_do_is_said():
    model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    model.compile()
    with pytest.raises(AttributeError, match=r"take model\.generator_optimizer and"):
        model.optimizer.apply_gradients([])
    assert len(model.optimizer.variables) == sum(len(o.variables) for o in model.optimizers)
