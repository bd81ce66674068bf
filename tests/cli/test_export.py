"""``genzoo export``: what it writes where, and what it refuses."""

import json
import re
import sys

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.export import EXPORT_FORMATS, ExportFormat, ExportOption, export_run
from keras_genzoo.export.origin import describe_origin
from keras_genzoo.files import write_json
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_model
from tests.cli.conftest import run_commands


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow
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
    assert describe_origin(run, load_model(run), "the weights")["scores"] == (
        "none measured of these weights, but of step 3 ('genzoo evaluate' measures them)"
    )
    (run.path / "evaluation.json").write_text("{")
    scores = describe_origin(run, load_model(run), "the weights")["scores"]
    assert scores == "evaluation.json of the run cannot be read"


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        pytest.param(
            "litert --types float32,int8 --calibration 60",
            ["float32.tflite", "int8.tflite"],
            marks=pytest.mark.slow,
        ),
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


@pytest.mark.parametrize("format_name", EXPORT_FORMATS)
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


OWN_FORMAT = """
import numpy as np
from keras_genzoo.export import EXPORT_FORMATS, ExportFormat, ExportOption


def write_arrays(model, folder, name, *, check, images, facts, rows=2, kinds=()):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.npz"
    np.savez(file, images=model.generate(rows, seed=1), kinds=kinds, data=facts["data"])
    return [file]


EXPORT_FORMATS.register(
    "arrays",
    ExportFormat(
        "for NumPy",
        write_arrays,
        (
            ExportOption("rows", int, "Images to write.", "2", least=1),
            ExportOption("kinds", tuple[str, ...], "Words to keep."),
        ),
        files=lambda model, name, options: [f"{name}.npz"],
    ),
)
"""


def test_the_help_has_the_options_of_a_format_of_ones_own(tmp_path):
    (tmp_path / "mine.py").write_text(OWN_FORMAT)
    ended = run_commands(tmp_path, "--import mine export --help")
    words = " ".join(ended.stdout.split())
    assert "saved_model|litert|onnx|keras|preset|arrays]" in words
    assert "for plain Keras, to be given away and trained on, for NumPy." in words
    assert "Images to write. [default: 2] [arrays]" in words
    assert "--kinds NAMES Words to keep. [arrays]" in words


@pytest.mark.slow
def test_a_format_of_ones_own_is_written_by_the_command(copy, tmp_path):
    (tmp_path / "mine.py").write_text(OWN_FORMAT)
    run = copy("gan")
    line = "--import mine export run --format arrays --kinds a,b --rows 3"
    # The second time the file is there.
    ended = run_commands(tmp_path, line, line)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1), ended.stderr
    assert "run.npz exists; choose another --out, or --force" in ended.stderr
    assert ended.stdout.strip() == "run/export/run.npz"
    with np.load(run / "export" / "run.npz") as file:
        assert file["images"].shape == (3, 16, 16, 1)
        assert file["kinds"].tolist() == ["a", "b"]
        assert str(file["data"]) == "digits, split train, 1500 images"


@pytest.fixture
def registered():
    """A function that registers a format, for one test."""
    names = []

    def register(name, *options):
        EXPORT_FORMATS.register(name, ExportFormat("for tests", list, options))
        names.append(name)

    yield register
    for name in names:
        del EXPORT_FORMATS._entries[name]


def test_options_of_a_format_of_ones_own_are_its_alone(registered, refused, trained):
    registered("mine", ExportOption("digits", int, "Digits."), ExportOption("types", *NAMES))
    line = refused("export --digits 3", trained("gan"))
    assert "--digits belongs to --format mine, not to saved_model" in line
    line = refused("export --types a --format keras", trained("gan"))
    assert "--types belongs to --format litert and mine, not to keras" in line
    with pytest.raises(GenzooError, match="unknown option of an export 'digit'; did you mean"):
        export_run("nowhere", "mine", digit=3)


NAMES = (tuple[str, ...], "Names.")


@pytest.mark.parametrize(
    "option",
    [
        ExportOption("types", int, "Another kind."),
        ExportOption("kinds", *NAMES, flag="--types"),
        ExportOption("types", *NAMES, flag="--kinds"),
    ],
)
def test_two_formats_that_mean_different_things_by_one_flag(registered, refused, option):
    registered("mine", option)
    line = refused("export nowhere")
    assert "the export formats 'litert' and 'mine' both have --" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("out", str, "Where."), "'out' is an option of every export format"),
        (("place", str, "Where.", "", "--force"), "'force' is an option of every export format"),
        (
            ("rows", list, "Rows."),
            r"an export option is int, .*\[str, ...\], not list",
        ),
    ],
)
def test_options_that_no_format_may_have(arguments, words):
    with pytest.raises(GenzooError, match=words):
        ExportOption(*arguments)
