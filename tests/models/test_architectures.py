"""Every architecture of a GAN in the model: it trains, is saved and goes on, in each precision."""

import keras
import numpy as np
import pytest

from keras_genzoo.models import GAN
from keras_genzoo.networks import ARCHITECTURES
from tests.models.cases import SHAPE, images, weights

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


def step(model, seed=0, labels=None, **options):
    """Train a step on 8 images, and return the logs."""
    history = model.fit(images(8, seed), labels, batch_size=8, shuffle=False, verbose=0, **options)
    return {name: values[-1] for name, values in history.history.items()}


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_weight_moves_and_stays_finite(name, policy):
    model = build(name, dtype=policy)
    model.compile(run_eagerly=True)
    before = [v.numpy() for v in model.trainable_variables]
    # The scale of float16 may have to fall first.
    for seed in range(4 if policy == "mixed_float16" else 2):
        step(model, seed)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert np.isfinite(variable.numpy()).all()
        assert (variable.numpy() != old).any(), variable.path


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_saved_model_gives_equal_images_and_an_equal_next_step(name, tmp_path):
    model = build(name, ema_half_life=20.0)
    model.compile(run_eagerly=True)
    step(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_array_equal(loaded.generate(3, seed=0), model.generate(3, seed=0))
    assert step(loaded, 1) == step(model, 1)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)
