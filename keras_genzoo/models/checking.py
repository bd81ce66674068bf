"""What ``fit`` and ``evaluate`` refuse, in one line each; nothing here changes the data.

Arrays are looked at whole before the first step, and batches made in Python as they come
(``batches``). What a data set yields is checked by its element spec where that is enough, and by
assertions inside the step, so that no batch is taken from it.

Floats in [0, 1] lie in [-1, 1], too. They are refused where a model takes [-1, 1] and of ``MANY``
values or more, not all alike, none is negative: in an array and in a first batch always, since
images brighter than mid-grey everywhere are rare; in later batches if the darkest is black in
[0, 1] (at most 1/255), since mid-grey is what that would be in [-1, 1].
"""

import contextlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import uint8_hint, warn_of_masks
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.outputs import check_output
from keras_genzoo.text import one_line

SLACK = 1e-3  # share of the range by which rounded floats may exceed it
MANY = 256  # so many values in [-1, 1] have a negative one among them
BLACK = 1.001 / 255  # values in [0, 1] up to the second grey level

# Marks the end of our error message inside of the longer one that TensorFlow makes of it.
END = "\N{SYMBOL FOR RECORD SEPARATOR}"


def bind(method: Callable, arguments: tuple, options: dict[str, Any]) -> dict[str, Any]:
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


def check_data(model: keras.Model, x: Any, y: Any = None) -> None:
    """Check an array, with its labels, or the element spec of a data set.

    Raises:
        GenzooError: if shape, type or values are not those that the model takes.
    """
    if isinstance(x, tf.data.Dataset):
        if isinstance(x.element_spec, dict):
            refuse_container(model, x.element_spec)
        x, y, weights = keras.utils.unpack_x_y_sample_weight(x.element_spec)
        refuse_weights({"sample_weight": weights})
    elif not hasattr(x, "dtype"):
        if x is None or isinstance(x, (dict, list, tuple)):
            refuse_container(model, x)
        return
    check_images(model, x)
    if model.needs_labels:
        check_labels(model, y)


def check_batch(model: keras.Model, batch: Any, first: bool) -> None:
    """Check a batch that a generator or a ``PyDataset`` gives.

    Args:
        model: the model.
        batch: images, or a tuple of images and labels.
        first: whether none came before.

    Raises:
        GenzooError: as ``check_data`` does, and if there are weights.
    """
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise GenzooError(
            f"a batch is (images,) or (images, class_labels), not {len(parts)} things"
        )
    images, labels, weights = (*parts, None, None)[:3]
    refuse_weights({"sample_weight": weights})
    check_images(model, images, first)
    if model.needs_labels:
        check_labels(model, labels)
    if first:
        warn_of_masks(np.asarray(images))


def refuse_container(model: keras.Model, x: Any) -> None:
    """Refuse what is no array of images.

    Raises:
        GenzooError: always.
    """
    raise GenzooError(f"{type(model).__name__} takes one array of images, not a {type(x).__name__}")


def dtype_name(values: Any) -> str:
    """Return the type of an array's values; Keras knows no name for objects and text."""
    try:
        return keras.backend.standardize_dtype(values.dtype)
    except ValueError:
        return str(values.dtype)


def check_images(model: keras.Model, images: Any, first: bool = True) -> None:
    """Check images: an array, or the spec of a batch.

    Args:
        model: the model.
        images: the array or the spec.
        first: whether no batch came before.

    Raises:
        GenzooError: if they have another shape, or are neither uint8 nor in the model's range.
    """
    name = type(model).__name__
    if not hasattr(images, "dtype") or not hasattr(images, "shape"):
        refuse_container(model, images)
    if getattr(images.shape, "rank", 0) is not None:
        shape = tuple(images.shape[1:])
        shape = (*shape, 1) if len(shape) == 2 else shape
        known = zip(shape, model.image_shape, strict=False)
        if len(shape) != 3 or any(a not in (b, None) for a, b in known):
            raise GenzooError(
                f"{name} is built for images of shape {model.image_shape}, not {shape}; "
                "pass image_shape= or resize the images"
            )
    dtype = dtype_name(images)
    if dtype == "uint8":
        return
    spec = isinstance(images, tf.TypeSpec)
    if not dtype.startswith(("float", "bfloat")):
        reason = f"they are {dtype}: convert to uint8" if spec else uint8_hint(images)
        raise GenzooError(f"images must be {accepted(model)}, but {reason}")
    if not spec:
        _check_values(model, np.asarray(images), first)


def accepted(model: keras.Model) -> str:
    """Return what the model takes, in words."""
    low, high = model.value_range
    return f"uint8 (0 to 255) or floats in [{low:g}, {high:g}]"


def _check_values(model: keras.Model, images: np.ndarray, first: bool) -> None:
    if not images.size:
        return
    low, high = model.value_range
    smallest, largest = float(images.min()), float(images.max())
    # Not written as `value < low`, since NaN must fail, too.
    if not (smallest >= low - SLACK and largest <= high + SLACK):
        raise GenzooError(f"images must be {accepted(model)}, but {uint8_hint(images)}")
    alike = smallest == largest or images.size < MANY
    if low < 0 <= smallest <= (high if first else BLACK) and not alike:
        raise GenzooError(
            f"images must be {accepted(model)}, but none of these values is negative, as if "
            f"scaled to [0, 1]: {uint8_hint(images)}"
        )


def assert_range(model: keras.Model, images: tf.Tensor, first: bool | Tensor) -> None:
    """Check float images inside the step; ``first`` says whether no batch came before."""
    low, high = model.value_range
    # Not written as `value < low`, since NaN must fail, too.
    inside = (images >= low - SLACK) & (images <= high + SLACK)
    text = f"images must be {accepted(model)}; pass them as uint8"
    assert_in_step(tf.reduce_all(inside), text)
    if low >= 0:
        return
    smallest, largest = tf.reduce_min(images), tf.reduce_max(images)
    alike = (smallest == largest) | (tf.size(images) < MANY)
    dark = smallest <= tf.where(first, tf.cast(high, images.dtype), BLACK)
    assert_in_step(
        (smallest < 0) | alike | ~dark,
        f"images must be {accepted(model)}, but no value of a batch is negative, as if scaled to "
        "[0, 1]: pass np.rint(255 * images).astype('uint8')",
    )


def assert_in_step(condition: tf.Tensor, text: str) -> None:
    """Check what only the step knows; XLA leaves it out.

    Raises:
        GenzooError: if the condition does not hold, by ``plain_errors`` where this is a graph.
    """
    if not tf.executing_eagerly():
        tf.debugging.Assert(condition, [f"{GenzooError.__name__}: {text}{END}"])
    elif not condition:
        raise GenzooError(text)


def warn_in_step(model: keras.Model, images: tf.Tensor) -> None:
    """Warn of masks in the first batch of all; XLA and replicas leave it out."""
    if tf.executing_eagerly() or (not model.jit_compile and model.num_replicas == 1):
        warn_if_first(model.step == 0, images)


def warn_if_first(first: tf.Tensor, images: tf.Tensor) -> None:
    """Warn of masks in a batch if it is the first, in a graph as well as outside of one."""

    def look():
        return tf.py_function(lambda values: warn_of_masks(values.numpy()), [images], [])

    if not tf.executing_eagerly():
        tf.cond(first, look, tf.no_op)
    elif first:
        warn_of_masks(images.numpy())


def check_labels(model: keras.Model, labels: Any) -> None:
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
    dtype = dtype_name(labels)
    if not dtype.startswith(("int", "uint")):
        raise GenzooError(f"{wanted}, not {dtype}{names_hint(dtype)}")
    shape = tuple(labels.shape[1:])
    if shape not in ((), (1,)):
        raise GenzooError(f"{wanted}, not of shape (n, {', '.join(map(str, shape))})")
    if not isinstance(labels, tf.TypeSpec) and len(labels):
        low, high = int(np.min(labels)), int(np.max(labels))
        if low < 0 or high > last:
            raise GenzooError(f"{wanted}, but they go from {low} to {high}")


def names_hint(dtype: str) -> str:
    """Return how to make numbers of labels that are names, and nothing for other types."""
    if not dtype.lstrip("<>|=").startswith(("str", "U", "S", "O", "obj")):
        return ""
    return "; map names to numbers: names, labels = np.unique(labels, return_inverse=True)"


def assert_labels(model: keras.Model, labels: tf.Tensor) -> None:
    """Check class labels inside the step."""
    assert_in_step(
        tf.reduce_all((labels >= 0) & (labels < model.num_classes)),
        f"class labels must be integers from 0 to {model.num_classes - 1}",
    )


def check_division(model: keras.Model, x: Any, batch_size: int, validation_split: float) -> None:
    """Check that every replica gets as many images as the others, in every training batch.

    Raises:
        GenzooError: if not, naming the number of replicas, or of images that are looked at
            together.
    """
    replicas, packing = model.num_replicas, model.packing
    if replicas == packing == 1:
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
            if replicas == 1:
                # The step looks at each batch.
                return
            raise GenzooError(
                f"{replicas} replicas need batches of one size; batch with drop_remainder=True"
            )
        if batch % replicas:
            raise GenzooError(
                f"a batch of {batch} images does not divide by {replicas} replicas; "
                "choose another batch size and drop the remainder"
            )
        if batch // replicas % packing:
            raise GenzooError(packs_text(batch // replicas, packing))


def assert_packs(model: keras.Model, batch_size: int | Tensor) -> None:
    """Check inside the step that a batch divides by the images that are looked at together."""
    if model.packing > 1:
        words = packs_text("some number of", model.packing)
        assert_in_step(batch_size % model.packing == 0, words)


def packs_text(batch: int | str, packing: int) -> str:
    """Return what is wrong with a batch that leaves images over."""
    return (
        f"a batch of {batch} images does not divide by packing={packing}; choose another batch "
        "size and drop the remainder"
    )


def example_inputs(*shapes: tuple[int, ...]) -> Any:
    """Return one row of zeros for a network of an input of this shape, or of several inputs."""
    inputs = [keras.ops.zeros((1, *shape), "float32") for shape in shapes]
    return inputs if len(inputs) > 1 else inputs[0]


def check_network(
    network: Any, role: str, input_shape: tuple | list, *output_shapes: tuple, num_replicas: int = 1
) -> None:
    """Check that a network takes and gives what the model needs, building it if need be.

    Args:
        network: the network.
        role: what it is to the model, such as ``"decoder"``.
        input_shape: shape of one row of its input; a list of shapes if it has several inputs.
        *output_shapes: shape of one row of each output.
        num_replicas: replicas that train in step.

    Raises:
        GenzooError: if the network refuses the input, gives other shapes, ends in an activation
            that its role cannot use, or keeps batch statistics of its own on each of several
            replicas.
    """
    inputs = input_shape if isinstance(input_shape, list) else [input_shape]
    taken, given = (" and ".join(map(str, shapes)) for shapes in (inputs, output_shapes))
    needed = f"the {role} must map {taken} to {given}"
    # Keras warns of another number of inputs, and goes on.
    count = len(getattr(network, "inputs", None) or inputs)
    if count != len(inputs):
        raise GenzooError(f"{needed}, but takes {count} input{'s' * (count > 1)}")
    try:
        outputs = network(example_inputs(*inputs))
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise GenzooError(f"{needed}, but refuses that input: {one_line(error)}") from error
    found = [tuple(output.shape[1:]) for output in keras.tree.flatten(outputs)]
    if found != list(output_shapes):
        raise GenzooError(f"{needed}, but gives {' and '.join(map(str, found))}")
    check_output(network, role, *inputs)
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
        # Errors raised inside of a traced step or a pipeline arrive as text.
        _, found, reason = error.message.partition(f"{GenzooError.__name__}: ")
        if not found:
            raise
        text, ended, _ = reason.partition(END)
        # TensorFlow escapes the quotes in a message.
        text = text.replace("\\'", "'") if ended else reason.splitlines()[0]
        raise GenzooError(text) from error


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
