"""From a name or a path to the source it means."""

import os
from pathlib import Path
from typing import Any

from keras_genzoo.data.registry import LABELS, OWN_KIND, find_kind, paths_in_words
from keras_genzoo.data.request import DataRequest
from keras_genzoo.data.source import Source, UnlabelledSource
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.registry import import_attribute


def open_source(
    name_or_path: str | os.PathLike,
    split: str = "train",
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: str = "auto",
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    strict: bool = False,
    download: bool = True,
) -> Source:
    """Open one split of a data set.

    A name that `DATASETS` lists comes first, then a path (a folder of images, or of IDX or parquet
    files; an ``.npz``, ``.npy``, ``.zip``, parquet or IDX file), then any other image data set of
    tensorflow-datasets. `SOURCES` says what each kind is and when it is taken.

    Args:
        name_or_path: ``digits``, a name of tensorflow-datasets, or a path.
        split: ``train``, ``test``, or another that the data set has.
        image_size: side of the images in pixels: centre crop to a square, Lanczos resize. By
            default as stored (``celeb_a``: the centre 148 pixels resized to 64).
        channels: 1 (grey) or 3 (colour); by default as stored.
        labels: ``"auto"``: as the data has them, see `FolderSource` for how folders become
            classes; ``"folders"``: every folder of images is a class; ``"none"``: no labels.
        data_dir: where tensorflow-datasets keeps data sets; default ``~/tensorflow_datasets``.
        manual_dir: where files fetched by hand lie.
        strict: read every image first, and stop at one that cannot be read or was left out.
        download: whether tensorflow-datasets may fetch and prepare what is not there.

    Returns:
        A `Source` of uint8 images.

    Raises:
        GenzooError: if the name, path, split, size or channels are not such, the data cannot
            be had, or, when strict, an image cannot be read.

    >>> digits = open_source("digits", "test", image_size=32)
    >>> digits.num_images, digits.image_shape, digits.num_classes
    (297, (32, 32, 1), 10)
    """
    if labels not in LABELS:
        raise unknown("labels", labels, LABELS)
    text, is_path = os.fspath(name_or_path), isinstance(name_or_path, os.PathLike)
    request = DataRequest(text, is_path, data_dir, manual_dir)
    kind = find_kind(request)
    if kind is None:
        raise _unknown(request.path)
    options: dict[str, Any] = {"image_size": image_size, "channels": channels}
    if kind.by_name:
        options |= {"data_dir": data_dir, "manual_dir": manual_dir, "download": download}
    else:
        options["labels"] = labels
    if labels == "folders" and not kind.of_folders:
        raise GenzooError(
            f"{text} is no folder of images, whose folders could be classes; leave out "
            "--labels folders"
        )
    opens = import_attribute(kind.opens) if isinstance(kind.opens, str) else kind.opens
    source = opens(text if kind.by_name else request.path, split, **options)
    if not isinstance(source, Source):
        raise GenzooError(
            f"what opens {kind.words} must return a Source, such as an ArraySource, not "
            f"{type(source).__name__}"
        )
    if labels == "none" and source.num_classes is not None:
        source = UnlabelledSource(source)
    if strict:
        source.refuse_bad_images()
    return source


def _unknown(path: Path) -> GenzooError:
    if path.exists():
        return GenzooError(f"{path} is a file; expected {paths_in_words()}; {OWN_KIND}")
    return GenzooError(f"there is no folder or file {path}")
