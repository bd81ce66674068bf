"""Image data sets of tensorflow-datasets: found, prepared, and read as a source.

TensorFlow is imported by the functions here, not by the module. Images are decoded by
``images``, so that every source has the same pixels for the same file.
"""

import contextlib
import hashlib
import logging
import os
import socket
import sys
import urllib.parse
import urllib.request
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data.images import BadImageError, check_request, decode, target_shape
from keras_genzoo.data.records import Records
from keras_genzoo.data.registry import DATASETS, OWN_KIND, DataSet, paths_in_words
from keras_genzoo.data.request import DEFAULT_DATA_DIR
from keras_genzoo.data.source import PartSource, Source
from keras_genzoo.errors import GenzooError, unknown


@dataclass(frozen=True)
class ManualFile:
    """A file that a data set is prepared from, as tensorflow-datasets registers it."""

    name: str
    url: str
    size: int
    sha256: str

    def found_in(self, manual_dir: str | os.PathLike | None) -> Path | None:
        """Return its path in ``manual_dir``, or None if it is not there."""
        path = Path(manual_dir).expanduser() / self.name if manual_dir else None
        return path if path and path.is_file() else None


class PreparedSource(Source):
    """A split of an image data set of tensorflow-datasets; see `open_source`.

    Args:
        name: its name there, such as ``mnist`` or ``emnist/letters``.
        split: a split, or a part of one such as ``train[:1000]``.
        image_size: side of the square to crop and resize to; by default as stored.
        channels: 1 or 3; by default as stored.
        data_dir: where prepared data sets lie; by default ``~/tensorflow_datasets``.
        manual_dir: where files fetched by hand lie.
        download: fetch and prepare what is not there.

    Raises:
        GenzooError: if there is no such data set or split, it holds no images, it cannot be
            prepared, or its sizes differ while ``image_size`` is not given.
    """

    def __init__(
        self,
        name: str,
        split: str = "train",
        *,
        image_size: int | None = None,
        channels: int | None = None,
        data_dir: str | os.PathLike | None = None,
        manual_dir: str | os.PathLike | None = None,
        download: bool = True,
    ):
        super().__init__()
        check_request(image_size, channels)
        known = known_facts(name)
        builder = find_builder(name, data_dir)
        self._image_key, native = _image_feature(builder, name)
        if not is_prepared(builder):
            if not download:
                place = f" --data-dir {data_dir}" if data_dir else ""
                raise GenzooError(
                    f"{name} is not prepared in {builder.data_dir}; "
                    f"run genzoo data prepare {name}{place}"
                )
            prepare(name, data_dir, manual_dir)
            builder = find_builder(name, data_dir)
        image_size = image_size or known.image_size
        if image_size is None and None in native:
            raise GenzooError(f"the images of {name} have different sizes; give an image size")
        self.name, self.split = name, split
        self._crop = known.crop
        self.image_shape = target_shape(native, image_size, channels)
        self._label_key, self.class_names = _label_feature(builder)
        self.num_classes = len(self.class_names) if self.class_names else None
        self.attribute_names = _attribute_names(builder)
        info = _split_info(builder, name, split)
        self.num_images = info.num_examples
        self._records = Records((part.filename, part.skip, part.take) for part in split_files(info))
        self.fingerprint = _fingerprint(builder, split, info)
        # Which of the published images a part of a split holds is not known.
        self._knows_published = known.shuffled_by_number and split in builder.info.splits

    def read(self, index: int) -> tuple[np.ndarray, int]:
        """Read and decode one record."""
        try:
            values = self._values(index)
            data = values[self._image_key].bytes_list.value[0]
            label = values[self._label_key].int64_list.value[0] if self._label_key else -1
        except (OSError, ValueError, IndexError, _decode_error()) as error:
            raise BadImageError(f"damaged record ({error})") from error
        return decode(data, self.image_shape, self._crop), label

    @property
    def as_published(self) -> Source:
        """The same images in the order in which they were published, if it is known."""
        if not self._knows_published:
            return self
        return PartSource(self, _published_positions(self.split, self.num_images), self.split)

    def read_attributes(self, index: int) -> np.ndarray:
        """Read the attributes of one record."""
        if self.attribute_names is None:
            return super().read_attributes(index)
        values = self._values(index)
        keys = [f"attributes/{name}" for name in self.attribute_names]
        return np.array([values[key].int64_list.value[0] for key in keys], np.uint8)

    def _values(self, index: int) -> Any:
        from tensorflow.train import Example

        return Example.FromString(self._records[index]).features.feature


def _published_positions(split: str, count: int) -> np.ndarray:
    """Return where tensorflow-datasets stores the first, second, ... image of a split.

    It sorts them by the MD5 of the split's name and the image's number.
    """
    digests = [
        hashlib.md5(f"{split}{i}".encode(), usedforsecurity=False).digest() for i in range(count)
    ]
    stored = sorted(range(count), key=digests.__getitem__)
    return np.argsort(stored)


def known_facts(name: str) -> DataSet:
    """Return what the registry knows of a data set, or nothing in particular."""
    base = name.partition(":")[0].partition("/")[0]
    return DATASETS[base] if base in DATASETS else DataSet(None, 0, None, "")


def find_builder(name: str, data_dir: str | os.PathLike | None) -> Any:
    """Return tensorflow-datasets' builder of a data set.

    Raises:
        GenzooError: if there is none of this name.
    """
    with _quiet():
        import tensorflow_datasets as tfds

        try:
            return tfds.builder(
                name,
                data_dir=Path(data_dir or DEFAULT_DATA_DIR).expanduser(),
                try_gcs=False,
            )
        except tfds.core.DatasetNotFoundError:
            names = tfds.list_builders(with_community_datasets=False)
            raise unknown_data_set(name, names) from None
        except Exception as error:  # A data set's own script may raise anything.
            if "Parsing builder name" in str(error):
                names = tfds.list_builders(with_community_datasets=False)
                raise unknown_data_set(name, names) from None
            raise GenzooError(f"cannot open the data set {name}: {_first_line(error)}") from error


def is_prepared(builder: Any) -> bool:
    """Whether a builder's data set lies in its place, ready to be read."""
    with _quiet():
        return builder.is_prepared()


def unknown_data_set(name: str, more: list[str]) -> GenzooError:
    """Return the error for a name that is no data set, file or folder."""
    import difflib

    if "/" in name:
        near = difflib.get_close_matches(name.partition("/")[0], more, n=1)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        return GenzooError(
            f"there is no folder or file {name}, and tensorflow-datasets has no data set "
            f"'{name.partition('/')[0]}'{hint}; check the path from {Path.cwd()}"
        )
    error = str(unknown("data set", name, DATASETS))
    if "did you mean" not in error:
        near = difflib.get_close_matches(name, more, n=1)
        error = error.replace(";", f"; did you mean '{near[0]}'?", 1) if near else error
    return GenzooError(
        f"{error}; or any image data set of tensorflow-datasets, {paths_in_words()}; {OWN_KIND}"
    )


def manual_files(name: str, data_dir: str | os.PathLike | None = None) -> list[ManualFile]:
    """Return the files that a data set is prepared from; empty if none are registered.

    Raises:
        GenzooError: if there is no such data set.
    """
    return _files(find_builder(name, data_dir))


def prepare(
    name: str,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
) -> Path:
    """Prepare a data set from files in ``manual_dir``, or the network where they are not there.

    Args:
        name: its name in tensorflow-datasets.
        data_dir: where to put it; by default ``~/tensorflow_datasets``.
        manual_dir: where files fetched by hand lie, named as `manual_files` says.

    Returns:
        The folder of the prepared data set.

    Raises:
        GenzooError: if a file is missing and cannot be fetched, or is not what it should be.
    """
    builder = find_builder(name, data_dir)
    if is_prepared(builder):
        return Path(builder.data_dir)
    files = _files(builder)
    if manual_dir and not Path(manual_dir).expanduser().is_dir():
        raise GenzooError(f"--manual-dir {manual_dir} is no folder")
    missing = [file for file in files if not file.found_in(manual_dir)]
    _check_network(name, builder, missing, manual_dir)
    try:
        with _quiet():
            _download_and_prepare(builder, manual_dir)
    except Exception as error:
        # A data set's own script may raise anything, over the network or the files.
        if isinstance(error, GenzooError):
            raise
        raise GenzooError(
            f"cannot prepare {name} in {builder.data_dir}: {type(error).__name__}: "
            f"{_first_line(error)}{_advice(name, missing, manual_dir)}"
        ) from error
    return Path(builder.data_dir)


def _download_and_prepare(builder: Any, manual_dir: str | os.PathLike | None) -> None:
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    config = tfds.download.DownloadConfig(
        manual_dir=Path(manual_dir).expanduser() if manual_dir else None,
        try_download_gcs=False,
        compute_stats=tfds.download.ComputeStatsMode.SKIP,
    )
    # tensorflow-datasets prints a paragraph on stdout, which belongs to the caller.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        builder.download_and_prepare(download_config=config)


def _check_network(
    name: str, builder: Any, missing: list[ManualFile], manual_dir: str | os.PathLike | None
) -> None:
    # Checked here, since tensorflow-datasets retries for minutes before it gives up.
    if urllib.request.getproxies():
        return
    for host in sorted({urllib.parse.urlsplit(file.url).hostname or "" for file in missing}):
        try:
            socket.getaddrinfo(host, 443)
        except OSError as error:
            raise GenzooError(
                f"cannot fetch {name}: {host} cannot be reached{_advice(name, missing, manual_dir)}"
            ) from error


def _advice(name: str, missing: list[ManualFile], manual_dir: str | os.PathLike | None) -> str:
    where = known_facts(name).by_hand
    names = ", ".join(file.name for file in missing)
    if not missing:
        return ""
    place = f"{manual_dir} lacks" if manual_dir else "put into a folder and give as --manual-dir:"
    source = f" (from {where})" if where else ""
    return f"; {place} {names}{source}; genzoo data prepare {name} lists the files"


def _files(builder: Any) -> list[ManualFile]:
    files = [
        ManualFile(info.filename, url, int(info.size), info.checksum)
        for url, info in (builder.url_infos or {}).items()
        if info.filename
    ]
    return sorted(files, key=lambda file: file.name)


def _image_feature(builder: Any, name: str) -> tuple[str, tuple[Any, ...]]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    images = {
        key: feature
        for key, feature in (features.items() if hasattr(features, "items") else ())
        if isinstance(feature, tfds.features.Image)
    }
    key = "image" if "image" in images else next(iter(images), None)
    if key is None or (len(images) > 1 and key != "image"):
        raise GenzooError(f"{name} is no image data set: its features are {', '.join(features)}")
    if images[key].np_dtype != np.uint8:
        raise GenzooError(
            f"the images of {name} are {images[key].np_dtype}; only uint8 can be read"
        )
    return key, tuple(images[key].shape)


def _label_feature(builder: Any) -> tuple[str | None, list[str] | None]:
    import tensorflow_datasets as tfds

    features = builder.info.features
    keys = [(builder.info.supervised_keys or (None, None))[1], "label"]
    for key in keys:
        if key in list(features) and isinstance(features[key], tfds.features.ClassLabel):
            label = features[key]
            return key, [label.int2str(number) for number in range(label.num_classes)]
    return None, None


def _attribute_names(builder: Any) -> list[str] | None:
    import tensorflow_datasets as tfds

    features = builder.info.features
    attributes = features["attributes"] if "attributes" in list(features) else None
    if not isinstance(attributes, tfds.features.FeaturesDict):
        return None
    return sorted(name for name, kind in attributes.items() if kind.np_dtype == np.bool_) or None


def _split_info(builder: Any, name: str, split: str) -> Any:
    try:
        info = builder.info.splits[split]
    except (KeyError, ValueError, AssertionError) as error:
        splits = ", ".join(builder.info.splits)
        raise GenzooError(f"{name} has no split '{split}'; it has: {splits}") from error
    if not info.num_examples:
        raise GenzooError(f"the split '{split}' of {name} is empty")
    return info


def split_files(info: Any) -> list[Any]:
    """Return the files of a split, with the number of records in each.

    Raises:
        GenzooError: if the facts of the data set are damaged, or the files are no TFRecords.
    """
    try:
        parts = info.file_instructions
    except Exception as error:  # Damaged metadata fail in many ways.
        raise GenzooError(
            f"the facts of the prepared data set are damaged ({_first_line(error)}); delete its "
            "folder and prepare it again"
        ) from error
    if any(".tfrecord" not in str(part.filename) for part in parts):
        raise GenzooError(
            f"{parts[0].filename} is no TFRecord file; prepare the data set in a new data dir"
        )
    return parts


def _fingerprint(builder: Any, split: str, info: Any) -> str:
    lengths = [
        (Path(part.filename).name, part.skip, part.take, Path(part.filename).stat().st_size)
        for part in split_files(info)
    ]
    return hashlib.sha256(repr((builder.info.full_name, split, lengths)).encode()).hexdigest()


def _decode_error() -> type[Exception]:
    from google.protobuf.message import DecodeError

    return DecodeError


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep tensorflow-datasets' log and its libraries' deprecation warnings from the person."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
