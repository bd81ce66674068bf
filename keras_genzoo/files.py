"""Writing files so that a reader never meets half of one, nor does who comes after a power cut."""

import contextlib
import errno
import fnmatch
import json
import math
import os
import secrets
import shutil
import signal
import stat
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary file of ``path``'s suffix; put it in place when the block succeeds.

    Whatever goes wrong in the block, ``path`` keeps its old content and the temporary file goes;
    so it does at a SIGTERM that would end the process. A link at ``path`` is replaced, not
    followed.

    Raises:
        GenzooError: if the place cannot be written (no permission, full disk, read-only).
    """
    path = Path(path)
    with exit_on_sigterm():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with private_folder(path.parent, FILE_PREFIX) as folder:
                # The suffix is kept: Keras and Pillow choose the format by it.
                temporary = folder / f"new{path.suffix}"
                mode = _made(temporary)
                yield temporary
                _finish(temporary, mode)
                temporary.replace(path)
                flush(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error


# Of the folders that hold one file being written: what remains of a killed process can go.
FILE_PREFIX = ".tmp-file-"


@contextlib.contextmanager
def private_folder(parent: Path, prefix: str = ".tmp-") -> Iterator[Path]:
    """Give an empty folder inside ``parent`` whose place no one else can know; it goes at the end.

    Where others may write in ``parent``, they can rename what lies there and put something else
    under its name. The folder given has a random name inside one that only its owner may look
    into: what is written by name either lands in it or fails.

    Raises:
        OSError: if ``parent`` cannot be written.
    """
    outer = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    inner = outer / secrets.token_hex(8)
    try:
        inner.mkdir()
        yield inner
    finally:
        shutil.rmtree(inner, ignore_errors=True)
        with contextlib.suppress(OSError):
            outer.rmdir()


def _made(path: Path) -> int:
    """Make a new empty file; return the mode that this process gives to its files."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        return stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)


def _finish(path: Path, mode: int) -> None:
    """Give a file its mode and flush it, both through one handle.

    Raises:
        OSError: if it is no file of its own any more.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise OSError(errno.EEXIST, "another process changed the temporary file")
        # Some writers make a file that only its owner can read.
        if stat.S_IMODE(status.st_mode) != mode:
            os.fchmod(handle, mode)
        _flush(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Let a SIGTERM in the block end the process as an exception does, unless others await it."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def writing_folder(path: str | os.PathLike, *, replace: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside ``path``; put it in place when the block succeeds.

    Whatever goes wrong in the block, ``path`` keeps what it holds and the temporary folder goes; so
    it does at a SIGTERM that would end the process.
    A reader meets the old folder or the new one, never a mixture.

    Args:
        path: the folder; a link to one is followed. An empty one counts as none.
        replace: whether a folder that is there goes, with all that it holds; the caller has looked
            that nothing else is lost.

    Raises:
        GenzooError: if the place cannot be written, or is taken and ``replace`` is not given.
    """
    place = Path(path).resolve()
    with exit_on_sigterm():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with private_folder(place.parent) as private:
                temporary = private / "new"
                temporary.mkdir()
                with hide_temporary_paths(temporary):
                    yield temporary
                flush_tree(temporary)
                if replace and place.is_dir():
                    _swap(temporary, place, private.with_name(f"{private.name}-old"))
                else:
                    temporary.rename(place)
                flush(place.parent)
        except OSError as error:
            raise unwritable(path, error) from error


@contextlib.contextmanager
def hide_temporary_paths(folder: Path) -> Iterator[None]:
    """Raise what the system refused in a temporary folder, of which no person knows the name.

    Raises:
        OSError: in place of the error that names a file of the folder.
    """
    try:
        yield
    except GenzooError as error:
        if isinstance(error.__cause__, OSError) and shown(folder) in str(error):
            raise error.__cause__ from None
        raise


def _swap(new: Path, place: Path, old: Path) -> None:
    """Put a folder in the place of another, by way of ``old``; if it fails, nothing has changed.

    Raises:
        OSError: if the system refuses.
    """
    try:
        # A rename cannot replace a folder that holds something.
        place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk now.

    A rename alone may reach the disk before what the file holds, and a power cut then leaves an
    empty file under the new name. File systems that cannot do it are left to themselves.

    Raises:
        OSError: if the disk is full or broken, which some file systems only say now.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
        return
    try:
        _flush(handle)
    finally:
        os.close(handle)


def _flush(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise


# What systems answer that cannot flush a folder, or any file.
_CANNOT_FLUSH = (
    errno.EINVAL,
    errno.ENOTSUP,
    errno.ENOSYS,
    errno.EBADF,
    errno.EACCES,
    errno.EPERM,
    errno.EISDIR,
)


def flush_tree(folder: Path) -> None:
    """Flush a folder and all that lies in it, the folders after what they hold.

    Raises:
        OSError: as ``flush`` does.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_symlink():
            flush(path)
    flush(folder)


def new_figure_path(path: str | os.PathLike, force: bool) -> Path:
    """Return the place of a figure, without suffix, if both its PNG and its SVG may be written.

    Raises:
        GenzooError: as ``new_file``, which looks at each.
    """
    plain = new_file(path, force, ".png").with_suffix("")
    for suffix in (".png", ".svg"):
        new_file(plain.with_name(plain.name + suffix), force, suffix)
    return plain


def new_file(path: str | os.PathLike, force: bool, *suffixes: str) -> Path:
    """Return ``path`` if it may be written, as a file with one of ``suffixes``.

    Raises:
        GenzooError: if it exists and ``force`` is not given, or has another suffix.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise GenzooError(f"{path} has none of the suffixes {', '.join(suffixes)}; add one")
    if path.is_dir() or (path.exists() and not force):
        raise GenzooError(f"{path} exists; choose another --out, or --force to replace it")
    return path


def next_free(path: str | os.PathLike, *suffixes: str) -> Path:
    """Return ``path``, or where it is taken the first of ``name-2``, ``name-3``, ... that is not.

    Args:
        path: a file.
        *suffixes: of the files that get the name; by default that of ``path`` alone.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Path(folder, "a.png").touch()
    ...     print(next_free(Path(folder, "a.png")).name, next_free(Path(folder, "b.png")).name)
    a-2.png b.png
    """
    path = Path(path)
    number, candidate = 1, path
    while any(os.path.lexists(candidate.with_suffix(s)) for s in suffixes or (path.suffix,)):
        number += 1
        candidate = path.with_stem(f"{path.stem}-{number}")
    return candidate


def new_folder(path: str | os.PathLike, force: bool, *ours: str) -> Path:
    """Return ``path`` if a folder may be written there, in place of what is there.

    Args:
        path: the folder.
        force: whether one that holds something may be replaced.
        *ours: patterns of the names that the writer gives: nothing else is ever replaced.

    Raises:
        GenzooError: if it is a file, or holds something that may not be replaced.
    """
    path = Path(path)
    if not path.exists():
        return path
    if not path.is_dir() or (any(path.iterdir()) and not force):
        raise GenzooError(f"{path} exists; choose another --out, or --force to replace what it has")
    for file in sorted(path.iterdir()):
        named = any(fnmatch.fnmatchcase(file.name, name) for name in ours)
        if not named or file.is_symlink() or not file.is_file():
            raise GenzooError(
                f"{path} holds {file.name}, which this command did not write; --force replaces "
                "only its own files: move it, or choose another --out"
            )
    return path


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write ``value`` as JSON, whole or not at all; as ``json_text`` writes it."""
    with writing(path) as temporary:
        temporary.write_text(json_text(value, indent=2) + "\n")


def json_text(value: Any, **options: Any) -> str:
    """Return ``value`` as JSON that every reader takes: what is not finite becomes null.

    Args:
        value: dictionaries, lists, texts, numbers and so on.
        **options: those of ``json.dumps``.

    >>> json_text({"psnr": float("inf"), "ssim": 1.0})
    '{"psnr": null, "ssim": 1.0}'
    """
    return json.dumps(_finite(value), allow_nan=False, **options)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_archive(path: str | os.PathLike) -> None:
    """Compare everything that a zip archive holds with its checksums.

    Raises:
        zipfile.BadZipFile: if anything differs, or the file is no archive.
    """
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"wrong checksum of {broken}")


def unwritable(path: str | os.PathLike, error: OSError) -> GenzooError:
    """Return the one-line error for a path that the system refused to write."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space or choose another place" if full else "choose another place"
    return GenzooError(f"cannot write {path}: {error.strerror or error}; {remedy}")
