"""The files that the package writes into a run folder, which it may read, replace or delete.

A run folder that holds any other file is never replaced, and nothing in it is read or written
through a link.
"""

import fnmatch
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError

MADE_BY = "keras_genzoo"
# What a run records about its data, in ``data`` of config.json.
DATA = ("image_shape", "num_images", "num_classes", "class_names", "fingerprint")

# File formats of the figures.
FORMATS = ("png", "svg")


def _in_formats(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}.{suffix}" for name in names for suffix in FORMATS)


def _numbered(name: str) -> tuple[str, ...]:
    """Return patterns for a name and for the ones that ``next_free`` derives: ``name-2``, ..."""
    stem, _, suffix = name.partition(".")
    return name, *(f"{stem}-{'[0-9]' * digits}.{suffix}" for digits in (1, 2, 3, 4))


# The folder with the SavedModel of a run that was made of one.
SAVED_MODEL = "saved_model"

FIGURES = (
    *_in_formats(
        "curves",
        "real_and_generated",
        "classes",
        "codes",
        "reconstructions_and_walk",
        "latent_map",
        "latent_manifold",
        "path",
        "quality",
    ),
    "training.gif",
    "figures.json",
)
UMAP = (
    *_in_formats("maps", "galleries-*", "magnified-*"),
    "map.html",
    "umap.json",
    "umap.npz",
)
# Patterns of file names, by folder.
_FILES = {
    "": (
        "config.json",
        "history.csv",
        "model.keras",
        ".lock",
        "evaluation.json",
        "report.html",
        "playground.html",
        *_numbered("sample.png"),
        *_numbered("reconstruct.png"),
        *_numbered("interpolate.png"),
        *(name for file in _in_formats("latent") for name in _numbered(file)),
    ),
    "checkpoints": (f"step-{8 * '[0-9]'}.npz",),
    "samples": (f"step-{8 * '[0-9]'}*.png",),
    "logs": ("events.out.tfevents.*",),
    "figures": FIGURES,
    "umap": UMAP,
    SAVED_MODEL: (
        *("saved_model.pb", "variables.index", "variables.data-*", "card.json", "genzoo.json"),
    ),
    "export": tuple(
        f"*.{kind}{card}" for kind in ("keras", "tflite", "onnx") for card in ("", ".json")
    ),
}
# Left behind by a process that was killed while writing; only the names that `tempfile` generates.
_TEMPORARY = re.compile(r"\.tmp-(?:file-)?[a-z0-9_]{8}(?:-old|\.\w+)?")


def is_run(config: Any) -> bool:
    """Whether a ``config.json`` was written by this package for a run.

    It has the marker ``made_by``. The first versions wrote no marker; their files have exactly the
    parts ``settings``, ``data`` and ``versions``, and ``versions`` names this package.

    >>> is_run({"settings": {"theme": "dark"}})
    False
    """
    if not isinstance(config, dict):
        return False
    settings, data, versions = (config.get(name) for name in ("settings", "data", "versions"))
    if not (isinstance(settings, dict) and isinstance(data, dict)):
        return False
    marked = config.get("made_by") == MADE_BY
    old = set(config) == {"settings", "data", "versions"}
    old = old and isinstance(versions, dict) and MADE_BY in versions
    return (marked or old) and {"model", "dataset"} <= set(settings) and set(DATA) <= set(data)


def check_only_own(path: Path) -> None:
    """Check that a run folder holds only files that this package wrote.

    Raises:
        GenzooError: if it holds any other file; names the first one.
    """
    for file in _foreign(path):
        raise GenzooError(
            f"{path} holds {file.relative_to(path)}, which is not part of a run; --force replaces "
            "only what this package wrote: move it, or choose another --out"
        )


def _foreign(path: Path) -> Iterator[Path]:
    """Yield every entry that is neither a file of a run nor a folder of such files."""
    for entry in sorted(path.iterdir()):
        if entry.is_symlink():
            yield entry
        elif entry.is_dir():
            if is_temporary(entry):
                continue
            if entry.name not in _FILES:
                yield entry
                continue
            inside = _files_below(entry) if entry.name == SAVED_MODEL else entry.iterdir()
            yield from (file for file in sorted(inside) if not _is_own(file, entry.name))
        elif not _is_own(entry, ""):
            yield entry


def _files_below(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _is_own(file: Path, folder: str) -> bool:
    if file.is_symlink():
        return False
    if is_temporary(file):
        return True
    if not file.is_file():
        return False
    if folder == "export":
        # An exported file belongs to the run only if its card is beside it.
        model = file.with_suffix("") if file.suffix == ".json" else file
        return _matches(model.name, folder) and model.with_name(f"{model.name}.json").is_file()
    return _matches(file.name, folder)


def is_temporary(path: Path) -> bool:
    """Whether a file or folder has the name of a temporary one, used while a file is written.

    >>> is_temporary(Path(".tmp-k3_xw09q.npz")), is_temporary(Path(".tmp-notes"))
    (True, False)
    """
    return bool(_TEMPORARY.fullmatch(path.name))


def _matches(name: str, folder: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _FILES[folder])


def check_lock(file: Path) -> None:
    """Check that the lock file of a run is a plain file without other links to it.

    Old versions of filelock truncate the file that they lock, which must not be another one.

    Raises:
        GenzooError: if it is a symbolic or hard link, or not a file.
    """
    try:
        status = file.lstat()
    except OSError:
        return
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        raise GenzooError(f"{file} is a link or not a file; remove it")


def check_no_links(path: Path) -> None:
    """Check that all files of a run are plain files and folders.

    A link could lead reading or writing out of the run folder, and reading a pipe or a device could
    block or never end. The run folder itself may be a link, and entries whose names are not those
    of a run's files are ignored.

    Raises:
        GenzooError: if one is a link, a pipe, a device or a socket, or the folder cannot be read.
    """
    try:
        special = list(_special_files(path))
    except OSError as error:
        raise GenzooError(
            f"cannot read the run {path}: {error.strerror}; check the path and permissions"
        ) from error
    for file in special:
        if not file.is_symlink():
            raise GenzooError(f"{file} is neither a file nor a folder; remove it")
        raise GenzooError(
            f"{file} is a link to {os.readlink(file)}; a run is read and written in its own folder "  # noqa: PTH115
            "only: put what it points to in its place, or move the whole run and link that"
        )


def _special_files(path: Path) -> Iterator[Path]:
    """Yield the entries of a run that are a link, a pipe, a device or a socket."""
    for entry in sorted(path.iterdir()):
        if entry.name in _FILES or _matches(entry.name, ""):
            if not _is_plain(entry):
                yield entry
            elif entry.is_dir():
                yield from (file for file in sorted(entry.rglob("*")) if not _is_plain(file))


def _is_plain(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode)
