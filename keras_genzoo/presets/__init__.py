"""Trained models that come with the package: one folder each, named as the preset.

A preset is a folder of what ``keras.saving.save_model(model, folder, zipped=False)`` writes
(``config.json``, ``metadata.json``, ``model.weights.h5``), with ``genzoo.json``, the record of the
run that trained it, ``README.md``, its card, and ``evaluation.json``, its scores. Naming presets
imports neither NumPy nor TensorFlow.
"""

import difflib
import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit
from keras_genzoo.text import shown

# What Keras writes, in the order of a ``.keras`` archive.
KERAS_FILES = ("metadata.json", "config.json", "model.weights.h5")
RECORD, CARD, SCORES = "genzoo.json", "README.md", "evaluation.json"
PRESET_FILES = (*KERAS_FILES, RECORD, CARD, SCORES)
BUNDLED = Path(__file__).parent


def bundled_presets() -> list[str]:
    """Return the names of the presets in the package, in alphabetical order."""
    return sorted(folder.parent.name for folder in BUNDLED.glob(f"*/{KERAS_FILES[-1]}"))


def is_preset(path: str | os.PathLike) -> bool:
    """Whether a folder holds a preset that ``genzoo`` commands can take: a model and its record.

    >>> is_preset("no_such_folder")
    False
    """
    return all((Path(path) / name).is_file() for name in (*KERAS_FILES, RECORD))


def find_preset(name: str | os.PathLike) -> Path | None:
    """Return the folder of a preset: that of the package with this name, or the path itself.

    A path that exists comes before a name.

    >>> find_preset("no_such_preset") is None
    True
    """
    path = Path(name)
    if path.exists():
        return path if is_preset(path) else None
    return BUNDLED / path if os.fspath(name) in bundled_presets() else None


def nearest_preset(name: str | os.PathLike) -> str:
    """Return a half-sentence that names the preset nearest to a wrong name, "" if none is near."""
    near = difflib.get_close_matches(os.fspath(name), bundled_presets(), 1)
    return f"; did you mean the preset '{near[0]}'?" if near else ""


def keras_archive(folder: str | os.PathLike) -> bytes:
    """Return the content of the ``.keras`` file that holds the model of a preset.

    Raises:
        GenzooError: if the folder lacks one of Keras' files, or one is not a plain file.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in KERAS_FILES:
            # The time of a file would change the archive from one copy to the next.
            archive.writestr(zipfile.ZipInfo(name), _read(Path(folder) / name))
    return content.getvalue()


def preset_digest(folder: str | os.PathLike) -> str:
    """Return a digest of the model in a preset and of its record, 16 hexadecimal digits.

    Raises:
        GenzooError: as ``keras_archive`` does.
    """
    digest = hashlib.sha256()
    for name in (*KERAS_FILES[1:], RECORD):
        digest.update(_read(Path(folder) / name))
    return digest.hexdigest()[:16]


def _read(file: Path) -> bytes:
    try:
        status = file.stat()
        # A pipe would be waited for without end.
        if not stat.S_ISREG(status.st_mode):
            raise GenzooError(f"{shown(file)} is not a file; a preset has one of that name")
        # The archive that holds it is made in memory, too.
        refuse_what_does_not_fit(2 * status.st_size, shown(file), "a preset has a smaller one")
        return file.read_bytes()
    except OSError as error:
        raise GenzooError(
            f"{shown(file.parent)} is not a preset: cannot read {file.name} ({error.strerror}); "
            "name a folder that save_to_preset or 'genzoo export --format preset' wrote, or a "
            f"preset of the package: {', '.join(bundled_presets()) or 'there are none'}"
        ) from error
