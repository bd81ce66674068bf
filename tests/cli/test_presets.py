"""Presets on the command line: wherever a command takes a run, it takes a preset."""

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_genzoo.models import load_model
from keras_genzoo.training import Run
from keras_genzoo.training.variables import weights_digest


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    """A function that gives the folder of a preset made of a small run."""
    from keras_genzoo.export import export_run

    folders = {}

    def get(model):
        if model not in folders:
            out = tmp_path_factory.mktemp("presets")
            [folders[model]] = export_run(
                trained(model), "preset", out=out, name=f"tiny_{model}", check=True
            )
        return folders[model]

    return get


@pytest.fixture
def preset(exported, genzoo, tmp_path):
    return shutil.copytree(exported("cgan"), tmp_path / "tiny_cgan")


def test_a_preset_has_a_model_a_record_and_a_card(exported):
    folder = exported("cgan")
    assert {file.name for file in folder.iterdir()} == {
        *("config.json", "metadata.json", "model.weights.h5", "genzoo.json", "README.md")
    }
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\nlicense: cc-by-4.0\n")
    for words in ("CC BY 4.0", "step 6", "recipe", "drawn from N(0, I)", "float16 (PSNR"):
        assert words in card, words


@pytest.mark.slow
def test_a_record_names_no_place_of_a_persons_machine(genzoo, copy, tmp_path):
    run = copy("gan")
    config = json.loads((run / "config.json").read_text())
    config["settings"]["data"] |= {"data_dir": "/home/me/data", "manual_dir": "/home/me/mine"}
    (run / "config.json").write_text(json.dumps(config))
    assert genzoo("export run --format preset --name tiny --out out").code == 0
    assert not any(
        "/home/me" in file.read_text() for file in (tmp_path / "out/tiny").glob("*.json")
    )


@pytest.mark.slow
def test_every_command_takes_it(genzoo, preset, tmp_path):
    assert "runs/tiny_cgan/sample.png" in genzoo("sample tiny_cgan -n 20").output
    assert genzoo("sample tiny_cgan --out new.npz").code == 0
    with np.load(tmp_path / "new.npz") as arrays:
        assert arrays["images"].shape == (64, 16, 16, 1)
    shown = genzoo("show tiny_cgan").output
    assert "cgan on digits" in shown
    # A preset has no checkpoints, but is not at step 0.
    assert "preset: tiny_cgan" in shown
    assert "steps: 0 of" not in shown
    assert genzoo("interpolate tiny_cgan").code == 0
    assert genzoo("evaluate tiny_cgan --scores fid --features pixels -n 100").code == 0
    assert (tmp_path / "runs/tiny_cgan/evaluation.json").is_file()
    assert genzoo("export tiny_cgan --format keras").code == 0
    # Scores were measured above, and maps are those of any run.
    assert genzoo("report tiny_cgan --no-measure").code == 0


@pytest.mark.slow
def test_scores_of_a_preset_travel_with_it(genzoo, preset, tmp_path):
    assert genzoo("evaluate tiny_cgan --scores fid --features pixels -n 100").code == 0
    assert genzoo("export runs/tiny_cgan --format preset --name again --out out").code == 0
    scores = json.loads((tmp_path / "out/again/evaluation.json").read_text())
    assert f"fid {scores['scores']['fid']:.4g}" in (tmp_path / "out/again/README.md").read_text()
    # No full weights are at hand that images could be compared with.
    assert "float16, from the weights of a preset" in (tmp_path / "out/again/README.md").read_text()
    # Weights of 16 bits stay what they are.
    digests = [weights_digest(load_model(Run.open(p).model_file)) for p in (preset, "out/again")]
    assert digests[0] == digests[1] == scores["protocol"]["weights_digest"]


def test_another_run_at_its_place_is_kept(refused, copy, preset, tmp_path):
    (tmp_path / "runs").mkdir()
    copy("gan", "runs/tiny_cgan")
    assert "is not this preset" in refused("sample tiny_cgan")
    assert Run.open("runs/tiny_cgan").settings.model == "gan"


def test_a_wrong_name_is_answered_with_the_list(refused):
    assert "genzoo list presets" in refused("sample no_such_thing")
    assert "unknown preset 'no_such_thing'" in refused("list presets no_such_thing")


def test_the_table_of_presets_fits_a_terminal(genzoo):
    lines = genzoo("list presets").output.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["preset", "data", "size", "FID", "terms", "of", "the", "data"]
    assert any(line.startswith("dcgan_digits") and line.endswith("CC BY 4.0") for line in lines)


def test_an_average_begins_at_the_weights_of_a_model_without_one(trained, tmp_path):
    from keras_genzoo.training.build import build_model
    from keras_genzoo.training.starting import begin_from, settings_to_begin

    start = trained("gan")
    settings = settings_to_begin(start, {"ema_decay": 0.999})
    model = build_model(settings, tuple(Run.open(start).data["image_shape"]), None)
    lines = []
    begin_from(start, model, lines.append)
    assert lines[-1].endswith("all of them")
    whole = load_model(Run.open(start).model_file)
    np.testing.assert_array_equal(model.generate(4, seed=1), whole.generate(4, seed=1))


def test_as_many_classes_of_other_names_are_said_to_be_others(trained):
    from keras_genzoo.training.starting import begin_from

    start, lines = trained("cgan"), []
    model = load_model(Run.open(start).model_file)
    begin_from(start, model, lines.append, list("0123456789"))
    assert len(lines) == 1
    begin_from(start, model, lines.append, ["0", "shoe", *"23456789"])
    assert lines[-1].endswith("class 1 was '1' and is 'shoe'")


def test_a_damaged_record_ends_in_one_line(refused, preset, tmp_path):
    (preset / "genzoo.json").write_text("[1]")
    assert "genzoo.json is damaged" in refused("sample tiny_cgan")
    (preset / "genzoo.json").write_text("{")
    assert "genzoo.json cannot be read" in refused("sample tiny_cgan")
    assert not (tmp_path / "runs/tiny_cgan").exists()


def test_what_is_damaged_leaves_no_run_folder(refused, preset, tmp_path):
    (preset / "evaluation.json").write_text("{")
    assert "evaluation.json cannot be read" in refused("show tiny_cgan")
    (preset / "evaluation.json").unlink()
    record = json.loads((preset / "genzoo.json").read_text())
    (preset / "genzoo.json").write_text(json.dumps(record | {"data": {}}))
    line = refused("show tiny_cgan")
    assert "tiny_cgan/genzoo.json is damaged: 'data' lacks" in line
    assert ".tmp-" not in line
    assert not list((tmp_path / "runs").iterdir())


def test_a_record_that_changed_is_not_taken_for_the_old_one(genzoo, refused, preset):
    assert genzoo("show tiny_cgan").code == 0
    record = json.loads((preset / "genzoo.json").read_text())
    record["versions"]["python"] = "3.99"
    (preset / "genzoo.json").write_text(json.dumps(record))
    assert "is not this preset: another version of it" in refused("show tiny_cgan")


def test_what_stands_in_the_way_of_a_preset_is_named(refused, preset, tmp_path):
    (tmp_path / "dcgan_digits").mkdir()
    assert "hides the preset of that name; move it" in refused("show dcgan_digits")
    (tmp_path / "runs").write_text("a file")
    assert f"a preset needs a run folder in {tmp_path}/runs" in refused("show tiny_cgan")
    (tmp_path / "runs").unlink()
    shutil.move(preset, tmp_path / "runs/tiny_cgan")
    line = refused("show runs/tiny_cgan")
    assert "is a preset in the place of its own run folder; move it" in line


def test_a_run_folder_without_its_model_is_written_anew(genzoo, refused, preset, tmp_path):
    assert genzoo("show tiny_cgan").code == 0
    (tmp_path / "runs/tiny_cgan/model.keras").write_bytes(b"PK")
    assert "remove that folder, and it is written anew" in refused("sample tiny_cgan")
    shutil.rmtree(tmp_path / "runs/tiny_cgan")
    assert genzoo("sample tiny_cgan -n 10").code == 0


@pytest.fixture
def hub(exported, tmp_path, monkeypatch):
    """A stand-in for the client of Hugging Face, and the folder in its cache of a preset."""
    folder = shutil.copytree(exported("cgan"), tmp_path / "cache" / (40 * "a"))

    def snapshot_download(place, allow_patterns):
        if place != "someone/tiny":
            raise ValueError(f"404: no {place}\n\nAsk for another.")
        assert set(allow_patterns) >= {path.name for path in folder.iterdir()}
        return str(folder)

    client = SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", client)
    return folder


def test_a_preset_of_a_hub_is_a_run_under_the_name_of_its_address(genzoo, refused, hub, tmp_path):
    before = {file: file.read_bytes() for file in hub.iterdir()}
    ended = genzoo("sample hf://someone/tiny -n 10")
    assert ended.output.splitlines()[-1] == "runs/someone-tiny/sample.png"
    assert "preset: someone-tiny" in genzoo("show hf://someone/tiny").output
    assert "\nsomeone-tiny " in genzoo("compare hf://someone/tiny ae_mnist").output
    assert {file: file.read_bytes() for file in hub.iterdir()} == before
    line = refused("sample hf://someone/else")
    assert line == "Error: cannot fetch hf://someone/else: 404: no someone/else"
    (hub / "genzoo.json").unlink()
    line = refused("sample hf://someone/tiny")
    assert "hf://someone/tiny lacks genzoo.json or a file of its model" in line


def test_its_settings_train_a_new_run(genzoo, refused, preset, tmp_path):
    ended = genzoo("fit --config tiny_cgan --steps 1 --out mine")
    assert ended.code == 0, ended.errors
    mine, its = (Run.open(tmp_path / name).settings for name in ("mine", "runs/tiny_cgan"))
    assert mine == its.replace(steps=1)
    assert "did you mean the preset 'ae_mnist'?" in refused("fit --config ae_mnits")


def test_a_preset_of_a_hub_begins_another_run(hub, tmp_path, monkeypatch):
    from keras_genzoo.training import settings_to_begin

    monkeypatch.chdir(tmp_path)
    assert settings_to_begin("hf://someone/tiny").generator_filters == 4


def test_the_client_of_hugging_face_finds_a_preset_in_its_cache(
    exported, process, tmp_path, monkeypatch
):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    place, commit = tmp_path / "cache/models--someone--tiny", 40 * "a"
    shutil.copytree(exported("cgan"), place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs/main").write_text(commit)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    ended = process("sample hf://someone/tiny -n 10")
    assert ended.returncode == 0, ended.stderr
    assert "runs/someone-tiny/sample.png" in ended.stdout


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("hf://someone/model", "needs huggingface_hub: pip install huggingface_hub"),
        ("kaggle://someone/model/keras/small", "needs kagglehub: pip install kagglehub"),
        ("http://example.org/model", "unknown hub 'http'"),
        ("hf://", "is no address of a preset; write hf://USER/MODEL or"),
        ("hf://../../etc", "is no address of a preset"),
    ],
)
def test_an_address_that_cannot_be_fetched(refused, monkeypatch, tmp_path, address, words):
    for client in ("huggingface_hub", "kagglehub"):
        monkeypatch.setitem(sys.modules, client, None)
    assert words in refused(f"sample {address}")
    assert not (tmp_path / "runs").exists()


def test_a_preset_does_not_choose_where_data_are_written(refused, preset, tmp_path):
    record = json.loads((preset / "genzoo.json").read_text())
    record["settings"]["data"] |= {"dataset": "mnist", "data_dir": str(tmp_path / "chosen")}
    (preset / "genzoo.json").write_text(json.dumps(record))
    assert "chosen" in refused("fit --from tiny_cgan --steps 1")
    assert not (tmp_path / "chosen").exists()


@pytest.mark.slow
def test_a_preset_cannot_be_resumed_but_begun_from(genzoo, refused, preset, tmp_path):
    assert "fit --from tiny_cgan" in refused("fit --resume tiny_cgan --steps 9")
    ended = genzoo("fit --from tiny_cgan --steps 2 --out more --seed 3")
    assert "beginning with the weights of tiny_cgan: all of them" in ended.output
    run = Run.open("more")
    assert run.start["name"] == "tiny_cgan"
    assert run.settings.generator_filters == 4
    # Killed before its first checkpoint, the run begins from the same weights once more.
    whole = weights_digest(load_model("more/model.keras"))
    for file in ("model.keras", "history.csv", "checkpoints/step-00000002.npz"):
        (tmp_path / "more" / file).unlink()
    assert genzoo("fit --resume more").code == 0
    assert weights_digest(load_model("more/model.keras")) == whole


@pytest.mark.slow
def test_weights_of_a_run_begin_another_on_other_images(genzoo, refused, trained, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 9, 9, 1), "uint8")
    np.savez("mine.npz", images=images, labels=np.arange(40) % 3)
    start = trained("cgan")
    ended = genzoo(f"fit --from {start} --dataset mine.npz --steps 1 --out mine")
    assert ended.code == 0, ended.errors
    # Three classes in place of ten change the first layers; images come to the size of the weights.
    assert "of them;" in ended.output
    assert "begin anew" in ended.output
    assert Run.open("mine").data["image_shape"] == [16, 16, 1]
    line = refused(f"fit --from {start} --image-size 20 --steps 1")
    assert "16 x 16 pixels and 1 channel" in line
    assert "--from" in refused(f"fit gan --from {start}")
