import functools
import shutil

import pytest

from keras_genzoo.training import Run, fit, settings_for

AVERAGED = {"ema_decay": 0.9}
SMALL = {
    "ae": {"hidden_units": [16], "latent_dim": 2, "image_size": 8},
    "vae": {"hidden_units": [16], "latent_dim": 2, "image_size": 8, "binarize": "dynamic"},
    "cvae": {"hidden_units": [16], "latent_dim": 2, "image_size": 8},
    "gan": {"generator_units": [16], "discriminator_units": [16], "image_size": 8} | AVERAGED,
    "dcgan": {"generator_filters": 4, "discriminator_filters": 4} | AVERAGED,
    "cgan": {"generator_filters": 4, "discriminator_filters": 4} | AVERAGED,
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A function that gives settings for a small model on digits; runs go to an empty folder."""
    monkeypatch.chdir(tmp_path)

    return settings_of


def settings_of(model, **settings):
    """The settings of a short run of a small model on digits."""
    short = {"steps": 20, "checkpoint_every": 10, "batch_size": 16}
    return settings_for(model, **(SMALL[model] | short | settings))


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A function that gives the folder of a finished run of a small model, which no one changes."""

    @functools.cache
    def get(model):
        return fit(settings_of(model), tmp_path_factory.mktemp("finished") / model).run.path

    return get


@pytest.fixture
def finished(small, trained_once):
    """A function that puts the finished run of ``small(model)`` into a folder, and returns it."""

    def put(model, folder):
        return Run.open(shutil.copytree(trained_once(model), folder))

    return put
