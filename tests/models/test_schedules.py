"""Learning rates by the step: their equations, and that they go on where they stopped."""

import math

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import R1R2
from keras_genzoo.models import GAN, Adam
from keras_genzoo.models.schedules import SCHEDULES, Schedule
from tests.models.cases import SHAPE, images, train


def rates(schedule, steps) -> list[float]:
    return [float(schedule(step)) for step in steps]


def test_each_schedule_is_its_equation():
    steps = range(0, 121, 10)
    expected = {
        "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
        "linear": lambda t: 1 - t,
        "step": lambda t: 1.0 if t < 0.5 else 0.5 if t < 0.75 else 0.25 if t < 1 else 0.0,
    }
    assert set(expected) == set(SCHEDULES)
    for name, share in expected.items():
        schedule = Schedule(name, 0.2, steps=100, end=0.1)
        wanted = [0.2 * (0.1 + 0.9 * share(min(step / 100, 1))) for step in steps]
        np.testing.assert_allclose(rates(schedule, steps), wanted, rtol=1e-5)


def test_warm_up_rises_evenly_and_counts_into_the_length():
    schedule = Schedule("cosine", 1.0, steps=30, warmup=10)
    assert rates(schedule, (0, 5, 10, 20, 30)) == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)


def test_several_updates_in_a_step_have_one_rate():
    once, thrice = (Schedule("linear", 1.0, steps=10, updates=updates) for updates in (1, 3))
    for step in range(12):
        assert rates(thrice, range(3 * step, 3 * step + 3)) == rates(once, [step]) * 3


@pytest.mark.slow
def test_it_is_saved_with_the_model_and_goes_on(tmp_path):
    def made():
        keras.utils.set_random_seed(0)
        model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,))
        schedule = Schedule("cosine", 0.1, steps=6, updates=2)
        model.compile(Adam(Schedule("linear", 0.1, steps=6)), Adam(schedule),
                      discriminator_steps=2, run_eagerly=True)  # fmt: skip
        return model

    def train(model, seeds):
        for seed in seeds:
            model.fit(images(4, seed), batch_size=4, shuffle=False, verbose=0)

    whole, part = made(), made()
    train(whole, range(4))
    train(part, range(2))
    part.save(tmp_path / "model.keras")
    part = keras.saving.load_model(tmp_path / "model.keras")
    train(part, range(2, 4))
    for ours, theirs in zip(part.variables, whole.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    expected = [0.1 * (1 - 4 / 6), 0.1 * (1 + math.cos(math.pi * 4 / 6)) / 2]
    found = [float(optimizer.learning_rate) for optimizer in part.optimizers]
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "cosin"}, "schedule 'cosin'"),
        ({"steps": 0}, "1 step or more"),
        ({"warmup": 10}, "a warm-up shorter than that"),
        ({"end": 2.0}, "between 0 and 1"),
    ],
)
def test_what_makes_no_schedule_is_refused(arguments, words):
    with pytest.raises(GenzooError, match=words):
        Schedule(**{"name": "cosine", "learning_rate": 0.1, "steps": 10} | arguments)


# What changes beside the learning rate


def changing(**arguments):
    """Return a GAN with the schedules of R3GAN, each of a length of its own."""
    keras.utils.set_random_seed(0)
    model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,), **arguments)
    optimizers = [Adam(1e-2, beta_1=0.0, beta_2=0.9, beta_2_end=0.99, beta_2_steps=3)
                  for _ in range(2)]  # fmt: skip
    model.compile(*optimizers, loss="relativistic", penalty=R1R2(4.0, end=0.1, steps=4),
                  run_eagerly=True)  # fmt: skip
    return model


def step(model, seed=0):
    return train(model, images(4, seed))


@pytest.mark.slow
def test_the_weight_of_a_penalty_falls_by_half_a_cosine():
    model, constant = changing(), changing()
    constant.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), loss="relativistic",
                     penalty=R1R2(1.0), run_eagerly=True)  # fmt: skip
    for count in range(6):
        constant.set_weights(model.get_weights())
        for ours, theirs in zip(constant._seed_states(), model._seed_states(), strict=True):
            ours.assign(theirs)  # of dropout
        # Weights that stand still: both measure one discriminator on one batch.
        slope = step(constant, count)["penalty"]
        weight = 0.4 + 3.6 * (1 + math.cos(math.pi * min(count / 4, 1))) / 2
        assert step(model, count)["penalty"] == pytest.approx(weight * slope, rel=1e-4)


def test_a_half_life_rises_from_0_by_half_a_cosine():
    model = changing(ema_half_life=8.0, ema_rise_steps=4)
    expected = None
    for count in range(6):
        step(model, count)
        new = [v.numpy().astype("float64") for v in model.generator.variables]
        half_life = 8.0 * (1 - math.cos(math.pi * min(count / 4, 1))) / 2
        decay = 0.5 ** (4 / half_life) if half_life else 0.0
        # At first the average is the weights themselves.
        expected = expected or new
        expected = [decay * a + (1 - decay) * b for a, b in zip(expected, new, strict=True)]
    for variable, value in zip(model.average_generator.variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)


def test_a_run_of_schedules_is_saved_and_goes_on(tmp_path):
    model = changing(ema_half_life=8.0, ema_rise_steps=6)
    for count in range(2):
        step(model, count)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for count in range(2, 5):
        assert step(loaded, count) == step(model, count)
    for ours, theirs in zip(loaded.variables, model.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize(
    "arguments", [{"ema_rise_steps": 5}, {"ema_rise_steps": -1, "ema_half_life": 5.0}]
)
def test_a_rise_needs_a_half_life(arguments):
    with pytest.raises(GenzooError, match="ema_rise_steps must be 0 or more, and needs ema_half"):
        GAN(SHAPE, 4, **arguments)
