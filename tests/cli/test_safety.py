"""Runs and images of a stranger: nothing outside is read, changed or deleted, no terminal obeys."""

import base64
import hashlib
import re

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.training import Run, settings_for
from tests.cli.conftest import small

# ESC ] 0 ; sets a terminal's title, ESC [ 2 J empties its screen; then a line break, a C1 control
# character, and the mark that turns the direction of reading.
HOSTILE = "a\x1b]0;mine\x07\x1b[2J\nb\x9b31m\u202egnp"
ESCAPED = r"a\x1b]0;mine\x07\x1b[2J\nb\x9b31m\u202egnp"


def is_plain(text):
    """Whether a text holds no control character but the ends of its lines."""
    return not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text)


def hashes(folder):
    return {path: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}


# Links ---------------------------------------------------------------------------------------


@pytest.fixture
def linked(tmp_path):
    """A run of a stranger whose folders and files are links, and the folder they point to."""
    data = {
        "image_shape": [8, 8, 1],
        "num_images": 10,
        "num_classes": None,
        "class_names": None,
        "fingerprint": "0",
    }
    run = Run.create(settings_for("ae", steps=9), data, tmp_path / "run")
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in (".tmp-a", *(f"step-0000000{n}.npz" for n in range(1, 9)), "id_rsa"):
        (outside / name).write_text("-----BEGIN PRIVATE KEY-----")

    def make(name):
        link = run.path / name
        if link.is_dir():
            link.rmdir()
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(outside if link.suffix == "" and name != ".lock" else outside / "id_rsa")
        return outside

    return make


COMMANDS = {
    "fit --resume run": "checkpoints",
    "fit ae --out run --force": "samples",
    "sample run": "checkpoints",
    "reconstruct run": "model.keras",
    "interpolate run": "checkpoints/step-00000001.npz",
    "evaluate run": "evaluation.json",
    "figures run": "figures",
    "latent run": "history.csv",
    "umap run": "umap",
    "report run": "samples/step-00000001.png",
    "export run --format keras": "export",
    "playground run": "playground.html",
    "show run": ".lock",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_follows_a_link_out_of_a_run(refused, tmp_path, linked, command):
    outside = linked(COMMANDS[command])
    before = hashes(outside)
    line = refused(command)
    assert COMMANDS[command] in line
    assert "PRIVATE KEY" not in line
    assert hashes(outside) == before
    assert not (tmp_path / "run" / "report.html").exists()


# Pages ---------------------------------------------------------------------------------------


def test_a_report_shows_the_pixels_of_a_sample_grid_and_nothing_else_of_the_file(genzoo, copy):
    run = copy("gan")
    *_, grid = Run.open(run).sample_grids()
    with grid.open("ab") as file:
        file.write(b"secret " * 30)
    page = run / "report.html"
    assert genzoo("report run --no-measure").code == 0
    shown = base64.b64decode(
        re.findall(r'"src":"data:image/png;base64,([^"]*)"', page.read_text())[-1]
    )
    assert shown.startswith(b"\x89PNG")
    assert b"secret" not in shown
    grid.write_text("-----BEGIN PRIVATE KEY-----")
    assert genzoo("report run --no-measure --force").code == 0
    assert f"Left out: {grid} is damaged".replace(f"{run}", "run") in page.read_text()
    assert base64.b64encode(b"PRIVATE KEY").decode() not in page.read_text()


# Names ---------------------------------------------------------------------------------------


@pytest.fixture
def images(tmp_path):
    """A folder of images, of which file and class names are hostile, and one cannot be read."""
    random = np.random.RandomState(0)
    for name in (f"cat {HOSTILE}", "dog"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(20):
            image = Image.fromarray(random.randint(0, 256, (8, 8), "uint8"))
            image.save(folder / f"{number}{HOSTILE}.png")
    (folder / f"bad{HOSTILE}.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    return tmp_path / "images"


def test_checking_images_prints_escaped_names(genzoo, images):
    ended = genzoo("data check", images)
    assert ended.code == 2
    assert f"cat {ESCAPED}" in ended.output
    assert f"dog/bad{ESCAPED}.png: " in ended.output
    assert is_plain(ended.output)
    assert is_plain(ended.errors)


@pytest.mark.slow
def test_training_prints_and_keeps_escaped_names(genzoo, images):
    ended = genzoo(f"{small('cgan')} --out run --dataset", images)
    assert ended.code == 0, ended.errors
    assert f"bad{ESCAPED}.png" in ended.output + ended.errors
    assert is_plain(ended.output)
    assert is_plain(ended.errors)
    for command in ("show run", "sample run", "sample run --force --class dog"):
        ended = genzoo(command)
        assert ended.code == 0, ended.errors
        assert is_plain(ended.output)
    assert f"cat {ESCAPED}" in genzoo("show run").output
    named = genzoo("sample run --out one.png --class", f"cat {HOSTILE}")
    assert named.code == 0, named.errors
    assert f"known: cat {ESCAPED}, dog" in genzoo("sample run --force --class bird").errors


def test_showing_a_run_of_a_stranger_prints_escaped_texts(genzoo, tmp_path):
    place = tmp_path / f"run{HOSTILE}"
    data = {
        "image_shape": [8, 8, 1],
        "num_images": 10,
        "num_classes": 2,
        "class_names": [HOSTILE, "b"],
        "fingerprint": "0",
    }
    run = Run.create(settings_for("ae", f"images {HOSTILE}", steps=9), data, place)
    run.write_history([{"step": 5, HOSTILE: 1.0}])
    (run.checkpoints / "step-00000005.npz").touch()
    ended = genzoo("show", place)
    assert ended.code == 0, ended.errors
    assert f"classes: {ESCAPED}, b" in ended.output
    assert f"{ESCAPED}: 1.0000" in ended.output
    assert is_plain(ended.output)


@pytest.mark.parametrize("command", ["show", "sample", "data check", "evaluate --fake x --real"])
def test_errors_name_what_was_asked_for_escaped(refused, command):
    line = refused(command, f"no{HOSTILE}")
    assert f"no{ESCAPED}" in line
    assert is_plain(line)


def test_an_option_of_click_is_named_escaped(genzoo):
    ended = genzoo("sample run -n", f"1{HOSTILE}")
    assert ended.code == 2
    assert is_plain(ended.errors)
