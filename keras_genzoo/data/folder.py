"""A folder of images as a source: listed by names alone, opened only when an image is needed."""

import contextlib
import os
from collections.abc import Sized
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from keras_genzoo.data.archives import open_file
from keras_genzoo.data.arrays import check_split
from keras_genzoo.data.images import (
    BadImageError,
    check_request,
    decode,
    decode_opened,
    is_grey,
    open_image,
    target_shape,
    upright_size,
)
from keras_genzoo.data.layout import classes_of, find_split, split_folders, splits_in_words
from keras_genzoo.data.listing import list_images, read_file
from keras_genzoo.data.shapes import SAMPLE, Shape, in_words, sample_shapes, sizes_of, spread
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import shown

# Of so many images the sizes and colours are read before training: some two seconds.
LOOKED_OVER = 20_000


class FolderSource(Source):
    """The images of a folder, or of a ``.zip`` read in place as if it were one; see `open_source`.

    Folders in it become classes if there are several, and are not splits, nor numbered parts of
    one set; those without an image are no classes. ``labels_in_words`` says what was found. Images
    are read by their content; a file of unknown suffix is one if its first bytes say so.

    Args:
        path: the folder or ``.zip``.
        split: a folder ``train``, ``validation`` or ``test`` in it, in any usual spelling; a
            folder without such has one split, ``train``.
        image_size: side of the square to crop and resize to; by default that of the images.
        channels: 1 or 3; by default 1 if a sample of the images is all grey, else 3.
        labels: ``"folders"`` takes every folder for a class, ``"none"`` leaves labels out.

    Attributes:
        left_out: the visible files that are not read: no images, or none that Pillow opens.

    Raises:
        GenzooError: if the folder cannot be read, holds no images, none that can be read,
            or images of different sizes while ``image_size`` is not given; if its folders may
            be splits as well as classes; if a split has a class that ``train`` lacks.
    """

    labels_are_folders = True

    def __init__(
        self,
        path: str | os.PathLike,
        split: str = "train",
        *,
        image_size: int | None = None,
        channels: int | None = None,
        labels: str = "auto",
    ):
        super().__init__()
        check_request(image_size, channels)
        self.name, self._given = shown(path), Path(path)
        self._folders = split_folders(self._given, labels)
        self.split = find_split(split, self._folders)
        folder = self._folders[check_split(self.name, self.split, self._folders)]
        self._listing = list_images(folder)
        self._root, self._files = self._listing.root, self._listing.files
        self.num_images = len(self._files)
        self.fingerprint = self._listing.fingerprint()
        self._classes = classes_of(self.split, self._listing, self._folders, labels)
        names = self._classes.names
        self._class_index = {name: number for number, name in enumerate(names or ())}
        self.class_names = self._classes.shown_names
        self.num_classes = len(names) if names else None
        native = self._native_shape(need_size=image_size is None)
        self.image_shape = target_shape(native, image_size, channels)
        # What a person has asked for is no surprise.
        self._compares_size = image_size is None
        self._compares_colour = channels is None and self.image_shape[2] == 1
        self._compares_grey = channels is None and self.image_shape[2] == 3
        self._of_other_size: dict[int, tuple[int, int]] = {}
        self._in_colour: set[int] = set()
        self._looked_over = False

    @property
    def left_out(self) -> list[str]:
        """The visible files that are not read."""
        names = [*self._listing.unreadable, *self._listing.others]
        return [str(self._root / name) for name in sorted(names)]

    @property
    def labels_in_words(self) -> str:
        """What the folders were taken for, in one line."""
        return self._classes.in_words

    @property
    def notes(self) -> list[str]:
        """What was taken for what, what is left out, and how images differ from the others."""
        self._look_over()
        splits = splits_in_words(self._folders, self._given)
        notes = [self.labels_in_words, splits, self._listing.left_out_in_words]
        return [note for note in (*notes, *self.odd_in_words, self._grey_in_words) if note]

    @property
    def odd_in_words(self) -> list[str]:
        """Which of the images seen so far lose something that the others have, a line for each."""
        with self._lock:
            sizes, colour = dict(self._of_other_size), sorted(self._in_colour)
        lines = []
        if sizes:
            first = min(sizes)
            lines.append(
                f"{_images(sizes)} of another size than {in_words(self.image_shape[:2])}, cropped "
                f"and resized: such as {self.describe(first)} ({in_words(sizes[first])})"
            )
        if colour:
            lines.append(
                f"{_images(colour)} in colour among grey ones, turned grey: such as "
                f"{self.describe(colour[0])}; --channels 3 keeps the colour"
            )
        return lines

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Decode one image."""
        image = open_image(read_file(self._path(index)))
        self._compare(index, image)
        return decode_opened(image, self.image_shape), self._label(index)

    def describe(self, index: int) -> str:
        """Return the path of the file."""
        return shown(self._root / self._files[index])

    def refuse_bad_images(self) -> None:
        """Read every image once; stop at what cannot be read, was left out or differs in shape.

        Raises:
            GenzooError: naming it.
        """
        if self._listing.unreadable:
            raise GenzooError(
                f"{self.name}: {self._listing.left_out_in_words}; or go without --strict"
            )
        if self.class_names and self._classes.empty:
            raise GenzooError(
                f"{self.name} has class folders without an image, such as "
                f"{shown(self._classes.empty[0])}; remove them, or go without --strict"
            )
        super().refuse_bad_images()
        for odd in self.odd_in_words:
            raise GenzooError(f"{self.name}: {odd}; remove them, or go without --strict")

    def _label(self, index: int) -> int:
        name = self._files[index][len(self._classes.inside) :]
        return self._class_index.get(name.partition(os.sep)[0], -1)

    def _path(self, index: int) -> str:
        return os.path.join(self._root, self._files[index])  # noqa: PTH118

    def _native_shape(self, need_size: bool) -> Shape:
        shapes = sample_shapes(self._root, self._files)
        if not shapes:
            raise GenzooError(
                f"none of the {self.num_images} images in {self.name} can be read; "
                f"see genzoo data check {self.name}"
            )
        sizes = sizes_of(shapes)
        if need_size and len(sizes) > 1:
            some = ", ".join(map(in_words, sizes[:3]))
            raise GenzooError(
                f"the images in {self.name} have different sizes ({some}); give an image size"
            )
        return (*sizes[0], max(shape[2] for shape in shapes))

    def _compare(self, index: int, image: Image.Image) -> None:
        """Note how an opened image differs from the shape of the others."""
        if self._compares_size and (size := upright_size(image)) != self.image_shape[:2]:
            with self._lock:
                self._of_other_size[index] = size
        if self._compares_colour and not is_grey(image):
            with self._lock:
                self._in_colour.add(index)

    def _look_over(self) -> None:
        """Compare the headers of all images, of very many a part, once."""

        def look(index: int) -> None:
            # Whatever cannot be read is named when it is read.
            with contextlib.suppress(BadImageError, OSError), open_file(self._path(index)) as file:
                self._compare(index, open_image(file))

        if (self._compares_size or self._compares_colour) and not self._looked_over:
            with ThreadPoolExecutor() as pool:
                for _ in pool.map(look, spread(self.num_images, LOOKED_OVER)):
                    pass
        self._looked_over = True

    @cached_property
    def _grey_in_words(self) -> str | None:
        """That images stored in colour are all grey, as far as a sample tells."""
        if not self._compares_grey:
            return None
        for index in spread(self.num_images, SAMPLE):
            with contextlib.suppress(BadImageError):
                pixels = decode(read_file(self._path(index)))
                if (pixels != pixels[..., :1]).any():
                    return None
        return "the images look grey, though stored in colour: --channels 1 takes them as grey"


def _images(some: Sized) -> str:
    return f"{len(some):,} image{'s' if len(some) > 1 else ''}"
