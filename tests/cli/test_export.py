"""``genzoo export``: what it writes where, and what it refuses."""

import json
import re
import sys

import pytest

from keras_genzoo.export.run import FORMATS, facts_of
from keras_genzoo.files import write_json
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_model


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_version_for_a_server(genzoo, trained, tmp_path):
    for version in ("1", "2"):
        ended = genzoo("export --name digits --verify --batch-sizes 1,2", trained("vae"))
        assert ended.code == 0, ended.errors
        assert ended.output.strip() == f"savedmodels/digits/{version}"
    base = tmp_path / "savedmodels" / "digits"
    assert {path.name for path in base.iterdir()} == {
        *("1", "2", "README.md", "models.config", "batching.config")
    }
    text = (base / "README.md").read_text()
    assert "- **data**: digits, split train, 1500 images" in text
    assert "CC BY 4.0" in text
    assert "Newest version: 2" in text
    card = json.loads((base / "2" / "assets.extra" / "card.json").read_text())
    assert card["verified"]["reconstruct"]["reconstructions"]["max"] <= 1e-5


def test_the_card_tells_the_scores_of_the_run(genzoo, copy, tmp_path):
    run = copy("gan")
    genzoo("evaluate --features pixels --scores fid -n 50 --no-floor", run)
    assert genzoo("export --format keras", run).code == 0
    card = json.loads((run / "export" / "run-generate.keras.json").read_text())
    assert card["facts"]["scores"].startswith("fid ")
    assert "(50 images against digits, split test, features pixels)" in card["facts"]["scores"]


def test_the_card_tells_no_scores_of_other_weights(copy):
    run = Run.open(copy("gan"))
    result = {"protocol": {"steps": 3}, "scores": {"fid": 1.0}, "warnings": []}
    write_json(run.path / "evaluation.json", result)
    assert facts_of(run, load_model(run), "the weights")["scores"] == (
        "none measured of these weights, but of step 3 ('genzoo evaluate' measures them)"
    )
    (run.path / "evaluation.json").write_text("{")
    scores = facts_of(run, load_model(run), "the weights")["scores"]
    assert scores == "evaluation.json of the run cannot be read"


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        ("litert --types float32,int8 --calibration 60", ["float32.tflite", "int8.tflite"]),
        pytest.param("onnx", ["generate.onnx"], marks=pytest.mark.slow),
        ("keras", ["generate.keras"]),
    ],
)
def test_files_lie_in_the_run(genzoo, refused, copy, tmp_path, arguments, files):
    run = copy("gan")
    ended = genzoo(f"export --verify --format {arguments}", run)
    assert ended.code == 0, ended.errors
    expected = [f"run-{file}" for file in files]
    assert ended.output.split() == [str(run / "export" / name) for name in expected]
    cards = [f"{name}.json" for name in expected]
    assert names(run / "export") == sorted(expected + cards)
    before = (run / "export" / expected[0]).read_bytes()
    assert f"{expected[0]} exists; choose another" in refused(f"export --format {arguments}", run)
    assert (run / "export" / expected[0]).read_bytes() == before
    assert genzoo(f"export --force --format {arguments}", run).code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{gan} --format tflite", "unknown format 'tflite'; did you mean 'litert'?"),
        ("{gan} --format litert --types int4", "unknown LiteRT type 'int4'"),
        ("{gan} --format litert --types int8 --calibration 20", "at least 50 rows of input"),
        ("{ae} --format litert --types int8 --calibration 2000", "needs 2000 images .* has 1500"),
        ("{gan} --name a/b", "'a/b' is no name for an exported model"),
        ("{gan} --types int8", "--types belongs to --format litert, not to saved_model"),
        ("{gan} --format keras --batch-sizes 1", "--batch-sizes belongs to --format saved_model"),
        ("{gan} --version 0", "0 is not in the range x>=1"),
        ("{gan} --batch-sizes 0", "batch sizes are positive numbers"),
        ("{gan} --batch-sizes one", "'one' is not a list of integers"),
        ("{gan} --out file", "cannot write file/gan/1"),
        ("nowhere", "nowhere is not a run"),
        ("served", "served is a SavedModel, not a run"),
        ("served/1", "served/1 is a SavedModel, not a run"),
    ],
)
def test_what_is_refused(refused, trained, tmp_path, arguments, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "served" / "1").mkdir(parents=True)
    (tmp_path / "served" / "1" / "saved_model.pb").write_text("")
    before = names(tmp_path)
    arguments = arguments.format(gan=trained("gan"), ae=trained("ae"))
    assert re.search(words, refused(f"export {arguments}"))
    assert names(tmp_path) == before


def test_a_version_that_exists(genzoo, refused, trained, tmp_path):
    assert genzoo("export --name a --version 4", trained("gan")).code == 0
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    line = refused("export --name a --version 4 --force", trained("gan"))
    assert "version 4 of savedmodels/a exists" in line
    assert "takes or gives something else" in refused("export --name a", trained("ae"))
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_a_run_that_has_no_model_yet(genzoo, refused, copy):
    run = copy("gan")
    (run / "model.keras").unlink()
    ended = genzoo("export --format keras", run)
    assert "has no finished model; taking its checkpoint of step 6" in ended.output
    for path in (run / "checkpoints").glob("step-*"):
        path.unlink()
    assert "has no model yet; resume it" in refused("export --force --format keras", run)


@pytest.mark.parametrize(
    ("package", "extra", "arguments"),
    [
        ("ai_edge_litert", "litert", "--format litert --verify"),
        ("tf2onnx", "onnx", "--format onnx"),
        ("onnxruntime", "onnx", "--format onnx --verify"),
        ("tensorflow_serving", "serving", "--batch-sizes 1"),
    ],
)
def test_a_package_that_is_not_installed(
    refused, trained, tmp_path, monkeypatch, package, extra, arguments
):
    monkeypatch.setitem(sys.modules, package, None)
    line = refused(f"export {arguments}", trained("gan"))
    assert f"needs the package {package}; install it: pip install 'keras_genzoo[{extra}]'" in line
    assert not names(tmp_path)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_disk_that_is_full(genzoo, refused, copy, small_disk, tmp_path, format_name):
    run = copy("gan")
    before = names(tmp_path)
    small_disk(4000)
    line = refused(f"export --format {format_name}", run)
    small_disk(10**9)
    assert "cannot write" in line
    assert "File too large; free some space" in line
    assert names(tmp_path) == before
    assert not list(tmp_path.rglob(".tmp-*"))
