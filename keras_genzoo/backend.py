"""The Keras backend this package trains on, checked before Keras is imported."""

import json
import os
from pathlib import Path

from keras_genzoo.errors import GenzooError


def configured() -> str:
    """Return the name of the backend that Keras will take: environment, then ``keras.json``."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name
    home = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    try:
        return json.loads((home / "keras.json").read_text()).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def require_tensorflow() -> None:
    """Check that Keras runs on TensorFlow.

    Raises:
        GenzooError: if ``KERAS_BACKEND`` or ``keras.json`` names another backend.
    """
    name = configured()
    if name != "tensorflow":
        raise GenzooError(
            f"keras_genzoo trains on the TensorFlow backend of Keras, but it is set to '{name}'; "
            "set KERAS_BACKEND=tensorflow (or change keras.json)"
        )
