"""TFRecord files read in any order: an index of offsets, then one read for each record.

TensorFlow reads these files only from the front. With the offsets (8 bytes an image) a shuffle is
a true one, a resumed run skips nothing, and memory stays constant.
"""

import os
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_genzoo.errors import GenzooError

# A record: length (8 bytes), its checksum (4), the data, their checksum (4).
_HEADER, _FOOTER = 12, 4


class Records:
    """The records of some TFRecord files, by number.

    Args:
        parts: for each file its path, the number of records to skip, and the number to take.

    Raises:
        GenzooError: if a file is missing, or shorter than it says.
    """

    def __init__(self, parts: Iterable[tuple[str | os.PathLike, int, int]]):
        self._paths: list[Path] = []
        offsets, files = [], []
        for number, (path, skip, take) in enumerate(parts):
            self._paths.append(Path(path))
            offsets.append(_offsets(Path(path), skip + take)[skip:])
            files.append(np.full(take, number, np.int32))
        self._offsets = np.concatenate(offsets)
        self._files = np.concatenate(files)

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, index: int) -> bytes:
        with self._paths[self._files[index]].open("rb", buffering=0) as file:
            start = int(self._offsets[index])
            (length,) = struct.unpack("<Q", os.pread(file.fileno(), 8, start))
            return os.pread(file.fileno(), length, start + _HEADER)


def _offsets(path: Path, count: int) -> np.ndarray:
    try:
        with path.open("rb", buffering=0) as file:
            handle, position = file.fileno(), 0
            size = os.fstat(handle).st_size
            # Checked before memory is allocated: the file is too small for so many records.
            if count * (_HEADER + _FOOTER) > size:
                raise _short(path, count)
            offsets = np.empty(count, np.int64)
            for number in range(count):
                header = os.pread(handle, 8, position)
                if len(header) < 8:
                    raise _short(path, count)
                offsets[number] = position
                position += _HEADER + struct.unpack("<Q", header)[0] + _FOOTER
                if position > size:
                    raise _short(path, count)
    except OSError as error:
        raise GenzooError(f"cannot read {path}: {error.strerror}") from error
    return offsets


def _short(path: Path, count: int) -> GenzooError:
    return GenzooError(
        f"{path} is cut short: it should hold {count} images; delete its folder and prepare "
        "the data set again"
    )
