"""Runs by name: folders, presets and patterns; what is none of these is named."""

import sys

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, settings_for
from keras_genzoo.training.finding import find_runs

DATA = dict.fromkeys(("num_classes", "class_names", "fingerprint"))
DATA |= {"image_shape": [8, 8, 1], "num_images": 9}


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Three run folders in an empty one."""
    monkeypatch.chdir(tmp_path)
    for name in ("runs/a-1", "runs/a-2", "runs/b[1]"):
        Run.create(settings_for("ae"), DATA, name)


def found(*given):
    return [str(run.path) for run in find_runs(given).runs]


def test_a_pattern_stands_for_the_runs_that_it_matches_in_order(names):
    assert found("runs/*") == ["runs/a-1", "runs/a-2", "runs/b[1]"]
    assert found("runs/b*", "runs/a-?") == ["runs/b[1]", "runs/a-1", "runs/a-2"]


def test_a_run_counts_once_and_a_name_that_exists_is_no_pattern(names):
    assert found("runs/a-1", "runs/a*", "runs/../runs/a-1") == ["runs/a-1", "runs/a-2"]
    assert found("runs/b[1]") == ["runs/b[1]"]


def test_a_preset_is_a_run(names):
    assert found("ae_mnist", "runs/a-1") == ["runs/ae_mnist", "runs/a-1"]


def test_an_address_that_cannot_be_fetched_is_left_out_and_said(names, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    runs, lines = find_runs(["runs/a-1", "hf://someone/model"])
    assert [run.path.name for run in runs] == ["a-1"]
    assert lines == [
        "hf://someone/model is left out: hf://someone/model needs huggingface_hub: pip install "
        "huggingface_hub"
    ]


def test_what_is_no_run_is_left_out_and_said(names, tmp_path):
    (tmp_path / "runs" / "log.txt").touch()
    (tmp_path / "runs" / "empty").mkdir()
    (tmp_path / "runs" / "a-2" / "config.json").write_text("{}")
    runs, lines = find_runs(["runs/*"])
    assert [run.path.name for run in runs] == ["a-1", "b[1]"]
    assert lines[0] == "no run folder, and left out: runs/empty, runs/log.txt"
    assert lines[1].startswith("runs/a-2 is left out: runs/a-2/config.json is not the config")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("runs/c-1", "there is no run runs/c-1; name a folder that 'genzoo fit' wrote"),
        ("runs/c-*", r"no run matches runs/c-\*"),
        ("ae_mnits", "there is no run ae_mnits; did you mean the preset 'ae_mnist'"),
    ],
)
def test_what_stands_for_nothing_is_refused(names, name, words):
    with pytest.raises(GenzooError, match=words):
        find_runs(["runs/a-1", name])
