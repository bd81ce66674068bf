"""What ``fit`` and ``evaluate`` refuse, in one line each; nothing here changes the data.

Arrays are looked at before the first step. What a data set yields is checked by its element spec
where that is enough, and by assertions inside the step, so that no batch is taken from it.
"""

import contextlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError

SLACK = 1e-3  # of the range, for floats that were rounded on their way


def bind(method, arguments: tuple, options: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call of ``keras.Model``'s method, by name."""
    return inspect.signature(method).bind(None, *arguments, **options).arguments


def refuse_weights(arguments: dict[str, Any]) -> None:
    """Refuse weights of samples and classes, which no loss of the zoo takes.

    Raises:
        GenzooError: if there are any.
    """
    for name in ("sample_weight", "class_weight"):
        if arguments.get(name) is not None:
            raise GenzooError(f"{name} has no meaning here; leave it out")


def check_data(model, x: Any, y: Any = None) -> None:
    """Check an array, with its labels, or the element spec of a data set.

    Raises:
        GenzooError: if shape, type or values are not those that the model takes.
    """
    if isinstance(x, tf.data.Dataset):
        x, y, weights = keras.utils.unpack_x_y_sample_weight(x.element_spec)
        refuse_weights({"sample_weight": weights})
    elif not hasattr(x, "dtype"):
        if isinstance(x, (dict, list, tuple)):
            raise GenzooError(
                f"{type(model).__name__} takes one array of images, not a {type(x).__name__}"
            )
        return
    check_images(model, x)
    if model.needs_labels:
        check_labels(model, y)


def check_images(model, images: Any) -> None:
    """Check images: an array, or the spec of a batch.

    Raises:
        GenzooError: if they have another shape, or are neither uint8 nor in the model's range.
    """
    name = type(model).__name__
    if not hasattr(images, "dtype") or not hasattr(images, "shape"):
        raise GenzooError(f"{name} takes one array of images, not a {type(images).__name__}")
    if getattr(images.shape, "rank", 0) is not None:
        shape = tuple(images.shape[1:])
        shape = (*shape, 1) if len(shape) == 2 else shape
        known = zip(shape, model.image_shape, strict=False)
        if len(shape) != 3 or any(a not in (b, None) for a, b in known):
            raise GenzooError(
                f"{name} is built for images of shape {model.image_shape}, not {shape}; "
                "pass image_shape= or resize the images"
            )
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return
    if not dtype.startswith(("float", "bfloat")):
        raise GenzooError(f"images must be {accepted(model)}, not {dtype}; convert to uint8")
    if not isinstance(images, tf.TypeSpec):
        _check_values(model, np.asarray(images[:256], "float32"))


def accepted(model) -> str:
    """Return what the model takes, in words."""
    low, high = model.value_range
    return f"uint8 (0 to 255) or floats in [{low:g}, {high:g}]"


def _check_values(model, first: np.ndarray) -> None:
    low, high = model.value_range
    inside = np.isfinite(first).all() and first.min() >= low - SLACK and first.max() <= high + SLACK
    if not inside:
        raise GenzooError(
            f"images must be {accepted(model)}, but the first ones lie in "
            f"[{first.min():g}, {first.max():g}]; pass them as uint8"
        )
    if low < 0 <= first.min() and first.max() > 0:
        raise GenzooError(
            f"images must be {accepted(model)}, but the first ones lie in "
            f"[{first.min():g}, {first.max():g}], as if scaled to [0, 1]; pass them as uint8"
        )


def assert_range(model, images: tf.Tensor) -> None:
    """Check float images inside the step."""
    low, high = model.value_range
    message = f"GenzooError: images must be {accepted(model)}; pass them as uint8"
    # Written so that what is no number fails, too.
    inside = (images >= low - SLACK) & (images <= high + SLACK)
    tf.debugging.assert_equal(tf.reduce_all(inside), True, message=message)


def check_labels(model, labels: Any) -> None:
    """Check class labels: an array, or the spec of a batch.

    Raises:
        GenzooError: if there are none, or they are not integers from 0 to ``num_classes - 1``.
    """
    name, last = type(model).__name__, model.num_classes - 1
    if labels is None:
        raise GenzooError(
            f"{name} needs class labels and got images alone; pass (images, class_labels)"
        )
    wanted = f"class labels must be integers from 0 to {last}, one for each image"
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    if not np.issubdtype(keras.backend.standardize_dtype(labels.dtype), np.integer):
        raise GenzooError(f"{wanted}, not {keras.backend.standardize_dtype(labels.dtype)}")
    shape = tuple(labels.shape[1:])
    if shape not in ((), (1,)):
        raise GenzooError(f"{wanted}, not of shape (n, {', '.join(map(str, shape))})")
    if not isinstance(labels, tf.TypeSpec) and len(labels):
        low, high = int(np.min(labels)), int(np.max(labels))
        if low < 0 or high > last:
            raise GenzooError(f"{wanted}, but they go from {low} to {high}")


def assert_labels(model, labels: tf.Tensor) -> None:
    """Check class labels inside the step."""
    message = f"GenzooError: class labels must be integers from 0 to {model.num_classes - 1}"
    inside = (labels >= 0) & (labels < model.num_classes)
    tf.debugging.assert_equal(tf.reduce_all(inside), True, message=message)


def check_division(model, x: Any, batch_size: int, validation_split: float) -> None:
    """Check that every replica gets as many images as the others, in every training batch.

    Raises:
        GenzooError: if not, naming the number of replicas.
    """
    replicas = model.num_replicas
    if replicas == 1:
        return
    if isinstance(x, tf.data.Dataset):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(x.element_spec)
        batches = [images.shape[0] if images.shape.rank else None]
    elif hasattr(x, "shape"):
        count = int(len(x) * (1 - validation_split))
        batches = [batch_size, count % batch_size]
    else:
        return
    for batch in batches:
        if batch is None:
            raise GenzooError(
                f"{replicas} replicas need batches of one size; batch with drop_remainder=True"
            )
        if batch % replicas:
            raise GenzooError(
                f"a batch of {batch} images does not divide by {replicas} replicas; "
                "choose another batch size and drop the remainder"
            )


def check_network(
    network, role: str, input_shape: tuple, *output_shapes: tuple, num_replicas: int = 1
) -> None:
    """Check that a network takes and gives what the model needs, building it if need be.

    Raises:
        GenzooError: if the network refuses the input, gives other shapes, or keeps batch
            statistics of its own on each of several replicas.
    """
    needed = f"the {role} must map {input_shape} to {' and '.join(map(str, output_shapes))}"
    try:
        outputs = network(np.zeros((1, *input_shape), "float32"))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise GenzooError(f"{needed}, but refuses that input: {one_line(error)}") from error
    found = [tuple(output.shape[1:]) for output in keras.tree.flatten(outputs)]
    if found != list(output_shapes):
        raise GenzooError(f"{needed}, but gives {' and '.join(map(str, found))}")
    for layer in network._flatten_layers() if num_replicas > 1 else ():
        if isinstance(layer, keras.layers.BatchNormalization) and not layer.synchronized:
            raise GenzooError(
                f"{num_replicas} replicas need the batch statistics of all: make the {role}'s "
                f"layer '{layer.name}' with synchronized=True"
            )


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turn what TensorFlow raises when memory or data give out into one line.

    Raises:
        GenzooError: in its place.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise GenzooError(
            "the device has run out of memory; take a smaller batch size or a smaller model"
        ) from error
    except tf.errors.OpError as error:
        # What is found inside the step or the pipeline comes back from there as text.
        _, found, reason = error.message.partition(f"{GenzooError.__name__}: ")
        if not found:
            raise
        raise GenzooError(reason.splitlines()[0]) from error


def one_line(error: Exception) -> str:
    """Return the first line of an error's text, without terminal colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__


def check_optimizer(optimizer: keras.optimizers.Optimizer, num_replicas: int) -> None:
    """Check that replicas can take an optimizer's steps together.

    Raises:
        GenzooError: if it takes some of them on a condition, in which Keras cannot.
    """
    if num_replicas == 1:
        return
    for option in ("gradient_accumulation_steps", "ema_overwrite_frequency"):
        if getattr(optimizer, option, None):
            raise GenzooError(
                f"{option} works on one device, not on {num_replicas} replicas; "
                "leave it out, or train on one"
            )
