"""Run folders of models that were not trained into one: presets and exported SavedModels.

Such a run folder is ``runs/NAME``, written when it is first asked for, so that every command finds
there what it expects of a run and has a place for its files.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import write_json, writing_folder
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown

RUNS = Path("runs")
# Contents by path in the run folder.
Files = dict[Path, bytes]
# What a model comes from, by the name under which ``config.json`` has its origin.
_KINDS = {"preset": "preset", "saved_model": "SavedModel"}


def place_run(
    place: Path, key: str, origin: dict[str, str], record: Path, read: Callable[[], Files]
) -> Path:
    """Return the run folder of a model from elsewhere; write it if there is none yet.

    Args:
        place: the run folder.
        key: what the model comes from, ``preset`` or ``saved_model``; ``config.json`` has the
            origin under this name.
        origin: ``name`` and ``digest`` of what the model comes from.
        record: the file with the record of the run that trained it.
        read: returns the files of the model, if they are to be written.

    Raises:
        GenzooError: if the record cannot be used, the folder cannot be written, or another run
            lies there.
    """
    if not place.exists():
        _write(place, key, origin, record, read)
    if _origin(place, key) != origin:
        kind = _KINDS[key]
        raise GenzooError(
            f"{shown(place)} is not this {kind}: another version of it, or a run of yours; move or "
            f"remove it to use the {kind}"
        )
    return place


def _write(
    place: Path, key: str, origin: dict[str, str], record: Path, read: Callable[[], Files]
) -> None:
    """Write a run folder, complete or not at all."""
    config, files = read_record(record) | {key: origin}, read()
    try:
        with writing_folder(place) as fresh:
            for folder in ("checkpoints", "samples"):
                (fresh / folder).mkdir()
            write_json(fresh / "config.json", config)
            for name, content in files.items():
                (fresh / name).parent.mkdir(parents=True, exist_ok=True)
                (fresh / name).write_bytes(content)
            _check_record(fresh, key, record)
    except _RecordError:
        raise
    except GenzooError as error:
        # Another command may have written it at the same moment.
        if not place.exists():
            raise GenzooError(
                f"a {_KINDS[key]} needs a run folder in {shown(RUNS.absolute())}: {error}"
            ) from error


def _check_record(fresh: Path, key: str, record: Path) -> None:
    """Check that a run folder made of a record can be opened, before it stands at its place.

    Raises:
        GenzooError: if it cannot; names the record.
    """
    # The module of Run needs run_folder.
    from keras_genzoo.training.run import Run

    try:
        Run.open(fresh)
    except GenzooError as error:
        reason = str(error).replace(shown(fresh / "config.json"), shown(record))
        raise _RecordError(f"the record of a {_KINDS[key]} cannot be used: {reason}") from None


class _RecordError(GenzooError):
    pass


def read_record(file: Path) -> dict[str, Any]:
    """Return the record of the run that trained a model.

    Raises:
        GenzooError: if it cannot be read.
    """
    record = read_part(file)
    if not isinstance(record, dict):
        raise GenzooError(f"{shown(file)} is damaged: it is no record of a run")
    return record


def read_part(file: Path) -> Any:
    """Return the content of a JSON file that stands beside a model.

    Raises:
        GenzooError: if it cannot be read.
    """
    try:
        return read_json(file)
    except (OSError, ValueError) as error:
        raise GenzooError(f"{shown(file)} cannot be read: {error}") from error


def _origin(place: Path, key: str) -> Any:
    try:
        config = read_json(place / "config.json")
    except (OSError, ValueError):
        return None
    return config.get(key) if isinstance(config, dict) else None
