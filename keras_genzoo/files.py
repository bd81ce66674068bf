"""Writing files so that a reader never meets half of one, nor does who comes after a power cut."""

import contextlib
import errno
import fnmatch
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError


@contextlib.contextmanager
def writing(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside ``path``; put the file there in place when the block succeeds.

    Whatever goes wrong in the block, ``path`` keeps its old content and the temporary file goes;
    so it does at a SIGTERM that would end the process.

    Raises:
        GenzooError: if the place cannot be written (no permission, full disk, read-only).
    """
    path = Path(path)
    temporary = None
    with ended_in_order():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The suffix is kept: Keras and Pillow choose the format by it.
            handle, name = tempfile.mkstemp(prefix=".tmp-", suffix=path.suffix, dir=path.parent)
            os.close(handle)
            temporary = Path(name)
            temporary.chmod(permissions(0o666))
            yield temporary
            flush(temporary)
            temporary.replace(path)
            flush(path.parent)
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def ended_in_order() -> Iterator[None]:
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
    temporary = old = None
    with ended_in_order():
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place.parent))
            temporary.chmod(permissions(0o777))
            yield temporary
            flush_tree(temporary)
            if replace and place.is_dir():
                # Aside first: a rename cannot replace a folder that holds something.
                old = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place.parent))
                place.rename(old)
            temporary.rename(place)
            flush(place.parent)
        except OSError as error:
            raise unwritable(path, error) from error
        finally:
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            if old is not None:
                if not place.exists():
                    old.rename(place)
                shutil.rmtree(old, ignore_errors=True)


def flush(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk now.

    A rename alone may reach the disk before what the file holds, and a power cut then leaves an
    empty file under the new name. File systems that cannot do it are left to themselves.

    Raises:
        OSError: if the disk is full or broken, which some file systems only say now.
    """
    descriptor = None
    try:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_FLUSH:
            raise
    finally:
        if descriptor is not None:
            os.close(descriptor)


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


def new_picture(path: str | os.PathLike, force: bool) -> Path:
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
        if not file.is_file() or not any(fnmatch.fnmatchcase(file.name, name) for name in ours):
            raise GenzooError(
                f"{path} holds {file.name}, which this command did not write; --force replaces "
                "only its own files: move it, or choose another --out"
            )
    return path


def shown(name: str | os.PathLike) -> str:
    r"""Return a file's name as text that any output takes: bytes that are not UTF-8 are escaped.

    >>> shown(os.fsdecode(b"caf\xe9/1.png"))
    'caf\\xe9/1.png'
    """
    text = os.fspath(name)
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # What stands for no byte: JSON may hold it.
        content = text.encode("utf-8", "backslashreplace")
    return content.decode("utf-8", "backslashreplace")


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


def permissions(mode: int) -> int:
    """Return ``mode`` without what this process withholds from others."""
    mask = os.umask(0)
    os.umask(mask)
    return mode & ~mask
