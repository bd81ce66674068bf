"""Checkpoints hold all, and nothing damaged is believed."""

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training.checkpoints import (
    read_checkpoint,
    restore,
    restore_latest,
    save_checkpoint,
    state_of,
    variables_of,
)
from keras_genzoo.training.run import list_checkpoints
from tests.models import cases

STATE = [np.arange(6, dtype="float32").reshape(2, 3), np.array(7, "int64")]


@pytest.mark.parametrize(
    "name",
    [name if name == "ae" else pytest.param(name, marks=pytest.mark.slow) for name in cases.MODELS],
)
def test_a_checkpoint_holds_all_that_the_next_step_needs(name, tmp_path):
    model = cases.compiled(name)
    cases.step(model, times=2)
    path = save_checkpoint(tmp_path, state_of(model), 2, keep=1)
    step, state = read_checkpoint(path)
    other = cases.compiled(name)
    restore(other, state, path)
    assert step == 2
    for left, right in zip(cases.weights(model), cases.weights(other), strict=True):
        np.testing.assert_array_equal(left, right)
    assert cases.step(model, seed=5) == cases.step(other, seed=5)
    for left, right in zip(cases.weights(model), cases.weights(other), strict=True):
        np.testing.assert_array_equal(left, right)


def test_each_variable_is_there_once():
    variables = variables_of(cases.compiled("gan"))
    assert len({id(variable) for variable in variables}) == len(variables)


def test_the_last_ones_and_those_to_spare_are_kept(tmp_path):
    for step in range(1, 8):
        save_checkpoint(tmp_path, STATE, step, keep=2, spare=[3])
    assert [path.stem[-1] for path in list_checkpoints(tmp_path)] == ["3", "6", "7"]
    assert len(list(tmp_path.iterdir())) == 3


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
        assert len(state) == len(STATE)
        for left, right in zip(state, STATE, strict=True):
            assert left.dtype == right.dtype
            np.testing.assert_array_equal(left, right)
    assert noticed > len(content) / 2


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


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state[:-1],
        lambda state: [array.T for array in state],
        lambda state: [array.astype("float64") for array in state],
    ],
)
def test_another_models_checkpoint_changes_nothing(tmp_path, change):
    model = cases.compiled("ae")
    before = cases.weights(model)
    for step, state in ((1, state_of(model)), (2, change(state_of(cases.compiled("ae", seed=1))))):
        save_checkpoint(tmp_path, state, step, keep=2)
    said = []
    assert restore_latest(tmp_path, model, said.append) == 1
    assert len(said) == 1
    assert "step-00000002.npz belongs to another model" in said[0]
    for left, right in zip(before, cases.weights(model), strict=True):
        np.testing.assert_array_equal(left, right)


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    (tmp_path / "step-x.npz").touch()
    assert restore_latest(tmp_path, cases.compiled("ae")) is None
