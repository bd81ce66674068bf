"""The data sets by name, and the kinds of source: all that is known without opening one.

A new kind of source is a file that reads it, and a line in ``SOURCES``; every text that lists what
can be opened is made from that. One that is known by a name may have a line in ``DATASETS``, too,
which ``genzoo data list`` shows. Nothing is read here.
"""

import os
import re
from dataclasses import dataclass

from keras_genzoo.data.request import (
    DataRequest,
    SourceKind,
    file_kind,
    installed_folder,
    is_folder,
    is_idx,
    is_parquet,
    is_prepared_by_name,
)
from keras_genzoo.registry import Registry

# How images get labels: as the data has them, from every folder that they lie in, or not at all.
LABELS = ("auto", "folders", "none")
# What to do where a person's own kind of source is not known.
OWN_KIND = "a kind of source of your own is made known by genzoo --import MODULE"


@dataclass(frozen=True)
class DataSet:
    """What is known of a data set without opening it.

    Args:
        image_shape: ``(height, width, channels)`` as stored; None where sizes differ.
        num_images: images in the split ``train``.
        num_classes: None if it has no class labels.
        note: one line for a table.
        crop: side of the centred square that is cut out before any resizing.
        image_size: side of the images unless another is asked for; None: as stored.
        by_hand: where to fetch the files if the automatic download often fails.
        made_of: the data set whose images these are made of.
        terms: what those who made it allow, for the card of a model that was trained on it.
        class_names: names of its classes where its own files hold but their numbers.
        shuffled_by_number: whether tensorflow-datasets stores its images in an order that follows
            from their numbers, and tells in which they were published.
    """

    image_shape: tuple[int, int, int] | None
    num_images: int
    num_classes: int | None
    note: str
    crop: int | None = None
    image_size: int | None = None
    by_hand: str | None = None
    made_of: str | None = None
    terms: str = "see those who made the data set"
    class_names: tuple[str, ...] | None = None
    shuffled_by_number: bool = False


_NON_COMMERCIAL = "non-commercial research only"
_UNSTATED = "published without a licence statement"

DATASETS = Registry(
    "data set",
    {
        "digits": DataSet(
            (8, 8, 1),
            1500,
            10,
            "handwritten digits inside scikit-learn; offline",
            terms="CC BY 4.0 (UCI, optical recognition of handwritten digits)",
        ),
        "mnist": DataSet(
            (28, 28, 1),
            60_000,
            10,
            "handwritten digits",
            terms=_UNSTATED,
            class_names=tuple("0123456789"),
            shuffled_by_number=True,
        ),
        "fashion_mnist": DataSet(
            (28, 28, 1),
            60_000,
            10,
            "clothes, bags and shoes",
            terms="MIT licence",
            class_names=(
                *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
                *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
            ),
            shuffled_by_number=True,
        ),
        "stacked_mnist": DataSet(
            (28, 28, 3),
            60_000,
            1000,
            "three digits of mnist as channels",
            made_of="mnist",
            terms=_UNSTATED,
        ),
        "kmnist": DataSet(
            (28, 28, 1),
            60_000,
            10,
            "cursive Japanese characters",
            terms="CC BY-SA 4.0",
            class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
            shuffled_by_number=True,
        ),
        "cifar10": DataSet(
            (32, 32, 3),
            50_000,
            10,
            "small photographs of animals and vehicles",
            shuffled_by_number=True,
        ),
        "cifar100": DataSet(
            (32, 32, 3),
            50_000,
            100,
            "small photographs of many things",
            shuffled_by_number=True,
        ),
        "svhn_cropped": DataSet((32, 32, 3), 73_257, 10, "house numbers from street views"),
        "stl10": DataSet((96, 96, 3), 5_000, 10, "photographs; 100,000 more in 'unlabelled'"),
        "oxford_flowers102": DataSet(None, 1_020, 102, "flowers; sizes differ: give an image size"),
        "celeb_a": DataSet(
            (218, 178, 3),
            162_770,
            None,
            f"faces of celebrities; centre 148 px, resized to 64; {_NON_COMMERCIAL}",
            crop=148,
            image_size=64,
            by_hand="http://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
            terms=_NON_COMMERCIAL,
        ),
    },
)


def _looks_like_a_name(request: DataRequest) -> bool:
    return not (request.is_path or looks_like_path(request.text) or request.path.exists())


def _is_known(request: DataRequest) -> bool:
    return request.text in DATASETS and not request.is_path


def _is_stacked(request: DataRequest) -> bool:
    return _is_known(request) and DATASETS[request.text].made_of is not None


def _is_installed(request: DataRequest) -> bool:
    """Whether the system has the files, and neither what is prepared nor a person has others."""
    return (
        _is_known(request)
        and DATASETS[request.text].class_names is not None
        and request.manual_dir is None
        and not is_prepared_by_name(request)
        and installed_folder(request.text) is not None
    )


_PREPARED = "keras_genzoo.data.prepared:PreparedSource"

# Tried from the last to the first: what is registered later is more specific.
SOURCES = Registry(
    "source",
    {
        "tensorflow-datasets": SourceKind(
            "any image data set of tensorflow-datasets",
            _looks_like_a_name,
            _PREPARED,
            by_name=True,
            of_tensorflow_datasets=True,
        ),
        "folder": SourceKind(
            "a folder of images",
            is_folder,
            "keras_genzoo.data.folder:FolderSource",
            of_folders=True,
        ),
        "npz": file_kind("an .npz file", ".npz", "keras_genzoo.data.array_files:open_npz"),
        "npy": file_kind("an .npy file", ".npy", "keras_genzoo.data.array_files:open_npy"),
        "zip": file_kind(
            "a .zip of images", ".zip", "keras_genzoo.data.folder:FolderSource", of_folders=True
        ),
        "parquet": SourceKind(
            "parquet files",
            is_parquet,
            "keras_genzoo.data.parquet:ParquetSource",
            suffixes=(".parquet",),
        ),
        "idx": SourceKind("IDX files", is_idx, "keras_genzoo.data.idx:open_idx"),
        "known": SourceKind(
            "a well-known data set",
            _is_known,
            _PREPARED,
            by_name=True,
            of_tensorflow_datasets=True,
        ),
        "installed": SourceKind(
            "a data set that the system has installed",
            _is_installed,
            "keras_genzoo.data.idx:open_installed",
            by_name=True,
            of_tensorflow_datasets=True,
        ),
        "stacked": SourceKind(
            "digits stacked", _is_stacked, "keras_genzoo.data.stacked:open_stacked", by_name=True
        ),
        "digits": SourceKind(
            "the embedded digits",
            lambda request: request.text == "digits" and not request.is_path,
            "keras_genzoo.data.arrays:open_digits",
            by_name=True,
        ),
    },
)


def find_kind(request: DataRequest) -> SourceKind | None:
    """Return the kind of source that a person asked for; None if it is none."""
    kinds = (SOURCES[name] for name in reversed(list(SOURCES)))
    return next((kind for kind in kinds if kind.takes(request)), None)


def kind_to_read(name_or_path: str | os.PathLike) -> SourceKind | None:
    """Return the kind of source that a name or path leads to, if it is read image by image.

    None of a data set that tensorflow-datasets prepares and checks, and of what leads to none.

    >>> kind_to_read("digits").words, kind_to_read("mnist")
    ('the embedded digits', None)
    """
    is_path = isinstance(name_or_path, os.PathLike)
    kind = find_kind(DataRequest(os.fspath(name_or_path), is_path))
    return None if kind is None or kind.of_tensorflow_datasets else kind


def is_to_prepare(
    name_or_path: str | os.PathLike,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
) -> bool:
    """Whether opening a data set lets tensorflow-datasets fetch and convert it first.

    >>> is_to_prepare("digits"), is_to_prepare("mnist", "nowhere", "downloads")
    (False, True)
    """
    is_path = isinstance(name_or_path, os.PathLike)
    request = DataRequest(os.fspath(name_or_path), is_path, data_dir, manual_dir)
    kind = find_kind(request)
    return kind is not None and kind.opens == _PREPARED and not is_prepared_by_name(request)


def kind_of_path(name_or_path: str | os.PathLike) -> SourceKind | None:
    """Return the kind of source that a path leads to; None of a name, or if it leads to none."""
    is_path = isinstance(name_or_path, os.PathLike)
    kind = find_kind(DataRequest(os.fspath(name_or_path), is_path))
    return kind if kind and not kind.by_name else None


def paths_in_words() -> str:
    """Return what a path may name: a folder of images, an .npz file, and so on."""
    words = [SOURCES[name].words for name in SOURCES if not SOURCES[name].by_name]
    return f"{', '.join(words[:-1])} or {words[-1]}"


def file_suffixes() -> tuple[str, ...]:
    """Return the suffixes of files that are sources."""
    return tuple(suffix for name in SOURCES for suffix in SOURCES[name].suffixes)


def looks_like_path(text: str) -> bool:
    """Whether a text that names nothing known was meant as a path.

    >>> looks_like_path("./faces"), looks_like_path("faces.npz"), looks_like_path("emnist/letters")
    (True, True, False)
    """
    return (
        text.startswith(("~", os.sep))
        or text.lower().endswith(("/", *file_suffixes()))
        or "\\" in text
        # No data set has a dot in its name; versions and configurations may.
        or "." in re.split("[/:]", text)[0]
    )
