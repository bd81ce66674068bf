"""Reading JSON, tables and arrays from untrusted files: sizes are checked before allocation.

A small file can claim any size, in the header of an array or the directory of an archive, and can
nest JSON to any depth.
"""

import csv
import io
import json
import math
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from keras_genzoo.memory import refuse_what_does_not_fit

if TYPE_CHECKING:
    import numpy as np

# Largest JSON file in bytes, and its deepest nesting. Ten thousand class names take under 1 MiB.
MOST_JSON = 16 * 2**20
MOST_LEVELS = 200
# Largest CSV file in bytes, and its rows: in memory, a row takes up to a hundred times its text.
MOST_TABLE, MOST_ROWS = 64 * 2**20, 500_000
# Largest size of compressed arrays, which may take a thousand times the memory of their file.
MOST_PACKED = 4 * 2**30


def read_json(path: str | os.PathLike) -> Any:
    """Return the content of a JSON file.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not JSON, or larger or deeper than any that this package writes.
    """
    with Path(path).open("rb") as file:
        return parse_json(file.read(MOST_JSON + 1))


def parse_json(text: bytes | str) -> Any:
    """Return the content of a JSON text.

    Raises:
        ValueError: if it is not JSON, or larger or deeper than any that this package writes.

    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: it is nested too deeply
    """
    if len(text) > MOST_JSON:
        raise ValueError(f"it is larger than {MOST_JSON // 2**20} MiB")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # Functions over the content recurse once a level, and Python allows a thousand levels.
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return value
    raise ValueError("it is nested too deeply")


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def read_rows(path: str | os.PathLike) -> list[dict[str, str]]:
    """Return the rows of a CSV file as dictionaries, by the names in its first line.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is not CSV, or larger than any that this package writes.
    """
    with Path(path).open("rb") as file:
        content = file.read(MOST_TABLE + 1)
    if len(content) > MOST_TABLE:
        raise ValueError(f"it is larger than {MOST_TABLE // 2**20} MiB")
    if content.count(b"\n") + content.count(b"\r") > 2 * MOST_ROWS:
        raise ValueError(f"it has more than {MOST_ROWS:,} rows")
    try:
        return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def read_arrays(path: str | os.PathLike) -> dict[str, "np.ndarray"]:
    """Return the arrays of an ``.npz`` file by name.

    Raises:
        GenzooError: if they do not fit into memory.
        Exception: if it cannot be read or is damaged; NumPy and zipfile raise many kinds.
    """
    import numpy as np

    with Path(path).open("rb") as file:
        if file.read(2) != b"PK":
            raise ValueError("its content is no .npz file")
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            members = archive.zip.infolist()
            _check_packed(members)
            refuse_what_does_not_fit(sum(member.file_size for member in members), str(path))
            for member in members:
                check_member(archive.zip, member, path)
            return {name: archive[name] for name in archive.files}


def _check_packed(members: list[zipfile.ZipInfo]) -> None:
    """Check that compressed arrays are not larger than any that this package writes.

    Raises:
        ValueError: if they are.
    """
    packed = [member for member in members if member.compress_type != zipfile.ZIP_STORED]
    if sum(member.file_size for member in packed) > MOST_PACKED:
        raise ValueError(f"it claims to hold more than {MOST_PACKED // 2**30} GiB")


def check_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str | os.PathLike
) -> None:
    """Check that an array of an ``.npz`` file is not larger than its member of the archive.

    Raises:
        GenzooError: if it does not fit into memory.
        ValueError: if it is not an array of numbers or texts, or claims to be larger than it is.
    """
    with archive.open(member) as file:
        check_array(file, member.file_size, f"'{member.filename}' of {path}")


def check_array(file: IO[bytes], nbytes: int, what: str) -> None:
    """Check the header of an array in NumPy's format.

    Args:
        file: a file at the beginning of the array.
        nbytes: size of the array in the file, header included.
        what: the array in words, for the error.

    Raises:
        GenzooError: if it does not fit into memory.
        ValueError: if it is not an array of numbers or texts, or claims to be larger than it is.
    """
    from numpy.lib import format as npy

    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version {version} of NumPy's format is unknown")
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    try:
        shape, _, dtype = header(file)
    except Exception as error:  # NumPy evaluates it as Python, which can fail in many ways.
        raise ValueError("its header is damaged") from error
    if dtype.hasobject:
        raise ValueError("it holds pickled objects")
    # Elements of size 0, such as empty texts, count 1 byte each: else any shape would pass.
    size = math.prod(shape) * max(1, dtype.itemsize)
    if min(shape, default=0) < 0 or size > nbytes:
        raise ValueError(f"it is cut short: an array of shape {shape} takes {size:,} bytes")
    refuse_what_does_not_fit(size, what)
