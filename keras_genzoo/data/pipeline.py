"""The one tf.data pipeline: from a source to shuffled, cached, prefetched uint8 batches.

The order is a pure function of (seed, epoch), so any step of a run can be had without those
before it. What the images are, and how they are decoded, is the sources'.
"""

import copy
import functools
import itertools
import os
from typing import Any

import numpy as np
import tensorflow as tf

from keras_genzoo.data.arrays import ArraySource
from keras_genzoo.data.images import check_request, whole_number
from keras_genzoo.data.opening import open_source
from keras_genzoo.data.shutdown import stopped_at_exit
from keras_genzoo.data.source import Source
from keras_genzoo.errors import GenzooError
from keras_genzoo.memory import usable_memory

AUTO_CACHE_BYTES = 512 * 2**20
# Batches that are kept ready for training, beside those being read.
READ_AHEAD = 4


def load_dataset(
    data: Any,
    split: str = "train",
    image_size: int | None = None,
    batch_size: int = 64,
    *,
    channels: int | None = None,
    labels: str = "auto",
    with_labels: bool = False,
    shuffle: bool | None = None,
    seed: int = 0,
    drop_remainder: bool | None = None,
    cache: bool | str = "auto",
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    strict: bool = False,
) -> tf.data.Dataset:
    """Give the images of one split in batches; each iteration is one epoch in another order.

    Args:
        data: a name or path as for `open_source`, a uint8 array ``(n, h, w)`` or
            ``(n, h, w, 1 or 3)``, a pair ``(images, labels)``, or an open `Source`.
        split: ``train``, ``test``, or another that the data set has.
        image_size: side of the images; by default as stored (``celeb_a``: 64).
        batch_size: images in a batch.
        channels: 1 or 3; by default as stored.
        labels: for a name or path, where labels come from, see `open_source`.
        with_labels: give pairs ``(images, labels)``.
        shuffle: another order in each iteration; by default for the split ``train`` only.
        seed: random seed of the orders: any whole number, taken modulo 2**64.
        drop_remainder: leave out a last, smaller batch; by default when shuffling.
        cache: keep decoded images in memory: True, False, or ``"auto"``: up to 512 MiB
            or a sixteenth of this machine's memory.
        data_dir: where tensorflow-datasets keeps data sets.
        manual_dir: where files fetched by hand lie.
        strict: stop at an image that cannot be read, before the first batch.

    Returns:
        A dataset of uint8 ``(batch, h, w, c)``, or pairs with int32 labels ``(batch,)``: the
        numbers of the classes, which count from 0 in the order of the labels that occur; an
        `ArraySource` with ``class_names`` fixes them.

    Raises:
        GenzooError: as `open_source`; if labels are asked of unlabelled data, the batch is
            larger than the data, or a number is not whole.

    >>> images, labels = next(iter(load_dataset("digits", batch_size=32, with_labels=True)))
    >>> images.shape, images.dtype.name, labels.dtype.name
    (TensorShape([32, 8, 8, 1]), 'uint8', 'int32')
    """
    options = {"image_size": image_size, "channels": channels}
    places = {
        "labels": labels, "data_dir": data_dir, "manual_dir": manual_dir, "strict": strict
    }  # fmt: skip
    source = _as_source(data, split, options, places)
    shuffle = source.split.startswith("train") if shuffle is None else shuffle
    drop_remainder = shuffle if drop_remainder is None else drop_remainder
    plan = _Plan(source, batch_size, seed, shuffle, drop_remainder)
    epochs = itertools.count()
    epoch = tf.data.Dataset.range(1).map(
        lambda _: tf.ensure_shape(tf.numpy_function(lambda: next(epochs), [], tf.int64), ())
    )
    positions = epoch.flat_map(
        lambda number: tf.data.Dataset.range(plan.steps).map(lambda step: (number, step))
    )
    batches = _batches(positions, plan, with_labels, cache)
    return batches.apply(tf.data.experimental.assert_cardinality(plan.steps)).prefetch(READ_AHEAD)


def training_stream(
    source: Source,
    batch_size: int,
    *,
    seed: int = 0,
    with_labels: bool = False,
    start_step: int = 0,
    shares: range = range(1),
    num_shares: int = 1,
    cache: bool | str = "auto",
) -> tf.data.Dataset:
    """Give endless training batches; the batch at a step depends on nothing but its number.

    Epoch follows epoch, each in its own order and without a smaller last batch. Starting at step
    ``k`` gives what a stream from the start gives after ``k`` steps, and skips no work to get
    there.

    Args:
        source: an open source.
        batch_size: images in a batch.
        seed: random seed of the orders: any whole number, taken modulo 2**64.
        with_labels: give pairs ``(images, labels)``.
        start_step: number of batches already consumed.
        shares: which shares of each batch to give, one after another; by default all of it.
        num_shares: equal shares that a batch is cut into, one for each replica of all machines.
        cache: keep decoded images in memory: True, False, or ``"auto"``: up to 512 MiB
            or a sixteenth of this machine's memory.

    Returns:
        A dataset of uint8 ``(batch_size // num_shares, h, w, c)``, or pairs with int32 labels
        ``(batch_size // num_shares,)``; all shapes static.

    Raises:
        GenzooError: if labels are asked of unlabelled data, the batch is larger than the data
            or does not divide by the shares, or a number is not whole.

    >>> from keras_genzoo.data import open_source
    >>> training_stream(open_source("digits"), 64).element_spec.shape
    TensorShape([64, 8, 8, 1])
    """
    start_step = whole_number(start_step, "the first step")
    if start_step < 0:
        raise GenzooError(f"the first step is 0, not {start_step}")
    if batch_size % num_shares:
        raise GenzooError(f"a batch of {batch_size} does not divide into {num_shares} shares")
    plan = _Plan(source, batch_size, seed, shuffle=True, drop_remainder=True)
    size = batch_size // num_shares

    def position(number: int) -> tuple[int, int]:
        step, share = number // len(shares), shares.start + number % len(shares)
        return step // plan.steps, step % plan.steps * num_shares + share

    first = start_step * len(shares)
    positions = tf.data.Dataset.range(first, np.iinfo(np.int64).max).map(position)
    plan = plan.cut(size)
    return _batches(positions, plan, with_labels, cache).prefetch(READ_AHEAD)


class _Plan:
    """Which images are in which batch of which epoch.

    Each epoch goes through all images in an order that follows from (seed, epoch) alone; batch
    number ``step`` of an epoch is the next ``batch_size`` images in that order. So any batch can be
    had without those before it, by a resumed run or by another machine.
    """

    def __init__(
        self, source: Source, batch_size: int, seed: int, shuffle: bool, drop_remainder: bool
    ):
        batch_size = whole_number(batch_size, "the batch size")
        if batch_size < 1:
            raise GenzooError(f"the batch size must be at least 1, not {batch_size}")
        self.source, self.batch_size = source, batch_size
        self.seed = whole_number(seed, "the seed") % 2**64
        self.num_images, self.shuffle = source.num_images, shuffle
        self.drop_remainder = drop_remainder
        self.steps = self.num_images // batch_size
        if not drop_remainder:
            self.steps = -(-self.num_images // batch_size)
        if not self.steps:
            raise GenzooError(
                f"a batch of {batch_size} is larger than {source.name}, split {source.split}, "
                f"with its {self.num_images} images; use a batch size of at most {self.num_images}"
            )
        # Two epochs overlap while the next one is prefetched.
        self._order = functools.lru_cache(maxsize=2)(self._shuffled)

    def cut(self, batch_size: int) -> "_Plan":
        """Return the same order cut into smaller batches.

        Where a batch is shared out among n replicas, share s of batch k is number ``n * k + s``.
        """
        part = copy.copy(self)
        part.batch_size = batch_size
        return part

    def indices(self, epoch: int, step: int) -> np.ndarray:
        """Return the numbers of the images in one batch."""
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        if not self.shuffle:
            return np.arange(start, min(stop, self.num_images))
        return self._order(int(epoch))[start:stop]

    def _shuffled(self, epoch: int) -> np.ndarray:
        # NumPy promises that the raw bits of a bit generator stay the same in all versions; it
        # does not promise that of permutation().
        key = self.seed << 64 | epoch
        bits = np.random.Philox(key=key).random_raw(self.num_images)
        return np.argsort(bits, kind="stable")


def _as_source(data: Any, split: str, options: dict, places: dict) -> Source:
    if isinstance(data, Source):
        height, width, channels = data.image_shape
        wanted = (options["image_size"] or height, options["channels"] or channels)
        if wanted != (height, channels) or (options["image_size"] and height != width):
            raise GenzooError(
                f"the source {data.name} is open already with images {data.image_shape}; "
                "give image_size and channels to open_source"
            )
        return data
    if isinstance(data, str | os.PathLike):
        return open_source(data, split, **options, **places)
    check_request(**options)
    if split != "train":
        raise GenzooError(f"arrays have one split, 'train', not '{split}'")
    pair = data if isinstance(data, tuple | list) and len(data) == 2 else (data, None)
    return ArraySource(*pair, **options)


def _batches(
    positions: tf.data.Dataset, plan: _Plan, with_labels: bool, cache: bool | str
) -> tf.data.Dataset:
    source = plan.source
    if with_labels and source.num_classes is None:
        raise GenzooError(
            f"{source.name} has no class labels ({source.labels_in_words}); use a labelled data "
            "set, or a folder with one folder for each class"
        )
    reader = source.in_memory if _fits(source, cache) else source

    def read(epoch: np.ndarray, step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return reader.fetch(plan.indices(int(epoch), int(step)))

    def placeholder() -> tuple[np.ndarray, np.ndarray]:
        return np.zeros((plan.batch_size, *source.image_shape), np.uint8), np.zeros(
            plan.batch_size, np.int32
        )

    fetch = stopped_at_exit(read, placeholder)
    size = plan.batch_size if plan.drop_remainder else None

    def batch(epoch: tf.Tensor, step: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        images, labels = tf.numpy_function(fetch, [epoch, step], (tf.uint8, tf.int32))
        images = tf.ensure_shape(images, (size, *source.image_shape))
        return (images, tf.ensure_shape(labels, (size,))) if with_labels else images

    options = tf.data.Options()
    options.deterministic = True
    # Workers share out batches, since TensorFlow does not know the files behind them.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    # With autotuning, the end of ``fit`` waits for the tuner: as long as training took, up to a
    # minute.
    options.autotune.enabled = False
    return positions.map(batch, num_parallel_calls=_cores(), deterministic=True).with_options(
        options
    )


def _fits(source: Source, cache: bool | str) -> bool:
    if cache not in (True, False, "auto"):
        raise GenzooError(f"cache is True, False or 'auto', not {cache!r}")
    if cache == "auto":
        return source.nbytes <= max(AUTO_CACHE_BYTES, usable_memory() // 16)
    if cache and source.nbytes > (memory := usable_memory()):
        raise GenzooError(
            f"{source.name} takes {source.nbytes / 2**30:.1f} GiB in memory and this machine has "
            f"{memory / 2**30:.1f}; use cache='auto' or a smaller image size"
        )
    return bool(cache)


def _cores() -> int:
    """Return the cores this process may use: the machine's, or those it was given."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
