"""A saved model comes back in a process that has seen no class of the zoo."""

import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, load_model
from tests.models.cases import build, compiled, step

LOAD = """
import sys
import keras_genzoo as genzoo
print(type(genzoo.models.load_model(sys.argv[1])).__name__)
"""


@pytest.mark.slow
def test_a_fresh_process_finds_the_class(tmp_path):
    build("cgan").save(tmp_path / "model.keras")
    command = [sys.executable, "-c", LOAD, str(tmp_path / "model.keras")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == "CGAN\n", ended.stderr


def test_training_goes_on(tmp_path):
    model = compiled("gan")
    step(model)
    model.save(tmp_path / "model.keras")
    assert step(load_model(tmp_path / "model.keras"), seed=1) == step(model, seed=1)


def test_what_is_no_model_of_the_zoo_is_refused(tmp_path):
    with pytest.raises(GenzooError, match=r"cannot load .*absent\.keras"):
        load_model(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(GenzooError, match=r"cannot load .*text\.keras"):
        load_model(tmp_path / "text.keras")
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(GenzooError, match="holds a Sequential"):
        load_model(tmp_path / "other.keras")


def test_code_in_a_file_is_not_run(tmp_path):
    marker = tmp_path / "ran"

    # Only code without a name is kept in the file itself.
    leave_a_mark = lambda x, path=str(marker): (open(path, "w").close(), x)[1]  # noqa: E731, PTH123
    layers = [
        keras.Input((4,)),
        keras.layers.Dense(64),
        keras.layers.Lambda(leave_a_mark, output_shape=(64,)),
        keras.layers.Reshape((8, 8, 1)),
    ]
    model = GAN((8, 8, 1), latent_dim=4, generator=keras.Sequential(layers))
    model.save(tmp_path / "evil.keras")
    marker.unlink()
    with pytest.raises(GenzooError, match="it holds code, which is not run"):
        load_model(tmp_path / "evil.keras")
    assert not marker.exists()


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("builtins", "eval")])
def test_functions_of_other_packages_are_not_called(tmp_path, module, name):
    model = compiled("ae")
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    config = json.loads(parts["config.json"])
    foreign = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    config["compile_config"]["loss"] = foreign
    parts["config.json"] = json.dumps(config)
    with zipfile.ZipFile(tmp_path / "evil.keras", "w") as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    with pytest.raises(GenzooError, match=f"Could not locate function '{name}'"):
        load_model(tmp_path / "evil.keras")


def test_a_flipped_byte_of_a_weight_is_noticed(tmp_path):
    path = tmp_path / "model.keras"
    build("ae").save(path)
    content = path.read_bytes()
    for index in np.linspace(0, len(content) - 1, 40).astype(int):
        path.write_bytes(content[:index] + bytes([content[index] ^ 4]) + content[index + 1 :])
        try:
            model = load_model(path)
        except GenzooError:
            continue
        for ours, theirs in zip(build("ae").get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
