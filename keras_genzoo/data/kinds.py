"""Which files are images: those that Pillow can read, and those that only another reader could.

A suffix of a format that Pillow reads is trusted; any other file is looked into, by its first
bytes. Nothing is decoded here.
"""

import contextlib
import functools
import importlib
import os
from collections import Counter
from collections.abc import Mapping

from PIL import Image

from keras_genzoo.data.archives import open_file

# What a file is: an image to read, an image that this Pillow cannot open, or no image.
IMAGE, UNREADABLE, OTHER = "image", "unreadable image", "other"

# Formats that Pillow knows and that are left alone: documents that need a program of their own
# (EPS), what only some systems draw (WMF), files without a decoder (BUFR, GRIB, HDF5, MPEG),
# metadata (IPTC), measurements without a range of grey (FITS, SPIDER, MCIDAS), a format that any
# text may pass for (IMT), and PCD, whose suffix belongs to point clouds today.
_LEFT_ALONE = {
    "EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG", "IPTC", "FITS", "SPIDER", "MCIDAS", "IMT", "PCD",
}  # fmt: skip
# Tried first, since most images have these formats.
_COMMON = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")

# Packages that teach Pillow a format, with the function that registers it, if importing does not.
_PLUGINS = {
    "pillow_heif": "register_heif_opener",
    "pillow_jxl": None,
    "pillow_avif": None,
}

# Suffixes of images, whether or not this Pillow reads them: photographs of telephones and cameras,
# drawings, scans.
_IMAGE_SUFFIXES = frozenset({
    ".arw", ".avif", ".avifs", ".cr2", ".cr3", ".dcm", ".dng", ".emf", ".eps", ".exr",
    ".hdr", ".heic", ".heics", ".heif", ".hif", ".j2c", ".j2k", ".jp2", ".jpf", ".jpx",
    ".jxl", ".jxr", ".nef", ".orf", ".ps", ".raf", ".rw2", ".svg", ".webp", ".wmf",
})  # fmt: skip

# The first bytes of the formats that people keep under any name: offset, bytes, format.
_SIGNATURES = (
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG"),
    (0, b"GIF8", "GIF"),
    (8, b"WEBP", "WEBP"),
    (4, b"ftypavi", "AVIF"),
    (4, b"ftyphei", "HEIF"),
    (4, b"ftyphev", "HEIF"),
    (4, b"ftypmif1", "HEIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"\0\0\0\x0cjP  ", "JPEG2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG2000"),
    (0, b"\0\0\0\x0cJXL ", "JXL"),
    (0, b"8BPS", "PSD"),
    (0, b"qoif", "QOI"),
    (0, b"P5\n", "PPM"),
    (0, b"P6\n", "PPM"),
)
# Lengths of the second part of a BMP's header: text that begins with BM has none of them there.
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}
# This many bytes are enough to recognise a format.
HEAD = 32
# Opening a file takes about 20 microseconds, on a network drive a millisecond.
MOST_LOOKED_INTO = 20_000


class Kinds:
    """Identifies files: by their suffix if Pillow reads such files, else by their first bytes.

    Only the first 20,000 files of other suffixes are opened for that; the rest are taken for what
    most of the same suffix were, so that any folder is listed in seconds.

    >>> kinds = Kinds()
    >>> [kinds.identify("faces", name) for name in ("a.png", "a.txt", "a.exr")]
    ['image', 'other', 'unreadable image']
    """

    def __init__(self) -> None:
        self._known = suffixes()
        self._looked_into = 0
        self._seen: dict[str, Counter] = {}

    def identify(self, folder: str | os.PathLike, name: str) -> str:
        """Return what a file is: ``IMAGE``, ``UNREADABLE`` or ``OTHER``."""
        suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122
        known = self._known.get(suffix)
        if known == IMAGE:
            return known
        found = self._by_content(folder, name, suffix)
        return UNREADABLE if known == UNREADABLE and found == OTHER else found

    def _by_content(self, folder: str | os.PathLike, name: str, suffix: str) -> str:
        suffix = "" if suffix[1:].isdigit() else suffix
        if self._looked_into >= MOST_LOOKED_INTO:
            seen = self._seen.get(suffix)
            return seen.most_common(1)[0][0] if seen else OTHER
        self._looked_into += 1
        kind = kind_of_file(os.path.join(folder, name))  # noqa: PTH118
        self._seen.setdefault(suffix, Counter())[kind] += 1
        return kind


@functools.cache
def suffixes() -> Mapping[str, str]:
    """Return the kind of file of every suffix of images, in lower case and with the dot."""
    readable = formats()
    known = dict.fromkeys(_IMAGE_SUFFIXES, UNREADABLE)
    for suffix, name in Image.registered_extensions().items():
        if name in readable:
            known[suffix] = IMAGE
    return known


@functools.cache
def formats() -> tuple[str, ...]:
    """Return the formats that are read, those of the plugins of Pillow that are installed, too."""
    for package, register in _PLUGINS.items():
        # A plugin that does not fit this Pillow counts as not installed: its files are left out.
        with contextlib.suppress(ImportError, AttributeError, OSError):
            module = importlib.import_module(package)
            if register:
                getattr(module, register)()
    Image.init()
    readable = [name for name in Image.OPEN if name not in _LEFT_ALONE]
    return tuple(sorted(readable, key=lambda name: name not in _COMMON))


def kind_of_file(path: str | os.PathLike) -> str:
    """Return what a file is by its first bytes; one that cannot be read is no image."""
    try:
        with open_file(path) as file:
            return kind_of_content(file.read(HEAD))
    except OSError:
        return OTHER


def kind_of_content(head: bytes) -> str:
    r"""Return what a file is that begins with these bytes.

    >>> kind_of_content(b"\x89PNG\r\n\x1a\n"), kind_of_content(b"Better Minds")
    ('image', 'other')
    """
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return IMAGE
    for offset, signature, name in _SIGNATURES:
        if head.startswith(signature, offset):
            return IMAGE if name in formats() else UNREADABLE
    return OTHER


def remedy(suffix: str) -> str:
    """Say what makes images of a suffix readable."""
    if suffix in (".heic", ".heics", ".heif", ".hif"):
        return "pip install pillow-heif"
    return "pip install pillow-jxl-plugin" if suffix == ".jxl" else "convert them to PNG"
