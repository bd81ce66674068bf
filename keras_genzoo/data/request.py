"""What a person asks for as data, and the tests by which a kind of source recognises it.

They look at names of files only: none is opened, and no reader imported, before it is known which
kind of source is needed.
"""

import contextlib
import mimetypes
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from keras_genzoo.errors import GenzooError

if TYPE_CHECKING:
    from keras_genzoo.data.source import Source

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
class DataRequest:
    """The name or path of data that a person gives, and where such data may lie.

    Args:
        text: a name or a path, as given.
        is_path: whether it was given as a ``Path``, so that it is no name.
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
        takes: whether a request asks for this kind.
        opens: what opens it, a function or its import path ``"module:function"``: called with the
            path (or the name, where ``by_name``), the split, and the keywords ``image_size`` and
            ``channels``; a path also with ``labels``, a name with ``data_dir``, ``manual_dir`` and
            ``download``. It returns a ``Source``, and refuses a split that the data lacks by
            ``check_split``.
        suffixes: how its files' names end, if they are known by that.
        by_name: whether a person gives a name and not a path.
        of_folders: whether folders in it may be classes.
        of_tensorflow_datasets: whether tensorflow-datasets prepares and checks what has this name.

    A kind of your own, whose files hold one array, in a module for ``genzoo --import MODULE``:

    >>> import numpy as np
    >>> from keras_genzoo.data import SOURCES, ArraySource, check_split, file_kind
    >>> def open_raw(path, split, *, image_size, channels, labels):
    ...     check_split(str(path), split, ["train"])
    ...     images = np.frombuffer(path.read_bytes(), "uint8").reshape(-1, 28, 28)
    ...     return ArraySource(images, image_size=image_size, channels=channels, name=str(path))
    >>> kind = file_kind("a .raw file", ".raw", open_raw)

    ``SOURCES.register("raw", kind)`` adds it.
    """

    words: str
    takes: Callable[[DataRequest], bool]
    opens: str | Callable[..., "Source"]
    suffixes: tuple[str, ...] = ()
    by_name: bool = False
    of_folders: bool = False
    of_tensorflow_datasets: bool = False


def file_kind(
    words: str, suffix: str, opens: str | Callable[..., "Source"], of_folders: bool = False
) -> SourceKind:
    """Return a kind that is a file with this suffix, in any letter case."""

    def takes(request: DataRequest) -> bool:
        return request.path.suffix.lower() == suffix and request.path.is_file()

    return SourceKind(words, takes, opens, (suffix,), of_folders=of_folders)


def is_folder(request: DataRequest) -> bool:
    """Whether it is a folder."""
    return request.path.is_dir()


def is_idx(request: DataRequest) -> bool:
    """Whether it is a file named like IDX images, or a folder that holds such."""
    if request.path.is_dir():
        return idx_folder(request.path) is not None
    return bool(re.search(r"idx\d-ubyte(\.gz)?$", request.text, re.I)) and request.path.is_file()


def idx_folder(path: Path) -> Path | None:
    """Return a folder with IDX images, itself or the ``raw`` in it (torchvision's); None if none.

    >>> idx_folder(Path("."))
    """
    for folder in (path, path / "raw"):
        if _holds(folder, IDX_IMAGES):
            return folder
    return None


def is_parquet(request: DataRequest) -> bool:
    """Whether it is a parquet file, or a folder with such at its top or in its first folders."""
    path = request.path
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

    return split_of(re.split(r"[^A-Za-z]", name, maxsplit=1)[0])


def installed_folder(name: str) -> Path | None:
    """Return the folder in which a Debian package has installed a data set's IDX files."""
    for place in SYSTEM_FOLDERS:
        for spelt in (name, name.replace("_", "-")):
            if folder := idx_folder(Path(place) / spelt):
                return folder
    return None


def is_prepared_by_name(request: DataRequest) -> bool:
    """Whether tensorflow-datasets has prepared a data set, as far as file names tell."""
    folder = Path(request.data_dir or DEFAULT_DATA_DIR).expanduser() / request.text
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
        # Stop at the first image: listing a folder of a million would take long.
        if (mimetypes.guess_type(entry.name)[0] or "").startswith("image/"):
            return False
    return False
