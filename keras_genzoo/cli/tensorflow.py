"""Starting TensorFlow without its start-up lines on the terminal."""

import importlib
import os
import sys

from keras_genzoo import backend
from keras_genzoo.quiet import held_back_errors


def start_tensorflow() -> None:
    """Import TensorFlow quietly; whatever it says is shown if it cannot be imported.

    Raises:
        GenzooError: if Keras is set to another backend.
    """
    backend.require_tensorflow()
    if "tensorflow" in sys.modules:
        return
    # TensorFlow reads these when it is imported. Its log is for those who ask; oneDNN, which it
    # leaves off on CPUs without AVX-512, makes the steps of a DCGAN twice as fast there, too.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    with held_back_errors():
        importlib.import_module("tensorflow")
