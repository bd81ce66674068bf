"""Images that are kept encoded, as JPEG, PNG and so on, other than as files in a folder."""

import abc
from collections.abc import Callable

import numpy as np

from keras_genzoo.data.images import (
    GREY_MODES,
    BadImageError,
    check_request,
    decode,
    open_image,
    target_shape,
    upright,
)
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError

# Few enough to open at once, enough to tell grey images from colour ones with a grey one.
SAMPLE = 16


class EncodedSource(Source):
    """Images that are decoded when asked for; where their bytes are is for others to say."""

    @abc.abstractmethod
    def encoded(self, index: int) -> bytes:
        """Return the bytes of one image file.

        Raises:
            BadImageError: if they cannot be had.
        """

    @abc.abstractmethod
    def label(self, index: int) -> int:
        """Return the label of one image, -1 if it has none."""

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Decode one image."""
        return decode(self.encoded(index), self.image_shape), self.label(index)

    def find_shape(self, image_size: int | None, channels: int | None) -> tuple[int, int, int]:
        """Return the shape of the images as asked for, and where nothing is, as they are.

        Raises:
            GenzooError: if no image can be read, or they differ in size while none is asked for.
        """
        check_request(image_size, channels)
        native = native_shape(self.encoded, self.num_images, self.name, image_size is None)
        return target_shape(native, image_size, channels)


def native_shape(
    encoded: Callable[[int], bytes], num_images: int, name: str, need_size: bool
) -> tuple[int, int, int]:
    """Return height, width and channels of images, from the headers of a few."""

    def look(index: int) -> tuple[int, int, int] | None:
        try:
            image = open_image(encoded(index))
        except BadImageError:
            return None
        width, height = upright(image).size
        return height, width, 1 if image.mode in GREY_MODES else 3

    sample = np.unique(np.linspace(0, num_images - 1, SAMPLE).astype(int))
    shapes = [shape for shape in map(look, sample.tolist()) if shape]
    if not shapes:
        shapes = [next(filter(None, map(look, range(num_images))), None)]
    if shapes == [None]:
        raise GenzooError(
            f"none of the {num_images} images in {name} can be read; see genzoo data check {name}"
        )
    sizes = sorted({shape[:2] for shape in shapes})
    if need_size and len(sizes) > 1:
        some = ", ".join(f"{width}x{height}" for height, width in sizes[:3])
        raise GenzooError(f"the images in {name} have different sizes ({some}); give an image size")
    return (*sizes[0], max(shape[2] for shape in shapes))
