"""IDX files, as MNIST and its kin are published: images and labels in a file each.

Such are MNIST, Fashion-MNIST, KMNIST, QMNIST and EMNIST (whose images lie on their side as
published, and stay so). They may be gzipped, and lie where a system's package put them.
"""

import gzip
import io
import math
import os
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data.arrays import ArraySource, check_split
from keras_genzoo.data.layout import find_split, split_of
from keras_genzoo.data.registry import DATASETS
from keras_genzoo.data.request import IDX_IMAGES, file_names, idx_folder, installed_folder
from keras_genzoo.data.source import NO_LABELS
from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit

_DTYPES: dict[int, np.dtype] = {0x08: np.dtype("uint8"), 0x0C: np.dtype(">i4")}
# Deflate shrinks data by this factor at most.
_DEFLATE = 1032
_CHUNK = 2**24


def open_idx(
    path: Path,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: str = "auto",
) -> ArraySource:
    """Return the images of IDX files: those of a folder, or the one named.

    A folder has the splits that its files name: ``train``, and ``test`` (also ``t10k``). One file
    named is the split ``train``, whatever its own name says. Labels are in the file beside it
    that is named alike, and are classes by the numbers in the file of ``train``.

    Raises:
        GenzooError: if a folder holds several data sets, there is no such split, or a file is no
            IDX file, or damaged.
    """
    folder = idx_folder(path) if path.is_dir() else None
    splits = {"train": path} if folder is None else _splits(folder)
    asked = find_split(split, {})
    images_file = splits[check_split(str(path), asked, splits)]
    options: dict[str, Any] = {}
    if labels != "none":
        options["labels"] = _labels_of(images_file)
        options["train_labels"] = _labels_of(splits.get("train", images_file))
    source = ArraySource(
        read_idx(images_file),
        image_size=image_size,
        channels=channels,
        name=str(path),
        split=asked,
        **options,
    )
    source.labels_note = NO_LABELS if labels == "none" else source.labels_note
    return source


def open_installed(
    name: str,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    **place: Any,
) -> ArraySource:
    """Return a data set from the IDX files that a system's package has installed.

    Raises:
        GenzooError: if there is no such split, or the files are damaged.
    """
    folder = installed_folder(name)
    assert folder is not None  # Only a name that has one is opened here.
    splits = _splits(folder)
    file = splits[check_split(f"{name} in {folder}", find_split(split, {}), splits)]
    return ArraySource(
        read_idx(file),
        _labels_of(file),
        class_names=DATASETS[name].class_names,
        image_size=image_size,
        channels=channels,
        name=name,
        split=find_split(split, {}),
    )


def read_idx(path: Path) -> np.ndarray:
    """Return the array of an IDX file, gzipped or not: uint8, or big-endian int32.

    Raises:
        GenzooError: if it cannot be read, is none, or is cut short.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            most = os.fstat(raw.fileno()).st_size * (_DEFLATE if packed else 1)
            with gzip.GzipFile(fileobj=raw) if packed else raw as file:
                return _read(file, path, most)
    except (OSError, EOFError, zlib.error) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise GenzooError(f"cannot read {path}: {reason}") from error


def _read(file: gzip.GzipFile | io.BufferedReader, path: Path, most: int) -> np.ndarray:
    zeros, kind, rank = struct.unpack(">HBB", file.read(4).ljust(4, b"\xff"))
    if zeros or kind not in _DTYPES or not 1 <= rank <= 4:
        raise GenzooError(f"{path} is no IDX file of bytes, as those of MNIST are")
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        raise _cut_short(path)
    shape = struct.unpack(f">{rank}I", header)
    size = math.prod(shape) * _DTYPES[kind].itemsize
    # Checked before memory is allocated: the file cannot hold what its header declares.
    if size > most:
        raise _cut_short(path)
    refuse_what_does_not_fit(size, str(path))
    array = np.empty(shape, _DTYPES[kind])
    view, filled = memoryview(array.reshape(-1).view(np.uint8)), 0
    while filled < size and (count := file.readinto(view[filled : filled + _CHUNK])):
        filled += count
    if filled < size:
        raise _cut_short(path)
    if file.read(1):
        raise GenzooError(f"{path} is damaged: it goes on behind the {shape[0]:,} items it names")
    return array


def _cut_short(path: Path) -> GenzooError:
    return GenzooError(f"{path} is cut short; fetch it again")


def _splits(folder: Path) -> dict[str, Path]:
    """Return the file of images of each split of the one data set in a folder."""
    found: dict[str, dict[str, Path]] = {}
    # Unpacked files sort before those with .gz, and are faster to read.
    for name in file_names(folder):
        match = IDX_IMAGES.fullmatch(name)
        if match and (folder / name).is_file():
            part = match["split"].lower()
            split = "test" if part == "t10k" else split_of(part) or part
            found.setdefault(match["set"], {}).setdefault(split, folder / name)
    if len(found) > 1:
        sets = ", ".join(sorted(name.strip("-_.") or "(no name)" for name in found))
        one = next(iter(next(iter(found.values())).values()))
        raise GenzooError(
            f"{folder} holds several data sets ({sets}); name a file of images, such as {one}, or "
            "put each into a folder of its own"
        )
    splits = next(iter(found.values()))
    return {split: splits[split] for split in sorted(splits, key=lambda name: name != "train")}


def _labels_of(images_file: Path) -> np.ndarray | None:
    """Return the labels in the file beside one of images; None if there is none."""
    match = IDX_IMAGES.fullmatch(images_file.name)
    if not match:
        return None
    stem = re.escape(images_file.name[: match.end("split")])
    wanted = re.compile(rf"{stem}-labels[-.]idx(1-ubyte|2-int)(\.gz)?", re.IGNORECASE)
    files = list(filter(wanted.fullmatch, file_names(images_file.parent)))
    if not files:
        return None
    labels = read_idx(images_file.parent / files[0])
    # Each row of QMNIST's labels is the class, followed by facts of its writer.
    return labels[:, 0] if labels.ndim == 2 else labels
