"""A saved model, back from its file."""

import os
import zipfile

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import check_archive
from keras_genzoo.models.base import ImageModel
from keras_genzoo.models.size import refuse_large_model
from keras_genzoo.networks import randomness_kept
from keras_genzoo.reading import MOST_JSON, parse_json
from keras_genzoo.text import one_line


@randomness_kept()
def load_model(path: str | os.PathLike) -> ImageModel:
    """Return the model that ``model.save(path)`` wrote; it goes on training where it stopped.

    It is ``keras.saving.load_model`` in safe mode: code in a file, such as that of a Lambda layer,
    is refused and not run.

    Raises:
        GenzooError: if the file cannot be read, is damaged, holds no model of the zoo, or code.

    >>> from keras_genzoo.models import GAN
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "gan.keras"
    ...     GAN((8, 8, 1), generator_units=(8,), discriminator_units=(8,)).save(path)
    ...     load_model(path).generate(2, seed=0).shape
    (2, 8, 8, 1)
    """
    path = os.fspath(path)
    try:
        check_model_file(path)
        model = keras.saving.load_model(path, safe_mode=True)
    except GenzooError:
        raise
    except Exception as error:  # A damaged archive may fail in any way.
        if "safe_mode=False" in str(error):
            raise GenzooError(
                f"cannot load {path}: it holds code, which is not run; build the model without "
                "Lambda layers"
            ) from error
        # Keras wraps an error several times; the first is the one to show.
        reason = ValueError(str(error).rpartition("Exception encountered: ")[2])
        raise GenzooError(f"cannot load {path}: {one_line(reason)}") from error
    if not isinstance(model, ImageModel):
        raise GenzooError(f"{path} holds a {type(model).__name__}, which is no model of the zoo")
    return model


def check_model_file(path: str | os.PathLike) -> None:
    """Check that a ``.keras`` file is whole, and that what its configuration describes fits.

    Of any Keras model; Keras itself takes the memory for whatever sizes a file names.

    Raises:
        GenzooError: if it does not fit into memory.
        Exception: if the file is damaged, or its configuration larger or deeper than a model's can
            be, of the kinds that zipfile raises and ValueError.
    """
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.filename.endswith(".json") and member.file_size > MOST_JSON:
                raise ValueError(f"{member.filename} is larger than {MOST_JSON // 2**20} MiB")
        config = parse_json(archive.read("config.json"))
        parse_json(archive.read("metadata.json"))
    # The variables include those of the optimizers.
    config.pop("compile_config", None)
    refuse_large_model(
        lambda: keras.saving.deserialize_keras_object(config, safe_mode=True), f"the model {path}"
    )
    # HDF5 does not read the file from end to end, and Python then compares no checksum.
    check_archive(path)
