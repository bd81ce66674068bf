"""What a run folder may hold: what the package wrote there, and may replace, delete or read.

Nothing else is ever deleted with a run, and nothing is read or written through a link in it.
"""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError

MADE_BY = "keras_genzoo"
# What a run remembers of its data.
DATA = ("image_shape", "num_images", "num_classes", "class_names", "fingerprint")

# How figures are written.
FORMATS = ("png", "svg")


def _in_formats(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}.{suffix}" for name in names for suffix in FORMATS)


FIGURES = (
    *_in_formats(
        "curves",
        "real_and_generated",
        "classes",
        "reconstructions_and_walk",
        "latent_map",
        "latent_manifold",
    ),
    "training.gif",
)
UMAP = (
    *_in_formats("maps", "galleries-*", "magnified-*"),
    "map.html",
    "umap.json",
    "umap.npz",
)
# Files by the folder that they lie in.
_FILES = {
    "": (
        "config.json",
        "history.csv",
        "model.keras",
        ".lock",
        "evaluation.json",
        "report.html",
        "sample.png",
        "reconstruct.png",
        "interpolate.png",
        *_in_formats("latent"),
    ),
    "checkpoints": ("step-*.npz",),
    "samples": ("step-*.png",),
    "logs": ("events.out.tfevents.*",),
    "figures": FIGURES,
    "umap": UMAP,
    "export": tuple(
        f"*.{kind}{card}" for kind in ("keras", "tflite", "onnx") for card in ("", ".json")
    ),
}
# Half-written by a process that was killed.
_TEMPORARY = ".tmp-*"


def is_run(config: Any) -> bool:
    """Whether a ``config.json`` holds what this package writes into that of a run.

    Runs of a time before the marker have the same three parts, and name the package's version.

    >>> is_run({"settings": {"theme": "dark"}})
    False
    """
    if not isinstance(config, dict):
        return False
    settings, data, versions = (config.get(name) for name in ("settings", "data", "versions"))
    if not (isinstance(settings, dict) and isinstance(data, dict)):
        return False
    marked = config.get("made_by") == MADE_BY
    old = set(config) == {"settings", "data", "versions"} and isinstance(versions, dict)
    old = old and MADE_BY in versions
    return (marked or old) and {"model", "dataset"} <= set(settings) and set(DATA) <= set(data)


def check_only_own(path: Path) -> None:
    """Check that a run folder holds nothing but what the package wrote there.

    Raises:
        GenzooError: if it does; names the first such file.
    """
    for file in _foreign(path):
        raise GenzooError(
            f"{path} holds {file.relative_to(path)}, which is not part of a run; --force replaces "
            "only what this package wrote: move it, or choose another --out"
        )


def _foreign(path: Path) -> Iterator[Path]:
    """Give what is neither a file of a run nor a folder of such files."""
    for entry in sorted(path.iterdir()):
        if entry.is_symlink():
            yield entry
        elif entry.is_dir():
            if fnmatch.fnmatchcase(entry.name, _TEMPORARY):
                continue
            if entry.name not in _FILES:
                yield entry
                continue
            yield from (file for file in sorted(entry.iterdir()) if not _is_own(file, entry.name))
        elif not _is_own(entry, ""):
            yield entry


def _is_own(file: Path, folder: str) -> bool:
    if file.is_symlink():
        return False
    if fnmatch.fnmatchcase(file.name, _TEMPORARY):
        return True
    if not file.is_file():
        return False
    if folder == "export":
        # An exported file and its card lie beside each other.
        model = file.with_suffix("") if file.suffix == ".json" else file
        return _matches(model.name, folder) and model.with_name(f"{model.name}.json").is_file()
    return _matches(file.name, folder)


def _matches(name: str, folder: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _FILES[folder])


def check_no_links(path: Path) -> None:
    """Check that nothing of a run is a link: none is followed to what lies elsewhere.

    The run folder itself may be reached by a link. Links of other names are no part of the run.

    Raises:
        GenzooError: if something is, or the folder cannot be read.
    """
    try:
        links = list(_links(path))
    except OSError as error:
        raise GenzooError(
            f"cannot read the run {path}: {error.strerror}; check the path and permissions"
        ) from error
    for link in links:
        raise GenzooError(
            f"{link} is a link to {os.readlink(link)}; a run is read and written in its own folder "  # noqa: PTH115
            "only: put what it points to in its place, or move the whole run and link that"
        )


def _links(path: Path) -> Iterator[Path]:
    for entry in sorted(path.iterdir()):
        if entry.name in _FILES or _matches(entry.name, ""):
            if entry.is_symlink():
                yield entry
            elif entry.is_dir():
                yield from (file for file in sorted(entry.rglob("*")) if file.is_symlink())
