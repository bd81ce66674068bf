"""A run does not depend on how the machine's ``keras.json`` sets Keras up."""

import json

import numpy as np
import pytest

from keras_genzoo.data import open_source
from tests.cli.conftest import small
from tests.training.kill import differences


@pytest.mark.slow
@pytest.mark.parametrize(("model", "floatx"), [("vae", "float16")])
def test_runs_and_their_scores_are_the_same(genzoo, process, tmp_path, monkeypatch, model, floatx):
    config = {"floatx": floatx, "image_data_format": "channels_first", "backend": "TensorFlow"}
    (tmp_path / "keras.json").write_text(json.dumps(config))
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "one"))
    # A classifier of these is soon trained: here for as long as in the other process.
    monkeypatch.setattr("keras_genzoo.evaluation.classifier.MAX_EPOCHS", 40)
    source = open_source("digits")
    parts = {"train": np.arange(400), "test": np.arange(400, 500)}
    arrays = {name: source.fetch(numbers) for name, numbers in parts.items()}
    images = {f"x_{name}": images for name, (images, _) in arrays.items()}
    np.savez("few.npz", **images, **{f"y_{name}": labels for name, (_, labels) in arrays.items()})
    assert genzoo(small(model, "--dataset few.npz --out plain")).code == 0
    assert genzoo("evaluate plain -n 50 --out one.json").code == 0
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "two"))
    # Keras has read its settings long ago in this process.
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    fit = small(model, "--dataset few.npz --out other")
    ended = process(fit, "evaluate other -n 50 --out two.json")
    assert ended.returncode == 0, ended.stderr
    line = f"keras.json sets floatx to {floatx}; genzoo computes in float32"
    assert line in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not differences(tmp_path / "plain", tmp_path / "other")
    one, two = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("one", "two"))
    assert one["protocol"]["features"]["name"] == "classifier"
    one, two = one["scores"], two["scores"]
    assert one.keys() == two.keys()
    for name, value in one.items():
        if isinstance(value, float):
            assert two[name] == pytest.approx(value, rel=1e-3), name
