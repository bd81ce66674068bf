"""Images that are kept encoded, as JPEG, PNG and so on: decoded one by one, and compared.

Where their bytes are, and what their labels are, is for the sources of files and tables to say.
"""

import abc
import contextlib
import io
from collections.abc import Sized
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import IO

import numpy as np
from PIL import Image

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
from keras_genzoo.data.shapes import SAMPLE, Shape, in_words, sample_shapes, sizes_of, spread
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError


class EncodedSource(Source):
    """Images that are decoded when they are asked for.

    A source of this kind calls ``find_shape`` at the end of its constructor.

    Attributes:
        looked_over: of so many images the sizes and colours are compared before training.
    """

    # For files this takes about two seconds.
    looked_over = 20_000

    @abc.abstractmethod
    def encoded(self, index: int) -> bytes:
        """Return the content of one image file.

        Raises:
            BadImageError: if it cannot be had.
        """

    @abc.abstractmethod
    def label(self, index: int) -> int:
        """Return the label of one image, -1 if it has none."""

    def open_encoded(self, index: int) -> IO[bytes]:
        """Open one image file, of which the beginning will be read.

        Raises:
            BadImageError: if it cannot be had.
            OSError: if it cannot be opened.
        """
        return io.BytesIO(self.encoded(index))

    def find_shape(self, image_size: int | None, channels: int | None) -> None:
        """Set the shape of the images: as asked for, and where nothing is, as they are stored.

        Raises:
            GenzooError: if no image can be read, or they differ in size while none is asked for.
        """
        check_request(image_size, channels)
        native = self._native_shape(need_size=image_size is None)
        self.image_shape = target_shape(native, image_size, channels)
        # Sizes and colours that a person has asked for are not reported as differences.
        self._compares_size = image_size is None
        self._compares_colour = channels is None and self.image_shape[2] == 1
        self._compares_grey = channels is None and self.image_shape[2] == 3
        self._of_other_size: dict[int, tuple[int, int]] = {}
        self._in_colour: set[int] = set()
        self._looked_over = False

    @property
    def notes(self) -> list[str]:
        """What was taken for what, and how images differ from the others."""
        self._look_over()
        grey = [self._grey_in_words] if self._grey_in_words else []
        return [*super().notes, *self.odd_in_words, *grey]

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
        image = open_image(self.encoded(index))
        self._compare(index, image)
        return decode_opened(image, self.image_shape), self.label(index)

    def refuse_bad_images(self) -> None:
        """Read every image once; stop at what cannot be read or differs in shape.

        Raises:
            GenzooError: naming it.
        """
        super().refuse_bad_images()
        for odd in self.odd_in_words:
            raise GenzooError(f"{self.name}: {odd}; remove them, or go without --strict")

    def _native_shape(self, need_size: bool) -> Shape:
        shapes = sample_shapes(self.num_images, self.encoded)
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
            # An image that cannot be read is reported when training reads it.
            with contextlib.suppress(BadImageError, OSError), self.open_encoded(index) as file:
                self._compare(index, open_image(file))

        if (self._compares_size or self._compares_colour) and not self._looked_over:
            with ThreadPoolExecutor() as pool:
                for _ in pool.map(look, spread(self.num_images, self.looked_over)):
                    pass
        self._looked_over = True

    @cached_property
    def _grey_in_words(self) -> str | None:
        """That images stored in colour are all grey, as far as a sample tells."""
        if not self._compares_grey:
            return None
        for index in spread(self.num_images, SAMPLE):
            with contextlib.suppress(BadImageError):
                pixels = decode(self.encoded(index))
                if (pixels != pixels[..., :1]).any():
                    return None
        return "the images look grey, though stored in colour: --channels 1 takes them as grey"


def _images(some: Sized) -> str:
    return f"{len(some):,} image{'s' if len(some) > 1 else ''}"
