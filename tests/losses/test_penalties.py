"""Penalties, against discriminators whose slope is known in closed form."""

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import PENALTIES, R1R2

SHAPE = (4, 3, 3, 2)
REAL = np.random.default_rng(0).uniform(-1, 1, SHAPE).astype("float32")
FAKE = np.random.default_rng(1).uniform(-1, 1, SHAPE).astype("float32")
SLOPE = np.random.default_rng(2).normal(size=SHAPE[1:]).astype("float32")


class Linear:
    """D(x) = <w, x>: its slope is w everywhere."""

    def __call__(self, images):
        return np.tensordot(images, SLOPE, 3)[:, None]

    def gradient(self, images):
        return np.broadcast_to(SLOPE, images.shape)


class Quadratic:
    """D(x) = ‖x‖² / 2: its slope in x is x itself."""

    def __call__(self, images):
        return np.square(images).sum((1, 2, 3))[:, None] / 2

    def gradient(self, images):
        return images


class Shares:
    """Noise that is known: a share for each image."""

    values = np.array([0.0, 0.25, 0.5, 1.0], "float32")

    def uniform(self, batch_size, shape=()):
        assert (int(batch_size), shape) == (4, (1, 1, 1))
        return self.values.reshape(4, 1, 1, 1)


def norms(images) -> np.ndarray:
    return np.sqrt(np.square(images.astype("float64")).sum((1, 2, 3)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wgan_gp", 10 * (np.linalg.norm(SLOPE) - 1) ** 2),
        ("r1", np.square(SLOPE).sum() / 2),
        ("r2", np.square(SLOPE).sum() / 2),
        ("r1+r2", np.square(SLOPE).sum()),
    ],
)
def test_the_penalty_of_a_linear_discriminator_is_known(name, expected):
    value = PENALTIES[name]()(Linear(), REAL, FAKE, Shares())
    assert value.shape == ()
    assert float(value) == pytest.approx(float(expected), rel=1e-5)


def test_each_penalty_looks_at_its_own_images():
    share = Shares.values.reshape(4, 1, 1, 1)
    between = share * REAL + (1 - share) * FAKE
    real, fake = (np.mean(norms(x) ** 2) for x in (REAL, FAKE))
    expected = {
        "wgan_gp": 3 * np.mean((norms(between) - 1) ** 2),
        "r1": 3 / 2 * real,
        "r2": 3 / 2 * fake,
        "r1+r2": 3 / 2 * (real + fake),
    }
    assert set(expected) == set(PENALTIES)
    for name, value in expected.items():
        penalty = PENALTIES[name](weight=3.0)
        assert float(penalty(Quadratic(), REAL, FAKE, Shares())) == pytest.approx(value, rel=1e-5)


def test_the_norm_of_a_slope_of_zero_has_a_gradient():
    flat = keras.ops.zeros(SHAPE)
    critic = Quadratic()
    value = PENALTIES["wgan_gp"]()(critic, flat, flat, Shares())
    assert float(value) == pytest.approx(10.0, rel=1e-4)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_penalty_comes_back_from_its_configuration(name):
    penalty = PENALTIES[name](weight=0.7)
    config = keras.saving.serialize_keras_object(penalty)
    copy = keras.saving.deserialize_keras_object(config)
    assert type(copy) is type(penalty)
    assert copy.weight == 0.7
    arguments = Quadratic(), REAL, FAKE, Shares()
    assert float(copy(*arguments)) == float(penalty(*arguments))


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_a_weight_that_is_not_positive_is_refused(weight):
    with pytest.raises(GenzooError, match="must be positive"):
        R1R2(weight)


@pytest.mark.parametrize("name", PENALTIES)
def test_a_weight_that_changes_is_kept_in_the_configuration(name):
    kind = PENALTIES[name]
    penalty = kind(2.0, end=0.1, steps=50)
    assert penalty.get_config() == {"weight": 2.0, "end": 0.1, "steps": 50}
    assert kind.from_config(penalty.get_config()).get_config() == penalty.get_config()
    # A person's own subclass takes the weight alone.
    assert kind(2.0).get_config() == {"weight": 2.0}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"end": 2.0, "steps": 5}, "between 0 and 1, in 0 steps or more, not at 2.0 in 5"),
        ({"end": 0.1}, "needs both: end, such as 0.1, and steps"),
        ({"steps": 10}, "needs both"),
    ],
)
def test_a_change_of_weight_that_makes_no_sense_is_refused(arguments, words):
    with pytest.raises(GenzooError, match=words):
        R1R2(1.0, **arguments)
