"""Exported SavedModels on the command line: what generates images takes them, all else refuses."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_generator, load_model
from keras_genzoo.training.contents import check_only_own
from keras_genzoo.training.variables import weights_digest


@pytest.fixture(scope="module")
def served_once(trained, tmp_path_factory):
    """A function that gives a folder with version 1 of a small model, which no test may change."""
    from keras_genzoo.export import export_run

    folders = {}

    def get(model):
        if model not in folders:
            out = tmp_path_factory.mktemp("served")
            export_run(trained(model), "saved_model", out=out, name=f"tiny_{model}")
            folders[model] = out / f"tiny_{model}"
        return folders[model]

    return get


@pytest.fixture
def served(served_once, genzoo, tmp_path):
    """The folder of the versions of a small conditional model, and a check that it is unchanged."""
    folder = shutil.copytree(served_once("cgan"), tmp_path / "savedmodels/tiny_cgan")
    before = contents(folder)
    yield folder
    assert contents(folder) == before


@pytest.fixture
def changed(served_once, genzoo, tmp_path):
    """The same folder, to be changed."""
    return shutil.copytree(served_once("cgan"), tmp_path / "savedmodels/tiny_cgan")


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def arrays(file):
    with np.load(file) as opened:
        return dict(opened)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["savedmodels/tiny_cgan", "savedmodels/tiny_cgan/1"])
def test_its_images_are_those_of_the_run(genzoo, served, trained, tmp_path, path):
    assert genzoo(f"sample {path} -n 12 --seed 3 --out its.npz").code == 0
    assert genzoo("sample -n 12 --seed 3 --out the_runs.npz", trained("cgan")).code == 0
    its, the_runs = (arrays(tmp_path / name) for name in ("its.npz", "the_runs.npz"))
    np.testing.assert_allclose(its["images"].astype(int), the_runs["images"], atol=1)
    for name in ("labels", "class_names"):
        np.testing.assert_array_equal(its[name], the_runs[name])
    ended = genzoo(f"sample {path} --class 7 -n 4")
    assert ended.output.splitlines()[-1] == "runs/tiny_cgan-v1/sample.png"
    assert genzoo("sample runs/tiny_cgan-v1 -n 4").code == 0


def test_the_newest_version_is_taken(genzoo, changed, tmp_path):
    for number in ("9", "10"):
        shutil.copytree(changed / "1", changed / number)
    assert "runs/tiny_cgan-v10/sample.png" in genzoo("sample savedmodels/tiny_cgan -n 10").output
    assert "runs/tiny_cgan-v9/sample.png" in genzoo("sample savedmodels/tiny_cgan/9 -n 10").output
    # A copy whose name says nothing of a version.
    shutil.copytree(changed / "1", tmp_path / "digits")
    assert "runs/digits-saved_model/sample.png" in genzoo("sample digits -n 10").output


def test_it_interpolates_between_points_of_the_noise(genzoo, refused, served, trained, tmp_path):
    for name, path in {"its": "savedmodels/tiny_cgan", "the_runs": trained("cgan")}.items():
        ended = genzoo(f"interpolate --rows 2 --steps 3 --out {name}.png", path)
        assert "classes of the rows, from the top: 0, 1" in ended.output
    from PIL import Image

    its, the_runs = (
        np.asarray(Image.open(tmp_path / f"{name}.png"), int) for name in ("its", "the_runs")
    )
    np.testing.assert_allclose(its, the_runs, atol=1)
    line = refused("interpolate savedmodels/tiny_cgan --images 0,1")
    assert "a SavedModel has no encoder, and interpolates between points of the noise" in line
    assert "makes images as it was exported" in refused(
        "interpolate savedmodels/tiny_cgan --solver-steps 3"
    )


def test_its_scores_are_those_of_the_run_and_stand_in_a_run_folder(
    genzoo, served, trained, tmp_path
):
    words = "--scores fid --features pixels -n 100 --no-floor"
    ended = genzoo(f"evaluate savedmodels/tiny_cgan {words}")
    assert ended.code == 0, ended.errors
    assert ended.output.splitlines()[-1] == "runs/tiny_cgan-v1/evaluation.json"
    assert genzoo(f"evaluate {words} --out the_runs.json", trained("cgan")).code == 0
    its, the_runs = (
        json.loads((tmp_path / name).read_text())
        for name in ("runs/tiny_cgan-v1/evaluation.json", "the_runs.json")
    )
    assert its["scores"]["fid"] == pytest.approx(the_runs["scores"]["fid"], rel=1e-2)
    for name in ("weights_digest", "steps", "classes", "model"):
        assert its["protocol"][name] == the_runs["protocol"][name]
    assert its["protocol"]["weights"].startswith("those of the SavedModel tiny_cgan, version 1")


@pytest.mark.slow
def test_a_vae_is_a_generator_too(genzoo, refused, served_once, trained, tmp_path):
    folder = served_once("vae")
    for name, path in {"its": folder, "the_runs": trained("vae")}.items():
        assert genzoo(f"sample -n 6 --seed 1 --out {name}.npz", path).code == 0
    its, the_runs = (arrays(tmp_path / f"{name}.npz")["images"] for name in ("its", "the_runs"))
    np.testing.assert_allclose(its.astype(int), the_runs, atol=1)
    assert genzoo("interpolate --rows 2", folder).code == 0
    assert "is for models with an encoder" in refused("evaluate --sampler mixture", folder)
    assert "is a SavedModel, not a run" in refused("reconstruct", folder)


@pytest.mark.parametrize(
    "command",
    ["reconstruct", "umap", "latent", "report", "figures", "show", "export", "fit --from"],
)
def test_commands_that_need_more_refuse_it(genzoo, refused, served, tmp_path, command):
    words = "name the run or the preset that it was exported from"
    for path in ("savedmodels/tiny_cgan", "savedmodels/tiny_cgan/1"):
        line = refused(f"{command} {path}")
        assert f"{path} is a SavedModel, not a run" in line
        assert words in line
    assert not (tmp_path / "runs").exists()


def test_its_run_folder_has_no_more_than_a_generator(genzoo, refused, served, tmp_path):
    assert genzoo("sample savedmodels/tiny_cgan -n 10").code == 0
    shown = genzoo("show runs/tiny_cgan-v1").output
    assert "cgan on digits" in shown
    assert "SavedModel: tiny_cgan, version 1" in shown
    assert "steps: 0 of" not in shown
    for command in ("report", "reconstruct", "export", "fit --resume", "fit --from"):
        line = refused(f"{command} runs/tiny_cgan-v1")
        assert "is made of a SavedModel (tiny_cgan, version 1)" in line, command
    check_only_own(tmp_path / "runs/tiny_cgan-v1")
    (tmp_path / "runs/tiny_cgan-v1/saved_model/variables/mine.txt").write_text("mine")
    with pytest.raises(GenzooError, match=r"variables/mine\.txt, which is not part of a run"):
        check_only_own(tmp_path / "runs/tiny_cgan-v1")


def test_another_version_at_its_place_is_kept(genzoo, refused, changed, tmp_path):
    assert genzoo("sample savedmodels/tiny_cgan -n 10").code == 0
    before = contents(tmp_path / "runs")
    card = changed / "1/assets.extra/card.json"
    card.write_text(card.read_text() + " ")
    line = refused("sample savedmodels/tiny_cgan -n 10")
    assert "runs/tiny_cgan-v1 is not this SavedModel: another version of it" in line
    assert contents(tmp_path / "runs") == before


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("assets.extra/card.json", "takes only SavedModels that 'genzoo export' wrote"),
        ("assets.extra/genzoo.json", "has the settings that genzoo needs"),
        ("variables/variables.index", "this SavedModel is damaged"),
    ],
)
def test_a_missing_file_ends_in_one_line(refused, changed, tmp_path, file, words):
    (changed / "1" / file).unlink()
    line = refused("sample savedmodels/tiny_cgan")
    assert f"cannot read savedmodels/tiny_cgan/1/{file}" in line
    assert words in line
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "file",
    [
        *("saved_model.pb", "variables/variables.index"),
        *("variables/variables.data-00000-of-00001", "assets.extra/card.json"),
        "assets.extra/genzoo.json",
    ],
)
def test_a_damaged_file_ends_in_one_line(refused, changed, file):
    whole = (changed / "1" / file).read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"[1]"):
        (changed / "1" / file).write_bytes(content)
        line = refused("sample savedmodels/tiny_cgan -n 10")
        shutil.rmtree("runs", ignore_errors=True)
        assert "Traceback" not in line


def test_folders_that_hold_no_model_end_in_one_line(refused, served, tmp_path):
    (tmp_path / "empty/1").mkdir(parents=True)
    for path in ("empty", "empty/1"):
        assert f"{path} is not a run" in refused(f"sample {path}")
    line = refused("sample savedmodels")
    assert "savedmodels holds several models; name the folder of one: tiny_cgan" in line
    (tmp_path / "foreign").mkdir()
    tf.saved_model.save(tf.Module(), str(tmp_path / "foreign/1"))
    line = refused("sample foreign")
    assert "cannot read foreign/1/assets.extra/card.json" in line
    assert not (tmp_path / "runs").exists()


class WritesAFile(tf.Module):
    """A model that writes a file when an image is asked for."""

    def __init__(self, file):
        super().__init__()
        self.file = file

    @tf.function(
        input_signature=[tf.TensorSpec((None, 4)), tf.TensorSpec((None,), tf.int32, "class_labels")]
    )
    def generate(self, z, class_labels):
        tf.io.write_file(self.file, "written")
        return {"images": tf.zeros((tf.shape(z)[0], 16, 16, 1))}


class LooksUp(tf.Module):
    """A model with a table, which is filled when it is loaded."""

    def __init__(self):
        super().__init__()
        values = tf.lookup.KeyValueTensorInitializer([1], [2])
        self.table = tf.lookup.StaticHashTable(values, 0)

    @tf.function(input_signature=[tf.TensorSpec((None, 4))])
    def generate(self, z):
        return {"images": tf.zeros((tf.shape(z)[0], 16, 16, 1))}


def test_what_does_more_than_compute_is_not_run(refused, changed, tmp_path):
    file = tmp_path / "written.txt"
    hostile = {WritesAFile(str(file)): "the operation WriteFile", LooksUp(): "holds more than"}
    for module, words in hostile.items():
        module.kept = tf.Variable(0.0)
        tf.saved_model.save(module, str(tmp_path / "hostile"), {"generate": module.generate})
        for part in ("saved_model.pb", "variables"):
            place = changed / "1" / part
            shutil.rmtree(place) if place.is_dir() else place.unlink()
            shutil.move(tmp_path / "hostile" / part, place)
        assert words in refused("sample savedmodels/tiny_cgan")
        assert not file.exists()
        for folder in ("runs", "hostile"):
            shutil.rmtree(tmp_path / folder)


@pytest.mark.slow
def test_a_page_of_a_vae_runs_its_decoder_alone(genzoo, served_once, trained, tmp_path):
    from keras_genzoo.export.litert import converted, runner
    from keras_genzoo.export.playground.signatures import decoder_of, encoder_of

    model, _ = load_generator(Run.open(served_once("vae"), generates=True))
    assert encoder_of(model) is None
    decoder, file = decoder_of(model), tmp_path / "page.tflite"
    file.write_bytes(converted(model.signatures(1), "float16"))
    whole = load_model(Run.open(trained("vae")))
    z = whole.sample_latents(1, 5)
    made = runner(file, 1)(decoder.name, {"z": z})["images"]
    np.testing.assert_allclose(made * 255, whole.decode(z), atol=2)
    assert model.digest == weights_digest(whole)


def test_it_is_compared_with_runs_by_the_scores_in_its_run_folder(genzoo, served, tmp_path):
    words = "--scores fid --features pixels -n 100 --no-floor"
    assert genzoo(f"evaluate savedmodels/tiny_cgan {words}").code == 0
    ended = genzoo("compare savedmodels/* dcgan_mnist --out a.json --out a.html")
    assert ended.code == 0, ended.errors
    first, _ = json.loads((tmp_path / "a.json").read_text())["runs"]
    assert first["name"] == "tiny_cgan-v1"
    measured = json.loads((tmp_path / "runs/tiny_cgan-v1/evaluation.json").read_text())["scores"]
    assert first["scores"]["fid"] == measured["fid"]
    assert "cannot be read" not in ended.output
