"""Telling what a person asked for by names alone: a data set, or which kind of file or folder.

No file is opened here, and no reader imported: the registry asks before it knows which it needs.
"""

import contextlib
import mimetypes
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from keras_genzoo.errors import GenzooError

DEFAULT_DATA_DIR = "~/tensorflow_datasets"
# Where Debian's packages install data sets, each in a folder of its name.
SYSTEM_FOLDERS = ("/usr/share/datasets", "/usr/local/share/datasets")
# As published: train-images-idx3-ubyte.gz, t10k-images.idx3-ubyte, emnist-letters-train-images-...
IDX_IMAGES = re.compile(
    r"(?P<set>.*?)(?P<split>train|t10k|test|validation|valid|val)-images[-.]idx3-ubyte(\.gz)?",
    re.IGNORECASE,
)
PARQUET = re.compile(r"(?!metadata\.).*\.parquet", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What a person asked for.

    Args:
        text: a name or a path, as given.
        is_path: whether it can be no name, being a ``Path``.
        data_dir: where tensorflow-datasets keeps data sets.
        manual_dir: where files fetched by hand lie.
    """

    text: str
    is_path: bool = False
    data_dir: str | os.PathLike | None = None
    manual_dir: str | os.PathLike | None = None

    @property
    def path(self) -> Path:
        """The text as a path."""
        return Path(self.text).expanduser()


@dataclass(frozen=True)
class SourceKind:
    """A kind of source: what it is, when it is taken, and the function that opens it.

    Args:
        words: what it is, for a text such as "a folder of images or an .npz file".
        takes: whether it is this that a person asked for.
        opens: import path ``"module:function"`` of what opens it: called with the path (or the
            name, where ``by_name``), the split, and the keywords ``image_size`` and ``channels``;
            a path also with ``labels``, a name with ``data_dir``, ``manual_dir`` and ``download``.
        suffixes: how its files' names end, if they are known by that.
        by_name: whether it is asked for by a name and not by a path.
        of_folders: whether folders in it may be classes.
    """

    words: str
    takes: Callable[[Asked], bool]
    opens: str
    suffixes: tuple[str, ...] = ()
    by_name: bool = False
    of_folders: bool = False


def file_kind(words: str, suffix: str, opens: str, of_folders: bool = False) -> SourceKind:
    """Return a kind that is a file with this suffix, in any letter case."""

    def takes(asked: Asked) -> bool:
        return asked.path.suffix.lower() == suffix and asked.path.is_file()

    return SourceKind(words, takes, opens, (suffix,), of_folders=of_folders)


def is_folder(asked: Asked) -> bool:
    """Whether it is a folder."""
    return asked.path.is_dir()


def is_idx(asked: Asked) -> bool:
    """Whether it is a file named like IDX images, or a folder that holds such."""
    if asked.path.is_dir():
        return idx_folder(asked.path) is not None
    return bool(re.search(r"idx\d-ubyte(\.gz)?$", asked.text, re.I)) and asked.path.is_file()


def idx_folder(path: Path) -> Path | None:
    """Return a folder with IDX images, itself or the ``raw`` in it (torchvision's); None if none.

    >>> idx_folder(Path("."))
    """
    for folder in (path, path / "raw"):
        if _holds(folder, IDX_IMAGES):
            return folder
    return None


def is_parquet(asked: Asked) -> bool:
    """Whether it is a parquet file, or a folder with such at its top or in its first folders."""
    path = asked.path
    if path.is_dir():
        return parquet_folder(path) is not None
    return path.suffix.lower() == ".parquet" and path.is_file()


def parquet_folder(path: Path) -> Path | None:
    """Return the folder of parquet files meant by a folder; None if there are none.

    It is the folder itself, or the ``data`` in it, as Hugging Face's hub lays them out. Where they
    lie in folders named like splits, those belong to the folder above. ``metadata.parquet`` beside
    images is none of them.

    Raises:
        GenzooError: if there are several, none of which is meant.
    """
    for folder in (path, path / "data"):
        if _holds(folder, PARQUET):
            return folder
    inside = [name for name in folder_names(path) if _holds(path / name, PARQUET)]
    if not inside:
        return None
    if all(split_named(name) for name in inside):
        return path
    if len(inside) > 1:
        raise GenzooError(
            f"{path} holds several folders of parquet files ({', '.join(inside[:5])}); name one"
        )
    return path / inside[0]


def split_named(name: str) -> str | None:
    """Return the split that the first word of a name says; None if it says none.

    >>> split_named("train-00000-of-00002.parquet"), split_named("0000.parquet")
    ('train', None)
    """
    from keras_genzoo.data.layout import split_of

    return split_of(re.match(r"[A-Za-z]*", name)[0])


def installed_folder(name: str) -> Path | None:
    """Return the folder in which a Debian package has installed a data set's IDX files."""
    for place in SYSTEM_FOLDERS:
        for spelt in (name, name.replace("_", "-")):
            if folder := idx_folder(Path(place) / spelt):
                return folder
    return None


def is_prepared_by_name(asked: Asked) -> bool:
    """Whether tensorflow-datasets has prepared a data set, as far as file names tell."""
    folder = Path(asked.data_dir or DEFAULT_DATA_DIR).expanduser() / asked.text
    return next(folder.glob("*/dataset_info.json"), None) is not None


def file_names(folder: Path) -> list[str]:
    """Return the names of the visible files in a folder, sorted; none if it cannot be read."""
    return sorted(entry.name for entry in _visible(folder) if _is(entry, "is_file"))


def folder_names(folder: Path) -> list[str]:
    """Return the names of the visible folders in a folder, sorted."""
    return sorted(entry.name for entry in _visible(folder) if _is(entry, "is_dir"))


def _visible(folder: Path) -> Iterator[os.DirEntry]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.name.startswith((".", "__MACOSX")))


def _is(entry: os.DirEntry, what: str) -> bool:
    """Whether an entry is a file or folder; a link that leads in a circle is neither."""
    with contextlib.suppress(OSError):
        return getattr(entry, what)()
    return False


def _holds(folder: Path, names: re.Pattern) -> bool:
    """Whether a folder holds a file named so; the first image in it says that it does not."""
    for entry in _visible(folder):
        if names.fullmatch(entry.name) and _is(entry, "is_file"):
            return True
        # A folder of a million images is not to be listed for this.
        if (mimetypes.guess_type(entry.name)[0] or "").startswith("image/"):
            return False
    return False
