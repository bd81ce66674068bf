"""Imports TensorFlow and Keras without their log, and with the same settings on every machine."""

import contextlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterator

from keras_genzoo import backend
from keras_genzoo.cli.streams import write_error
from keras_genzoo.quiet import held_back_errors

# Packages that Keras imports if they are installed, for functions that no command calls: a third of
# the time that TensorFlow and Keras take to import.
_LEFT_OUT = ("IPython", "matplotlib", "pandas", "sklearn")


def start_tensorflow() -> None:
    """Import TensorFlow and Keras; their log is shown only if the import fails.

    Keras is imported without packages that it can do without and that take long; commands that need
    one import it later. A module of ``--import`` that imports Keras itself has all of Keras.

    The image format is set to ``channels_last`` and the type to ``float32``, so that a run does not
    depend on the ``keras.json`` of the machine.

    Raises:
        GenzooError: if the configuration of Keras is wrong, or names another backend.
    """
    backend.require_tensorflow()
    if "tensorflow" not in sys.modules:
        prepare_tensorflow()
        with held_back_errors(), _without(*_LEFT_OUT):
            importlib.import_module("tensorflow")
            importlib.import_module("keras")
    keras = importlib.import_module("keras")
    keras.config.set_image_data_format("channels_last")
    if (floatx := keras.config.floatx()) != "float32":
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        write_error(
            f"{backend.config_file()} sets floatx to {floatx}; genzoo computes in float32, or as "
            "--mixed-precision says"
        )


@contextlib.contextmanager
def _without(*names: str) -> Iterator[None]:
    """Let imports of packages fail inside the block, as where they are not installed."""
    absent = [name for name in names if name not in sys.modules]
    # Python raises an ImportError for a module that is None.
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def prepare_tensorflow() -> None:
    """Set what TensorFlow reads when it is imported."""
    # The log is hidden unless a person has set its level.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # oneDNN is off by default on CPUs without AVX-512, but makes DCGAN twice as fast there too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # Allocate a GPU's memory as needed, so that `evaluate` can run beside `fit`.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    _name_temporary_folder()


def _name_temporary_folder() -> None:
    """Use the home folder for temporary files if none of the usual folders can be written.

    TensorFlow cannot be imported without a temporary folder. If the home folder cannot be written
    either, whoever needs a temporary file reports the error.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = os.path.expanduser("~")  # noqa: PTH111 - there need not be one


def see_one_gpu() -> None:
    """Hide all GPUs but the first from TensorFlow, so that it allocates no memory on the others."""
    import tensorflow as tf

    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")


def see_no_gpu() -> None:
    """Hide all GPUs from TensorFlow, which leaves their memory to other processes."""
    import tensorflow as tf

    tf.config.set_visible_devices([], "GPU")
