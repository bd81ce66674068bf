"""Images that are arrays: numpy arrays, ``.npz`` files, and scikit-learn's digits.

They are checked, resized once and kept in memory; nothing is decoded.
"""

import hashlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_genzoo.data.images import check_request, fit_all, target_shape
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError

DIGITS_TRAIN = 1500

# What zipfile and NumPy raise on bytes that are no sound archive; RuntimeError and its
# NotImplementedError where damage looks like a password or another compression.
READ_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


class ArraySource(Source):
    """Images and labels in memory.

    Args:
        images: uint8, ``(n, height, width)`` or ``(n, height, width, 1 or 3)``.
        labels: integers ``(n,)`` from 0 on, or None.
        image_size: side of the square to crop and resize to; by default as they are.
        channels: 1 or 3; by default as they are.
        name: what people call it.
        split: the part of the data this is.

    Raises:
        GenzooError: if the arrays are not such, or their lengths differ.

    >>> ArraySource(np.zeros((5, 28, 28), "uint8"), image_size=32).image_shape
    (32, 32, 1)
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        image_size: int | None = None,
        channels: int | None = None,
        name: str = "arrays",
        split: str = "train",
    ):
        super().__init__()
        check_request(image_size, channels)
        images = _check_images(np.asarray(images), name)
        self.name, self.split, self.num_images = name, split, len(images)
        self.image_shape = target_shape(images.shape[1:], image_size, channels)
        self._labels = None if labels is None else _check_labels(np.asarray(labels), len(images))
        self.num_classes = None if labels is None else int(self._labels.max()) + 1
        self.class_names = None if labels is None else [str(n) for n in range(self.num_classes)]
        self.fingerprint = _digest(images, self._labels)
        self._images = fit_all(images, self.image_shape)
        if self._labels is None:
            self._labels = np.full(len(images), -1, np.int32)

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Return one image and its label."""
        return self._images[index], int(self._labels[index])

    def fetch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels with these numbers."""
        return self._images[indices], self._labels[indices]

    @property
    def in_memory(self) -> Source:
        """The source itself."""
        return self


def open_digits(split: str, image_size: int | None, channels: int | None) -> ArraySource:
    """Return scikit-learn's 1,797 digits: the first 1,500 are ``train``, the others ``test``.

    Raises:
        GenzooError: if the split is another.
    """
    from sklearn.datasets import load_digits

    parts = {"train": slice(None, DIGITS_TRAIN), "test": slice(DIGITS_TRAIN, None)}
    part = parts[check_split("digits", split, parts)]
    digits = load_digits()
    images = np.rint(digits.images[part] * (255 / 16)).astype(np.uint8)
    return ArraySource(
        images,
        digits.target[part],
        image_size=image_size,
        channels=channels,
        name="digits",
        split=split,
    )


def open_npz(path: Path, split: str, image_size: int | None, channels: int | None) -> ArraySource:
    """Return the arrays of an ``.npz`` file.

    It holds ``images`` and, if labelled, ``labels`` (all of it is the split ``train``); or
    ``x_train``, ``y_train``, ``x_test``, ``y_test`` as the files of ``keras.datasets`` do; or
    one array of images.

    Raises:
        GenzooError: if it cannot be read, holds none of these, or has no such split.
    """
    try:
        # Opened here, since np.load leaves a file open that it cannot read.
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            names = list(file.files)
            splits = _npz_splits(names, path)
            images, labels = splits[check_split(str(path), split, splits)]
            arrays = file[images], file[labels] if labels else None
    except READ_ERRORS as error:
        if isinstance(error, GenzooError):
            raise
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        if "pickle" in reason.lower():
            reason = "it holds pickled objects; save plain uint8 arrays"
        raise GenzooError(f"cannot read {path}: {reason}") from error
    return ArraySource(
        *arrays, image_size=image_size, channels=channels, name=str(path), split=split
    )


def check_split(name: str, split: str, splits: object) -> str:
    """Return ``split`` if the data has it.

    Raises:
        GenzooError: if not; lists those it has.
    """
    if split not in splits:
        raise GenzooError(f"{name} has no split '{split}'; it has: {', '.join(splits)}")
    return split


def _npz_splits(names: list[str], path: Path) -> dict[str, tuple[str, str | None]]:
    if "images" in names:
        return {"train": ("images", "labels" if "labels" in names else None)}
    keras_like = {
        split: (f"x_{split}", f"y_{split}" if f"y_{split}" in names else None)
        for split in ("train", "test")
        if f"x_{split}" in names
    }
    if keras_like:
        return keras_like
    if len(names) == 1:
        return {"train": (names[0], None)}
    raise GenzooError(
        f"{path} holds {', '.join(names) or 'nothing'}; expected an array 'images' "
        "(uint8) and, if labelled, 'labels'"
    )


def _check_images(images: np.ndarray, name: str) -> np.ndarray:
    if images.dtype != np.uint8:
        raise GenzooError(
            f"{name}: images must be uint8 (0 to 255), not {images.dtype}; "
            "convert floats in [0, 1] with np.rint(255 * images).astype('uint8')"
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise GenzooError(
            f"{name}: images must have the shape (n, height, width) or "
            f"(n, height, width, 1 or 3), not {images.shape}"
        )
    if 0 in images.shape:
        raise GenzooError(f"{name}: there are no images (shape {images.shape})")
    return images


def _check_labels(labels: np.ndarray, num_images: int) -> np.ndarray:
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
        raise GenzooError(
            f"labels must be integers of shape ({num_images},), not {labels.dtype} {labels.shape}"
        )
    if len(labels) != num_images:
        raise GenzooError(f"there are {num_images} images but {len(labels)} labels")
    if labels.min() < 0:
        raise GenzooError(f"labels count from 0 on, but one is {labels.min()}")
    return labels.astype(np.int32)


def _digest(*arrays: np.ndarray | None) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        if array is not None:
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()
