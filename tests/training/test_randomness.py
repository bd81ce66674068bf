"""The random numbers of a script are its own: no call of the library moves or seeds them."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo import evaluation, export, models, training, visualization
from keras_genzoo.evaluation.features import find_network
from keras_genzoo.evaluation.theory import broad, ring, train_discriminator, train_gan
from keras_genzoo.networks import randomness_kept, seeded
from keras_genzoo.training import build_model, fit, resume
from keras_genzoo.training.preparing import open_splits
from tests.models import cases


def draw():
    """Return a number of each generator that a script may have seeded."""
    return (
        random.random(),
        np.random.random(),  # noqa: NPY002
        float(keras.random.uniform(())),
        float(tf.random.uniform(())),
        float(tf.random.uniform((), seed=3)),
        float(next(iter(tf.data.Dataset.random().take(1)))),
        *np.ravel(keras.layers.Dense(1)(np.ones((1, 1)))),
    )


def begin(seed):
    """Seed all as a script does, and draw some numbers."""
    keras.utils.set_random_seed(seed)
    return draw()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run of an autoencoder, one of a GAN that has no model yet, and their folder."""
    folder = tmp_path_factory.mktemp("runs")
    common = {"steps": 4, "checkpoint_every": 2, "batch_size": 16, "image_size": 8, "latent_dim": 2}
    small = {"hidden_units": [8]}
    done = fit(training.settings_for("vae", **(common | small)), folder / "done").run
    small = {"generator_units": [8], "discriminator_units": [8], "ema_decay": 0.9}
    begun = fit(training.settings_for("gan", **(common | small)), folder / "begun").run
    begun.model_file.unlink()
    return done, begun, folder


def scored(run):
    options = evaluation.Options(features="pixels", count=100, num_samples=5)
    return evaluation.evaluate_run(run.path, options)


CALLS = {
    "fit": lambda done, begun, folder: fit(done.settings, folder / "new", force=True),
    "resume": lambda done, begun, folder: (resume(begun.path), begun.model_file.unlink()),
    "load": lambda done, begun, folder: training.load_model(done),
    "load a file": lambda done, begun, folder: models.load_model(done.model_file),
    "load a checkpoint": lambda done, begun, folder: training.load_model(begun),
    "build": lambda done, begun, folder: build_model(begun.settings, (8, 8, 1), None),
    "sample": lambda done, begun, folder: training.sample(done.path, force=True),
    "reconstruct": lambda done, begun, folder: training.reconstruct(done.path, force=True),
    "generate": lambda done, begun, folder: training.load_model(begun).generate(2),
    "evaluate": lambda done, begun, folder: scored(done),
    "classifier": lambda done, begun, folder: find_network(
        "classifier", open_splits(done.settings)
    ),
    "a feature network": lambda done, begun, folder: find_network(
        f"model:{own_network(folder)}", open_splits(done.settings)
    ),
    "theory": lambda done, begun, folder: (
        train_discriminator(ring(), broad(2), steps=2, batch_size=8),
        train_gan(ring(), steps=100, batch_size=2),
    ),
    "latent map": lambda done, begun, folder: visualization.draw_latent_map(
        [done.path], 50, out=folder / "latent"
    ),
    "umap": lambda done, begun, folder: visualization.draw_umap(
        done.path, num_real=60, num_generated=20, out=folder / "umap", force=True
    ),
    "keras": lambda done, begun, folder: export.export_run(
        done.path, "keras", check=True, force=True
    ),
    "saved_model": lambda done, begun, folder: export.export_run(
        done.path, out=folder / "served", check=True
    ),
}
QUICK = ("load", "load a checkpoint", "build", "a feature network", "keras")


def own_network(folder):
    path = folder / "own.keras"
    if not path.exists():
        with randomness_kept():
            layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
            keras.Sequential(layers).save(path)
    return path


@pytest.mark.parametrize(
    "call", [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in CALLS]
)
def test_a_script_draws_the_numbers_that_it_draws_without_the_library(runs, call):
    expected = []
    for seed in (1, 2):
        begin(seed)
        expected.append(draw())
    assert not set(expected[0]) & set(expected[1])
    begin(2)
    CALLS[call](*runs)
    assert draw() == expected[1]


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_the_initial_weights_are_those_that_keras_draws_from_the_seed(name):
    def weights():
        model = cases.MODELS[name](**({"image_shape": cases.SHAPE} | cases.CASES[name].arguments))
        return model.get_weights()

    keras.utils.set_random_seed(5)
    expected = weights()
    begin(6)
    with seeded(5):
        found = weights()
    for left, right in zip(expected, found, strict=True):
        np.testing.assert_array_equal(left, right)
