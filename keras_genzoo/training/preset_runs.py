"""A preset as a run: a run folder with its settings, its model and its scores."""

import os
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import write_json, writing_folder
from keras_genzoo.presets import (
    RECORD,
    SCORES,
    bundled_presets,
    find_preset,
    keras_archive,
    nearest_preset,
    preset_digest,
)
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown

RUNS = Path("runs")
MODEL = "model.keras"


def run_folder(path: str | os.PathLike) -> Path:
    """Return the run folder that ``path`` names: itself, or that of a preset.

    The run folder of a preset is ``runs/NAME``, written when it is first asked for, so that every
    command finds there what it expects of a run and has a place for its files.

    Args:
        path: a run folder, the name of a preset of the package, or the folder of a preset.

    Raises:
        GenzooError: if the preset is damaged, another run lies at its place, or something else
            has the name of a preset.
    """
    path = Path(path)
    preset = find_preset(path)
    if preset is None:
        if not path.exists() and (near := nearest_preset(path)):
            raise GenzooError(f"there is no run {shown(path)}{near}")
        if os.fspath(path) in bundled_presets() and not (path / "config.json").exists():
            raise GenzooError(
                f"here lies {shown(path)}, which is no run and hides the preset of that name; "
                "move it, or work in another folder"
            )
        return path
    place = RUNS / preset.resolve().name
    if place.exists() and place.samefile(preset):
        raise GenzooError(
            f"{shown(place)} is a preset in the place of its own run folder; move it to another "
            "folder, such as presets"
        )
    origin = {"name": preset.resolve().name, "digest": preset_digest(preset)}
    if not place.exists():
        _write(preset, place, origin)
    if _origin(place) != origin:
        raise GenzooError(
            f"{shown(place)} is not this preset: another version of it, or a run of yours; move or "
            "remove it to use the preset"
        )
    return place


def _write(preset: Path, place: Path, origin: dict[str, str]) -> None:
    """Write the run folder of a preset, complete or not at all."""
    record, archive = read_record(preset), keras_archive(preset)
    scores = _read(preset / SCORES) if (preset / SCORES).is_file() else None
    try:
        with writing_folder(place) as fresh:
            for folder in ("checkpoints", "samples"):
                (fresh / folder).mkdir()
            write_json(fresh / "config.json", record | {"preset": origin})
            (fresh / MODEL).write_bytes(archive)
            if scores is not None:
                write_json(fresh / SCORES, scores)
            _check_record(fresh, preset / RECORD)
    except _RecordError:
        raise
    except GenzooError as error:
        # Another command may have written it at the same moment.
        if not place.exists():
            raise GenzooError(
                f"a preset needs a run folder in {shown(RUNS.absolute())}: {error}"
            ) from error


def _check_record(fresh: Path, record: Path) -> None:
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
        raise _RecordError(f"the record of a preset cannot be used: {reason}") from None


class _RecordError(GenzooError):
    pass


def read_record(preset: Path) -> dict:
    """Return the record of the run that trained a preset.

    Raises:
        GenzooError: if it cannot be read.
    """
    record = _read(preset / RECORD)
    if not isinstance(record, dict):
        raise GenzooError(f"{shown(preset / RECORD)} is damaged: it is no record of a run")
    return record


def _read(file: Path):
    try:
        return read_json(file)
    except (OSError, ValueError) as error:
        raise GenzooError(f"{shown(file)} cannot be read: {error}") from error


def _origin(place: Path):
    try:
        config = read_json(place / "config.json")
    except (OSError, ValueError):
        return None
    return config.get("preset") if isinstance(config, dict) else None
