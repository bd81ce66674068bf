"""The whole state of training in one file: whole or absent, checked when read, no pickle.

A checkpoint holds every number that the next step depends on, by the path of its variable:
weights, both optimizers, the states of random layers and the running means of the metrics.
``.npz`` keeps a CRC of each array; one more binds the arrays to their paths.
"""

import zlib
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import check_archive, flush, writing
from keras_genzoo.reading import read_arrays
from keras_genzoo.training.run import list_checkpoints, step_of
from keras_genzoo.training.variables import variables_by_path

# By path, in a fixed order; of a file of a time before there were paths, by number.
State = dict[str, np.ndarray]


def state_of(model) -> State:
    """Return the values of ``variables_by_path``, copied."""
    return {path: np.array(variable.numpy()) for path, variable in variables_by_path(model).items()}


def save_checkpoint(
    folder: Path,
    state: State,
    step: int,
    keep: int,
    spare: Collection[int] = (),
    outdated: Path | None = None,
) -> Path:
    """Write the state after ``step`` steps, then delete all but the last ``keep`` checkpoints.

    Args:
        folder: where the checkpoints lie.
        state: what ``state_of`` gave.
        step: the number of steps done.
        keep: how many checkpoints to keep.
        spare: steps whose checkpoints are kept besides.
        outdated: a file that must not stand beside the new checkpoint. It goes when that is whole
            on the disk, and before it has its name.

    Raises:
        GenzooError: if the folder cannot be written; older checkpoints stay, and so does the
            outdated file.
    """
    path = folder / f"step-{step:08d}.npz"
    with writing(path) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, step=np.int64(step), checksum=np.uint32(_checksum(state)), **state)
        if outdated is not None:
            flush(temporary)
            outdated.unlink(missing_ok=True)
    for old in list_checkpoints(folder)[:-keep]:
        if step_of(old) not in spare:
            old.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path) -> tuple[int, State]:
    """Return the step and the state that a checkpoint holds, every byte of them checked.

    Raises:
        GenzooError: if the file is truncated, damaged or no checkpoint.
    """
    try:
        # All sums first: NumPy believes an array's header before its sum has been seen.
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
        raise GenzooError(f"checkpoint {path} is damaged (its arrays are not those of their paths)")
    return step, arrays


def restore(model, state: State, path: Path) -> None:
    """Put a checkpoint's state into the model, all or nothing.

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
    folder: Path, model, echo: Callable[[str], None] = lambda line: None
) -> int | None:
    """Restore the newest sound checkpoint; return its step, None if there is no checkpoint.

    Args:
        folder: the checkpoints' folder.
        model: the compiled model.
        echo: called with a line on every damaged or foreign checkpoint that is passed over.

    Raises:
        GenzooError: if there are checkpoints, but none that is sound and this model's.
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
    """Return the arrays of a file of a time before there were paths, in their order.

    Raises:
        KeyError: if it is no such file.
    """
    count = int(arrays.pop("count"))
    names = [f"{index:05d}" for index in range(max(count, len(arrays)))]
    return {name: arrays[name] for name in names}


def _is_by_number(state: State) -> bool:
    return all(name.isdecimal() for name in state)


def _difference(state: State, variables: dict) -> str | None:
    """Return the first thing that a state and a model do not share, in words."""
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
        return f"it has {foreign[0]}, which this model has not"
    return None
