"""A saved model comes back in a process that has seen no class of the zoo."""

import importlib
import inspect
import json
import pkgutil
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

import keras_genzoo
from keras_genzoo import serializable
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, load_model
from tests.models.cases import build, check_loading, compiled, step

LOAD = """
import sys
{}
print(type(keras.models.load_model(sys.argv[1])).__name__)
print([type(layer).__name__ for layer in keras.models.load_model(sys.argv[2]).layers][3])
"""


def run(script: str, *arguments) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "imports",
    [
        "import keras_genzoo, keras",
        "import keras, keras_genzoo",
        "import importlib.util, keras_genzoo; importlib.util.find_spec('keras'); import keras",
    ],
)
def test_keras_finds_the_classes_of_a_file_in_a_fresh_process(imports, tmp_path):
    model = compiled("cgan")
    model.save(tmp_path / "model.keras")
    model.generator.save(tmp_path / "generator.keras")
    output = run(LOAD.format(imports), tmp_path / "model.keras", tmp_path / "generator.keras")
    assert output.split() == ["CGAN", "BatchNormalization"]


def test_the_import_of_the_package_alone_loads_neither_keras_nor_tensorflow():
    script = "import sys, keras_genzoo; print({'keras', 'tensorflow', 'numpy'} & {*sys.modules})"
    assert run(script) == "set()\n"


def test_every_class_that_keras_may_look_up_is_declared():
    for module in pkgutil.walk_packages(keras_genzoo.__path__, "keras_genzoo."):
        if module.name.split(".")[1] in ("losses", "models", "networks"):
            importlib.import_module(module.name)
    registered = {
        name.partition(">")[2]: found.__module__
        for name, found in keras.saving.get_custom_objects().items()
        if name.startswith("keras_genzoo>") and inspect.isclass(found)
    }
    assert registered == serializable.classes()


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


@pytest.mark.parametrize("name", ["ae", "cgan"])
def test_hdf5_takes_the_weights_alone(name, tmp_path):
    model = compiled(name)
    for file in ("model.h5", "model.HDF5"):
        with pytest.raises(GenzooError, match=r"cannot save .*ends in \.keras") as caught:
            model.save(tmp_path / file)
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    step(model)
    model.save_weights(tmp_path / "model.weights.h5")
    other = compiled(name, seed=3)
    other.load_weights(tmp_path / "model.weights.h5")
    for ours, theirs in zip(model.variables, other.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


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
    for index in np.linspace(0, len(content) - 1, 15).astype(int):
        path.write_bytes(content[:index] + bytes([content[index] ^ 4]) + content[index + 1 :])
        try:
            model = load_model(path)
        except GenzooError:
            continue
        for ours, theirs in zip(build("ae").get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("vae", "float32"),
        ("cgan", "float32"),
        ("vae", "mixed_bfloat16"),
        ("cgan", "mixed_float16"),
    ],
)
def test_training_in_a_graph_goes_on_the_same_under_every_policy(name, policy, tmp_path):
    check_loading(name, tmp_path / "model.keras", policy, graph=True)
