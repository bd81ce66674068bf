"""What a person's own network ends in: an activation whose values a model cannot use.

A decoder and a discriminator give logits, and a flow's network velocities, which may be any
numbers; a generator gives images in [-1, 1]. A network that ends in a sigmoid trains all the same,
to grey images.
"""

import contextlib
import contextvars
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import GenzooError

# Names of Keras' functions, layers and operations, in lower case without underscores.
_ONE_SIDED = {
    *("sigmoid", "hardsigmoid", "logsigmoid", "softmax", "logsoftmax", "sparsemax"),
    *("relu", "relu6", "softplus", "exponential", "exp", "threshold"),
}
_SQUASHED = _ONE_SIDED | {"tanh", "hardtanh", "softsign", "sparsesigmoid"}

# For each role of a network, the activations that it must not end in, and what to do instead.
_REFUSED = {
    "decoder": (_SQUASHED, "logits: end it without an activation, the sigmoid is the model's"),
    "discriminator": (_SQUASHED, "logits: end it without an activation, the loss has its own"),
    "generator": (_ONE_SIDED, "images in [-1, 1]: end it in tanh"),
    "velocity network": (_SQUASHED, "velocities of any size: end it without an activation"),
}
# Layers and operations that only move, drop or average values, and so keep their range.
_PASSED = {
    *("reshape", "flatten", "permute", "transpose", "cropping2d", "squeeze", "expanddims"),
    *("dropout", "identity", "cast", "globalaveragepooling2d", "averagepooling2d"),
}

# Last layers whose range is known.
_UNDERSTOOD = {"linear", "tanh"}

_OPENING = contextvars.ContextVar("opening", default=False)


@contextlib.contextmanager
def opening() -> Iterator[None]:
    """Warn, in the block, of what would be refused: models that exist are opened as they are."""
    token = _OPENING.set(True)
    try:
        yield
    finally:
        _OPENING.reset(token)


def check_output(network: keras.Model, role: str, *input_shapes: tuple[int, ...]) -> None:
    """Check that a built network does not end in an activation that its role cannot use.

    Of a network whose layers have no known order, or that ends in something else than Keras' own
    activations, the outputs are looked at if it has one input, and it is only warned of.

    Raises:
        GenzooError: if it does.
    """
    if role not in _REFUSED:
        return
    refused, needed = _REFUSED[role]
    ends = _last_operations(network)
    for end in ends:
        if _plain(end) in refused:
            text = f"the {role} ends in {end}, but must give {needed}"
            if not _OPENING.get():
                raise GenzooError(text)
            warnings.warn(text, stacklevel=2)
    understood = ends and all(_plain(end) in refused | _UNDERSTOOD for end in ends)
    if not understood and len(input_shapes) == 1 and _stays_in_unit_range(network, *input_shapes):
        warnings.warn(
            f"the {role} gives numbers in [0, 1] whatever it is given, as if it ended in a "
            f"sigmoid, but must give {needed}",
            stacklevel=2,
        )


def _last_operations(network: keras.Model) -> list[str]:
    """Return the names of the activations that the outputs come from; empty if not known."""
    if isinstance(network, keras.Sequential):
        for layer in reversed(network.layers):
            if isinstance(layer, keras.Model):
                return _last_operations(layer)
            if _plain(type(layer).__name__) not in _PASSED:
                return [_name(layer)]
        return []
    outputs = keras.tree.flatten(getattr(network, "outputs", None) or [])
    return [name for output in outputs for name in _source(output)]


def _source(tensor: keras.KerasTensor) -> list[str]:
    operation, node_index, _ = tensor._keras_history
    if isinstance(operation, keras.Model):
        return _last_operations(operation)
    if _plain(type(operation).__name__) in _PASSED:
        inputs = operation._inbound_nodes[node_index].input_tensors
        return _source(inputs[0])
    return [_name(operation)]


def _name(operation: Any) -> str:
    """Return the name of the activation of a layer that has one, else of the operation."""
    activation = getattr(operation, "activation", None)
    return getattr(activation, "__name__", None) or type(operation).__name__


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _stays_in_unit_range(network: keras.Model, input_shape: tuple[int, ...]) -> bool:
    # An output that is not bounded leaves [0, 1] for large inputs of both signs.
    inputs = np.random.default_rng(0).normal(0, 100, (8, *input_shape)).astype("float32")
    outputs = network(np.concatenate([inputs, -inputs]), training=False)
    values = np.asarray(keras.ops.cast(outputs, "float32"))
    return bool(values.min() >= 0 and values.max() <= 1 and values.min() < values.max())
