"""Writing files and folders atomically.

Everything is written to a temporary place, flushed to the disk, and then renamed. So readers see
the old content or the new one, also after a crash or a power cut.
"""

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
    """Yield a temporary file with the suffix of ``path``; rename it to ``path`` after the block.

    If the block fails, or SIGTERM ends the process, ``path`` keeps its old content and the
    temporary file is deleted. A link at ``path`` is replaced, not followed.

    Raises:
        GenzooError: if the file cannot be written (no permission, full disk, read-only).
    """
    path = Path(path)
    with exit_on_sigterm():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with private_folder(path.parent, FILE_PREFIX) as folder:
                # Keras and Pillow choose the file format by the suffix.
                temporary = folder / f"new{path.suffix}"
                mode = _create(temporary)
                yield temporary
                _finish(temporary, mode)
                temporary.replace(path)
                flush(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error


# Prefix of folders with one file that is being written. Those that a killed process left behind may
# be deleted.
FILE_PREFIX = ".tmp-file-"


@contextlib.contextmanager
def private_folder(parent: Path, prefix: str = ".tmp-") -> Iterator[Path]:
    """Yield an empty folder inside ``parent`` with a secret path; delete it after the block.

    If other users may write in ``parent``, they could rename a file there and put another one in
    its place. So the folder has a random name inside a folder that only its owner may list: others
    cannot name it, and writing to its path either succeeds or fails.

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


def _create(path: Path) -> int:
    """Create an empty file; return its mode, which is the process's default for new files."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        return stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)


def _finish(path: Path, mode: int) -> None:
    """Set the mode of a file and flush it, both through one file descriptor.

    Raises:
        OSError: if the path is no longer a plain file with one name.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise OSError(errno.EEXIST, "another process changed the temporary file")
        # Some libraries create files that only their owner can read.
        if stat.S_IMODE(status.st_mode) != mode:
            os.fchmod(handle, mode)
        _flush(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def exit_on_sigterm() -> Iterator[None]:
    """Make SIGTERM raise ``SystemExit`` in the block, so that temporary files are cleaned up.

    It changes nothing if the program has a handler of its own, or outside of the main thread.
    """
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
    """Yield a temporary folder beside ``path``; rename it to ``path`` after the block.

    If the block fails, or SIGTERM ends the process, ``path`` keeps its content and the temporary
    folder is deleted. A reader sees the old folder or the new one, never a mixture.

    Args:
        path: the folder; a link to a folder is followed. An empty folder is replaced.
        replace: whether an existing folder is deleted with all files in it; the caller has checked
            that it holds nothing else of value.

    Raises:
        GenzooError: if the folder cannot be written, or exists and ``replace`` is not given.
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
    """Replace an error that names a file of a temporary folder by the OSError that caused it.

    The caller then reports that error with the final path, since users do not know the temporary
    one.

    Raises:
        OSError: in place of a GenzooError that names the folder.
    """
    try:
        yield
    except GenzooError as error:
        if isinstance(error.__cause__, OSError) and shown(folder) in str(error):
            raise error.__cause__ from None
        raise


def _swap(new: Path, place: Path, old: Path) -> None:
    """Replace the folder ``place`` by ``new``; undone if it fails.

    A rename cannot replace a folder with files in it, so ``place`` is first renamed to ``old``.

    Raises:
        OSError: if the system refuses a rename.
    """
    try:
        place.rename(old)
        new.rename(place)
    except BaseException:
        if old.exists() and not place.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def flush(path: Path) -> None:
    """Make the system write a file, or the entries of a folder, to the disk now.

    Without it, a rename may reach the disk before the file's content, and a power cut then leaves
    an empty file under the new name. File systems that do not support it are ignored.

    Raises:
        OSError: if the disk is full or broken, which some file systems report only here.
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


# Errors of file systems that cannot flush a folder, or any file.
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
    """Flush all files in a folder, and each folder after its content.

    Raises:
        OSError: as ``flush`` does.
    """
    for path in sorted(folder.rglob("*"), reverse=True):
        if not path.is_symlink():
            flush(path)
    flush(folder)


def new_figure_path(path: str | os.PathLike, force: bool) -> Path:
    """Return ``path`` without its suffix ``.png``, if the PNG and the SVG may be written there.

    Raises:
        GenzooError: if one of them exists and ``force`` is not given, or the suffix is another.
    """
    stem = new_file(path, force, ".png").with_suffix("")
    for suffix in (".png", ".svg"):
        new_file(stem.with_name(stem.name + suffix), force, suffix)
    return stem


def new_file(path: str | os.PathLike, force: bool, *suffixes: str) -> Path:
    """Return ``path`` if a file with one of ``suffixes`` may be written there.

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
    """Return ``path``, or if it exists the first of ``name-2``, ``name-3``, ... that does not.

    Args:
        path: a file.
        *suffixes: suffixes with which the name must be free; by default that of ``path``.

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
    """Return ``path`` if a folder may be written there or replaced.

    Args:
        path: the folder.
        force: whether a folder that is not empty may be replaced.
        *ours: patterns for the names of the files that the caller writes; a folder with any other
            file is never replaced.

    Raises:
        GenzooError: if it is a file, or a folder that may not be replaced.
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
    """Write ``value`` as ``json_text`` gives it, completely or not at all."""
    with writing(path) as temporary:
        temporary.write_text(json_text(value, indent=2) + "\n")


def json_text(value: Any, **options: Any) -> str:
    """Return ``value`` as standard JSON, in which infinite and NaN numbers become null.

    Args:
        value: dictionaries, lists, texts, numbers and so on.
        **options: options of ``json.dumps``.

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
    """Check the CRC of every member of a zip archive.

    Raises:
        zipfile.BadZipFile: if one differs, or the file is not an archive.
    """
    with zipfile.ZipFile(path) as archive:
        if broken := archive.testzip():
            raise zipfile.BadZipFile(f"wrong checksum of {broken}")


def unwritable(path: str | os.PathLike, error: OSError) -> GenzooError:
    """Return the error for a path that the system refused to write."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space or choose another place" if full else "choose another place"
    return GenzooError(f"cannot write {path}: {error.strerror or error}; {remedy}")
