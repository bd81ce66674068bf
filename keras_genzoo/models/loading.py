"""A saved model, back from its file."""

import os

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.base import ImageModel
from keras_genzoo.models.checking import one_line
from keras_genzoo.models.registry import MODELS


def load_model(path: str | os.PathLike) -> ImageModel:
    """Return the model that ``model.save(path)`` wrote; it goes on training where it stopped.

    It is ``keras.saving.load_model`` in safe mode, once Keras knows the classes of the zoo.

    Raises:
        GenzooError: if the file cannot be read, is damaged, or holds no model of the zoo.

    >>> from keras_genzoo.models import GAN
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "gan.keras"
    ...     GAN((8, 8, 1), generator_units=(8,), discriminator_units=(8,)).save(path)
    ...     load_model(path).generate(2, seed=0).shape
    (2, 8, 8, 1)
    """
    for name in MODELS:
        MODELS[name]
    try:
        model = keras.saving.load_model(path)
    except Exception as error:  # A damaged archive may fail in any way.
        raise GenzooError(f"cannot load {path}: {one_line(error)}") from error
    if not isinstance(model, ImageModel):
        raise GenzooError(f"{path} holds a {type(model).__name__}, which is no model of the zoo")
    return model
