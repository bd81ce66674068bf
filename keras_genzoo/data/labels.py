"""From the labels that data come with to classes: which there are, and what they are called.

The classes are the values that occur, in order, and named after them: labels may begin at 1, leave
gaps, be ids, or be words. What lies in folders, and what a model does with classes, is not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_genzoo.errors import GenzooError


@dataclass(frozen=True)
class Classes:
    """The classes of a data set, in order.

    Args:
        values: the label of each, integers or strings, sorted if they are read from labels.
        names: what each is called.

    >>> classes = Classes.among(np.array([50, 0, 100, 0]))
    >>> classes.names, classes.number(np.array([100, 0]), "some")
    (['0', '50', '100'], array([2, 0], dtype=int32))
    """

    values: np.ndarray
    names: list[str]

    @classmethod
    def among(cls, labels: np.ndarray) -> "Classes":
        """Return the classes that occur among labels."""
        values = np.unique(labels)
        return cls(values, [str(value) for value in values.tolist()])

    @classmethod
    def named(cls, names: Sequence[str], name: str) -> "Classes":
        """Return the classes whose labels are 0, 1, ..., with these names.

        Raises:
            GenzooError: if the names are no strings, or two are alike.
        """
        given = np.asarray(names)
        if given.ndim != 1 or given.dtype.kind != "U":
            raise GenzooError(
                f"{name}: class_names must be strings of shape (classes,), "
                f"not {given.dtype} {given.shape}"
            )
        different, counts = np.unique(given, return_counts=True)
        if len(different) < len(given):
            twice = different[counts.argmax()]
            raise GenzooError(f"{name}: two classes are called '{twice}'; name them apart")
        return cls(np.arange(len(given)), given.tolist())

    def __len__(self) -> int:
        return len(self.names)

    def number(self, labels: np.ndarray, name: str) -> np.ndarray:
        """Return the number of each label's class, int32 from 0 on.

        Raises:
            GenzooError: if a label is none of the classes.
        """
        values, order = self.values, None
        if labels.dtype.kind == "U" and values.dtype.kind != "U":
            values, order = np.unique(np.array(self.names), return_index=True)
        if (labels.dtype.kind == "U") != (values.dtype.kind == "U"):
            raise GenzooError(f"{name} has numbers for labels, and the classes are {self._some()}")
        numbers = np.clip(np.searchsorted(values, labels), 0, len(values) - 1)
        if len(foreign := labels[values[numbers] != labels]):
            raise GenzooError(
                f"{name} has the label {foreign[0]}, which is none of the {len(self)} classes "
                f"({self._some()}); leave out its images, or add the class"
            )
        return (numbers if order is None else order[numbers]).astype(np.int32)

    def _some(self) -> str:
        shown = [str(value) for value in self.values[:3].tolist()]
        return ", ".join(shown) + (", ..." if len(self) > 3 else "")


def plain_labels(labels: np.ndarray, num_images: int, name: str) -> np.ndarray:
    """Return labels as int64 or strings, ``(n,)``: floats if they are whole, bytes if UTF-8.

    Raises:
        GenzooError: if they are not such, negative, or not as many as the images.
    """
    labels = np.asarray(labels)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if labels.ndim != 1:
        hint = "; for rows of 0 and a single 1 give np.argmax(labels, axis=1)"
        raise GenzooError(
            f"{name}: labels must be of shape ({num_images},), not {labels.shape}"
            f"{hint if labels.ndim == 2 else ''}"
        )
    if len(labels) != num_images:
        raise GenzooError(f"{name}: there are {num_images} images but {len(labels)} labels")
    if labels.dtype.kind in "US":
        return _as_text(labels, name)
    if labels.dtype.kind not in "biuf" or not _all_whole(labels):
        what = {"f": " with fractions", "u": " from 2**63 on"}.get(labels.dtype.kind, "")
        raise GenzooError(
            f"{name}: labels must be whole numbers or strings, not {labels.dtype}{what}"
        )
    if len(labels) and labels.min() < 0:
        raise GenzooError(
            f"{name}: labels are numbers from 0 on, but one is {int(labels.min())}, which often "
            "marks an image without a class; leave out such images, or the labels (--labels none)"
        )
    return labels.astype(np.int64)


def fingerprint_of(labels: np.ndarray) -> bytes:
    """Return the bytes by which labels enter a fingerprint, whatever type they were kept in."""
    if labels.dtype.kind == "U":
        return "\0".join(labels.tolist()).encode("utf-8", "surrogatepass")
    narrow = not len(labels) or labels.max() <= np.iinfo(np.int32).max
    return labels.astype(np.int32 if narrow else np.int64).tobytes()


def _all_whole(labels: np.ndarray) -> bool:
    if labels.dtype.kind == "f":
        return bool(np.all(np.abs(labels) < 2**63) and np.all(labels == np.rint(labels)))
    return labels.dtype.kind != "u" or not len(labels) or int(labels.max()) < 2**63


def _as_text(labels: np.ndarray, name: str) -> np.ndarray:
    if labels.dtype.kind == "U":
        return labels
    try:
        return np.char.decode(labels, "utf-8")
    except UnicodeDecodeError as error:
        raise GenzooError(f"{name}: labels that are bytes must be UTF-8 text") from error
