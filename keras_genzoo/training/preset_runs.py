"""What a command is given as RUN, as a run folder: a run, a preset, an exported SavedModel."""

import os
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.presets import (
    RECORD,
    SCORES,
    bundled_presets,
    find_preset,
    is_preset,
    keras_archive,
    nearest_preset,
    preset_digest,
)
from keras_genzoo.presets.hubs import fetch, is_address, name_of
from keras_genzoo.saved_models import find_version, models_in
from keras_genzoo.text import shown
from keras_genzoo.training.placed_runs import RUNS, Files, place_run, read_part
from keras_genzoo.training.saved_model_runs import saved_model_run

MODEL = Path("model.keras")


def run_folder(path: str | os.PathLike, *, generates: bool = False) -> Path:
    """Return the run folder that ``path`` names: itself, or that of a preset or a SavedModel.

    The run folder of a preset is ``runs/NAME``, that of version 1 of a SavedModel ``runs/NAME-v1``;
    it is written when it is first asked for. Nothing is written beside a preset, nor into a folder
    that a server may watch.

    Args:
        path: a run folder; the name of a preset of the package, the folder of a preset, or its
            address at a hub, such as ``hf://USER/MODEL``; the folder of an exported SavedModel, or
            of its versions, of which the newest is taken.
        generates: whether a model is enough that generates images and does no more, as that of a
            SavedModel.

    Raises:
        GenzooError: if a preset or a SavedModel is damaged or not enough, another run lies at its
            place, or something else has the name of a preset.
    """
    if is_address(path):
        return _run_at_hub(os.fspath(path))
    path = Path(path)
    version = find_version(path)
    if version is not None:
        if not generates:
            raise GenzooError(
                f"{shown(path)} is a SavedModel, not a run; genzoo sample, interpolate, evaluate "
                "and playground take it, and for all else name the run or the preset that it was "
                "exported from"
            )
        return saved_model_run(version)
    preset = find_preset(path)
    if preset is None:
        _check_no_preset_hidden(path)
        if generates and not (path / "config.json").exists() and (names := models_in(path)):
            raise GenzooError(
                f"{shown(path)} holds several models; name the folder of one: {', '.join(names)}"
            )
        return path
    name = preset.resolve().name
    place = RUNS / name
    if place.exists() and place.samefile(preset):
        raise GenzooError(
            f"{shown(place)} is a preset in the place of its own run folder; move it to another "
            "folder, such as presets"
        )
    return _preset_run(preset, name)


def _check_no_preset_hidden(path: Path) -> None:
    """Check that a path that is no preset is not meant to be one.

    Raises:
        GenzooError: if it is near to the name of a preset, or stands in the way of one.
    """
    if not path.exists() and (near := nearest_preset(path)):
        raise GenzooError(f"there is no run {shown(path)}{near}")
    if os.fspath(path) in bundled_presets() and not (path / "config.json").exists():
        raise GenzooError(
            f"here lies {shown(path)}, which is no run and hides the preset of that name; "
            "move it, or work in another folder"
        )


def _run_at_hub(address: str) -> Path:
    """Return the run folder of a preset at a hub.

    Raises:
        GenzooError: if it cannot be fetched, or has no record of its training.
    """
    name, preset = name_of(address), fetch(address)
    if not is_preset(preset):
        raise GenzooError(
            f"{shown(address)} lacks {RECORD} or a file of its model; commands need what 'genzoo "
            "export --format preset' writes, and in Python keras_genzoo.models.from_preset opens "
            "the model alone"
        )
    return _preset_run(preset, name)


def _preset_run(preset: Path, name: str) -> Path:
    """Return the run folder of a preset."""

    def read() -> Files:
        files = {MODEL: keras_archive(preset)}
        if (preset / SCORES).is_file():
            read_part(preset / SCORES)
            files[Path(SCORES)] = (preset / SCORES).read_bytes()
        return files

    origin = {"name": name, "digest": preset_digest(preset)}
    return place_run(RUNS / name, "preset", origin, preset / RECORD, read)
