"""Every architecture of a GAN in the model."""

import keras
import numpy as np
import pytest

from keras_genzoo.models import GAN, MODELS
from keras_genzoo.networks import ARCHITECTURES
from tests.models.cases import GANS, SHAPE, images, train

OPTIONS = {
    "dense": {"generator_units": (8,), "discriminator_units": (8,)},
    "dcgan": {"generator_filters": 4, "discriminator_filters": 4},
    "residual": {"generator_filters": 4, "discriminator_filters": 4, "channel_growth": 2},
    "r3gan": {"stage_filters": (8, 4), "stage_blocks": 2, "group_filters": 4},
}


def build(name, **arguments):
    """Return a small GAN of an architecture, whose weights are drawn from a fixed seed."""
    keras.utils.set_random_seed(7)
    return GAN(SHAPE, 4, architecture=name, seed=3, **OPTIONS[name], **arguments)


def step(model, seed=0, labels=None):
    """Train a step on 8 images, and return the logs."""
    return train(model, images(8, seed), labels)


@pytest.mark.parametrize(
    "name",
    [
        name if name == "dense" else pytest.param(name, marks=pytest.mark.slow)
        for name in ARCHITECTURES
    ],
)
def test_every_weight_moves_and_stays_finite_in_float16(name):
    model = build(name, dtype="mixed_float16")
    model.compile(run_eagerly=True)
    before = [v.numpy() for v in model.trainable_variables]
    # Its scale may have to fall first.
    for seed in range(4):
        step(model, seed)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert np.isfinite(variable.numpy()).all()
        assert (variable.numpy() != old).any(), variable.path


def test_every_architecture_is_that_of_a_model_which_the_harness_trains_and_saves():
    used = {MODELS[name].arguments()["architecture"].default for name in GANS}
    assert used == set(ARCHITECTURES)
