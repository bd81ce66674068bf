"""All five models in every format, and a process of its own to run the files in."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_genzoo import export
from keras_genzoo.models import MODELS
from tests.models.cases import build, images


@pytest.fixture(scope="session")
def models():
    """The models by name, with weights at which every part of an image depends on every input."""
    found = {name: build(name) for name in MODELS}
    rng = np.random.default_rng(3)
    for model in found.values():
        for variable in model.variables:
            if variable.path.endswith("moving_variance"):
                variable.assign(rng.uniform(0.5, 2, variable.shape))
            elif variable.shape:
                variable.assign(rng.normal(0, 0.25, variable.shape))
    return found


@pytest.fixture(scope="session")
def exported(models, tmp_path_factory):
    """The files of every model in every format."""
    root = tmp_path_factory.mktemp("exported")
    calibration = {"calibration": 200, "images": images(200)}
    return {
        name: SimpleNamespace(
            saved_model=export.export_saved_model(model, root / name, warm_up=[1, 3]),
            litert=export.export_litert(
                model, root, name, list(export.LITERT_TYPES), **calibration
            ),
            onnx=export.export_onnx(model, root, name),
            keras=export.export_keras(model, root, name),
        )
        for name, model in models.items()
    }


@pytest.fixture
def alone(tmp_path):
    """A function that runs files by a runtime alone, and returns what they gave."""

    def run(runtime, files, arrays):
        given, returned = tmp_path / "given.npz", tmp_path / "returned.npz"
        np.savez(given, **arrays)
        program = Path(__file__).with_name("alone.py")
        named = [f"{name}={file}" for name, file in files.items()]
        ended = subprocess.run(
            [sys.executable, "-I", program, runtime, given, returned, *named],
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr[-3000:]
        with np.load(returned) as file:
            return dict(file)

    return run
