"""Batches on their way into ``fit`` and ``evaluate``, each checked before the step sees it.

What the step itself can check stays as it is: that is done there (``checking``).
"""

import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import warn_of_masks
from keras_genzoo.models import checking


def checked(model: keras.Model, x: Any, y: Any = None) -> Any:
    """Return what stands for ``x`` in ``fit`` or ``evaluate``: the same batches, looked at.

    Raises:
        GenzooError: if an array, or the element spec of a data set, is not what the model takes,
            or XLA would leave out the checks of a container that is not known here.
    """
    checking.check_data(model, x, y)
    if isinstance(x, tf.data.Dataset):
        return _checked_dataset(model, x) if model.jit_compile else x
    if hasattr(x, "dtype"):
        warn_of_masks(np.asarray(x))
        return x
    if isinstance(x, keras.utils.PyDataset):
        return CheckedBatches(model, x)
    if isinstance(x, types.GeneratorType):
        return _checked_generator(model, x)
    if model.jit_compile:
        raise GenzooError(
            f"XLA would leave the images of a {type(x).__name__} unchecked; compile with "
            "jit_compile=False, or pass a tf.data.Dataset or a keras.utils.PyDataset"
        )
    return x


class CheckedBatches(keras.utils.PyDataset):
    """The batches of a person's ``PyDataset``, each checked.

    Args:
        model: the model that takes them.
        batches: the person's.
    """

    def __init__(self, model: keras.Model, batches: keras.utils.PyDataset):
        super().__init__(batches.workers, batches.use_multiprocessing, batches.max_queue_size)
        self.model = model
        self.batches = batches
        self.first = True

    def __getitem__(self, index: int) -> Any:
        batch = self.batches[index]
        checking.check_batch(self.model, batch, self.first)
        self.first = False
        return batch

    @property
    def num_batches(self) -> int | None:
        """Number of batches, None if there is no end."""
        return self.batches.num_batches

    def on_epoch_begin(self) -> None:
        """Pass it on."""
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        """Pass it on."""
        self.batches.on_epoch_end()


def _checked_generator(model: keras.Model, batches: Iterator) -> Iterator[tuple]:
    first = True
    for batch in batches:
        checking.check_batch(model, batch, first)
        first = False
        # Keras takes only a tuple.
        yield tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)


def _checked_dataset(model: keras.Model, batches: tf.data.Dataset) -> tf.data.Dataset:
    def check(number, batch):
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if images.dtype == tf.uint8:
            checking.warn_if_first(number == 0, images)
        else:
            checking.assert_range(model, tf.cast(images, tf.float32), first=number == 0)
        if model.needs_labels:
            checking.assert_labels(model, labels)
        return batch

    # XLA drops assertions and warnings, so the pipeline makes them, which it does not compile.
    return batches.enumerate().map(check)
