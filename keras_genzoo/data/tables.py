"""The rows of parquet files, read a row group at a time; which columns are images and labels.

The last few row groups are kept: memory stays bounded however long the files are.
"""

import hashlib
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, parquet, types

from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit, usable_memory
from keras_genzoo.reading import parse_json

KEPT_BYTES = 512 * 2**20
MOST_LETTERS = 10_000
_IMAGE_NAMES = ("image", "img", "images")
_LABEL_NAMES = ("label", "labels", "fine_label")
# Errors of pyarrow on damaged parquet files.
ARROW_ERRORS = (pa.ArrowException, OSError, ValueError)


class Table:
    """The rows of some parquet files, read a row group at a time."""

    def __init__(self, paths: list[Path]):
        self._paths = paths
        self._files = [_open(path) for path in paths]
        schema = self._files[0].schema_arrow
        features = _features(schema)
        self._image, self._in_struct = _image_column(schema, features, paths[0])
        self._label = _label_column(schema, features)
        # Read as a dictionary, a value that thousands of rows share is in memory once.
        packed = [self._leaf, *([self._label] if self._label else [])]
        self._files = [
            parquet.ParquetFile(path, metadata=file.metadata, read_dictionary=packed)
            for path, file in zip(paths, self._files, strict=True)
        ]
        of_label = None if self._label is None else features.get(self._label)
        self.class_names = (of_label or {}).get("names")
        for path, file in zip(paths, self._files, strict=True):
            if not {self._image, self._label or self._image} <= set(file.schema_arrow.names):
                raise GenzooError(f"{path} has other columns than {paths[0]}; keep them apart")
        rows = [
            (number, group, file.metadata.row_group(group).num_rows)
            for number, file in enumerate(self._files)
            for group in range(file.num_row_groups)
        ]
        self._groups = [(number, group) for number, group, _ in rows]
        counts = [count for _, _, count in rows]
        _refuse_more_rows_than_bytes(counts, paths)
        self._starts = np.cumsum([0, *counts])
        self.num_rows = int(self._starts[-1])
        self._kept: OrderedDict[int, Any] = OrderedDict()
        self._kept_bytes, self._lock = 0, threading.Lock()
        self._most = max(KEPT_BYTES, usable_memory() // 16)
        sizes = (file.metadata.row_group(group).total_byte_size
                 for file in self._files for group in range(file.num_row_groups))  # fmt: skip
        self.fits = sum(sizes) <= self._most

    @property
    def _leaf(self) -> str:
        """The column of the images' bytes."""
        return f"{self._image}.bytes" if self._in_struct else self._image

    @property
    def fingerprint(self) -> str:
        """A digest of the files' sizes and footers, which tell where and what the rows are."""
        digest = hashlib.sha256()
        for path, file in zip(self._paths, self._files, strict=True):
            size, footer = path.stat().st_size, file.metadata.serialized_size
            with path.open("rb") as opened:
                opened.seek(max(0, size - footer - 8))
                digest.update(f"{size}\0".encode())
                digest.update(opened.read())
        return digest.hexdigest()

    @property
    def labels(self) -> np.ndarray | None:
        """The labels of all rows; None if there are none."""
        if self._label is None:
            return None
        try:
            columns = [file.read([self._label]).column(0) for file in self._files]
        except ARROW_ERRORS as error:
            reason = " ".join(str(error).split())
            raise GenzooError(f"cannot read the labels in {self._paths[0]}: {reason}") from error
        if nulls := sum(column.null_count for column in columns):
            raise GenzooError(
                f"{nulls} rows of {self._paths[0].parent} have no '{self._label}'; leave them out, "
                "or drop the column"
            )
        values = [_values(chunk, self._paths[0]) for column in columns for chunk in column.chunks]
        return np.array([value for part in values for value in part])

    def locate(self, index: int) -> tuple[Path, int]:
        """Return the file that a row is in, and its number there."""
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        number, _ = self._groups[at]
        first = next(i for i, (other, _) in enumerate(self._groups) if other == number)
        return self._paths[number], index - int(self._starts[first])

    def image(self, index: int) -> bytes | None:
        """Return the bytes of the image in a row, None if there are none."""
        at = int(np.searchsorted(self._starts, index, side="right")) - 1
        with self._lock:
            column = self._group(at)
        value = column[index - int(self._starts[at])]
        return value.as_py()

    def _group(self, at: int) -> Any:
        """Return the images of a row group; keeps it, and drops those not asked for longest."""
        if at in self._kept:
            self._kept.move_to_end(at)
            return self._kept[at]
        number, group = self._groups[at]
        size = self._files[number].metadata.row_group(group).total_byte_size
        refuse_what_does_not_fit(2 * size, f"a row group of {self._paths[number]}")
        read = self._files[number].read_row_group(group, columns=[self._leaf]).column(0)
        read = read.combine_chunks()
        read = read.field("bytes") if self._in_struct else read
        self._kept[at] = read
        self._kept_bytes += read.nbytes
        while self._kept_bytes > self._most and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= dropped.nbytes
        return read


def _values(labels: pa.Array, path: Path) -> list[Any]:
    """Return labels as Python has them; each text once in memory, however often it occurs.

    Raises:
        GenzooError: if one is longer than any name.
    """
    if not types.is_dictionary(labels.type):
        return labels.to_pylist()
    longest = compute.max(compute.binary_length(labels.dictionary)).as_py() or 0
    if longest > MOST_LETTERS:
        raise GenzooError(
            f"a label in {path} has {longest:,} letters, which no name of a class has"
        )
    names = labels.dictionary.to_pylist()
    return [names[index] for index in labels.indices.to_pylist()]


def _open(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path)
    except ARROW_ERRORS as error:
        reason = " ".join(str(error).split())
        raise GenzooError(f"cannot read {path}: {reason}") from error


def _refuse_more_rows_than_bytes(counts: list[int], paths: list[Path]) -> None:
    """Check the rows that files declare, before memory is asked for by their number.

    Raises:
        GenzooError: if there are more than bytes, of which each image has one at least.
    """
    size = sum(path.stat().st_size for path in paths)
    if min(counts, default=0) < 0 or sum(counts) > size:
        raise GenzooError(
            f"{paths[0]} is damaged: it declares {sum(counts):,} rows in {size:,} bytes"
        )


def _features(schema: pa.Schema) -> dict[str, Any]:
    """Return what Hugging Face's metadata says of each column; empty if there is none."""
    try:
        known = parse_json((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = known["info"]["features"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {name: one for name, one in features if isinstance(one, dict)}


def _image_column(schema: pa.Schema, features: dict[str, Any], path: Path) -> tuple[str, bool]:
    """Return the column of images, and whether it is a struct with the bytes in it."""
    structs = [f.name for f in schema if types.is_struct(f.type) and _has_bytes(f.type)]
    plain = [f.name for f in schema if types.is_binary(f.type) or types.is_large_binary(f.type)]
    marked = [n for n in structs + plain if features.get(n, {}).get("_type") == "Image"]
    for names in (marked, structs, plain):
        usual = [name for name in _IMAGE_NAMES if name in names]
        if usual or len(names) == 1:
            name = usual[0] if usual else names[0]
            return name, name in structs
        if names:
            raise GenzooError(
                f"{path} has several columns of images ({', '.join(names)}), none of which is "
                f"called {' or '.join(_IMAGE_NAMES)}; keep one"
            )
    raise GenzooError(
        f"{path} has no column of images: expected bytes, or a struct with 'bytes' as Hugging Face "
        f"writes it; its columns are {', '.join(schema.names)}"
    )


def _has_bytes(kind: pa.StructType) -> bool:
    index = kind.get_field_index("bytes")
    return index >= 0 and (
        types.is_binary(kind.field(index).type) or types.is_large_binary(kind.field(index).type)
    )


def _label_column(schema: pa.Schema, features: dict[str, Any]) -> str | None:
    marked = [name for name in schema.names if features.get(name, {}).get("_type") == "ClassLabel"]
    usual = [name for name in _LABEL_NAMES if name in marked]
    if usual or len(marked) == 1:
        return (usual or marked)[0]
    for name in _LABEL_NAMES:
        index = schema.get_field_index(name)
        kind = schema.field(index).type if index >= 0 else None
        if kind and (types.is_integer(kind) or types.is_string(kind) or types.is_boolean(kind)):
            return name
    return None
