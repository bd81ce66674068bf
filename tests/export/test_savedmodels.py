"""``savedmodels/``: trained models as a server takes them, and the script that makes them."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from keras_genzoo.saved_models import CARD, RECORD, find_version, models_in

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "savedmodels"
THERE = models_in(FOLDER)
# What the script makes here, so that its models are loaded also where none lies in the folder.
MADE = "made_here"


def script():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_script(*arguments):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["make.py", *map(str, arguments)])
        script().main()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a model that the script has made of a preset, and another's."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "other/3").mkdir(parents=True)
    (folder / "other/3/saved_model.pb").touch()
    run_script(f"{MADE}=dcgan_digits", "--out", folder)
    return folder


@pytest.fixture(scope="module")
def served(made):
    """What each signature of each model gave, by the folder of the model, without Keras."""
    folders = [*(FOLDER / name for name in THERE), made / MADE]
    program = Path(__file__).with_name("served.py")
    ended = subprocess.run(
        [sys.executable, "-I", program, *folders], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(ended.stdout.splitlines()[-1])


def test_one_configuration_names_every_model_of_the_folder(made):
    config = (made / "models.config").read_text()
    for name in (MADE, "other"):
        assert f'name: "{name}"\n    base_path: "/models/{name}"' in config
    assert config.count("base_path") == 2
    assert {path.name for path in made.iterdir()} == {MADE, "other", "models.config"}


def test_a_model_that_the_script_does_not_know_needs_a_run(capsys):
    with pytest.raises(SystemExit) as stop:
        run_script("no_such_model")
    assert stop.value.code == 2
    assert "unknown model no_such_model; known: cgan_mnist" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*THERE, MADE])
def test_a_server_loads_a_model_and_calls_every_signature(made, served, name):
    folder = (made if name == MADE else FOLDER) / name
    outputs = served[str(folder)]
    newest = find_version(folder)
    card = json.loads((newest / CARD).read_text())
    assert {f"{newest.name}/{key}" for key in (*card["signatures"], "README")} <= set(outputs)
    for call, tensors in outputs.items():
        rows = 2 if call.endswith("README") else 3
        for key, tensor in tensors.items():
            assert tensor["shape"][0] == rows, (call, key)
            assert tensor["finite"], (call, key)
            if key in ("images", "reconstructions"):
                # A trained model makes images of ink on a ground.
                assert 0 <= tensor["least"] < 0.2 < 0.5 < tensor["most"] <= 1, (call, key)
    for signature, ends in card["signatures"].items():
        for key, tensor in ends["outputs"].items():
            found = outputs[f"{newest.name}/{signature}"][key]
            assert found["shape"] == [3, *tensor["shape"][1:]]
            assert found["dtype"] == tensor["dtype"]


@pytest.mark.parametrize("name", [*THERE, MADE])
def test_a_version_has_its_card_and_settings_and_is_small(made, name):
    for file in ((made if name == MADE else FOLDER) / name).glob("*/saved_model.pb"):
        version = file.parent
        assert {"data", "terms of the data", "scores"} <= set(
            json.loads((version / CARD).read_text())["facts"]
        )
        assert json.loads((version / RECORD).read_text())["settings"]
        size = sum(path.stat().st_size for path in version.rglob("*") if path.is_file())
        assert size <= script().MOST


def test_the_folder_has_what_the_script_makes():
    if not THERE:
        pytest.skip("no models in savedmodels; python savedmodels/make.py makes them")
    made_by_script = script()
    assert set(made_by_script.MODELS) <= set(THERE)
    assert (FOLDER / "models.config").read_text() == made_by_script.models_config(FOLDER)
