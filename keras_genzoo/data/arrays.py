"""Images that are arrays in memory, and scikit-learn's digits.

They are checked, resized once and kept in memory; nothing is decoded. The files that
hold arrays are read elsewhere.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from keras_genzoo.data.images import check_request, fit_all, target_shape
from keras_genzoo.data.labels import Classes, fingerprint_of, plain_labels
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError
from keras_genzoo.images import uint8_hint, warn_of_masks

DIGITS_TRAIN = 1500
# More classes than this, of one image each, are probably ids.
MANY_CLASSES = 100


class ArraySource(Source):
    """Images and labels in memory.

    Args:
        images: uint8, ``(n, height, width)`` or ``(n, height, width, 1 or 3)``.
        labels: whole numbers from 0 on or strings, ``(n,)``, or None. The classes are the values
            that occur, in order, and named after them; one alone is no class.
        class_names: names of all classes; labels are then their numbers, 0 to n - 1, or names.
        train_labels: labels of the split ``train``, whose classes are those of every split.
        image_size: side of the square to crop and resize to; by default as they are.
        channels: 1 or 3; by default as they are.
        name: what people call it.
        split: the part of the data this is.

    Raises:
        GenzooError: if the arrays are not such, their lengths differ, or a label is none of the
            classes.

    >>> ArraySource(np.zeros((5, 28, 28), "uint8"), image_size=32).image_shape
    (32, 32, 1)
    >>> ArraySource(np.zeros((3, 8, 8), "uint8"), np.array([50, 0, 50])).class_names
    ['0', '50']
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray | None = None,
        *,
        class_names: Sequence[str] | None = None,
        train_labels: np.ndarray | None = None,
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
        self._labels = np.full(len(images), -1, np.int32)
        self.num_classes = self.class_names = None
        digest = hashlib.sha256()
        _add(digest, images)
        if labels is not None:
            labels = plain_labels(labels, len(images), name)
            self._take_classes(labels, class_names, train_labels)
            digest.update(str(labels.shape).encode())
            digest.update(fingerprint_of(labels))
            if class_names is not None:
                digest.update(fingerprint_of(np.asarray(class_names)))
        self.fingerprint = digest.hexdigest()
        self._images = fit_all(images, self.image_shape)

    def _take_classes(
        self,
        labels: np.ndarray,
        class_names: Sequence[str] | None,
        train_labels: np.ndarray | None,
    ) -> None:
        if class_names is not None:
            classes = Classes.named(class_names, self.name)
        elif train_labels is not None:
            classes = Classes.among(plain_labels(train_labels, len(train_labels), self.name))
        else:
            classes = Classes.among(labels)
        numbers = classes.number(labels, f"{self.name}, split {self.split},")
        if len(classes) < 2:
            self.labels_note = f"every label is {classes.names[0]}"
            return
        self._labels, self.class_names = numbers, classes.names
        self.num_classes = len(classes)
        if len(classes) == self.num_images > MANY_CLASSES:
            self.labels_note = "each image is a class of its own; are its labels ids?"

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


def open_digits(
    name: str,
    split: str,
    *,
    image_size: int | None = None,
    channels: int | None = None,
    **place: Any,
) -> ArraySource:
    """Return scikit-learn's 1,797 digits: the first 1,500 are ``train``, the others ``test``.

    Raises:
        GenzooError: if the split is another.
    """
    from sklearn.datasets import load_digits

    parts = {"train": slice(None, DIGITS_TRAIN), "test": slice(DIGITS_TRAIN, None)}
    part = parts[check_split(name, split, parts)]
    digits = load_digits()
    images = np.rint(digits.images[part] * (255 / 16)).astype(np.uint8)
    return ArraySource(
        images,
        digits.target[part],
        train_labels=np.arange(10),
        image_size=image_size,
        channels=channels,
        name=name,
        split=split,
    )


def check_split(name: str, split: str, splits: Collection[str]) -> str:
    """Return ``split`` if the data has it.

    Raises:
        GenzooError: if not; lists those it has.
    """
    if split not in splits:
        raise GenzooError(f"{name} has no split '{split}'; it has: {', '.join(splits)}")
    return split


def _check_images(images: np.ndarray, name: str) -> np.ndarray:
    if images.dtype != np.uint8:
        raise GenzooError(f"{name}: images must be uint8 (0 to 255), but {uint8_hint(images)}")
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise GenzooError(
            f"{name}: images must have the shape (n, height, width) or "
            f"(n, height, width, 1 or 3), not {images.shape}"
        )
    if 0 in images.shape:
        raise GenzooError(f"{name}: there are no images (shape {images.shape})")
    warn_of_masks(images)
    return images


def _add(digest: "hashlib._Hash", array: np.ndarray) -> None:
    digest.update(str(array.shape).encode())
    digest.update(np.ascontiguousarray(array))
