"""A folder of images as a source: listed by names alone, opened only when an image is needed."""

import os
from pathlib import Path

import numpy as np

from keras_genzoo.data.arrays import check_split
from keras_genzoo.data.images import (
    GREY_MODES,
    BadImageError,
    check_request,
    decode,
    open_image,
    target_shape,
    upright,
)
from keras_genzoo.data.listing import (
    SPLITS,
    classes_of_train,
    list_images,
    read_file,
    split_folders,
)
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError

# Few enough to open at once, enough to tell a grey folder from a colour one with a grey image.
SAMPLE = 16


class FolderSource(Source):
    """The images of a folder; see `open_source`.

    Args:
        path: the folder.
        split: a folder ``train``, ``validation`` (also ``val``, ``valid``) or ``test`` in it; a
            folder without such has one split, ``train``.
        image_size: side of the square to crop and resize to; by default that of the images.
        channels: 1 or 3; by default 1 if a sample of the images is all grey, else 3.

    Attributes:
        left_out: the visible files that are not named like images, and so are not read.

    Raises:
        GenzooError: if the folder cannot be read, holds no images, none that can be read,
            or images of different sizes while ``image_size`` is not given; if its folders may
            be splits as well as classes; if a split has a class that ``train`` lacks.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        split: str = "train",
        *,
        image_size: int | None = None,
        channels: int | None = None,
    ):
        super().__init__()
        check_request(image_size, channels)
        self.name, self.split = str(path), SPLITS.get(split, split)
        folders = split_folders(Path(path))
        listing = list_images(folders[check_split(str(path), self.split, folders)])
        self._root, self._files = listing.root, listing.files
        self.left_out = [str(listing.root / name) for name in listing.left_out]
        self.num_images = len(listing.files)
        self.fingerprint = listing.fingerprint()
        self.class_names = listing.classes() or None
        if self.class_names and self.split != "train":
            self.class_names = classes_of_train(listing, folders["train"])
        self.num_classes = len(self.class_names) if self.class_names else None
        self._class_index = {name: n for n, name in enumerate(self.class_names or ())}
        native = self._native_shape(need_size=image_size is None)
        self.image_shape = target_shape(native, image_size, channels)

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Decode one image."""
        label = self._class_index.get(self._files[index].partition(os.sep)[0], -1)
        return decode(self._bytes(index), self.image_shape), label

    def describe(self, index: int) -> str:
        """Return the path of the file."""
        return str(self._root / self._files[index])

    def _bytes(self, index: int) -> bytes:
        return read_file(os.path.join(self._root, self._files[index]))  # noqa: PTH118

    def _native_shape(self, need_size: bool) -> tuple[int, int, int]:
        sample = np.unique(np.linspace(0, self.num_images - 1, SAMPLE).astype(int))
        shapes = [shape for shape in map(self._look, sample) if shape]
        if not shapes:
            shapes = [next(filter(None, map(self._look, range(self.num_images))), None)]
        if shapes == [None]:
            raise GenzooError(
                f"none of the {self.num_images} images in {self.name} can be read; "
                f"see genzoo data check {self.name}"
            )
        sizes = sorted({shape[:2] for shape in shapes})
        if need_size and len(sizes) > 1:
            some = ", ".join(f"{width}x{height}" for height, width in sizes[:3])
            raise GenzooError(
                f"the images in {self.name} have different sizes ({some}); give an image size"
            )
        return (*sizes[0], max(shape[2] for shape in shapes))

    def _look(self, index: int) -> tuple[int, int, int] | None:
        try:
            image = open_image(self._bytes(index))
        except BadImageError:
            return None
        width, height = upright(image).size
        return height, width, 1 if image.mode in GREY_MODES else 3
