"""Folders and files, on the disk or inside a ``.zip``, under one name: ``faces.zip/cat/1.png``.

An archive is read in place; nothing is unpacked onto the disk. What lies in a folder, and what it
means, is for others to say.
"""

import contextlib
import functools
import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO

from keras_genzoo.errors import GenzooError

# No image file is larger; one that declares more bytes was made to fill memory.
LARGEST = 256 * 2**20

# Errors of zipfile and NumPy on damaged archives. Damage may look like a password (RuntimeError) or
# an unknown compression (NotImplementedError).
READ_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextlib.contextmanager
def scan(folder: str | os.PathLike[str]) -> Iterator[Iterator]:
    """Open a folder, and give its entries as ``os.scandir`` does; an archive is a folder.

    Raises:
        GenzooError: if it is an archive that cannot be read, or encrypted.
        OSError: if it is a folder that cannot be read.
    """
    try:
        entries = os.scandir(folder)
    except NotADirectoryError:
        archive, inside = _find(folder)
        yield iter([_Entry(archive, inside, name) for name in archive.folder(inside)])
        return
    with entries:
        yield entries


def status(path: str | os.PathLike) -> os.stat_result | SimpleNamespace:
    """Return what is known of a file or folder, as ``os.stat`` does.

    Raises:
        OSError: if there is none.
    """
    try:
        return os.stat(path)  # noqa: PTH116
    except NotADirectoryError:
        archive, inside = _find(path)
        return archive.status(inside)


def open_file(path: str | os.PathLike) -> IO[bytes]:
    """Open a file to be read; one inside an archive has been read, and compared with its sum.

    Raises:
        OSError: if it cannot be read.
    """
    try:
        return open(path, "rb")  # noqa: PTH123
    except NotADirectoryError:
        archive, inside = _find(path)
        return io.BytesIO(archive.read(inside))


def refuse_large(size: int) -> None:
    """Check the size of a file before it is read.

    Raises:
        OSError: if no image is as large.
    """
    if size > LARGEST:
        raise OSError(f"says to be of {size:,} bytes, which no image is")


class _Archive:
    """The folders and files of a ``.zip``. It stays open, and any thread may read."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except READ_ERRORS as error:
            raise GenzooError(f"cannot read {path}: {_words(error)}; expected a .zip") from error
        self._folders: dict[str, dict[str, zipfile.ZipInfo | None]] = {"": {}}
        for member in self._zip.infolist():
            # Some Windows programs separate folders by backslashes.
            parts = [part for part in member.filename.replace("\\", "/").split("/") if part]
            if ".." in parts or not parts:
                continue
            if member.flag_bits & 1:
                raise GenzooError(
                    f"{path} is encrypted ({member.filename}); unpack it, and give the folder"
                )
            self._add(parts, None if member.is_dir() else member)

    def folder(self, inside: str) -> list[str]:
        """Return the names in a folder.

        Raises:
            NotADirectoryError: if it is none.
        """
        if inside not in self._folders:
            raise NotADirectoryError(20, "Not a directory", f"{self.path}/{inside}")
        return list(self._folders[inside])

    def status(self, inside: str) -> SimpleNamespace:
        """Return what is known of a file or folder.

        Raises:
            FileNotFoundError: if there is none.
        """
        if inside in self._folders:
            return SimpleNamespace(st_mode=stat.S_IFDIR, st_size=0, st_dev=self.path, st_ino=inside)
        size = self._member(inside).file_size
        return SimpleNamespace(st_mode=stat.S_IFREG, st_size=size, st_dev=self.path, st_ino=inside)

    def read(self, inside: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: if there is none, or it is damaged, or says to be larger than any image.
        """
        member = self._member(inside)
        refuse_large(member.file_size)
        try:
            return self._zip.read(member)
        except READ_ERRORS as error:
            raise OSError(_words(error)) from error

    def _member(self, inside: str) -> zipfile.ZipInfo:
        outer, _, name = inside.rpartition("/")
        member = self._folders.get(outer, {}).get(name)
        if member is None:
            raise FileNotFoundError(2, "No such file in the archive", f"{self.path}/{inside}")
        return member

    def _add(self, parts: list[str], member: zipfile.ZipInfo | None) -> None:
        inside = ""
        for part in parts if member is None else parts[:-1]:
            self._folders[inside].setdefault(part, None)
            inside = f"{inside}/{part}" if inside else part
            self._folders.setdefault(inside, {})
        if member is not None:
            self._folders[inside][parts[-1]] = member


class _Entry:
    """An entry of a folder, as ``os.DirEntry``."""

    def __init__(self, archive: _Archive, inside: str, name: str):
        self._archive = archive
        self._inside = f"{inside}/{name}" if inside else name
        self.name, self.path = name, f"{archive.path}/{self._inside}"

    def stat(self) -> SimpleNamespace:
        """Return what is known of it."""
        return self._archive.status(self._inside)

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.stat().st_mode)

    def is_file(self) -> bool:
        """Whether it is a file."""
        return not self.is_dir()


def _find(path: str | os.PathLike) -> tuple[_Archive, str]:
    """Return the archive that a path leads into, and what is behind it.

    Raises:
        NotADirectoryError: if it leads into another file.
    """
    path = Path(path)
    for outer in (path, *path.parents):
        if outer.suffix.lower() == ".zip" and outer.is_file():
            known = outer.stat()
            inside = path.relative_to(outer).as_posix()
            archive = _opened(outer, known.st_size, known.st_mtime_ns, known.st_ino)
            return archive, "" if inside == "." else inside
    raise NotADirectoryError(20, "Not a directory", str(path))


# Size, time and inode are part of the key: an archive that was replaced is opened anew.
@functools.lru_cache(maxsize=8)
def _opened(path: Path, *_: int) -> _Archive:
    return _Archive(path)


def _words(error: BaseException) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return text or type(error).__name__
