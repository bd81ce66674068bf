"""Starting TensorFlow and Keras: quietly, and the same on every machine."""

import importlib
import os
import sys
import tempfile

from keras_genzoo import backend
from keras_genzoo.cli.streams import write_error
from keras_genzoo.quiet import held_back_errors


def start_tensorflow() -> None:
    """Import TensorFlow and Keras quietly; whatever they say is shown if they cannot be imported.

    Images are ``channels_last`` and numbers ``float32`` then, unless a setting of the run says
    otherwise: a run does not depend on the ``keras.json`` of the machine it trains on.

    Raises:
        GenzooError: if Keras cannot be set up, or is set to another backend.
    """
    backend.require_tensorflow()
    if "tensorflow" not in sys.modules:
        # TensorFlow reads these when it is imported. Its log is for those who ask; oneDNN, which it
        # leaves off on CPUs without AVX-512, makes the steps of a DCGAN twice as fast there, too.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        # A GPU's memory is taken as it is needed: else `evaluate` finds none beside `fit`.
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        _name_temporary_folder()
        with held_back_errors():
            importlib.import_module("tensorflow")
    keras = importlib.import_module("keras")
    keras.config.set_image_data_format("channels_last")
    if (floatx := keras.config.floatx()) != "float32":
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        write_error(
            f"{backend.config_file()} sets floatx to {floatx}; genzoo computes in float32, or as "
            "--mixed-precision says"
        )


def _name_temporary_folder() -> None:
    """Name the home folder for temporary files where no usual place takes any.

    TensorFlow cannot be imported where none is named. What then needs one, and finds that it takes
    no file either, says so.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = os.path.expanduser("~")  # noqa: PTH111 - there need not be one


def see_one_gpu() -> None:
    """Leave all GPUs but the first to other processes: this one takes no memory there."""
    import tensorflow as tf

    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")
