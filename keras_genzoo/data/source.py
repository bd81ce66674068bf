"""What every source of images offers: numbered images, read in any order, from any thread.

Nothing here knows TensorFlow. The order of a training run, and the batches, are the pipeline's.
"""

import abc
import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from keras_genzoo.data.images import BadImageError
from keras_genzoo.errors import GenzooError

# Of more classes than this, only the first few are named in a line.
SHOWN_CLASSES = 12
# Why there are no classes where a person wants none.
NO_LABELS = "as asked for by labels none"


def classes_in_words(names: Sequence[str] | None) -> str:
    """Say how many classes there are, and name them, of many the first few.

    >>> classes_in_words(["birds", "cats", "dogs"]), classes_in_words(None)
    ('3 classes: birds, cats, dogs', 'no classes')
    """
    if not names:
        return "no classes"
    some = names if len(names) <= SHOWN_CLASSES else [*names[:5], "..."]
    return f"{len(names):,} class{'es' if len(names) > 1 else ''}: {', '.join(some)}"


class Source(abc.ABC):
    """A split of a data set: ``num_images`` images, all of one shape, with or without labels.

    An image that cannot be read is skipped: the next one that can be read takes its place, so that
    the number of images and their order depend on nothing but the data.

    Attributes:
        name: the data set, for people.
        split: the part of it.
        num_images: images in the split, skipped ones included.
        image_shape: ``(height, width, channels)``, after cropping and resizing.
        num_classes: number of class labels, or None if there are none.
        class_names: their names, or None.
        labels_are_folders: whether the labels are the folders that the images lie in.
        attribute_names: what else is known of each image, yes or no; None if nothing is.
        labels_note: what is odd about the labels, in a few words; None if nothing is.
        statistics: mean and covariance of the images' Inception features where they are stored
            beside them, float64 ``(d,)`` and ``(d, d)``; else None.
        fingerprint: changes when the data change; cheap to compute.
    """

    name: str
    split: str
    num_images: int
    image_shape: tuple[int, int, int]
    num_classes: int | None
    class_names: list[str] | None
    labels_are_folders: bool = False
    attribute_names: list[str] | None = None
    labels_note: str | None = None
    statistics: tuple[np.ndarray, np.ndarray] | None = None
    fingerprint: str

    def __init__(self) -> None:
        self._bad: dict[int, str] = {}
        self._lock = threading.Lock()

    @abc.abstractmethod
    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Return one uint8 image of ``image_shape`` and its label, -1 if it has none.

        Raises:
            BadImageError: if it cannot be read.
        """

    def describe(self, index: int) -> str:
        """Return what a person knows the image by: its file, or its number."""
        return f"image {index} of {self.name}, split {self.split}"

    @property
    def labels_in_words(self) -> str:
        """What the classes are, in one line.

        >>> from keras_genzoo.data import open_source
        >>> open_source("digits").labels_in_words
        '10 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9'
        """
        words = classes_in_words(self.class_names)
        return f"{words}: {self.labels_note}" if self.labels_note else words

    @property
    def notes(self) -> list[str]:
        """What a person should know of the data, a line each: what was taken for what.

        Lines may come while images are read.
        """
        return [self.labels_in_words]

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """The images that could not be read so far, in order: ``(description, reason)``."""
        with self._lock:
            return [(self.describe(index), self._bad[index]) for index in sorted(self._bad)]

    def fetch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels with these numbers.

        Returns:
            uint8 ``(n, height, width, channels)`` and int32 ``(n,)``.

        Raises:
            GenzooError: if no image at all can be read.
        """
        images = np.empty((len(indices), *self.image_shape), np.uint8)
        labels = np.empty(len(indices), np.int32)
        for row, index in enumerate(indices):
            images[row], labels[row] = self._read_or_next(int(index))
        return images, labels

    def label(self, index: int) -> int:
        """Return the label of one image, -1 if it has none.

        Raises:
            BadImageError: if it cannot be read.
        """
        return self.read(index)[1]

    @property
    def as_published(self) -> "Source":
        """The same images in the order in which they were published.

        Where they are stored in that order, or it is not known, the source itself.
        """
        return self

    def read_attributes(self, index: int) -> np.ndarray:
        """Return the attributes of one image, uint8 0 or 1, ``(len(attribute_names),)``.

        Raises:
            GenzooError: if the data has none.
        """
        raise GenzooError(f"{self.name} has no attributes")

    def sample(self, count: int, seed: int = 0, *, skip: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Return ``count`` different images and their labels, in random order, as ``fetch`` does.

        Args:
            count: number of images.
            seed: random seed of their choice and order.
            skip: images passed over: none is in the sample of so many with the same seed.

        Raises:
            GenzooError: if there are not as many.
        """
        if not 1 <= count <= self.num_images - skip:
            raise GenzooError(
                f"{count} images were asked for, and {self.name}, split {self.split}, has "
                f"{self.num_images - skip}; ask for 1 to {self.num_images - skip}"
            )
        order = np.random.default_rng(seed).permutation(self.num_images)
        return self.fetch(order[skip : skip + count])

    def _read_or_next(self, index: int) -> tuple[np.ndarray, int]:
        for step in range(self.num_images):
            candidate = (index + step) % self.num_images
            if candidate in self._bad:
                continue
            try:
                return self.read(candidate)
            except BadImageError as error:
                with self._lock:
                    self._bad[candidate] = str(error)
        which, reason = self.skipped[0]
        raise GenzooError(
            f"none of the {self.num_images} images of {self.name} can be read "
            f"(first: {which}: {reason}); see genzoo data check"
        )

    def check(self) -> Iterator[tuple[str, str]]:
        """Read every image once, and yield those that cannot be read with the reason."""
        with ThreadPoolExecutor() as pool:
            # In parts: a pool queues all of its calls at once, and 200,000 take much memory.
            for start in range(0, self.num_images, 256):
                part = range(start, min(start + 256, self.num_images))
                for index, reason in zip(part, pool.map(self._reason, part), strict=True):
                    if reason:
                        yield self.describe(index), reason

    def _reason(self, index: int) -> str | None:
        try:
            self.read(index)
        except BadImageError as error:
            return str(error)
        return None

    def refuse_bad_images(self) -> None:
        """Read every image once, and stop at the first that cannot be read.

        Raises:
            GenzooError: naming it.
        """
        for which, reason in self.check():
            raise GenzooError(
                f"{which} cannot be read: {reason}; repair or remove it, or go without --strict"
            )

    @property
    def nbytes(self) -> int:
        """Bytes that all images take in memory."""
        return self.num_images * int(np.prod(self.image_shape))

    @cached_property
    def in_memory(self) -> "Source | MemoryCache":
        """The same images, kept once they have been read."""
        return MemoryCache(self)


class PartSource(Source):
    """Some of the images of another source.

    Args:
        source: the other source.
        positions: numbers of its images, in the order wanted.
        split: what the part is called.

    >>> from keras_genzoo.data import open_source
    >>> PartSource(open_source("digits"), np.arange(100), "a hundred").num_images
    100
    """

    def __init__(self, source: Source, positions: np.ndarray, split: str):
        super().__init__()
        self._source, self._positions = source, np.asarray(positions)
        self.name, self.split, self.num_images = source.name, split, len(positions)
        self.image_shape, self.num_classes = source.image_shape, source.num_classes
        self.class_names, self.attribute_names = source.class_names, source.attribute_names
        digest = hashlib.sha256(self._positions.astype("int64").tobytes()).hexdigest()
        self.fingerprint = f"{source.fingerprint}-{digest[:16]}"

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Return one image and its label."""
        return self._source.read(int(self._positions[index]))

    def label(self, index: int) -> int:
        """Return the label of one image."""
        return self._source.label(int(self._positions[index]))

    def read_attributes(self, index: int) -> np.ndarray:
        """Return the attributes of one image."""
        return self._source.read_attributes(int(self._positions[index]))

    def describe(self, index: int) -> str:
        """Return what a person knows the image by."""
        return self._source.describe(int(self._positions[index]))


class UnlabelledSource(Source):
    """The images of another source, without its labels.

    Args:
        source: the other source.

    >>> from keras_genzoo.data import open_source
    >>> source = UnlabelledSource(open_source("digits"))
    >>> source.num_images, source.num_classes, source.fetch(np.array([0]))[1]
    (1500, None, array([-1], dtype=int32))
    """

    def __init__(self, source: Source):
        super().__init__()
        self._source = source
        self.name, self.split, self.num_images = source.name, source.split, source.num_images
        self.image_shape, self.fingerprint = source.image_shape, source.fingerprint
        self.attribute_names = source.attribute_names
        self.num_classes = self.class_names = None

    @property
    def labels_in_words(self) -> str:
        """That there are no classes, and why."""
        return f"no classes: {NO_LABELS}"

    @property
    def skipped(self) -> list[tuple[str, str]]:
        """The images that could not be read so far."""
        return self._source.skipped

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Return one image, and -1."""
        return self._source.read(index)[0], -1

    def label(self, index: int) -> int:
        """Return -1."""
        return -1

    @property
    def as_published(self) -> Source:
        """The same images in the order in which they were published."""
        published = self._source.as_published
        return self if published is self._source else UnlabelledSource(published)

    def fetch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the images with these numbers, and -1 for each."""
        return self._source.fetch(indices)[0], np.full(len(indices), -1, np.int32)

    def read_attributes(self, index: int) -> np.ndarray:
        """Return the attributes of one image."""
        return self._source.read_attributes(index)

    def describe(self, index: int) -> str:
        """Return what a person knows the image by."""
        return self._source.describe(index)

    @property
    def in_memory(self) -> "Source | MemoryCache":
        """The same images, kept once they have been read."""
        return self if self._source.in_memory is self._source else super().in_memory


class MemoryCache:
    """The images of a source, each read once and then kept.

    It fills while the first epoch runs, so nothing waits for it.
    """

    def __init__(self, source: Source):
        self._source = source
        self._images = np.empty((source.num_images, *source.image_shape), np.uint8)
        self._labels = np.empty(source.num_images, np.int32)
        self._filled = np.zeros(source.num_images, bool)

    def fetch(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the images and labels with these numbers, as `Source.fetch` does."""
        missing = indices[~self._filled[indices]]
        if len(missing):
            self._images[missing], self._labels[missing] = self._source.fetch(missing)
            # Marked last, since other threads read what is marked. Two threads may read the same
            # image; they write the same pixels.
            self._filled[missing] = True
        return self._images[indices], self._labels[indices]
