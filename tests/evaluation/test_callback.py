"""The score during training: when it is measured, and which model is kept."""

import numpy as np
import pytest

from keras_genzoo.data import open_source
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import FrechetCallback
from keras_genzoo.models import VAE, load_model


def digits(n=300):
    return open_source("digits", "train").fetch(np.arange(n))[0]


def small():
    model = VAE((8, 8, 1), latent_dim=2, hidden_units=(32,))
    model.compile("adam")
    return model


@pytest.mark.slow
def test_training_brings_the_distance_down_and_the_best_model_is_kept(tmp_path):
    images = digits()
    callback = FrechetCallback(images, best=tmp_path / "best.keras")
    history = small().fit(images, epochs=6, callbacks=[callback], verbose=0).history
    assert history["fid"][-1] < 0.9 * history["fid"][0]
    best = load_model(tmp_path / "best.keras")
    again = FrechetCallback(images)
    again.set_model(best)
    logs = {}
    again.on_epoch_end(0, logs)
    assert logs["fid"] == pytest.approx(min(history["fid"]), rel=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


def test_every_third_epoch_is_measured(monkeypatch):
    callback = FrechetCallback(digits(50), every=3, num_images=40)
    model, asked = small(), []
    generate = model.generate
    monkeypatch.setattr(
        model, "generate", lambda n, seed: asked.append((n, seed)) or generate(n, seed=seed)
    )
    history = model.fit(digits(50), epochs=7, callbacks=[callback], verbose=0).history
    assert asked == [(40, 0)] * 3
    values = history["fid"]
    assert values[0] == values[1] == values[2] != values[3] == values[5] != values[6]


def test_bad_arguments_are_refused():
    with pytest.raises(GenzooError, match="every must be at least 1"):
        FrechetCallback(digits(50), every=0)
    with pytest.raises(GenzooError, match="takes uint8 images"):
        FrechetCallback(digits(50) / 255)
