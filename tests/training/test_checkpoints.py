"""Checkpoints hold all, and nothing damaged is believed."""

import json
import re
import resource
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training.checkpoints import (
    model_state,
    read_checkpoint,
    restore,
    restore_latest,
    save_checkpoint,
)
from keras_genzoo.training.run import list_checkpoints
from keras_genzoo.training.variables import variables_by_path
from tests.models import cases

STATE = {
    "encoder/dense/kernel": np.arange(6, dtype="float32").reshape(2, 3),
    "model/step": np.array(7, "int64"),
}


@cases.of(cases.ALGORITHMS)
def test_a_checkpoint_holds_all_that_the_next_step_needs(name, tmp_path):
    model = cases.compiled(name)
    cases.step(model, times=2)
    path = save_checkpoint(tmp_path, model_state(model), 2, keep=1)
    step, state = read_checkpoint(path)
    other = cases.compiled(name)
    restore(other, state, path)
    assert step == 2
    for left, right in zip(cases.weights(model), cases.weights(other), strict=True):
        np.testing.assert_array_equal(left, right)
    assert cases.step(model, seed=5) == cases.step(other, seed=5)
    for left, right in zip(cases.weights(model), cases.weights(other), strict=True):
        np.testing.assert_array_equal(left, right)


@cases.of(cases.MODELS)
def test_each_variable_is_there_once(name):
    model = cases.compiled(name)
    parts = [model, *model.optimizers, *model.metrics]
    every = {id(variable) for part in parts for variable in part.variables}
    variables = variables_by_path(model)
    assert {id(variable) for variable in variables.values()} == every
    assert len(variables) == len(every)
    # By now Keras counts its layers on from those of the first model.
    assert list(variables_by_path(cases.compiled(name))) == list(variables)


PATHS = """
import json
from keras_genzoo.training.variables import variables_by_path
from tests.models import cases
names = cases.ALGORITHMS
print(json.dumps({name: list(variables_by_path(cases.compiled(name))) for name in names}))
"""


@pytest.mark.slow
def test_the_paths_of_the_variables_are_the_same_in_every_process():
    for name in cases.ALGORITHMS:
        cases.build(name)
    here = {name: list(variables_by_path(cases.compiled(name))) for name in cases.ALGORITHMS}
    output = subprocess.run(
        [sys.executable, "-c", PATHS], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(output) == here
    # Each weight of a generator has its two moments, by its own path.
    momenta = [path for path in here["gan"] if path.endswith("/momentum")]
    assert "generator_optimizer/adam/generator/dense_1/kernel/momentum" in momenta
    assert "generator/dense_1/kernel" in here["gan"]
    assert "average_generator/dense_1/kernel" in here["gan"]
    assert not any("adam/average_generator" in path for path in momenta)


def test_layers_of_one_name_have_a_path_each():
    def network(*shapes):
        layers = [keras.layers.Dense(size, name="hidden") for size in shapes]
        return keras.Sequential(
            [keras.Sequential([layer], name=f"part_{i}") for i, layer in enumerate(layers)]
        )

    encoder, decoder = network(5, 2), network(5, 64)
    decoder.add(keras.layers.Reshape((8, 8, 1)))
    flat = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), encoder])
    decoder(np.zeros((1, 2)))
    model = cases.MODELS["ae"]((8, 8, 1), 2, encoder=flat, decoder=decoder)
    model.compile()
    variables = variables_by_path(model)
    # Eight weights with two moments each; the step, two numbers of the optimizer, two of a metric.
    assert len(variables) == 8 * 3 + 1 + 2 + 2


def test_the_last_ones_and_those_to_spare_are_kept(tmp_path):
    for step in range(1, 8):
        save_checkpoint(tmp_path, STATE, step, keep=2, also_keep=[3])
    assert [path.stem[-1] for path in list_checkpoints(tmp_path)] == ["3", "6", "7"]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.slow
def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    path = save_checkpoint(tmp_path, STATE, 12, keep=1)
    content = path.read_bytes()
    noticed = 0
    for index in range(len(content)):
        path.write_bytes(content[:index] + bytes([content[index] ^ 0x11]) + content[index + 1 :])
        try:
            step, state = read_checkpoint(path)
        except GenzooError:
            noticed += 1
            continue
        # Bytes that mean nothing, such as dates: what is read is what was written.
        assert step == 12
        assert list(state) == list(STATE)
        for name, array in STATE.items():
            assert state[name].dtype == array.dtype
            np.testing.assert_array_equal(state[name], array)
    assert noticed > len(content) / 2


@pytest.mark.slow
def test_every_truncation_is_noticed(tmp_path):
    path = save_checkpoint(tmp_path, STATE, 12, keep=1)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(GenzooError, match="is damaged"):
            read_checkpoint(path)


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"step": 3, "weights": 1},
        {"step": 3, "00000": 1},
        {"step": 3, "count": 2, "00000": 1},
        {"step": 3, "count": 0, "00000": 1, "other": 1},
        {"step": [1, 2], "count": 1, "00000": 1},
    ],
)
def test_other_archives_are_no_checkpoints(tmp_path, arrays):
    np.savez(tmp_path / "step-00000003.npz", **arrays)
    with pytest.raises(GenzooError, match="is not a checkpoint"):
        read_checkpoint(tmp_path / "step-00000003.npz")


KERNEL = "encoder/dense/kernel"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop(KERNEL), f"it has no {KERNEL}, which this model has"),
        (
            lambda state: state.update(other=np.zeros(3)),
            "it has other, which this model does not have",
        ),
        (
            lambda state: state.update({KERNEL: state[KERNEL].T}),
            rf"{KERNEL} has the shape \(12, 256\) in it, \(256, 12\) in this model",
        ),
        (
            lambda state: state.update({KERNEL: state[KERNEL].astype("float64")}),
            f"{KERNEL} has the dtype float64 in it, float32 in this model",
        ),
    ],
)
def test_another_models_checkpoint_changes_nothing(tmp_path, change, words):
    model = cases.compiled("ae")
    before = cases.weights(model)
    other = model_state(cases.compiled("ae", seed=1))
    change(other)
    for step, state in ((1, model_state(model)), (2, other)):
        save_checkpoint(tmp_path, state, step, keep=2)
    said = []
    assert restore_latest(tmp_path, model, said.append) == 1
    assert len(said) == 1
    assert re.search(f"step-00000002.npz belongs to another model: {words}; taking the", said[0])
    for left, right in zip(before, cases.weights(model), strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    (tmp_path / "step-x.npz").touch()
    assert restore_latest(tmp_path, cases.compiled("ae")) is None


# Two of one shape, which only their paths tell apart.
TWINS = "generator/dense_1/kernel", "average_generator/dense_1/kernel"


def test_arrays_are_restored_by_their_paths(tmp_path):
    state = model_state(cases.compiled("gan"))
    state |= {path: np.full_like(state[path], i) for i, path in enumerate(TWINS)}
    path = save_checkpoint(tmp_path, dict(reversed(state.items())), 1, keep=1)
    model = cases.compiled("gan")
    assert restore_latest(tmp_path, model) == 1
    variables = variables_by_path(model)
    assert [float(np.mean(variables[name])) for name in TWINS] == [0, 1]
    with np.load(path) as archive:
        assert set(archive.files) == {"step", "checksum", *state}


def test_two_arrays_of_one_shape_that_have_changed_places_are_noticed(tmp_path):
    path = save_checkpoint(tmp_path, model_state(cases.compiled("gan")), 1, keep=1)
    with np.load(path) as archive:
        arrays = dict(archive)
    one, other = TWINS
    arrays["generator/dense/bias"] = np.ones_like(arrays["generator/dense/bias"])
    arrays[one], arrays[other] = arrays[other] + 1, arrays[one]
    np.savez(path, **arrays)
    with pytest.raises(GenzooError, match="its arrays do not match their paths"):
        restore_latest(tmp_path, cases.compiled("gan"))


def save_by_number(path, model, step):
    """Write a checkpoint as it was before there were paths."""
    means = [variable.numpy() for metric in model.metrics for variable in metric.variables]
    arrays = {f"{i:05d}": array for i, array in enumerate([*cases.weights(model), *means])}
    np.savez(path, step=np.int64(step), count=np.int64(len(arrays)), **arrays)


def test_a_checkpoint_of_a_time_before_there_were_paths_opens(tmp_path):
    model = cases.compiled("gan")
    cases.step(model)
    save_by_number(tmp_path / "step-00000001.npz", model, 1)
    other = cases.compiled("gan", seed=1)
    assert restore_latest(tmp_path, other) == 1
    for left, right in zip(cases.weights(model), cases.weights(other), strict=True):
        np.testing.assert_array_equal(left, right)
    with pytest.raises(GenzooError, match="another model: it has 53 arrays, this model 41"):
        restore_latest(tmp_path, cases.compiled("ae"))


def test_a_model_of_fewer_steps_goes_when_the_new_checkpoint_is_on_the_disk(tmp_path):
    model, folder = tmp_path / "model.keras", tmp_path / "checkpoints"
    save_checkpoint(folder, STATE, 1, keep=1)
    model.touch()
    save_checkpoint(folder, STATE, 2, keep=1, outdated=model)
    assert not model.exists()
    assert [path.name for path in list_checkpoints(folder)] == ["step-00000002.npz"]


def test_a_checkpoint_that_cannot_be_written_costs_neither_model_nor_checkpoints(tmp_path):
    model, folder = tmp_path / "model.keras", tmp_path / "checkpoints"
    save_checkpoint(folder, STATE, 1, keep=1)
    model.touch()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(GenzooError, match="cannot write"):
            save_checkpoint(folder, STATE, 2, keep=1, outdated=model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert model.exists()
    assert read_checkpoint(folder / "step-00000001.npz")[0] == 1
    assert len(list(folder.iterdir())) == 1
