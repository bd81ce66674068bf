"""A preset as a run: a run folder with its settings, its model and its scores."""

import os
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import write_json, writing_folder
from keras_genzoo.presets import (
    RECORD,
    SCORES,
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
        GenzooError: if the preset is damaged, or another run lies at its place.
    """
    path = Path(path)
    preset = find_preset(path)
    if preset is None:
        if not path.exists() and (near := nearest_preset(path)):
            raise GenzooError(f"there is no run {shown(path)}{near}")
        return path
    place = RUNS / preset.resolve().name
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
    record = read_record(preset)
    archive = keras_archive(preset)
    try:
        with writing_folder(place) as fresh:
            for folder in ("checkpoints", "samples"):
                (fresh / folder).mkdir()
            write_json(fresh / "config.json", record | {"preset": origin})
            (fresh / MODEL).write_bytes(archive)
            if (preset / SCORES).is_file():
                write_json(fresh / SCORES, read_json(preset / SCORES))
    except GenzooError:
        # Another command may have written it at the same moment.
        if not place.exists():
            raise


def read_record(preset: Path) -> dict:
    """Return the record of the run that trained a preset.

    Raises:
        GenzooError: if it cannot be read.
    """
    try:
        record = read_json(preset / RECORD)
    except (OSError, ValueError) as error:
        raise GenzooError(f"{shown(preset / RECORD)} cannot be read: {error}") from error
    if not isinstance(record, dict):
        raise GenzooError(f"{shown(preset / RECORD)} is damaged: it is no record of a run")
    return record


def _origin(place: Path):
    try:
        config = read_json(place / "config.json")
    except (OSError, ValueError):
        return None
    return config.get("preset") if isinstance(config, dict) else None
