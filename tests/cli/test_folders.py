"""Folders of images through the command: what is said of them, kept in a run, and refused."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import small

VAE = small("vae", "--dataset data --image-size 8")


@pytest.fixture
def images(tmp_path):
    """A function that writes small grey images under names in the folder ``data``."""

    def write(*names, size=(8, 8)):
        random = np.random.RandomState(len(names))
        for name in names:
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.randint(0, 256, size, np.uint8)).save(path)
        return tmp_path / "data"

    return write


def of_folders(*folders, number=16):
    return [f"{folder}/{n}.png" for folder in folders for n in range(number)]


def test_fit_says_what_was_taken_for_what(genzoo, images):
    path = images(*of_folders("Train/cats", "Train/dogs", "Test/cats"))
    (path / "Train" / "notes.txt").write_text("no image")
    (path / "Train" / "dogs" / "9.exr").write_bytes(b"")
    (path / "Train" / "birds").mkdir()
    ended = genzoo(f"{VAE} --out run")
    assert ended.code == 0, ended.errors
    lines = ended.output.splitlines()
    assert lines[0] == (
        "vae has no recipe for data: it takes the settings of vae-mnist where no flag says "
        "another; 'genzoo list recipes vae-mnist' shows them"
    )
    assert lines[4:7] == [
        "2 classes: cats, dogs; without an image, and so no class: birds",
        "splits: train in Train, test in Test",
        "left out: 1 image that Pillow cannot open here (.exr 1), such as dogs/9.exr: convert "
        "them to PNG; 1 other file (.txt 1), such as notes.txt",
    ]
    config = json.loads(Path("run/config.json").read_text())
    assert config["settings"]["data"]["labels"] == "auto"
    assert (config["data"]["num_images"], config["data"]["class_names"]) == (32, ["cats", "dogs"])


def test_fit_on_digits_says_the_classes(genzoo):
    output = genzoo(small("vae")).output
    assert "10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in output
    assert "no recipe for" not in output


def test_a_recipe_that_is_named_is_taken_for_other_data_without_a_word(genzoo, images):
    images(*of_folders("cats", "dogs"))
    ended = genzoo(f"{VAE.replace('fit vae', 'fit --recipe vae-mnist')} --out run")
    assert ended.code == 0, ended.errors
    assert "no recipe for" not in ended.output


def test_strict_fit_stops_at_what_is_left_out(refused, images):
    path = images(*of_folders("cats", "dogs"))
    (path / "cats" / "9.exr").write_bytes(b"")
    assert "1 image that Pillow cannot open here (.exr 1)" in refused(f"{VAE} --strict")
    assert not Path("runs").exists()


@pytest.mark.slow
def test_classes_are_parts_no_longer_when_the_flag_says_so(genzoo, refused, images):
    images(*of_folders("00000", "00001"))
    cgan = small("cgan", "--dataset data --out run")
    assert "--labels folders" in refused(cgan)
    ended = genzoo(f"{cgan} --labels folders")
    assert ended.code == 0, ended.errors
    assert "2 classes: 00000, 00001" in ended.output
    settings = json.loads(Path("run/config.json").read_text())["settings"]["data"]
    assert settings["labels"] == "folders"
    again = genzoo("fit --resume run --steps 9")
    assert again.code == 0, again.errors


def as_before(**data):
    """Make the run of a time when there was no choice of labels."""
    path = Path("run/config.json")
    config = json.loads(path.read_text())
    del config["settings"]["data"]["labels"]
    config["data"] |= data
    path.write_text(json.dumps(config))


def weights():
    with np.load(sorted(Path("run/checkpoints").glob("*.npz"))[-1]) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.mark.slow
def test_a_run_whose_one_folder_was_a_class_goes_on_the_same(genzoo, images):
    images(*of_folders("faces", number=32))
    assert genzoo(f"{VAE} --steps 9 --out run").code == 0
    expected = weights()
    assert genzoo(f"{VAE} --out run --force").code == 0
    as_before(num_classes=1, class_names=["faces"])
    ended = genzoo("fit --resume run --steps 9")
    assert ended.code == 0, ended.errors
    assert "no classes: one folder (faces)" in ended.output
    resumed = weights()
    assert expected.keys() == resumed.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(resumed[name], array)


@pytest.mark.slow
def test_a_run_whose_folders_were_classes_says_how_it_goes_on(genzoo, refused, images):
    images(*of_folders("00000", "00001"))
    cgan = small("cgan", "--dataset data --out run")
    assert genzoo(f"{cgan} --labels folders").code == 0
    as_before()
    line = refused("fit --resume run --steps 9")
    assert "num_classes was 2, now None; the images are the same" in line
    assert "give --labels folders to go on as the run began" in line
    ended = genzoo("fit --resume run --steps 9 --labels folders")
    assert ended.code == 0, ended.errors
    assert (
        json.loads(Path("run/config.json").read_text())["settings"]["data"]["labels"] == "folders"
    )


@pytest.mark.slow
def test_a_run_whose_model_takes_no_classes_goes_on_whatever_they_are(genzoo, images):
    images(*of_folders("archive/cats", "archive/dogs"))
    assert genzoo(f"{VAE} --out run").code == 0
    as_before(num_classes=None, class_names=None)
    ended = genzoo("fit --resume run --steps 9")
    assert ended.code == 0, ended.errors
    assert "2 classes: cats, dogs" in ended.output


@pytest.mark.slow
def test_a_run_on_a_palette_of_greys_keeps_its_colours(genzoo, tmp_path):
    grey = np.random.RandomState(0).randint(0, 256, (32, 8, 8), np.uint8)
    (tmp_path / "data").mkdir()
    for number, image in enumerate(grey):
        Image.fromarray(image).convert("P").save(tmp_path / "data" / f"{number:02d}.png")
    assert genzoo(f"{VAE} --channels 3 --out run").code == 0
    config = Path("run/config.json")
    settings = json.loads(config.read_text())
    settings["settings"]["data"]["channels"] = None
    config.write_text(json.dumps(settings))
    as_before()
    ended = genzoo("fit --resume run --steps 9")
    assert ended.code == 0, ended.errors


def test_an_odd_image_that_training_meets_is_named_at_the_end(genzoo, images, monkeypatch):
    monkeypatch.setattr("keras_genzoo.data.FolderSource.looked_over", 2)
    images(*(f"{n:02d}.png" for n in range(32)))
    images("01.png", size=(9, 8))
    ended = genzoo(small("vae", "--dataset data"))
    assert ended.code == 0, ended.errors
    assert ended.output.count("1 image of another size than 8x8, cropped and resized: such as") == 1


@pytest.mark.slow
def test_names_that_are_not_utf8_go_through(genzoo, images):
    path = images(*of_folders("cats"))
    odd = Path(os.fsdecode(os.fsencode(path) + b"/caf\xe9"))
    (path / "cats").rename(odd)
    images(*of_folders("dogs"))
    (odd / "notes.txt").write_text("no image")
    moved = path.rename(Path(os.fsdecode(os.fsencode(path) + b"\xe9")))
    fit = small("vae", "--image-size 8 --out run --dataset").split()
    ended = genzoo(" ".join(fit), moved)
    assert ended.code == 0, ended.errors
    assert r"2 classes: caf\xe9, dogs" in ended.output
    data = json.loads(Path("run/config.json").read_text())["data"]
    assert data["class_names"] == [r"caf\xe9", "dogs"]
    checked = genzoo("data check", moved)
    assert checked.code == 0, checked.errors
    assert r"caf\xe9/notes.txt" in checked.output
    for command in ("show run", "export run --format saved_model --out out"):
        ended = genzoo(command)
        assert ended.code == 0, (command, ended.errors)
    card = next(Path("out").rglob("README.md")).read_text()
    assert r"0 = caf\xe9, 1 = dogs" in card
    assert r"data\xe9, split train" in card


def test_check_says_what_there_is(genzoo, refused, images):
    path = images(*of_folders("training_set/cats", "training_set/dogs", "test_set/cats", number=2))
    (path / "labels.csv").write_text("")
    output = genzoo("data check data").output
    assert output.splitlines() == [
        "splits: train in training_set, test in test_set",
        "train: 4 images (8x8); 2 classes: cats, dogs",
        "test: 2 images (8x8); 2 classes: cats, dogs",
        "left out: 1 other file (.csv 1), such as labels.csv",
        "6 files: 0 unusable, 0 unusual but read right",
    ]
    assert genzoo("data check data --strict").code == 0
    assert "no classes: as asked" in genzoo("data check data --labels none").output
    (path / "training_set" / "birds").mkdir()
    assert genzoo("data check data").code == 0
    assert "no image in the class folders birds" in refused("data check data --strict")
    for number in range(3):
        (path / "test_set" / "cats" / f"{number}.exr").write_bytes(b"")
    assert "3 of 9 files are unusable" in refused("data check data")
    assert "mnist is none" in refused("data check mnist --labels folders")


def test_check_names_images_unlike_the_others(genzoo, images):
    path = images(*(f"{n:02d}.png" for n in range(40)))
    images("01.png", size=(9, 8))
    Image.new("RGB", (8, 8), "red").save(path / "03.png")
    assert genzoo("data check data").output.splitlines() == [
        "train: 40 images (8x8); no classes: one folder",
        "01.png: 8x9, where the others are 8x8",
        "03.png: in colour among grey ones",
        "40 files: 0 unusable, 2 unusual but read right",
    ]


@pytest.mark.parametrize("command", ["fit ae --dataset", "data check"])
def test_a_mistyped_path_is_no_unknown_data_set(refused, command):
    assert "there is no folder or file data/imgs" in refused(f"{command} data/imgs")
    line = refused(f"{command} emnst/letters")
    assert "no data set 'emnst' (did you mean 'emnist'?)" in line
