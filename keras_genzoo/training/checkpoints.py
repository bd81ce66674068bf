"""The complete training state in one ``.npz`` file: written atomically, checked when read.

A checkpoint holds every number that the next step depends on, by the path of its variable:
weights, all optimizers, the states of random layers and the running means of the metrics.
``.npz`` has a CRC of each array. One more CRC covers the arrays together with their paths, so that
exchanged arrays are noticed. No pickle is read or written.
"""

import zlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import check_archive, flush, writing
from keras_genzoo.reading import read_arrays
from keras_genzoo.training.run import checkpoint_step, list_checkpoints
from keras_genzoo.training.variables import variables_by_path

# Arrays by the path of their variable, in a fixed order. Files of the first versions have numbers
# ("00000", "00001", ...) in place of paths.
State = dict[str, np.ndarray]


def model_state(model: keras.Model) -> State:
    """Return a copy of the values of ``variables_by_path``."""
    return {path: np.array(variable.numpy()) for path, variable in variables_by_path(model).items()}


def save_checkpoint(
    folder: Path,
    state: State,
    step: int,
    keep: int,
    also_keep: Collection[int] = (),
    outdated: Path | None = None,
) -> Path:
    """Write the state after ``step`` steps, then delete all but the last ``keep`` checkpoints.

    Args:
        folder: where the checkpoints lie.
        state: the state, as ``model_state`` returns it.
        step: the number of steps done.
        keep: how many checkpoints to keep.
        also_keep: steps whose checkpoints are kept as well.
        outdated: a file that must not exist beside the new checkpoint. It is deleted after the
            checkpoint is flushed to the disk and before the checkpoint is renamed into place: so
            the two never exist together, and a crash in between loses no training.

    Raises:
        GenzooError: if the folder cannot be written; older checkpoints stay, and so does the
            outdated file.
    """
    path = folder / f"step-{step:08d}.npz"
    arrays: dict[str, Any] = {
        "step": np.int64(step),
        "checksum": np.uint32(_checksum(state)),
        **state,
    }
    with writing(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
        if outdated is not None:
            flush(temporary)
            outdated.unlink(missing_ok=True)
    for old in list_checkpoints(folder)[:-keep]:
        if checkpoint_step(old) not in also_keep:
            old.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path) -> tuple[int, State]:
    """Return the step and the state that a checkpoint holds, every byte of them checked.

    Raises:
        GenzooError: if the file is truncated, damaged or no checkpoint.
    """
    try:
        # Check all CRCs first: NumPy trusts the header of an array before it has checked the CRC.
        check_archive(path)
        arrays = read_arrays(path)
    except Exception as error:  # A damaged archive may fail in any way.
        raise GenzooError(f"checkpoint {path} is damaged ({error})") from error
    try:
        step = int(arrays.pop("step"))
        if "checksum" not in arrays:
            return step, _by_number(arrays)
        checksum = int(arrays.pop("checksum"))
    except (KeyError, TypeError) as error:
        raise GenzooError(f"{path} is not a checkpoint of this package") from error
    if checksum != _checksum(arrays):
        raise GenzooError(f"checkpoint {path} is damaged (its arrays do not match their paths)")
    return step, arrays


def restore(model: keras.Model, state: State, path: Path) -> None:
    """Assign a checkpoint's state to the model; everything is checked before the first assignment.

    Raises:
        GenzooError: if the checkpoint belongs to another model.
    """
    variables = variables_by_path(model)
    if _is_by_number(state) and len(state) == len(variables):
        state = dict(zip(variables, state.values(), strict=True))
    if difference := _difference(state, variables):
        raise GenzooError(f"checkpoint {path} belongs to another model: {difference}")
    for name, variable in variables.items():
        variable.assign(state[name])


def restore_latest(
    folder: Path, model: keras.Model, echo: Callable[[str], None] = lambda line: None
) -> int | None:
    """Restore the newest valid checkpoint; return its step, None if there is no checkpoint.

    Args:
        folder: the checkpoints' folder.
        model: the compiled model.
        echo: called with a line for each checkpoint that is skipped because it is damaged or
            belongs to another model.

    Raises:
        GenzooError: if there are checkpoints, but none is valid for this model.
    """
    error = None
    for path in reversed(list_checkpoints(folder)):
        if error is not None:
            echo(f"{error}; taking the one before")
        try:
            step, state = read_checkpoint(path)
            restore(model, state, path)
        except GenzooError as refused:
            error = refused
        else:
            return step
    if error is not None:
        raise GenzooError(f"{error}, and there is no other; start a new run")
    return None


def _checksum(state: State) -> int:
    """Return a CRC of all arrays with their paths."""
    value = 0
    for path in sorted(state):
        array = state[path]
        value = zlib.crc32(f"{path} {array.dtype} {array.shape}".encode(), value)
        value = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8), value)
    return value


def _by_number(arrays: State) -> State:
    """Return the arrays of a checkpoint of the first versions, which numbered them, in order.

    Raises:
        KeyError: if it is not such a checkpoint.
    """
    count = int(arrays.pop("count"))
    names = [f"{index:05d}" for index in range(max(count, len(arrays)))]
    return {name: arrays[name] for name in names}


def _is_by_number(state: State) -> bool:
    return all(name.isdecimal() for name in state)


def _difference(state: State, variables: dict) -> str | None:
    """Return in words the first difference between a state and a model, None if they match."""
    if _is_by_number(state):
        return f"it has {len(state)} arrays, this model {len(variables)}"
    for name, variable in variables.items():
        if name not in state:
            return f"it has no {name}, which this model has"
        array, shape = state[name], tuple(variable.shape)
        if array.shape != shape:
            return f"{name} has the shape {array.shape} in it, {shape} in this model"
        if array.dtype.name != variable.dtype:
            return f"{name} has the dtype {array.dtype} in it, {variable.dtype} in this model"
    if foreign := [name for name in state if name not in variables]:
        return f"it has {foreign[0]}, which this model does not have"
    return None
