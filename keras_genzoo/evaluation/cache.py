"""What is costly and always the same, kept between calls: networks and features of real data.

``GENZOO_CACHE`` names another folder than the system's; each file can be deleted at any time.
Features take up to ``FEATURE_BYTES``, and go when no one has read them for ``FEATURE_DAYS``;
classifiers are small and stay.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path

import numpy as np

from keras_genzoo.data.archives import READ_ERRORS
from keras_genzoo.files import writing
from keras_genzoo.reading import read_arrays

FEATURE_BYTES = 2 * 2**30
FEATURE_DAYS = 90


def cache_folder() -> Path:
    """Return the folder of kept files; it need not exist."""
    import platformdirs

    named = os.environ.get("GENZOO_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("keras_genzoo")


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


def load_arrays(path: Path) -> dict[str, np.ndarray] | None:
    """Return the arrays of a kept file, None if there is none or it is damaged."""
    try:
        loaded = read_arrays(path)
        with contextlib.suppress(OSError):
            # Its age is counted from its last use; a cache may be for reading only.
            os.utime(path)
        return loaded
    except (*READ_ERRORS, KeyError):
        return None


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Keep arrays, whole or not at all, and let go of what the folder holds too much of."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
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
        # What another process is writing at this moment has a name of its own.
        if not file.name.startswith("."):
            with contextlib.suppress(OSError):
                status = file.stat()
                kept.append((status.st_mtime, file.name, status.st_size, file))
                total += status.st_size
    for used, _, size, file in sorted(kept):
        if file.name != keep.name and (total > limit or used < oldest):
            with contextlib.suppress(OSError):
                file.unlink()
            total -= size
