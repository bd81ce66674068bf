"""An exported SavedModel as a run: a run folder with its settings and a copy of it."""

from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit
from keras_genzoo.saved_models import RECORD, files_of, saved_model_digest
from keras_genzoo.text import shown
from keras_genzoo.training.contents import SAVED_MODEL
from keras_genzoo.training.placed_runs import RUNS, Files, place_run


def saved_model_run(version: Path) -> Path:
    """Return the run folder of a SavedModel: ``runs/NAME-v1`` for version 1 of NAME.

    A SavedModel whose folder is not named by a number has ``runs/NAME-saved_model``.

    Args:
        version: the folder of the SavedModel.

    Raises:
        GenzooError: if this package did not write the SavedModel, or it is damaged, or another run
            lies at its place.
    """
    whole = version.resolve()
    if whole.name.isdecimal():
        base = whole.parent.name
        name, words = f"{base}-v{whole.name}", f"{base}, version {whole.name}"
    else:
        name, words = f"{whole.name}-saved_model", whole.name

    def read() -> Files:
        return {Path(SAVED_MODEL, file): _content(version / file) for file in files_of(version)}

    origin = {"name": words, "digest": saved_model_digest(version)}
    return place_run(RUNS / name, "saved_model", origin, version / RECORD, read)


def _content(file: Path) -> bytes:
    try:
        refuse_what_does_not_fit(file.stat().st_size, shown(file), "export a smaller model")
        return file.read_bytes()
    except OSError as error:
        raise GenzooError(f"cannot read {shown(file)}: {error.strerror}") from error
