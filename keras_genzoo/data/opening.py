"""From a name or a path to the source it means."""

import os
from pathlib import Path

from keras_genzoo.data.registry import DATASETS, LABELS
from keras_genzoo.data.source import Source, UnlabelledSource
from keras_genzoo.errors import GenzooError, unknown


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

    A name that `DATASETS` lists comes first, then a folder of images or an ``.npz`` file, then
    any other image data set of tensorflow-datasets.

    Args:
        name_or_path: ``digits``, a name of tensorflow-datasets, a folder or an ``.npz`` file.
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
    options = {"image_size": image_size, "channels": channels}
    place = {"data_dir": data_dir, "manual_dir": manual_dir, "download": download}
    source = _open(name_or_path, split, labels, options, place)
    if labels == "folders" and not source.labels_are_folders:
        raise GenzooError(
            f"{source.name} is no folder of images, whose folders could be classes; leave out "
            "--labels folders"
        )
    if labels == "none" and source.num_classes is not None:
        source = UnlabelledSource(source)
    if strict:
        source.refuse_bad_images()
    return source


def _open(
    name_or_path: str | os.PathLike, split: str, labels: str, options: dict, place: dict
) -> Source:
    # Imported one by one: a folder needs no scikit-learn, digits need no TensorFlow.
    from keras_genzoo.data.arrays import open_digits, open_npz
    from keras_genzoo.data.folder import FolderSource
    from keras_genzoo.data.prepared import PreparedSource
    from keras_genzoo.data.stacked import open_stacked

    text, path = os.fspath(name_or_path), Path(name_or_path).expanduser()
    if text == "digits":
        return open_digits(split, **options)
    if text in DATASETS and DATASETS[text].made_of and not isinstance(name_or_path, os.PathLike):
        return open_stacked(text, DATASETS[text].made_of, split, **options, **place)
    if text in DATASETS and not isinstance(name_or_path, os.PathLike):
        return PreparedSource(text, split, **options, **place)
    if path.is_dir():
        return FolderSource(path, split, labels=labels, **options)
    if path.exists():
        if path.suffix.lower() != ".npz":
            raise GenzooError(f"{path} is a file; expected a folder of images or an .npz file")
        return open_npz(path, split, **options)
    if isinstance(name_or_path, os.PathLike) or looks_like_path(text):
        raise GenzooError(f"there is no folder or file {path}")
    return PreparedSource(text, split, **options, **place)


def looks_like_path(text: str) -> bool:
    """Whether a text that names nothing known was meant as a path.

    >>> looks_like_path("./faces"), looks_like_path("faces.npz"), looks_like_path("emnist/letters")
    (True, True, False)
    """
    return text.startswith((".", "~", os.sep)) or text.endswith(("/", ".npz")) or "\\" in text
