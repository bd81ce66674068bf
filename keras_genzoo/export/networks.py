"""The networks as they leave: in float32, and of plain layers where a file must load alone."""

import importlib.util

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.models.checking import one_line
from keras_genzoo.networks import BatchNormalization, Dropout

# Of this package, the class of Keras that does the same in inference.
_PLAIN = {
    BatchNormalization: keras.layers.BatchNormalization,
    Dropout: keras.layers.Dropout,
}


def in_float32(model: ImageModel) -> ImageModel:
    """Return the model, or its twin that computes in float32, which every runtime can.

    A person's own networks keep the types that they were built with.
    """
    if model.dtype_policy.name == "float32":
        return model
    twin = type(model).from_config({**model.get_config(), "dtype": "float32"})
    twin.set_weights(model.get_weights())
    return twin


def of_plain_layers(network: keras.Model) -> keras.Model:
    """Return an equal functional network without layers of this package.

    Raises:
        GenzooError: if Keras cannot copy a person's own layer.
    """
    try:
        copy = keras.models.clone_model(network, clone_function=_plain, recursive=True)
        copy.set_weights(network.get_weights())
    except Exception as error:  # A class of a person's may fail in any way.
        raise GenzooError(
            f"Keras cannot copy the network {network.name}: {one_line(error)}; export it as "
            "saved_model, litert or onnx, which need no copy"
        ) from error
    return copy


def _plain(layer: keras.layers.Layer) -> keras.layers.Layer:
    return _PLAIN.get(type(layer), type(layer)).from_config(layer.get_config())


def require(package: str, extra: str, what: str) -> None:
    """Check that an optional package is installed.

    Raises:
        GenzooError: if it is not; names the extra that brings it.
    """
    if importlib.util.find_spec(package) is None:
        raise GenzooError(
            f"{what} needs the package {package}; install it: pip install 'keras_genzoo[{extra}]'"
        )
