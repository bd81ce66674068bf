"""Starting TensorFlow without its start-up lines on the terminal."""

import contextlib
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

from keras_genzoo import backend


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
    with _held_back_errors():
        importlib.import_module("tensorflow")


@contextlib.contextmanager
def _held_back_errors() -> Iterator[None]:
    """Keep the standard error, C++ included, from the terminal unless the block fails.

    TensorFlow writes its first lines before it has read any log level.
    """
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            sys.stderr.flush()
            held.seek(0)
            with os.fdopen(os.dup(terminal), "wb") as shown:
                shutil.copyfileobj(held, shown)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
