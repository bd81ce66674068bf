"""The networks as they leave: in float32, and of plain layers where a file must load alone."""

import importlib.util
import re
from collections.abc import Callable

import keras
from keras.layers import Layer

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.networks import (
    BatchNormalization,
    ConditionalBatchNormalization,
    Conv2D,
    Conv2DTranspose,
    Dropout,
    GroupedConv2D,
    GroupNormalization,
    randomness_kept,
)
from keras_genzoo.text import one_line

# Layers of this package, each with the layer of Keras that does the same in inference.
_PLAIN = {
    BatchNormalization: keras.layers.BatchNormalization,
    Conv2D: keras.layers.Conv2D,
    Conv2DTranspose: keras.layers.Conv2DTranspose,
    Dropout: keras.layers.Dropout,
    GroupedConv2D: keras.layers.Conv2D,
    GroupNormalization: keras.layers.GroupNormalization,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def float32_networks(model: ImageModel, batch_size: int | None = None) -> dict[str, keras.Model]:
    """Return a model's signatures as networks that compute in float32, which every runtime can.

    Args:
        model: the model, of any precision.
        batch_size: None leaves the size of a batch free.

    Raises:
        GenzooError: if Keras cannot copy a network of another precision.
    """
    return {name: in_float32(net) for name, net in model.signatures(batch_size).items()}


def in_float32(network: keras.Model) -> keras.Model:
    """Return a network if it computes in float32, else a copy that does, with the same weights.

    Raises:
        GenzooError: if Keras cannot make one.
    """
    return network if _computes_in_float32(network) else _copied(network, _in_float32)


def with_keras_layers(network: keras.Model) -> keras.Model:
    """Return an equal functional network of Keras' own layers.

    Raises:
        GenzooError: if it has others, or Keras cannot copy it.
    """
    copy = _copied(network, _plain)
    for layer in copy._flatten_layers():
        if not type(layer).__module__.startswith("keras."):
            mine = not type(layer).__module__.startswith("keras_genzoo.")
            raise GenzooError(
                f"a Keras file cannot carry the class {type(layer).__name__}"
                f"{' of your own network' if mine else ''}; export it as saved_model, litert or "
                "onnx, which hold operations and no classes"
            )
    return copy


def _computes_in_float32(network: keras.Model) -> bool:
    return all(layer.compute_dtype == "float32" for layer in network._flatten_layers())


@randomness_kept()
def _copied(network: keras.Model, change: Callable[[Layer], Layer]) -> keras.Model:
    """Return a copy with other layers and the same weights.

    Raises:
        GenzooError: if Keras cannot make one.
    """
    try:
        copy = keras.models.clone_model(network, clone_function=change, recursive=True)
        copy.set_weights(network.get_weights())
    except Exception as error:  # A class of a person's may fail in any way.
        raise GenzooError(
            f"the export needs a copy of your own network, which Keras cannot make: "
            f"{one_line(error)}; give its classes a get_config, or build the model in float32"
        ) from error
    return copy


def _in_float32(layer: Layer) -> Layer:
    config = layer.get_config()
    # Input layers keep the type of the data (labels are int32); operations have no type of their
    # own.
    if "dtype" in config and not isinstance(layer, keras.layers.InputLayer):
        config["dtype"] = "float32"
    return type(layer).from_config(config)


def _plain(layer: Layer) -> Layer:
    if isinstance(layer, ConditionalBatchNormalization):
        return _plain_conditional(layer)
    return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())


def _plain_conditional(layer: ConditionalBatchNormalization) -> keras.Model:
    """Return what does the same in inference, its weights in the order of the layer's."""
    classes, channels = layer.class_scale.shape
    features = keras.Input((None, None, channels))
    one_hot = keras.Input((classes,))
    tables = [keras.layers.Dense(channels, use_bias=False)(one_hot) for _ in range(2)]
    # Keras orders weights by the distance of their layer to the output: two steps put the tables
    # before the moving statistics, as the layer itself has them.
    rows = [keras.layers.RepeatVector(1)(table) for table in tables]
    scale, offset = (keras.layers.Reshape((1, 1, channels))(row) for row in rows)
    config = keras.layers.BatchNormalization.get_config(layer)
    normalized = keras.layers.BatchNormalization.from_config(config)(features)
    scaled = keras.layers.Multiply()([scale, normalized])
    outputs = keras.layers.Add()([scaled, offset])
    return keras.Model([features, one_hot], outputs, name=layer.name)


def check_name(name: str) -> str:
    """Return the name of an exported model, which stands in files, settings and shell lines.

    Raises:
        GenzooError: if it is none.
    """
    if not _NAME.fullmatch(name):
        raise GenzooError(
            f"'{name}' is no name for an exported model; begin with a letter or digit, go on with "
            "those, '.', '_' and '-'"
        )
    return name


def require(package: str, extra: str, what: str) -> None:
    """Check that an optional package is installed.

    Raises:
        GenzooError: if it is not; names the extra that brings it.
    """
    if importlib.util.find_spec(package) is None:
        raise GenzooError(
            f"{what} needs the package {package}; install it: pip install 'keras_genzoo[{extra}]'"
        )
