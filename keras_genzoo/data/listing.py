"""What lies in a folder of images: its files by kind, sorted, and its folders.

No file that has a known suffix is opened. Which folders are splits or classes, `layout` decides.
"""

import hashlib
import os
import stat
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple, TypeAlias

from keras_genzoo.data import archives
from keras_genzoo.data.images import BadImageError
from keras_genzoo.data.kinds import IMAGE, OTHER, UNREADABLE, Kinds, remedy
from keras_genzoo.data.packed_names import PackedNames
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown

# What systems and file managers leave in folders, in lower case. Hidden files are left out, too.
_JUNK = frozenset({
    "@eadir", "@recycle", "@tmp", "#recycle", "#snapshot", "$recycle.bin", "lost+found",
    "desktop.ini", "ehthumbs.db", "thumbs.db", "__pycache__",
})  # fmt: skip
Status: TypeAlias = os.stat_result | SimpleNamespace | None


@dataclass
class Listing:
    """The files under a folder, sorted by name: the images, with their sizes in bytes, and others.

    ``unreadable`` are images that this Pillow cannot open, ``others`` no images; hidden files and
    what systems leave in folders are in none of them.
    """

    root: Path
    files: PackedNames = field(default_factory=PackedNames)
    sizes: array = field(default_factory=lambda: array("q"))
    unreadable: PackedNames = field(default_factory=PackedNames)
    others: PackedNames = field(default_factory=PackedNames)

    def fingerprint(self) -> str:
        """Return a digest of the images' names and sizes."""
        digest = hashlib.sha256()
        for name, size in zip(self.files, self.sizes, strict=True):
            digest.update(f"{name}\0{size}\0".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def common_folder(self) -> str:
        """Return the innermost folder that all images lie in, with the separator; "" for the root.

        It is that of the first and the last, since they are sorted.
        """
        first, last = (os.path.dirname(self.files[index]) for index in (0, -1))  # noqa: PTH120
        common = os.path.commonpath([first, last])
        return common + os.sep if common else ""

    def count_folders(self, inside: str) -> Counter:
        """Count the images in each folder that lies directly in ``inside``; "" is itself."""
        start = len(inside)
        return Counter(
            name[start:].partition(os.sep)[0] if name.find(os.sep, start) >= 0 else ""
            for name in self.files
        )

    def read(self, index: int) -> bytes:
        """Return the content of one image.

        Raises:
            BadImageError: if it cannot be read.
        """
        return read_file(os.path.join(self.root, self.files[index]))  # noqa: PTH118

    @property
    def left_out_in_words(self) -> str | None:
        """Which files are not read, in one line; None if all are."""
        parts = []
        if self.unreadable:
            what = _counted(self.unreadable, "image", "that Pillow cannot open here")
            parts.append(f"{what}: {_remedies(self.unreadable)}")
        if self.others:
            parts.append(_counted(self.others, "other file"))
        return f"left out: {'; '.join(parts)}" if parts else None


def list_images(root: Path) -> Listing:
    """List the files under a folder; hidden ones do not count.

    No file with the suffix of an image is opened, so that 200,000 take about a second. A link that
    leads nowhere is listed if it is named like an image, and cannot be read later.

    Raises:
        GenzooError: if a folder cannot be read, or there is no image.
    """
    listing = Listing(root)
    names = {IMAGE: listing.files, UNREADABLE: listing.unreadable, OTHER: listing.others}
    for name, kind, size in _walk(root, Kinds()):
        names[kind].append(name)
        if kind == IMAGE:
            listing.sizes.append(size)
    if not listing.files:
        there = listing.left_out_in_words
        raise GenzooError(
            f"there are no images in {root}{f' ({there})' if there else ''}; expected files that "
            "Pillow reads, such as .jpg .png .webp"
        )
    return listing


def list_folders(path: Path) -> list[str]:
    """Return the names of the visible folders in a folder, sorted.

    Raises:
        GenzooError: if it cannot be read.
    """
    return sorted(entry.name for entry in _scan(path) if _is_folder(entry))


def find_image(folder: Path, deep: bool = True, kinds: tuple[str, ...] = (IMAGE,)) -> str | None:
    """Return the name of an image in a folder, or also in the folders inside; None if none is.

    Args:
        folder: where to look.
        deep: whether to look into the folders inside, too.
        kinds: what counts as an image.

    Raises:
        GenzooError: if a folder cannot be read.
    """
    identifier, seen, todo = Kinds(), set(), [folder]
    while todo:
        current, inner = todo.pop(), []
        for entry in _scan(current):
            if _is_folder(entry):
                inner.append(Path(entry.path))
            elif _size(_status(entry)) is None:
                continue
            elif identifier.identify(current, entry.name) in kinds:
                return entry.name
        for path in inner if deep else ():
            # A link may lead back up.
            status = _status(path)
            if status and (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                todo.append(path)
    return None


def read_file(path: str | os.PathLike) -> bytes:
    """Return the bytes of a file.

    Raises:
        BadImageError: if it cannot be read.
    """
    try:
        archives.refuse_large(archives.status(path).st_size)
        with archives.open_file(path) as file:
            return file.read()
    except OSError as error:
        raise BadImageError(error.strerror or str(error)) from error


def _size(status: Status) -> int | None:
    """Return the size of a file, 0 of a link that leads nowhere, None of pipes and such."""
    if status is None:
        return 0
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class _Found(NamedTuple):
    """An entry of a folder: a folder, by its device and inode, or a file, by its size."""

    # That of a folder ends in the separator.
    name: str
    folder: tuple[int, int] | None = None
    size: int | None = None


def _walk(
    root: Path, kinds: Kinds, inside: str = "", seen: set | None = None
) -> Iterator[tuple[str, str, int]]:
    """Yield each visible file's name within ``root``, its kind and its size, sorted by name.

    Args:
        root: the folder that is listed.
        kinds: says what kind of file each is.
        inside: the folder within it to go through, with the separator at its end.
        seen: folders that were gone through already: a link may lead back up.
    """
    folder = os.path.join(root, inside)  # noqa: PTH118
    if seen is None:
        status = _status(root)
        seen = {(status.st_dev, status.st_ino)} if status else set()
    # All are known before the first is looked at: with the separators, names sort as whole paths
    # do, and what a file of unknown suffix is may follow from those before it.
    for found in sorted(map(_look_up, _scan(folder)), key=lambda found: found.name):
        if found.folder is None:
            kind = OTHER if found.size is None else kinds.identify(folder, found.name)
            yield inside + found.name, kind, found.size or 0
        elif found.folder not in seen:
            seen.add(found.folder)
            yield from _walk(root, kinds, inside + found.name, seen)


def _look_up(entry: os.DirEntry) -> _Found:
    status = _status(entry)
    if status is not None and stat.S_ISDIR(status.st_mode):
        return _Found(entry.name + os.sep, folder=(status.st_dev, status.st_ino))
    return _Found(entry.name, size=_size(status))


def _scan(folder: str | os.PathLike) -> Iterator[os.DirEntry]:
    try:
        with archives.scan(folder) as entries:
            for entry in entries:
                name = entry.name
                if not name.startswith((".", "__MACOSX")) and name.lower() not in _JUNK:
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
        return archives.status(entry) if isinstance(entry, Path) else entry.stat()
    except OSError:
        return None


def suffix_of(name: str) -> str:
    """Return the suffix of a file's name in lower case; "" if it has none."""
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _counted(names: PackedNames, what: str, which: str = "") -> str:
    """Say how many files there are, of which suffixes, and name one."""
    counts = Counter(suffix_of(name) or "no suffix" for name in names).most_common()
    some = ", ".join(f"{shown(suffix)} {number:,}" for suffix, number in counts[:4])
    more = ", ..." if len(counts) > 4 else ""
    words = " ".join(filter(None, (f"{what}{'s' if len(names) > 1 else ''}", which)))
    return f"{len(names):,} {words} ({some}{more}), such as {shown(names[0])}"


def _remedies(names: PackedNames) -> str:
    return ", ".join(sorted({remedy(suffix_of(name)) for name in names}))
