"""Components of one's own, from a module outside of the package, through the command line."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import run_commands

MODULE = Path(__file__).parents[2] / "examples" / "zoo_of_mine.py"
GAN = (
    "--import zoo_of_mine fit gan --dataset a.dots --architecture shallow --widths 8,8 "
    "--loss symmetric --penalty centred --penalty-weight 0.2 --augmentation flip "
    "--augmentation-share 0.25 --latent-dim 4 --steps 4 --checkpoint-every 2 --batch-size 8 "
    "--out gan"
)
PIXELS = (
    "--import zoo_of_mine fit pixels --dataset a.dots --spread 0.25 --steps 4 --checkpoint-every 2 "
    "--out pixels"
)
# Whatever reads a run; a loss or a penalty of one's own changes pictures and pages in nothing.
COMMANDS = {
    "gan": ["sample gan", "evaluate gan --scores contrast -n 32", "export gan --verify"],
    "pixels": [
        "sample pixels",
        "evaluate pixels --scores contrast -n 32",
        "figures pixels",
        "report pixels --no-measure",
        "export pixels --format means --places 1",
        "export pixels --verify",
    ],
}


def prepare(folder):
    """Put the module and a file of its source into a folder."""
    shutil.copy(MODULE, folder)
    marks = np.random.default_rng(0).choice(["#", "."], (80 * 8, 8))
    (folder / "a.dots").write_text("\n".join("".join(row) for row in marks))


@pytest.fixture
def genzoo(tmp_path, process):
    """Run the command in a process of its own, beside the module and a file of its source."""
    prepare(tmp_path)
    return process


def succeeds(genzoo, *lines):
    """Run commands with the module in one process, since each would import TensorFlow."""
    ended = genzoo(*(f"--import zoo_of_mine {line}" for line in lines))
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
def test_own_components_are_named_in_the_help_and_checked(genzoo):
    shown = succeeds(genzoo, "fit gan --help", "fit pixels --help", "export --help")
    _, gan, pixels, export = " ".join(shown.split()).split("Usage: ")
    for words in ("symmetric", "centred", "flip", "shallow", ".dots", "--widths", "16,16",
                  "Share of the images that are mirrored."):  # fmt: skip
        assert words in gan
    assert "Standard deviation that the pixels begin with. [default: 0.5]" in pixels
    assert "--penalty" not in pixels
    assert "means" in export
    ended = genzoo("fit gan --loss symmetric")
    assert ended.returncode == 2
    assert "unknown loss 'symmetric'" in ended.stderr
    assert "--import" in ended.stderr


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with a run of components of one's own, and one of a model of one's own."""
    folder = tmp_path_factory.mktemp("own")
    prepare(folder)
    ended = run_commands(folder, GAN, PIXELS)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.slow
def test_what_own_components_were_given_is_kept(runs):
    gan, pixels = (
        json.loads((runs / name / "config.json").read_text())["settings"]
        for name in ("gan", "pixels")
    )
    assert gan["penalty"] == {"name": "centred", "weight": 0.2}
    assert gan["augmentation"] == {"name": "flip", "share": 0.25}
    assert gan["model"]["architecture"] == {"name": "shallow", "widths": [8, 8]}
    assert pixels["model"] == {"name": "pixels", "spread": 0.25}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_own_components_from_training_to_export(genzoo, runs, tmp_path, name):
    run = shutil.copytree(runs / name, tmp_path / name)
    shown = succeeds(genzoo, f"fit --resume {name} --steps 6", *COMMANDS[name])
    assert list(run.glob("samples/step-*6.png"))
    assert "contrast" in shown
    if name == "pixels":
        assert "contrast" in (run / "report.html").read_text()
        assert (run / "export" / "pixels.txt").read_text().split()[1].count(".") == 1
    # Nothing that a run names is imported unless it is asked for.
    ended = genzoo(f"fit --resume {name} --steps 8")
    assert ended.returncode == 2
    assert "--import" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("from keras_genzoo.losses import PENALTIES\nPENALTIES.register('r1', 1)",
         "penalty 'r1' is registered already"),
        (None, "No module named 'broken'"),
        ("from keras_genzoo.training import RECIPES\nRECIPES.register('half', {'steps': 3})",
         "the recipe 'half' must be a dictionary of settings, with model and dataset"),
        pytest.param(
            "from keras_genzoo.networks import ARCHITECTURES, Architecture\n"
            "class Wide(Architecture):\n    def __init__(self, steps: int = 1): ...\n"
            "ARCHITECTURES.register('wide', Wide)",
            "the architecture 'wide' declares 'steps', which is a setting of every run",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_a_module_that_fails_is_one_line(genzoo, tmp_path, text, words):
    if text:
        (tmp_path / "broken.py").write_text(text)
    ended = genzoo("--import broken list")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_an_installed_package_brings_components_by_its_entry_point(genzoo, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    info = tmp_path / "mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[keras_genzoo.components]\nmine = small_zoo\nother = broken\n"
    )
    (tmp_path / "small_zoo.py").write_text(
        "from keras_genzoo.training import RECIPES\n"
        "RECIPES.register('short', {'model': 'ae', 'dataset': 'digits', 'steps': 3})\n"
    )
    (tmp_path / "broken.py").write_text("1 / 0")
    ended = genzoo("list recipes short")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "short: model ae, dataset digits, steps 3\n"
    # What is broken costs nothing but a line.
    assert ended.stderr == (
        "left out: the entry point 'other' (broken) cannot be imported: ZeroDivisionError: "
        "division by zero\n"
    )


@pytest.mark.slow
def test_own_components_on_a_bench(genzoo, tmp_path):
    tiny = "latent_dim=4 generator_units=8 discriminator_units=8 batch_size=8 loss=symmetric"
    flags = " ".join(f"--set {setting}" for setting in tiny.split())
    scored = "--scores fid --features pixels -n 20 --images 64 --seeds 0"
    ended = genzoo(f"--import zoo_of_mine bench gan --dataset a.dots {flags} {scored} --out bench")
    assert ended.returncode == 0, ended.stderr
    assert "| gan | 1 of 1 |" in ended.stdout
