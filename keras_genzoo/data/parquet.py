"""Parquet files with a column of encoded images, as Hugging Face's hub keeps data sets.

The names of the files say which split each is; `tables` reads what is in them.
"""

import re
from pathlib import Path

import numpy as np

from keras_genzoo.data.arrays import check_split
from keras_genzoo.data.encoded import EncodedSource
from keras_genzoo.data.images import BadImageError
from keras_genzoo.data.labels import Classes, plain_labels
from keras_genzoo.data.layout import find_split
from keras_genzoo.data.request import file_names, folder_names, parquet_folder, split_named
from keras_genzoo.data.source import NO_LABELS
from keras_genzoo.data.tables import ARROW_ERRORS, Table
from keras_genzoo.errors import GenzooError

# Fewer in files that do not fit into memory: looking at one image may read a whole row group.
LOOKED_OVER_IN_PARTS = 100
_SHARD = re.compile(r"(?P<split>\w+)-(?P<number>\d{5})-of-(?P<count>\d{5})\b.*")


class ParquetSource(EncodedSource):
    """The images of a parquet file, or of a folder of such.

    Files are of the split that their names begin with (``train-00000-of-00002.parquet``), or that
    of their folder; a file alone is the split ``train``, whatever it is called. Row groups are
    read whole: shuffled training on files that are larger than memory is fast where these are
    small (Hugging Face writes 100 to 1,000 images into one).

    Args:
        path: the file or folder.
        split: a split of it.
        image_size: side of the square to crop and resize to; by default that of the images.
        channels: 1 or 3; by default 1 if a sample of the images is all grey, else 3.
        labels: ``"none"`` leaves labels out.

    Raises:
        GenzooError: if a file cannot be read, no column or several may be the images, a shard is
            missing, there is no such split, or images differ in size while ``image_size`` is not
            given.
    """

    def __init__(
        self,
        path: Path,
        split: str = "train",
        *,
        image_size: int | None = None,
        channels: int | None = None,
        labels: str = "auto",
    ):
        super().__init__()
        self.name, self.split = str(path), find_split(split, {})
        splits = _splits(path)
        files = splits[check_split(str(path), self.split, splits)]
        self._table = Table(files)
        self.num_images = self._table.num_rows
        if not self.num_images:
            raise GenzooError(f"{path}, split {self.split}, holds no images")
        self._labels = np.full(self.num_images, -1, np.int32)
        self.num_classes = self.class_names = None
        if labels == "none":
            self.labels_note = NO_LABELS
        else:
            self._find_classes(splits)
        self.fingerprint = self._table.fingerprint
        if not self._table.fits:
            self.looked_over = LOOKED_OVER_IN_PARTS
        self.find_shape(image_size, channels)

    def encoded(self, index: int) -> bytes:
        """Return the bytes of one image file."""
        try:
            data = self._table.image(index)
        except ARROW_ERRORS as error:
            raise BadImageError(f"damaged row group ({' '.join(str(error).split())})") from error
        if data is None:
            raise BadImageError("the row holds no image, or but the path of one")
        return data

    def label(self, index: int) -> int:
        """Return the label of one image."""
        return int(self._labels[index])

    def describe(self, index: int) -> str:
        """Return the file and the row in it."""
        file, row = self._table.locate(index)
        return f"row {row} of {file}"

    def _find_classes(self, splits: dict[str, list[Path]]) -> None:
        labels, names = self._table.labels, self._table.class_names
        if labels is None:
            return
        where = f"{self.name}, split {self.split},"
        if labels.dtype.kind in "iu" and (labels == -1).all():
            self.labels_note = "every label is -1, which means none"
            return
        labels = plain_labels(labels, self.num_images, where)
        if names is not None:
            classes = Classes.named(names, where)
        elif self.split != "train" and "train" in splits:
            train = Table(splits["train"]).labels
            train = labels if train is None else plain_labels(train, len(train), self.name)
            classes = Classes.among(train)
        else:
            classes = Classes.among(labels)
        numbers = classes.number(labels, where)
        if len(classes) < 2:
            self.labels_note = f"every label is {classes.names[0]}"
            return
        self._labels, self.class_names = numbers, classes.names
        self.num_classes = len(classes)


def _splits(path: Path) -> dict[str, list[Path]]:
    """Return the files of each split, sorted."""
    if path.is_file():
        return {"train": [path]}
    folder = parquet_folder(path)
    assert folder is not None  # It is opened as parquet because there is one.
    files = [folder / name for name in file_names(folder) if name.lower().endswith(".parquet")]
    splits: dict[str, list[Path]] = {}
    for file in files:
        match = _SHARD.fullmatch(file.name)
        named = split_named(file.name) or (match and match["split"])
        splits.setdefault(named or "", []).append(file)
    if not files:
        for name in folder_names(folder):
            inside = [n for n in file_names(folder / name) if n.lower().endswith(".parquet")]
            if inside:
                splits.setdefault(split_named(name) or "", []).extend(
                    folder / name / n for n in inside
                )
    if "" in splits and len(splits) > 1:
        raise GenzooError(
            f"{splits[''][0]} names no split and stands beside files that do "
            f"({', '.join(sorted(filter(None, splits)))}); move it elsewhere"
        )
    splits = {name or "train": found for name, found in splits.items()}
    for found in splits.values():
        _refuse_missing_shards(found)
    return {name: splits[name] for name in sorted(splits, key=lambda name: name != "train")}


def _refuse_missing_shards(files: list[Path]) -> None:
    matches = [match for file in files if (match := _SHARD.fullmatch(file.name))]
    count = max((int(match["count"]) for match in matches), default=0)
    there = {int(match["number"]) for match in matches}
    if missing := [number for number in range(count) if number not in there]:
        raise GenzooError(
            f"{files[0].parent} lacks {matches[0]['split']}-{missing[0]:05}-of-{count:05}.parquet; "
            "fetch it, or rename the others"
        )
