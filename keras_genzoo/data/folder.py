"""A folder of images as a source: listed by names alone, opened only when an image is needed."""

import os
from pathlib import Path
from typing import IO

from keras_genzoo.data.archives import open_file
from keras_genzoo.data.arrays import check_split
from keras_genzoo.data.encoded import EncodedSource
from keras_genzoo.data.images import check_request
from keras_genzoo.data.layout import classes_of, find_split, split_folders, splits_in_words
from keras_genzoo.data.listing import list_images
from keras_genzoo.errors import GenzooError
from keras_genzoo.text import shown


class FolderSource(EncodedSource):
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
        self.find_shape(image_size, channels)

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
        labels, *others = super().notes
        splits = splits_in_words(self._folders, self._given)
        lines = [labels, splits, self._listing.left_out_in_words, *others]
        return [line for line in lines if line]

    def encoded(self, index: int) -> bytes:
        """Return the content of one file."""
        return self._listing.read(index)

    def open_encoded(self, index: int) -> IO[bytes]:
        """Open one file."""
        return open_file(self._path(index))

    def label(self, index: int) -> int:
        """Return the number of the class folder that an image lies in."""
        name = self._files[index][len(self._classes.inside) :]
        return self._class_index.get(name.partition(os.sep)[0], -1)

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

    def _path(self, index: int) -> str:
        return os.path.join(self._root, self._files[index])  # noqa: PTH118
