"""The models in every format, and a process of its own to run the files in."""

import subprocess
import sys
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from keras_genzoo import export
from tests.models.cases import FEW, build, images

EXPORTED = tuple(FEW)


class MadeOnce(dict):
    """Values by name, each made when a test first asks for it."""

    def __init__(self, make):
        self.make = make

    def __missing__(self, name):
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="session")
def models():
    """The models by name, with weights at which every part of an image depends on every input."""

    def make(name):
        model, rng = build(name), np.random.default_rng(3)
        for variable in model.variables:
            if variable.path.endswith("moving_variance"):
                variable.assign(rng.uniform(0.5, 2, variable.shape))
            elif variable.shape:
                variable.assign(rng.normal(0, 0.25, variable.shape))
        return model

    return MadeOnce(make)


class Files:
    """The files of one model in every format, each written when a test first asks for it."""

    def __init__(self, model, root, name):
        self.model, self.root, self.name = model, root, name

    @cached_property
    def saved_model(self):
        return export.export_saved_model(self.model, self.root / self.name, warm_up=[1, 3])

    @cached_property
    def litert(self):
        calibration = {"calibration": 200, "images": images(200)}
        types = list(export.LITERT_TYPES)
        return export.export_litert(self.model, self.root, self.name, types, **calibration)

    @cached_property
    def onnx(self):
        return export.export_onnx(self.model, self.root, self.name)

    @cached_property
    def keras(self):
        return export.export_keras(self.model, self.root, self.name)


@pytest.fixture(scope="session")
def exported(models, tmp_path_factory):
    """The files of each model, by its name."""
    root = tmp_path_factory.mktemp("exported")
    return MadeOnce(lambda name: Files(models[name], root, name))


@pytest.fixture(scope="session")
def alone(tmp_path_factory):
    """A function that runs files by a runtime alone, and returns what they gave."""

    def run(runtime, files, arrays):
        folder = tmp_path_factory.mktemp("alone")
        given, returned = folder / "given.npz", folder / "returned.npz"
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
