"""What is costly and always the same, kept between calls: networks and features of real data.

``GENZOO_CACHE`` names another folder than the system's; each file can be deleted at any time.
"""

import hashlib
import os
from pathlib import Path

import numpy as np

from keras_genzoo.data.archives import READ_ERRORS
from keras_genzoo.files import writing


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
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (*READ_ERRORS, KeyError):
        return None


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Keep arrays, whole or not at all."""
    with writing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)
