"""What lies in a folder of images: its splits, its classes, its files; no file is opened to tell.

Folders inside it are classes, or splits if all are named like splits and ``train`` is among them.
"""

import hashlib
import os
import stat
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keras_genzoo.data.images import BadImageError
from keras_genzoo.errors import GenzooError

SUFFIXES = frozenset(
    (".bmp", ".gif", ".jfif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
# How folders may spell the splits.
SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
Status = os.stat_result | None


class Names(Sequence):
    """Names in one block of memory: some thirty bytes for each, of which Python takes a hundred.

    >>> names = Names()
    >>> names.append("a.png"), names.append("b.png")
    (None, None)
    >>> len(names), names[1], names[:1]
    (2, 'b.png', ['a.png'])
    >>> list(names)
    ['a.png', 'b.png']
    """

    def __init__(self):
        self._block, self._ends = bytearray(), array("q", [0])

    def append(self, name: str) -> None:
        """Add a name at the end."""
        self._block += os.fsencode(name) + b"\0"
        self._ends.append(len(self._block))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        return os.fsdecode(bytes(self._block[self._ends[index] : self._ends[index + 1] - 1]))

    def __iter__(self) -> Iterator[str]:
        # In parts: one call for each name takes several times as long.
        for first in range(0, len(self), 4096):
            last = self._ends[min(first + 4096, len(self))]
            part = bytes(self._block[self._ends[first] : last])
            yield from os.fsdecode(part).split("\0")[:-1]


@dataclass
class Listing:
    """The image files under a folder, sorted by name, with their sizes in bytes.

    ``left_out`` are the other visible files: those that are not named like images.
    """

    root: Path
    files: Names = field(default_factory=Names)
    sizes: array = field(default_factory=lambda: array("q"))
    left_out: list[str] = field(default_factory=list)

    def fingerprint(self) -> str:
        """Return a digest of names and sizes."""
        digest = hashlib.sha256()
        for name, size in zip(self.files, self.sizes, strict=True):
            digest.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def classes(self) -> list[str]:
        """Return the names of the class folders, sorted; none if all files lie side by side.

        Raises:
            GenzooError: if some files lie in class folders and others beside them.
        """
        tops = {name.partition(os.sep)[0] if os.sep in name else "" for name in self.files}
        if "" in tops and len(tops) > 1:
            loose = next(name for name in self.files if os.sep not in name)
            raise GenzooError(
                f"{self.root} holds images beside class folders ({loose} beside "
                f"{min(tops - {''})}{os.sep}); move all into class folders, or all side by side"
            )
        return sorted(tops - {""})


def split_folders(path: Path) -> dict[str, Path]:
    """Return the folder of each split, by its name here; that of ``train`` is always there.

    Folders named like splits are splits if ``train`` is among them and no other holds images; a
    ``train`` of images alone beside other folders of images is a class.

    Raises:
        GenzooError: if the folders may be splits as well as classes, if two are one split, or if
            images lie beside the splits.
    """
    folders = _visible_folders(path)
    spelt = [name for name in SPLITS if name in folders]
    splits = {SPLITS[name]: path / name for name in spelt}
    if "train" not in splits:
        return {"train": path}
    others = [name for name in folders if name not in SPLITS and _holds_images(path / name)]
    # A class may well be named train; then it looks like the classes beside it.
    if others and spelt == ["train"] and not _visible_folders(splits["train"]):
        return {"train": path}
    if others:
        raise GenzooError(
            f"{path} can be read in two ways: as the splits {', '.join(spelt)}, without "
            f"{', '.join(others)}, or as the classes {', '.join(sorted(spelt + others))}; move "
            f"{others[0]} elsewhere, or rename {spelt[-1]}"
        )
    if len(spelt) > len(splits):
        spelt = [name for name in spelt if SPLITS[name] == "validation"]
        raise GenzooError(f"{path} holds {' and '.join(spelt)}, which are one split; keep one")
    if loose := [entry.name for entry in _scan(path) if _is_image(entry.name, _status(entry))]:
        raise GenzooError(
            f"{path} holds images beside the splits {', '.join(spelt)} ({min(loose)}); move them "
            f"into a split, or give {splits['train']}"
        )
    return splits


def classes_of_train(listing: Listing, train: Path) -> list[str]:
    """Return the classes of the split ``train``: labels mean the same in every split.

    Raises:
        GenzooError: if another split, as listed, has a class that it lacks.
    """
    classes = list_images(train).classes()
    if lacking := [name for name in listing.classes() if name not in classes]:
        raise GenzooError(
            f"{listing.root} has the class folder {lacking[0]}, which {train} lacks; every split "
            "needs the classes of train, or fewer"
        )
    return classes


def list_images(root: Path) -> Listing:
    """List the image files under a folder by their suffixes; hidden files do not count.

    No file is opened, so that 200,000 take about a second. A link that leads nowhere is listed
    if it is named like an image, and cannot be read later.

    Raises:
        GenzooError: if a folder cannot be read, or there is no image.
    """
    listing = Listing(root)
    left_out = listing.left_out
    for name, size in _walk(root):
        if size is None:
            left_out.append(name)
        else:
            listing.files.append(name)
            listing.sizes.append(size)
    if not listing.files:
        others = f" ({len(left_out)} other files, such as {left_out[0]})" if left_out else ""
        raise GenzooError(
            f"there are no images in {root}{others}; expected files named "
            f"{' '.join(sorted(SUFFIXES))}"
        )
    return listing


def read_file(path: str | os.PathLike) -> bytes:
    """Return the bytes of a file.

    Raises:
        BadImageError: if it cannot be read.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise BadImageError(error.strerror or str(error)) from error


def _visible_folders(path: Path) -> list[str]:
    return sorted(entry.name for entry in _scan(path) if _is_folder(entry))


def _holds_images(path: Path) -> bool:
    return any(size is not None for _, size in _walk(path))


def _is_image(name: str, status: Status) -> bool:
    """Whether a file is named like an image; pipes and such are none, whatever their names."""
    named = os.path.splitext(name)[1].lower() in SUFFIXES  # noqa: PTH122
    return named and (status is None or stat.S_ISREG(status.st_mode))


def _walk(
    root: Path, inside: str = "", seen: set | None = None
) -> Iterator[tuple[str, int | None]]:
    """Yield, sorted, each visible file's name within ``root``, and its size if it is an image."""
    found = []
    if seen is None:
        status = _status(root)
        seen = {(status.st_dev, status.st_ino)} if status else set()
    for entry in _scan(os.path.join(root, inside)):  # noqa: PTH118
        status = _status(entry)
        if status is not None and stat.S_ISDIR(status.st_mode):
            # With the separator, names sort here as whole paths do.
            found.append((entry.name + os.sep, (status.st_dev, status.st_ino)))
        elif _is_image(entry.name, status):
            found.append((entry.name, status.st_size if status else 0))
        else:
            found.append((entry.name, None))
    found.sort(key=lambda pair: pair[0])
    for name, what in found:
        if not isinstance(what, tuple):
            yield inside + name, what
        # A link may lead back up; each folder is listed once.
        elif what not in seen:
            seen.add(what)
            yield from _walk(root, inside + name, seen)


def _scan(folder: str | os.PathLike) -> Iterator[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith((".", "__MACOSX")):
                    yield entry
    except OSError as error:
        raise GenzooError(
            f"cannot read the folder {folder}: {error.strerror}; check the path and permissions"
        ) from error


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _status(entry: os.DirEntry | Path) -> Status:
    """Return what the system knows of a file; None of a link that leads nowhere."""
    try:
        return entry.stat()
    except OSError:
        return None
