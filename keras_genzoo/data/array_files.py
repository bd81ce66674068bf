"""Files that hold arrays of images: ``.npz`` by the names that people give arrays, and ``.npy``."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from keras_genzoo.data.archives import READ_ERRORS
from keras_genzoo.data.arrays import ArraySource, check_split
from keras_genzoo.data.layout import find_split, split_of
from keras_genzoo.data.source import NO_LABELS
from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit
from keras_genzoo.reading import check_array, check_member

# Array names of a file without splits, in either letter case: the first that is there counts.
_IMAGES = ("images", "image", "x", "data", "arr_0")
_LABELS = {
    "images": ("labels", "label", "y"),
    "image": ("label", "labels", "y"),
    "x": ("y", "labels"),
    "data": ("target", "targets", "labels", "label", "y"),
    "arr_0": ("arr_1",),
}
# Mean and covariance of Inception's features, as pytorch-fid and guided-diffusion keep them.
_STATISTICS = ("mu", "sigma")
_KNOWN = (
    "images and labels, x_train and y_train, train_images and train_labels, X and y, data and "
    "target, or arr_0 and arr_1"
)


@dataclass(frozen=True)
class _Part:
    """The names of the arrays that are one split."""

    images: str
    labels: str | None = None


def open_npz(
    path: Path,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: str = "auto",
) -> ArraySource:
    """Return the arrays of an ``.npz`` file.

    It holds ``images`` and, if labelled, ``labels`` (all of it is the split ``train``), and may
    name the classes in ``class_names``; so does what ``genzoo sample`` writes. Or it holds
    ``x_train``, ``y_train``, ``x_test``, ``y_test`` as the files of ``keras.datasets`` do;
    ``train_images``, ``train_labels``, ``val_images``, ... as those of MedMNIST; ``X`` and ``y``;
    ``data`` and ``target``; ``arr_0`` and ``arr_1`` as those of guided-diffusion, with ``mu`` and
    ``sigma`` of Inception's features where it is a reference batch; or one array of images.

    Raises:
        GenzooError: if it cannot be read, holds none of these, or has no such split.
    """
    with _reading(path, b"PK") as opened, np.load(opened, allow_pickle=False) as file:
        names = _Names(file, path)
        parts = _parts(list(file.files), path)
        part = parts[check_split(str(path), find_split(split, {}), parts)]
        images = names[part.images]
        options: dict[str, Any] = {}
        note = NO_LABELS if labels == "none" else None
        if labels != "none":
            options, note = _label_options(names, part, parts)
        statistics = _statistics(names)
    source = ArraySource(
        images,
        image_size=image_size,
        channels=channels,
        name=str(path),
        split=find_split(split, {}),
        **options,
    )
    source.labels_note = note or source.labels_note
    # The statistics are those of the images as stored, not of resized ones.
    if source.image_shape == (images if images.ndim == 4 else images[..., None]).shape[1:]:
        source.statistics = statistics
    return source


def open_npy(
    path: Path,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: str = "auto",
) -> ArraySource:
    """Return the images of an ``.npy`` file: one uint8 array, the split ``train``.

    Raises:
        GenzooError: if it cannot be read, or holds something else.
    """
    check_split(str(path), split, ("train",))
    with _reading(path, b"\x93NUMPY") as opened:
        check_array(opened, path.stat().st_size, str(path))
        opened.seek(0)
        images = np.load(opened, allow_pickle=False)
    return ArraySource(images, image_size=image_size, channels=channels, name=str(path))


class _Names(Mapping):
    """The arrays of an archive by name; none is read before it is known to fit into memory."""

    def __init__(self, file: np.lib.npyio.NpzFile, path: Path):
        self._file, self._path = file, path

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._file.files:
            raise KeyError(name)
        archive = self._file.zip
        assert archive is not None  # It is open.
        members = archive.NameToInfo
        member = members.get(f"{name}.npy") or members[name]
        refuse_what_does_not_fit(member.file_size, f"'{name}' of {self._path}")
        check_member(archive, member, self._path)
        return self._file[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.files)

    def __len__(self) -> int:
        return len(self._file.files)


def _label_options(
    names: "_Names", part: _Part, parts: dict[str, _Part]
) -> tuple[dict[str, Any], str | None]:
    """Return what `ArraySource` is to know of the labels, and what a person is."""
    labels = names.get(part.labels)
    if labels is None:
        return {}, None
    if labels.ndim == 2 and labels.shape[1] > 1:
        return {}, f"each image has {labels.shape[1]} labels, '{part.labels}'"
    if "class_names" in names:
        return {"labels": labels, "class_names": names["class_names"]}, None
    if part is parts.get("train", part):
        return {"labels": labels}, None
    return {"labels": labels, "train_labels": names.get(parts["train"].labels)}, None


def _parts(names: list[str], path: Path) -> dict[str, _Part]:
    """Return the arrays of each split."""
    lower = {name.lower(): name for name in names}
    if len(lower) < len(names):
        raise _nothing_known(names, path)

    def part(images: str, *labels: str) -> _Part:
        return _Part(lower[images], next((lower[name] for name in labels if name in lower), None))

    found: dict[str, _Part] = {}
    for name in lower:
        for images, labels in (("x_{}", "y_{}"), ("{}_images", "{}_labels")):
            spelt = name.removeprefix("x_").removesuffix("_images")
            if name == images.format(spelt) and (split := split_of(spelt)):
                found.setdefault(split, part(name, labels.format(spelt)))
    # A pair without a split comes first: it is what this package writes.
    if found and "images" not in lower:
        return found
    for images in _IMAGES:
        if images in lower:
            return {"train": part(images, *_LABELS[images])}
    if set(_STATISTICS) <= set(names):
        raise GenzooError(
            f"{path} holds statistics of images (mu, sigma) and no images; give the images, or a "
            "reference batch that holds both (arr_0, mu, sigma)"
        )
    if len(names) != 1:
        raise _nothing_known(names, path)
    return {"train": _Part(names[0])}


def _nothing_known(names: list[str], path: Path) -> GenzooError:
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return GenzooError(f"{path} holds {shown or 'nothing'}; expected {_KNOWN}, or a single array")


def _statistics(names: _Names) -> tuple[np.ndarray, np.ndarray] | None:
    if not set(_STATISTICS) <= set(names):
        return None
    mean, covariance = (names[name].astype(np.float64) for name in _STATISTICS)
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise GenzooError(
            "the statistics mu and sigma beside the images must have the shapes (d,) and (d, d), "
            f"not {mean.shape} and {covariance.shape}"
        )
    return mean, covariance


@contextlib.contextmanager
def _reading(path: Path, magic: bytes) -> Iterator[IO[bytes]]:
    """Open a file; turn whatever a damaged or foreign one ends in into one line."""
    try:
        with path.open("rb") as opened:
            if opened.read(len(magic)) != magic:
                raise GenzooError(f"cannot read {path}: its content is no {path.suffix} file")
            opened.seek(0)
            yield opened
    except GenzooError:
        raise
    except READ_ERRORS as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        if "pickle" in reason.lower():
            reason = "it holds pickled objects; save plain arrays of numbers, names as strings"
        raise GenzooError(f"cannot read {path}: {reason or type(error).__name__}") from error
