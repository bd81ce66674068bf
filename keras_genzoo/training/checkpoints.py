"""The whole state of training in one file: whole or absent, checked when read, no pickle.

A checkpoint holds every number that the next step depends on: weights, both optimizers, the
states of random layers and the running means of the metrics. ``.npz`` keeps a CRC of each array.
"""

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import check_archive, writing
from keras_genzoo.training.run import list_checkpoints, step_of

Arrays = list[np.ndarray]


def variables_of(model) -> list:
    """Return every variable that training changes, each once, in a fixed order."""
    variables = list(model.variables)
    for optimizer in model.optimizers:
        variables += optimizer.variables
    for metric in model.metrics:
        variables += metric.variables
    return list({id(variable): variable for variable in variables}.values())


def state_of(model) -> Arrays:
    """Return the values of ``variables_of``, copied."""
    return [np.array(variable.numpy()) for variable in variables_of(model)]


def save_checkpoint(
    folder: Path, state: Arrays, step: int, keep: int, spare: Collection[int] = ()
) -> Path:
    """Write the state after ``step`` steps, then delete all but the last ``keep`` checkpoints.

    Args:
        folder: where the checkpoints lie.
        state: what ``state_of`` gave.
        step: the number of steps done.
        keep: how many checkpoints to keep.
        spare: steps whose checkpoints are kept besides.

    Raises:
        GenzooError: if the folder cannot be written; older checkpoints stay.
    """
    path = folder / f"step-{step:08d}.npz"
    with writing(path) as temporary, temporary.open("wb") as file:
        arrays = {f"{index:05d}": array for index, array in enumerate(state)}
        np.savez(file, step=np.int64(step), count=np.int64(len(state)), **arrays)
    for old in list_checkpoints(folder)[:-keep]:
        if step_of(old) not in spare:
            old.unlink(missing_ok=True)
    return path


def read_checkpoint(path: Path) -> tuple[int, Arrays]:
    """Return the step and the state that a checkpoint holds, every byte of them checked.

    Raises:
        GenzooError: if the file is truncated, damaged or no checkpoint.
    """
    try:
        # All sums first: NumPy believes an array's header before its sum has been seen.
        check_archive(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:  # A damaged archive may fail in any way.
        raise GenzooError(f"checkpoint {path} is damaged ({error})") from error
    try:
        step, count = int(arrays.pop("step")), int(arrays.pop("count"))
        return step, [arrays[f"{index:05d}"] for index in range(max(count, len(arrays)))]
    except (KeyError, TypeError) as error:
        raise GenzooError(f"{path} is not a checkpoint of this package") from error


def restore(model, state: Arrays, path: Path) -> None:
    """Put a checkpoint's state into the model, all or nothing.

    Raises:
        GenzooError: if the checkpoint belongs to another model.
    """
    variables = variables_of(model)
    wanted = [(array.shape, array.dtype) for array in state_of(model)]
    if [(array.shape, array.dtype) for array in state] != wanted:
        raise GenzooError(
            f"checkpoint {path} belongs to another model: it has {len(state)} arrays, "
            f"this model {len(wanted)}, or their shapes differ"
        )
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)


def restore_latest(
    folder: Path, model, echo: Callable[[str], None] = lambda line: None
) -> int | None:
    """Restore the newest sound checkpoint; return its step, None if there is no checkpoint.

    Args:
        folder: the checkpoints' folder.
        model: the compiled model.
        echo: told of every damaged or foreign checkpoint that is passed over.

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
