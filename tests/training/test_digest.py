"""Which weights a number or a sample grid is of."""

import keras
import numpy as np

from keras_genzoo.models import GAN
from keras_genzoo.models.loading import load_model
from keras_genzoo.training.variables import weights_digest


def _gan(seed: int = 0) -> GAN:
    keras.utils.set_random_seed(seed)
    model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    model.compile(run_eagerly=True)
    return model


def test_weights_have_one_digest_whatever_was_built_before(tmp_path):
    first, second = _gan(), _gan()
    assert weights_digest(first) == weights_digest(second)
    first.save(tmp_path / "gan.keras")
    assert weights_digest(load_model(tmp_path / "gan.keras")) == weights_digest(first)


def test_a_single_weight_changes_the_digest():
    model = _gan()
    before = weights_digest(model)
    assert weights_digest(_gan(seed=1)) != before
    bias = model.generator.weights[-1]
    bias.assign(np.nextafter(bias.numpy() + 1, 2))
    assert weights_digest(model) != before


def test_a_step_of_training_changes_it_and_the_optimizers_do_not():
    model = _gan()
    before = weights_digest(model)
    model.generator_optimizer.learning_rate = 1e-5
    assert weights_digest(model) == before
    model.train_on_batch(np.zeros((2, 8, 8, 1), np.uint8))
    assert weights_digest(model) != before
