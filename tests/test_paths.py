"""A file or folder may be named by a text or by any path, wherever a person names one."""

import shutil

import numpy as np
import pytest

from keras_genzoo import data, evaluation, export, models, training, visualization
from keras_genzoo.images import save_png
from keras_genzoo.training import Run, load_model
from keras_genzoo.visualization.umap_study import load_studies
from tests.training.conftest import SMALL


class OwnPath:
    """A path that is neither a text nor one of pathlib's."""

    def __init__(self, path):
        self.path = str(path)

    def __fspath__(self):
        return self.path


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps."""
    small = {"steps": 2, "checkpoint_every": 1, "sample_every": 1, "batch_size": 16} | SMALL["ae"]
    settings = training.settings_for("ae", **small)
    return training.fit(settings, tmp_path_factory.mktemp("paths") / "run").run


IMAGE = np.zeros((8, 8, 1), "uint8")
QUICK = evaluation.Options(features="pixels", count=20, scores=["fid"])
# Each with the run, its settings, a place for what is written, and what makes a path of a path.
CALLS = {
    "fit": lambda run, out, path: training.fit(run.settings, path(out / "new")),
    "resume": lambda run, out, path: training.resume(path(run.path)),
    "repeat": lambda run, out, path: training.repeat(path(run.path / "config.json")),
    "Run.create": lambda run, out, path: Run.create(run.settings, run.data, path(out / "new")),
    "Run.open": lambda run, out, path: Run.open(path(run.path)),
    "sample": lambda run, out, path: training.sample(path(run.path), out=path(out / "a.png")),
    "sample npz": lambda run, out, path: training.sample(path(run.path), out=path(out / "a.npz")),
    "reconstruct": lambda run, out, path: training.reconstruct(
        path(run.path), out=path(out / "a.png")
    ),
    "interpolate": lambda run, out, path: training.interpolate(
        path(run.path), out=path(out / "a.png")
    ),
    "evaluate": lambda run, out, path: evaluation.write_result(
        evaluation.evaluate_run(path(run.path), QUICK), path(out / "a.json")
    ),
    "figures": lambda run, out, path: visualization.draw_figures(path(run.path), path(out / "a")),
    "latent": lambda run, out, path: visualization.draw_latent_map(
        [path(run.path)], 50, out=path(out / "a")
    ),
    "umap": lambda run, out, path: (
        visualization.draw_umap(
            path(run.path), ["pixels"], num_real=20, num_generated=2, out=path(out / "a")
        ),
        load_studies(path(out / "a")),
    ),
    "report": lambda run, out, path: visualization.write_report(
        path(run.path), path(out / "a.html"), measure=False
    ),
    "animation": lambda run, out, path: visualization.training_animation(
        [path(grid) for grid in run.sample_grids()], path(out / "a.gif")
    ),
    "theory": lambda run, out, path: visualization.draw_theory(path(out / "a"), steps=(2, 100)),
    "export": lambda run, out, path: export.export_run(path(run.path), "keras", out=path(out)),
    "served": lambda run, out, path: export.export_run(path(run.path), out=path(out)),
    "saved_model": lambda run, out, path: export.export_saved_model(
        load_model(run), path(out / "a")
    ),
    "keras": lambda run, out, path: export.export_keras(load_model(run), path(out), "a"),
    "litert": lambda run, out, path: export.export_litert(load_model(run), path(out), "a"),
    "onnx": lambda run, out, path: export.export_onnx(load_model(run), path(out), "a"),
    "load": lambda run, out, path: models.load_model(path(run.model_file)),
    "png": lambda run, out, path: (
        save_png(path(out / "a.png"), IMAGE),
        list(data.check_folder(path(out))),
        data.open_source(path(out)),
    ),
    "settings": lambda run, out, path: training.settings_for("ae", path(out), data_dir=path(out)),
}
SLOW = ("fit", "figures", "umap", "theory", "report", "served", "saved_model", "litert", "onnx")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in CALLS],
)
def test_a_path_of_any_kind(trained, tmp_path, name):
    run = Run.open(shutil.copytree(trained.path, tmp_path / "run"))
    (tmp_path / "out").mkdir()
    CALLS[name](run, tmp_path / "out", OwnPath)
    if name in ("resume", "repeat", "Run.open", "load", "settings"):
        return
    assert any((tmp_path / "out").iterdir())
