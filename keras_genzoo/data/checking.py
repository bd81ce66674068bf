"""Looking data over before a long run: every image of a folder, every file of a data set.

Nothing is repaired or removed here; the findings are for a person to act on.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from keras_genzoo.data.images import (
    BadImageError,
    alone_if_large,
    decode,
    is_grey,
    open_image,
    remarks,
    upright_size,
)
from keras_genzoo.data.kinds import remedy
from keras_genzoo.data.layout import classes_of, split_folders, splits_in_words
from keras_genzoo.data.listing import list_images, read_file, suffix_of
from keras_genzoo.data.opening import open_source
from keras_genzoo.data.prepared import (
    ManualFile,
    find_builder,
    is_prepared,
    manual_files,
    split_files,
)
from keras_genzoo.data.registry import looks_like_path, paths_in_words
from keras_genzoo.data.shapes import Shape, all_in_words, in_words, sample_shapes, sizes_of
from keras_genzoo.data.source import Source
from keras_genzoo.data.splits import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown


@dataclass(frozen=True)
class Finding:
    """What was seen of one file.

    Args:
        name: the file, within its folder.
        problem: why it cannot be used; None if it can.
        remarks: what is unusual about it, yet read right.
    """

    name: str
    problem: str | None = None
    remarks: tuple[str, ...] = ()


def describe_folder(path: str | os.PathLike, labels: str = "auto") -> list[str]:
    """Say what is taken for what in a folder of images: its splits, classes and other files.

    Args:
        path: the folder.
        labels: where labels come from, see `open_source`.

    Returns:
        Lines for a person.

    Raises:
        GenzooError: if the folder cannot be read or holds no images, or what it holds may be taken
            in two ways.
    """
    folders = split_folders(Path(path), labels)
    lines = [splits_in_words(folders, Path(path))]
    for split, folder in folders.items():
        listing = list_images(folder)
        classes = classes_of(split, listing, folders, labels)
        size = all_in_words(sample_shapes(len(listing.files), listing.read))
        lines.append(f"{split}: {len(listing.files):,} images ({size}); {classes.in_words}")
    lines.append(list_images(Path(path)).left_out_in_words)
    return [line for line in lines if line]


def empty_class_folders(path: str | os.PathLike, labels: str = "auto") -> list[str]:
    """Return the folders beside the classes of a folder of images that hold no image.

    Args:
        path: the folder.
        labels: where labels come from, see `open_source`.

    Raises:
        GenzooError: as `describe_folder` does.
    """
    folders = split_folders(Path(path), labels)
    split = next(iter(folders))
    classes = classes_of(split, list_images(folders[split]), folders, labels)
    return [shown(name) for name in classes.empty] if classes.names else []


def check_folder(path: str | os.PathLike) -> Iterator[Finding]:
    """Read every image under a folder whole, and yield one finding for each, in order.

    Images that Pillow cannot open here come last, as what cannot be used.

    Raises:
        GenzooError: if the folder cannot be read or holds no images.
    """
    listing = list_images(Path(path))
    shapes = sample_shapes(len(listing.files), listing.read)
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(listing.files), 256):
            part = listing.files[start : start + 256]
            yield from pool.map(lambda name: _look(listing.root, name, shapes), part)
    for name in listing.unreadable:
        problem = f"an image that Pillow cannot open here; {remedy(suffix_of(name))}"
        yield Finding(shown(name), problem)


def open_to_check(
    name_or_path: str | os.PathLike,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
) -> list[Source]:
    """Return the splits of data that are read image by image, as `open_source` opens them.

    Raises:
        GenzooError: as it does.
    """

    def open_split(split: str) -> Source:
        places: dict[str, Any] = {"data_dir": data_dir, "manual_dir": manual_dir}
        try:
            return open_source(name_or_path, split, **places)
        except GenzooError as error:
            if "give an image size" not in str(error):
                raise
            return open_source(name_or_path, split, image_size=64, **places)

    splits = Splits(open_split)
    return [source for split in ("train", "validation", "test") if (source := splits.find(split))]


def describe_sources(sources: Iterable[Source]) -> list[str]:
    """Say what the splits hold: a line for each, for a person."""
    return [
        f"{source.split}: {source.num_images:,} images; {source.labels_in_words}"
        for source in sources
    ]


def check_sources(sources: Iterable[Source]) -> Iterator[Finding]:
    """Read every image of some sources, and yield one finding for each."""
    for source in sources:
        bad = [Finding(which, reason) for which, reason in source.check()]
        yield from bad
        yield from [Finding(source.name)] * (source.num_images - len(bad))


def check_prepared(
    name: str,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
) -> list[Finding]:
    """Verify a data set of tensorflow-datasets: files fetched by hand, and what was prepared.

    Files in ``manual_dir`` are compared with the registered sha256. Of a prepared data set every
    record is read, its checksum compared, and the records are counted.

    Returns:
        One finding for each file.

    Raises:
        GenzooError: if there is no such data set, or nothing of it to check.
    """
    if Path(name).is_file():
        raise GenzooError(f"{name} is a file; expected a data set, {paths_in_words()}")
    if looks_like_path(name):
        raise GenzooError(f"there is no folder {name}")
    findings = [_check_file(file, manual_dir) for file in manual_files(name, data_dir)]
    builder = find_builder(name, data_dir)
    if not is_prepared(builder):
        if not manual_dir:
            raise GenzooError(
                f"{name} is not prepared in {builder.data_dir}; run genzoo data prepare {name}, "
                "or give --manual-dir to check the files in it"
            )
        return findings
    findings = findings if manual_dir else []
    return findings + [
        _check_records(Path(part.filename), part.examples_in_shard)
        for split in builder.info.splits.values()
        for part in split_files(split)
    ]


def find_manual_files(
    name: str,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
) -> list[Finding]:
    """Say of each file that a data set is prepared from whether ``manual_dir`` holds it."""
    return [
        Finding(file.name, None if file.found_in(manual_dir) else "missing", (_size(file.size),))
        for file in manual_files(name, data_dir)
    ]


def _look(root: Path, name: str, shapes: list[Shape]) -> Finding:
    """Read one file whole; ``shapes`` are those of a sample of the others."""
    try:
        data = read_file(root / name)
        image = open_image(data)
        with alone_if_large(image):
            # A PNG is read whole to find its orientation.
            noted = (*remarks(image, suffix_of(name)), *_differences(image, shapes))
            del image
        decode(data)
    except BadImageError as error:
        return Finding(shown(name), str(error))
    return Finding(shown(name), remarks=noted)


def _differences(image: Image.Image, shapes: list[Shape]) -> Iterator[str]:
    sizes, size = sizes_of(shapes), upright_size(image)
    if len(sizes) == 1 and size != sizes[0]:
        yield f"{in_words(size)}, where the others are {in_words(sizes[0])}"
    colour = any(shape[2] == 3 for shape in shapes)
    if shapes and is_grey(image) is colour:
        yield "grey among others in colour" if colour else "in colour among grey ones"


def _check_file(file: ManualFile, manual_dir: str | os.PathLike | None) -> Finding:
    path = file.found_in(manual_dir)
    if path is None:
        return Finding(file.name, "missing", (_size(file.size),))
    if path.stat().st_size != file.size:
        return Finding(file.name, f"has {path.stat().st_size:,} bytes, expected {file.size:,}")
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return Finding(
        file.name, None if digest == file.sha256 else "has another sha256; fetch it again"
    )


def _check_records(path: Path, expected: int) -> Finding:
    import tensorflow as tf

    try:
        count = sum(1 for _ in tf.data.TFRecordDataset(str(path), buffer_size=2**20))
    except tf.errors.OpError as error:
        return Finding(path.name, f"damaged: {error.message.splitlines()[0]}")
    problem = None if count == expected else f"holds {count} records, expected {expected}"
    return Finding(path.name, problem)


def _size(size: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
