"""From the bytes of an image file to uint8 pixels: decode, upright, crop, resize, grey or colour.

Every source goes through here, so that all share one filter. Where the bytes come from, and what
happens to an image that cannot be read, is decided elsewhere.
"""

import contextlib
import io
import logging
import math
import numbers
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from keras_genzoo.data.kinds import HEAD, UNREADABLE, formats, kind_of_content
from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import refuse_what_does_not_fit

GREY_MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
# Pillow warns of oddities that it reads all the same, such as large photographs.
warnings.filterwarnings("ignore", module=r"PIL\.")
logging.getLogger("PIL").addHandler(logging.NullHandler())
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

_ALPHA_MODES = {"LA", "La", "PA", "RGBA", "RGBa"}

# Pillow refuses images with more pixels than a square of this side.
LARGEST_SIDE = 16_384

# Images with more pixels than this are decoded one at a time.
LARGE = 2**25
_one_large = threading.Lock()

# Errors of Pillow's decoders on damaged images.
_DECODE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    zlib.error,
    OverflowError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

# Where formats other than TIFF keep an orientation; Pillow turns TIFF images itself.
_EXIF_KEYS = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}


class BadImageError(Exception):
    """An image that cannot be read; the message is the reason in a few words."""


def check_request(image_size: int | None, channels: int | None) -> None:
    """Check what a person asks of the images.

    Raises:
        GenzooError: if ``image_size`` is no positive integer, or ``channels`` not 1, 3 or None.
    """
    if image_size is not None and whole_number(image_size, "the image size") < 1:
        raise GenzooError(f"the image size must be at least 1 pixel, not {image_size}")
    if image_size is not None and image_size > LARGEST_SIDE:
        raise GenzooError(f"the image size must be at most {LARGEST_SIDE} pixels, not {image_size}")
    if channels is not None and whole_number(channels, "channels") not in (1, 3):
        raise GenzooError(f"channels must be 1 (grey) or 3 (colour), not {channels!r}")


def whole_number(value: Any, what: str) -> int:
    """Return a number as an int; 64.0 is whole, too.

    Raises:
        GenzooError: if it is none, or has a fraction.

    >>> whole_number(10.5, "the batch size")
    Traceback (most recent call last):
    keras_genzoo.errors.GenzooError: the batch size must be one whole number, not 10.5
    """
    number = None
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if is_real:
        with contextlib.suppress(ValueError, OverflowError):  # not a number, or infinite
            number = int(value)
    if number is None or number != value:
        raise GenzooError(f"{what} must be one whole number, not {value!r}")
    return number


def open_image(data: bytes | IO[bytes]) -> Image.Image:
    """Read the header of an image file, whatever its name says.

    Args:
        data: the whole file, or the file opened, of which only the header is read.

    Raises:
        BadImageError: if the bytes are no image of a format that is read, see `kinds`.
    """
    try:
        file = io.BytesIO(data) if isinstance(data, bytes) else data
        return Image.open(file, formats=formats())
    except UnidentifiedImageError:
        file.seek(0)
        head = file.read(HEAD)
        reason = "not an image" if head else "empty file"
        if kind_of_content(head) == UNREADABLE:
            reason = "an image that Pillow cannot open here"
        raise BadImageError(reason) from None
    except _DECODE_ERRORS as error:
        raise BadImageError(_words(error)) from error


def decode(
    data: bytes, shape: tuple[int, int, int] | None = None, crop: int | None = None
) -> np.ndarray:
    """Decode an image file by its content and fit it to a shape.

    What Pillow reads without another program, of several images the first; turned upright by its
    EXIF orientation; CMYK to RGB; 16 bits scaled to 8; transparent pixels laid on white.

    Args:
        data: the whole file.
        shape: ``(height, width, 1 or 3)`` to fit to, see `fit`; None leaves size and colour.
        crop: side of the centred square that is cut out first.

    Returns:
        uint8 array ``(height, width, 1 or 3)``.

    Raises:
        BadImageError: if the bytes are no image, or end early.
    """
    return decode_opened(open_image(data), shape, crop)


def decode_opened(
    image: Image.Image, shape: tuple[int, int, int] | None = None, crop: int | None = None
) -> np.ndarray:
    """Decode an image that `open_image` gave, as `decode` does.

    Raises:
        BadImageError: if its bytes end early.
    """
    try:
        stored = _stored_bits(image)
        if shape is not None and crop is None:
            # JPEG can decode at 1/2, 1/4, 1/8; twice the wanted size keeps the result the same
            # to the eye, and large photographs come up to eight times faster.
            image.draft(None, (2 * max(shape[:2]),) * 2)
    except _DECODE_ERRORS as error:
        raise BadImageError(_words(error)) from error
    with alone_if_large(image):
        try:
            image.load()
            image = _eight_bits(upright(image), stored)
        except _DECODE_ERRORS as error:
            raise BadImageError(_words(error)) from error
        return _fit(image, shape, crop)


@contextlib.contextmanager
def alone_if_large(image: Image.Image) -> Iterator[None]:
    """Let no other thread decode a large image meanwhile: a small file may hold a GiB of them."""
    if math.prod(image.size) < LARGE:
        yield
        return
    with _one_large:
        yield


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return ``(height, width)`` of an opened image as it will be turned by its EXIF."""
    width, height = image.size
    return (width, height) if _orientation(image) >= 5 else (height, width)


def is_grey(image: Image.Image) -> bool:
    """Whether an opened image is stored as grey, or as a palette of which it uses only greys.

    Raises:
        BadImageError: if a palette cannot be read.
    """
    if image.mode not in ("P", "PA"):
        return image.mode in GREY_MODES
    try:
        colours = np.array(image.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        used = np.unique(np.asarray(image.getchannel("P" if image.mode == "P" else 0)))
    except _DECODE_ERRORS as error:
        raise BadImageError(_words(error)) from error
    used = colours[used[used < len(colours)]]
    return bool((used == used[:, :1]).all())


def fit(pixels: np.ndarray, shape: tuple[int, int, int], crop: int | None = None) -> np.ndarray:
    """Fit one image to a shape: centre crop to its proportions, Lanczos resize, grey or colour.

    The filter is antialiased and the result rounded and clipped to uint8. Colour becomes grey by
    the ITU-R 601 luma, grey becomes colour by repetition.

    Args:
        pixels: uint8, ``(height, width, 1 or 3)``.
        shape: the ``(height, width, channels)`` wanted.
        crop: side of the centred square that is cut out first.

    Returns:
        uint8 array of that shape.

    >>> fit(np.full((20, 30, 3), 200, "uint8"), (10, 10, 1)).shape
    (10, 10, 1)
    """
    if crop is None and pixels.shape == tuple(shape):
        return pixels
    return _fit(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels), shape, crop)


def fit_all(images: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Fit every image of a uint8 array ``(n, height, width, 1 or 3)`` to a shape."""
    if images.shape[1:] == tuple(shape):
        return images
    refuse_what_does_not_fit(
        len(images) * math.prod(shape),
        f"{len(images):,} images of {shape[1]}x{shape[0]}",
        "take a smaller image size",
    )
    fitted = np.empty((len(images), *shape), np.uint8)
    for index, image in enumerate(images):
        fitted[index] = fit(image, shape)
    return fitted


def target_shape(
    native: tuple[int, ...] | None, image_size: int | None, channels: int | None
) -> tuple[int, int, int]:
    """Return the shape of the images: square if a size is asked for, else the native one.

    Where the native one is None, a size is asked for.
    """
    height, width, native_channels = native or (0, 0, 3)
    if image_size is not None:
        height = width = int(image_size)
    return height, width, int(channels or (1 if native_channels == 1 else 3))


def upright(image: Image.Image) -> Image.Image:
    """Turn an image as its EXIF orientation says; unreadable EXIF counts as none."""
    if not _EXIF_KEYS & image.info.keys():
        return image
    try:
        return ImageOps.exif_transpose(image)
    except (*_DECODE_ERRORS, UserWarning):
        return image


def remarks(image: Image.Image, suffix: str) -> list[str]:
    """Say what is unusual about an opened image file: format and name, colours, orientation."""
    found = []
    # Phones write JPEG files with several images, which Pillow calls MPO.
    content = "JPEG" if image.format == "MPO" else image.format
    if Image.registered_extensions().get(suffix.lower(), content) != content:
        found.append(f"{content} content named {suffix}")
    if image.mode.startswith("I"):
        found.append("16-bit grey")
    elif image.mode == "CMYK":
        found.append("CMYK")
    if "transparency" in image.info or image.mode in _ALPHA_MODES:
        found.append("transparent, laid on white")
    if _num_frames(image) > 1:
        moves = getattr(image, "is_animated", True) and content not in ("JPEG", "TIFF")
        found.append("animated, first frame taken" if moves else "several images, first taken")
    if _exif_orientation(image) != 1:
        found.append("turned by EXIF")
    return found


def _num_frames(image: Image.Image) -> int:
    """Return the number of images in a file; 1 if those behind the first are damaged."""
    try:
        return getattr(image, "n_frames", 1)
    except _DECODE_ERRORS:
        return 1


def _orientation(image: Image.Image) -> int:
    """Return how EXIF says that an image is turned, 1 for not at all; 5 to 8 lie on their side."""
    return _exif_orientation(image) if _EXIF_KEYS & image.info.keys() else 1


def _exif_orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (*_DECODE_ERRORS, UserWarning):
        return 1
    return value if value in range(1, 9) else 1


def _stored_bits(image: Image.Image) -> int:
    """Return the bits a channel that an image is stored with, before its pixels are read."""
    rawmode = ""
    if isinstance(image, ImageFile.ImageFile) and image.tile and image.format == "PNG":
        rawmode = str(image.tile[0].args)
    return next((bits for bits in (2, 4, 16) if f";{bits}" in rawmode), 8)


def _eight_bits(image: Image.Image, stored_bits: int) -> Image.Image:
    if "transparency" in image.info and image.mode in ("1", "L", "RGB", "I", "I;16"):
        return _without_key(image, stored_bits)
    if image.mode in ("L", "RGB"):
        return image
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        raise BadImageError(f"{image.mode}: 32 bits a pixel have no fixed range")
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.float64)
        return Image.fromarray(np.clip(np.rint(wide / 257), 0, 255).astype(np.uint8))
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        front = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", front.size, "white"), front).convert("RGB")
        return flat.convert("L") if image.mode in GREY_MODES else flat
    return image.convert("L" if image.mode == "1" else "RGB")


def _without_key(image: Image.Image, stored_bits: int) -> Image.Image:
    """Lay an image on white that names one grey or colour for its transparent pixels (tRNS).

    PNG names it in the bits that are stored, and Pillow scales the pixels alone.
    """
    key = np.asarray(image.info.pop("transparency"))
    if image.mode == "1":
        key = 255 * key
    elif image.mode == "L" and stored_bits < 8:
        key = key * 255 // (2**stored_bits - 1)
    elif image.mode == "RGB" and stored_bits == 16:
        key = key >> 8
    pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    clear = pixels == key
    clear = clear.all(-1) if clear.ndim == 3 else clear
    flat = np.array(_eight_bits(image, stored_bits))
    flat[clear] = 255
    return Image.fromarray(flat)


def _fit(
    image: Image.Image, shape: tuple[int, int, int] | None, crop: int | None = None
) -> np.ndarray:
    if shape is not None:
        mode = "L" if shape[2] == 1 else "RGB"
        image = image if image.mode == mode else image.convert(mode)
        box = _centre(*image.size, shape, crop)
        if box != (0, 0, *image.size) or image.size != (shape[1], shape[0]):
            image = image.resize((shape[1], shape[0]), Image.Resampling.LANCZOS, box=box)
    pixels = np.asarray(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _centre(
    width: int, height: int, shape: tuple[int, int, int], crop: int | None
) -> tuple[int, int, int, int]:
    """Return the largest centred box with the proportions of ``shape``, within the square crop."""
    limit_x, limit_y = (min(crop, width), min(crop, height)) if crop else (width, height)
    scale = min(limit_x / shape[1], limit_y / shape[0])
    box_x = max(1, min(limit_x, round(shape[1] * scale)))
    box_y = max(1, min(limit_y, round(shape[0] * scale)))
    left, top = (width - box_x) // 2, (height - box_y) // 2
    return left, top, left + box_x, top + box_y


def _words(error: Exception) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return f"cut short ({text})" if "truncated" in text.lower() else text or type(error).__name__
