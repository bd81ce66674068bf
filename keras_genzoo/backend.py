"""Checks the configuration of Keras before it is imported: this package needs TensorFlow.

Keras reads ``keras.json`` and environment variables. Values that Keras would refuse with a
traceback, or that would silently change a run, are refused here in one line.
"""

import json
import os
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError

TENSORFLOW = "tensorflow"
_ACCEPTED = {
    "floatx": ("float16", "float32", "float64"),
    "image_data_format": ("channels_last", "channels_first"),
}
# With these variables Keras silently ends each call of fit early.
_LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")


def config_file() -> Path:
    """Return the path of the ``keras.json`` that Keras reads."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        base = os.path.expanduser("~")  # noqa: PTH111 - as Keras does if there is no home folder
        home = os.path.join(base if os.access(base, os.W_OK) else "/tmp", ".keras")  # noqa: PTH118
    return Path(os.path.expanduser(home)) / "keras.json"  # noqa: PTH111


def configured() -> str:
    """Return the name of the backend that Keras will use: environment, then ``keras.json``."""
    return os.environ.get("KERAS_BACKEND") or _read(config_file()).get("backend", TENSORFLOW)


def require_tensorflow() -> None:
    """Check that Keras can be imported with the TensorFlow backend and will train completely.

    The backend's name may be in upper case or mixed case, such as ``TensorFlow``.

    Raises:
        GenzooError: if ``KERAS_BACKEND`` or ``keras.json`` names another backend, ``keras.json``
            holds values that Keras refuses, or a variable limits each call of ``fit``.
    """
    file = config_file()
    _check(_read(file), file)
    name = configured()
    if not isinstance(name, str) or name.strip().lower() != TENSORFLOW:
        raise GenzooError(
            f"keras_genzoo trains on the TensorFlow backend of Keras, but it is set to '{name}'; "
            "set KERAS_BACKEND=tensorflow (or change keras.json)"
        )
    if name != TENSORFLOW:
        os.environ["KERAS_BACKEND"] = TENSORFLOW
    for variable in _LIMITS:
        if os.environ.get(variable) is not None:
            raise GenzooError(
                f"{variable} is set to '{os.environ[variable]}', which makes Keras end training "
                "early; unset it, and set the length by --steps"
            )


def _read(file: Path) -> dict[str, Any]:
    """Return the content of a ``keras.json``; empty if it does not exist or is not JSON.

    Keras ignores such files as well.

    Raises:
        GenzooError: if it cannot be read, or is not a JSON object.
    """
    if not file.exists():
        return {}
    try:
        config = json.loads(file.read_text())
    except ValueError:
        return {}
    except OSError as error:
        raise GenzooError(
            f"cannot read {file}, the configuration of Keras ({error.strerror}); correct or "
            "delete it"
        ) from error
    if not isinstance(config, dict):
        raise GenzooError(
            f"{file}, the configuration of Keras, is not a JSON object; correct or delete it"
        )
    return config


def _check(config: dict[str, Any], file: Path) -> None:
    """Check the values of a ``keras.json`` other than the backend.

    Raises:
        GenzooError: if Keras would refuse one.
    """
    for name, accepted in _ACCEPTED.items():
        if (value := config.get(name, accepted[0])) not in accepted:
            raise GenzooError(
                f"{file} sets Keras's {name} to {value!r}; it may be {', '.join(accepted)}: "
                "correct or delete the file"
            )
    if not isinstance(epsilon := config.get("epsilon", 1e-7), float):
        raise GenzooError(
            f"{file} sets Keras's epsilon to {epsilon!r}, which is not a float such as 1e-07: "
            "correct or delete the file"
        )
