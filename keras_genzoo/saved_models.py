"""Folders of exported SavedModels: their versions, and the files of each.

A version is what ``genzoo export`` writes and TF Serving takes: TensorFlow's files, a card, and the
record of the run that was exported. Finding one imports neither NumPy nor TensorFlow.
"""

import hashlib
import os
import stat
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown

GRAPH = Path("saved_model.pb")
WEIGHTS = Path("variables", "variables.index")
CARD, RECORD = (Path("assets.extra", name) for name in ("card.json", "genzoo.json"))
_SHARDS = "variables/variables.data-*"


def versions(base: Path) -> list[int]:
    """Return the numbers of the versions in a folder, in order."""
    return [int(folder.name) for folder in _numbered(base)]


def _numbered(base: Path) -> list[Path]:
    """Return the folders in a folder whose names are numbers, in order."""
    if not base.is_dir():
        return []
    found = (path for path in base.iterdir() if path.is_dir() and path.name.isdecimal())
    return sorted(found, key=lambda path: (int(path.name), path))


def find_version(path: str | os.PathLike) -> Path | None:
    """Return the folder of a SavedModel: the path itself, or the newest of the versions in it.

    None if the path is neither a SavedModel nor a folder of versions.

    >>> find_version("no_such_folder") is None
    True
    """
    path = Path(path)
    if (path / GRAPH).exists():
        return path
    if not any(path.glob(f"[0-9]*/{GRAPH}")):
        return None
    return next(reversed(_numbered(path)), None)


def models_in(folder: str | os.PathLike) -> list[str]:
    """Return the names of the models in a folder such as ``savedmodels``, each with versions.

    >>> models_in("no_such_folder")
    []
    """
    found = Path(folder).glob(f"*/[0-9]*/{GRAPH}")
    return sorted({file.parents[1].name for file in found if file.parent.name.isdecimal()})


def files_of(version: Path) -> list[Path]:
    """Return the files of a SavedModel that this package reads, relative to its folder.

    Raises:
        GenzooError: if one is missing or is no plain file, or another program wrote the SavedModel.
    """
    shards = sorted(file.relative_to(version) for file in version.glob(_SHARDS))
    names = [CARD, RECORD, GRAPH, WEIGHTS, *shards]
    for name in names:
        try:
            if stat.S_ISREG((version / name).stat().st_mode):
                continue
            reason = "it is no file"
        except OSError as error:
            reason = error.strerror or str(error)
        raise GenzooError(f"cannot read {shown(version / name)} ({reason}); {_remedy(name)}")
    return names


def _remedy(name: Path) -> str:
    if name == CARD:
        return "genzoo takes only SavedModels that 'genzoo export' wrote"
    if name == RECORD:
        return (
            "it has the settings that genzoo needs, and every version that 'genzoo export' writes "
            "has one: export the run again"
        )
    return "this SavedModel is damaged: export it again, or copy it anew"


def saved_model_digest(version: Path) -> str:
    """Return a digest of the files of a SavedModel, 16 hexadecimal digits.

    Raises:
        GenzooError: as ``files_of`` does, or if a file cannot be read.
    """
    digest = hashlib.sha256()
    for name in files_of(version):
        try:
            with (version / name).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise GenzooError(f"cannot read {shown(version / name)}: {error.strerror}") from error
    return digest.hexdigest()[:16]
