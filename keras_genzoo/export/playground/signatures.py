"""What of a model a page runs: the signature that makes images of z, and the one that encodes."""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.inputs import draw_inputs, run_network
from keras_genzoo.models import ImageModel
from keras_genzoo.training.build import Generator

# The most principal directions that a page has sliders for.
MOST_DIRECTIONS = 8


class Signature(NamedTuple):
    """A signature as the page calls it.

    Args:
        name: its name.
        output: which of its outputs is the image, or the latent.
        takes_labels: whether it takes class labels.
    """

    name: str
    output: str
    takes_labels: bool


def decoder_of(model: Generator) -> Signature:
    """Return the signature that makes images of z.

    Raises:
        GenzooError: if the model has none.
    """
    networks = model.signatures()
    prior = model.prior_signature
    names = list(networks) if prior is None else [prior]
    for name in names:
        inputs, outputs = networks[name].input, networks[name].output
        known = set(inputs) <= {"z", "class_labels"}
        if known and "z" in inputs and "images" in outputs and inputs["z"].dtype == "float32":
            return Signature(name, "images", "class_labels" in inputs)
    if reason := model.why_no_samples():
        raise GenzooError(f"a page cannot play with a {type(model).__name__} yet: {reason}")
    raise GenzooError(
        f"a page cannot play with a {type(model).__name__}: it needs a signature that makes "
        f"'images' of 'z' alone, or with 'class_labels', and this model has {', '.join(networks)}"
    )


def encoder_of(model: Generator) -> Signature | None:
    """Return the signature that gives the latent of an image, None if the model has none.

    Which of its outputs is the latent is found by comparing them with ``model.code``.
    """
    if not (model.has_encoder and model.codes_are_latents):
        return None
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, *model.image_shape), "uint8")
    given = draw_inputs(model, 2, images=images)
    labels = {"class_labels": np.arange(2)} if model.needs_labels else {}
    code = np.asarray(model.code(model.encode(images, **labels)))
    for name, network in model.signatures().items():
        inputs = set(network.input)
        if "images" not in inputs or not inputs <= {"images", "class_labels"}:
            continue
        for output, values in run_network(network, given[name]).items():
            if values.shape == code.shape and np.allclose(values, code, rtol=1e-2, atol=1e-2):
                return Signature(name, output, "class_labels" in inputs)
    return None


def velocity_of(model: ImageModel) -> Signature:
    """Return the signature of ``velocity_network``."""
    return Signature("velocity", "velocity", model.needs_labels)


def velocity_network(model: ImageModel) -> keras.Model:
    """Return what a page solves step by step to make images, of a model that has a solver.

    It takes one row: ``z``, the image so far, and ``time``, from 0 for noise to 1 for an image (and
    ``class_labels``), and gives ``velocity``.

    Args:
        model: a model with ``has_solver``.
    """
    inputs = {"z": keras.Input(model.latent_shape, 1, name="z")}
    inputs["time"] = keras.Input((), 1, name="time")
    if model.needs_labels:
        inputs["class_labels"] = keras.Input((), 1, dtype="int32", name="class_labels")
    time = keras.ops.reshape(inputs["time"], ())
    velocity = model.velocity(inputs.get("class_labels"))(inputs["z"], time)
    return keras.Model(inputs, {"velocity": velocity}, name="velocity")


def principal_directions(
    network: keras.Model, latent_shape: tuple[int, ...], most: int = MOST_DIRECTIONS
) -> tuple[np.ndarray, np.ndarray]:
    """Return the directions of z that the first layer with weights answers most to.

    They are the singular vectors of the weights that act on z, with the largest values first
    (2007.06600). What is joined to z, such as a class label, stands behind it.

    Args:
        network: a signature that takes z.
        latent_shape: shape of one latent.
        most: how many directions are returned at most.

    Returns:
        unit vectors, float32 ``(k, latent_dim)``, and the share of each in the squared answer,
        float64 ``(k,)``. There are none for latents that are no vectors, or if the first layer does
        not take one.
    """
    weights = _first_weights(network)
    size = latent_shape[0]
    if len(latent_shape) > 1 or weights is None or len(weights) < size:
        return np.zeros((0, int(np.prod(latent_shape))), "float32"), np.zeros(0)
    vectors, values, _ = np.linalg.svd(weights[:size], full_matrices=False)
    directions = vectors.T[:most]
    # A singular vector has no sign of its own: let its largest number be positive.
    largest = np.take_along_axis(directions, abs(directions).argmax(1)[:, None], axis=1)
    return (directions * np.sign(largest)).astype("float32"), (values**2 / (values**2).sum())[:most]


def _first_weights(network: keras.Model) -> np.ndarray | None:
    """Return what the first layer with a kernel multiplies a vector by; None if it takes none."""
    layer = next((layer for layer in _leaves(network) if hasattr(layer, "kernel")), None)
    if layer is None:
        return None
    shape = (layer.get_build_config() or {}).get("input_shape")
    if shape is None or None in shape[1:] or any(size != 1 for size in shape[1:-1]):
        return None
    # Asking the layer for its answers to unit vectors holds for dense and convolutional ones.
    units = np.eye(shape[-1], dtype="float32").reshape(-1, *shape[1:])
    answers, at_zero = (np.asarray(layer(each), "float64") for each in (units, 0 * units[:1]))
    return (answers - at_zero).reshape(len(units), -1)


def _leaves(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Give the layers of a network that are no networks themselves, from its inputs on."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer
