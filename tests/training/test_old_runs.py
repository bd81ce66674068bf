"""Runs and models that version 0.1.0 wrote before a GAN had axes: they open and go on the same.

``old_runs.zip`` holds, for each model, a run of 4 steps on the digits and the checkpoint of step 8
that the run then had when it was resumed.
"""

import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_genzoo.models import load_model
from keras_genzoo.training import resume
from keras_genzoo.training.build import build_model
from keras_genzoo.training.run import Run

MODELS = ("ae", "vae", "gan", "dcgan", "cgan")
every_model = pytest.mark.parametrize("name", MODELS)
# One with two networks and an average stands for all in the quick loop.
one_model = pytest.mark.parametrize(
    "name",
    [name if name == "gan" else pytest.param(name, marks=pytest.mark.slow) for name in MODELS],
)


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    folder = tmp_path_factory.mktemp("old")
    with zipfile.ZipFile(Path(__file__).with_name("old_runs.zip")) as archive:
        archive.extractall(folder)
    return folder


def close(path: Path, expected: Path) -> None:
    """Check that two checkpoints hold the same weights and states, up to another CPU's rounding."""
    with np.load(path) as ours, np.load(expected) as theirs:
        assert set(ours.files) == set(theirs.files)
        for name in ours.files:
            if ours[name].dtype.kind == "f":
                np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-4, atol=1e-6)


@one_model
def test_an_old_run_resumes_to_the_weights_that_it_had(old, tmp_path, name):
    run = tmp_path / "run"
    shutil.copytree(old / name, run)
    resume(run, {"steps": 8})
    close(run / "checkpoints" / "step-00000008.npz", old / f"{name}-8.npz")


@every_model
def test_the_same_settings_give_the_weights_that_they_gave(old, name):
    run = Run.open(old / name)
    model = build_model(run.settings, tuple(run.data["image_shape"]), run.data["num_classes"])
    before = load_model(run.model_file)
    assert [w.path.split("/")[-1] for w in model.weights] == [
        w.path.split("/")[-1] for w in before.weights
    ]
    assert model.count_params() == before.count_params()


@every_model
def test_an_old_model_loads_and_generates(old, name):
    model = keras.saving.load_model(old / name / "model.keras")
    assert int(model.step) == 4
    assert model.generate(3, seed=0).shape == (3, 8, 8, 1)
    again = type(model).from_config(model.get_config())
    assert again.get_config() == model.get_config()
