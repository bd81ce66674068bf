"""The cache on disk of what is costly and always the same: networks and features of real data.

``GENZOO_CACHE`` names another folder than the system's; each file can be deleted at any time.
Features take up to ``FEATURE_BYTES``, and go when no one has read them for ``FEATURE_DAYS``;
classifiers are small and stay.
"""

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data.archives import READ_ERRORS
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.reading import read_arrays
from keras_genzoo.text import shown

Echo = Callable[[str], None]
FEATURE_BYTES = 2 * 2**30
FEATURE_DAYS = 90
_DIGEST = re.compile(r"[0-9a-f]{64}")


# Folders that cannot be written and have been reported once.
_refused: set[Path] = set()


def cache_folder() -> Path:
    """Return the folder of kept files; it need not exist, nor be one that can be written."""
    import platformdirs

    named = os.environ.get("GENZOO_CACHE")
    if not named:
        return platformdirs.user_cache_path("keras_genzoo")
    return Path(os.path.expanduser(named))  # noqa: PTH111 - its home need not exist


def keep(path: Path, write: Callable[[Path], object], echo: Echo = lambda line: None) -> bool:
    """Keep a file, whole or not at all; return whether it is kept.

    What is kept was costly, and is at hand: where it cannot be written, work goes on without.

    Args:
        path: the file in ``cache_folder()``.
        write: writes it to the temporary path that it is given.
        echo: called with a line once for each folder if nothing can be kept there.
    """
    folder = cache_folder()
    try:
        # expanduser leaves the tilde where there is no home folder.
        if folder.parts[0].startswith("~"):
            raise GenzooError(f"cannot write {folder}: there is no home folder")
        with writing(path) as temporary:
            write(temporary)
    except (GenzooError, OSError) as error:
        if folder not in _refused:
            _refused.add(folder)
            reason = shown(str(error).partition(";")[0])
            echo(f"{reason}; going on without keeping it: GENZOO_CACHE names another folder")
        return False
    return True


def say_damaged(path: Path, what: str, echo: Echo) -> None:
    """Say in one line that a kept file is damaged, and what is done instead."""
    echo(f"{shown(path)} is damaged or not what it should be; {what}")


def digest(*parts: np.ndarray | str) -> str:
    """Return the sha256 of arrays (shape, type and content) and texts, in hexadecimal.

    >>> digest(np.zeros(2)) == digest(np.zeros((2, 1)))
    False
    """
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            state.update(f"text {len(part)} {part}".encode())
        else:
            state.update(f"array {part.dtype.str} {part.shape}".encode())
            state.update(np.ascontiguousarray(part).data)
    return state.hexdigest()


def load_arrays(path: Path, echo: Echo = lambda line: None) -> dict[str, np.ndarray] | None:
    """Return the arrays of a kept file, None if there is none or it is damaged.

    Args:
        path: the file.
        echo: called with a line if it is damaged.
    """
    try:
        loaded = read_arrays(path)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (*READ_ERRORS, KeyError, AttributeError):
        say_damaged(path, "its arrays are computed anew", echo)
        return None
    with contextlib.suppress(OSError):
        # Its age counts from its last use; in a read-only cache it cannot be touched.
        os.utime(path)
    return loaded


def save_arrays(path: Path, echo: Echo = lambda line: None, **arrays: np.ndarray) -> None:
    """Keep arrays, as ``keep`` does, and delete old ones where the folder is too large."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            content: dict[str, Any] = {**arrays}
            np.savez(file, **content)

    if keep(path, write, echo):
        evict(path.parent, keep=path)


def evict(folder: Path, keep: Path, limit: int | None = None, days: float | None = None) -> None:
    """Delete the kept arrays of a folder that are old, and those used least recently above a size.

    Other processes may read and delete here at the same time: a file that is gone is no error,
    and one that is being read stays readable.

    Args:
        folder: the folder.
        keep: a file that stays, whatever its size.
        limit: bytes that may stay in all; by default ``FEATURE_BYTES``.
        days: since its last use, after which a file goes; by default ``FEATURE_DAYS``.
    """
    limit = FEATURE_BYTES if limit is None else limit
    oldest = time.time() - (FEATURE_DAYS if days is None else days) * 24 * 60 * 60
    kept, total = [], 0
    for file in folder.glob("*.npz"):
        # Delete only files named by ``digest``: others are a person's own.
        if _DIGEST.fullmatch(file.stem):
            with contextlib.suppress(OSError):
                status = file.stat()
                kept.append((status.st_mtime, file.name, status.st_size, file))
                total += status.st_size
    for used, _, size, file in sorted(kept):
        if file.name != keep.name and (total > limit or used < oldest):
            with contextlib.suppress(OSError):
                file.unlink()
            total -= size
