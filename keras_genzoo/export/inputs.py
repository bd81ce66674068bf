"""Inputs from the distribution that they have in use: to calibrate, to compare, to warm up with."""

from collections.abc import Iterator

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.models.checking import check_images

Arrays = dict[str, np.ndarray]

VERIFIED_ROWS = 32


def draw_inputs(
    model: ImageModel, count: int, seed: int = 0, images: np.ndarray | None = None
) -> dict[str, Arrays]:
    """Return ``count`` rows of input for each signature of a model.

    z is drawn from N(0, I); class labels take the classes in turn; an encoder without such a prior
    decodes the codes of images, and ``codes`` are those of images. Each has the shape and the type
    of the signature's input.

    Args:
        model: the model.
        count: rows, at least 1.
        seed: random seed of what is drawn.
        images: uint8 images of the model's shape, for signatures that take images; None draws
            noise, which is enough to compare two files, but says nothing of the data.

    Raises:
        GenzooError: if images are no uint8 images of the model's shape, or fewer than the rows, or
            a signature has an input of another name.

    >>> from keras_genzoo.models import GAN
    >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    >>> draw_inputs(model, 3)["generate"]["z"].shape
    (3, 4)
    """
    z = model.sample_latents(count, seed)
    if images is None:
        shape = (count, *model.image_shape)
        images = np.random.default_rng(seed).integers(0, 256, shape, "uint8")
    check_images(model, images)
    if images.dtype != np.uint8:
        raise GenzooError(f"images must be uint8, from 0 to 255, not {images.dtype}")
    if len(images) < count:
        raise GenzooError(f"{count} images are needed, but there are {len(images)}; ask for fewer")
    images = images[:count].reshape(count, *model.image_shape)
    if model.has_encoder and not model.has_prior:
        z = np.asarray(model.code(model.encode(images)))
    values = {"z": z, "images": images.astype("float32") / 255}
    if not model.codes_are_latents:
        values["codes"] = np.asarray(model.encode(images))
    if model.needs_labels:
        values["class_labels"] = (np.arange(count) % model.num_classes).astype("int32")
    return {name: _inputs_of(name, net, values) for name, net in model.signatures().items()}


def _inputs_of(signature: str, network: keras.Model, values: Arrays) -> Arrays:
    for name in network.input:
        if name not in values:
            raise GenzooError(
                f"the signature '{signature}' takes '{name}', and no values are known for it; the "
                f"inputs of a signature are named {', '.join(values)}"
            )
    return {
        name: values[name].astype(tensor.dtype, copy=False)
        for name, tensor in network.input.items()
    }


def inputs_to_verify(model: ImageModel, images: np.ndarray | None) -> dict[str, Arrays]:
    """Return rows of input to compare a file with the model on; with images, no more than those."""
    count = VERIFIED_ROWS if images is None else min(VERIFIED_ROWS, len(images))
    return draw_inputs(model, count, 1, images)


def batches(inputs: Arrays, batch_size: int) -> Iterator[Arrays]:
    """Give batches of one size; the last is filled up from the beginning.

    >>> [part["z"].tolist() for part in batches({"z": np.arange(3)}, 2)]
    [[0, 1], [2, 0]]
    """
    count = len(next(iter(inputs.values())))
    for first in range(0, count, batch_size):
        rows = np.arange(first, first + batch_size) % count
        yield {name: values[rows] for name, values in inputs.items()}


def run_network(network: keras.Model, inputs: Arrays) -> Arrays:
    """Return what a network gives for inputs, by name."""
    outputs = network({name: keras.ops.convert_to_tensor(v) for name, v in inputs.items()})
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}
