import pytest

from keras_genzoo.training import settings_for

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

    def make(model, **settings):
        short = {"steps": 20, "checkpoint_every": 10, "batch_size": 16}
        return settings_for(model, **(SMALL[model] | short | settings))

    return make
