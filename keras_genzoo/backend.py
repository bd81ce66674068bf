"""How Keras is set up, checked before it is imported: it trains on TensorFlow here.

A person sets it up by ``keras.json`` and by environment variables; what Keras would refuse with a
traceback is refused in one line, and what would change a run without a word, too.
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
# With these Keras ends each fit early, as if it had done all.
_LIMITS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH")


def config_file() -> Path:
    """Return the place where Keras looks for its ``keras.json``."""
    home = os.environ.get("KERAS_HOME")
    if home is None:
        base = os.path.expanduser("~")  # noqa: PTH111 - as Keras does where there is no home
        home = Path(base if os.access(base, os.W_OK) else "/tmp") / ".keras"
    return Path(os.path.expanduser(home)) / "keras.json"  # noqa: PTH111


def configured() -> str:
    """Return the name of the backend that Keras will take: environment, then ``keras.json``."""
    return os.environ.get("KERAS_BACKEND") or _read(config_file()).get("backend", TENSORFLOW)


def require_tensorflow() -> None:
    """Check that Keras can be set up, on TensorFlow, and that nothing cuts its training short.

    TensorFlow's name in other letters, such as ``TensorFlow``, is taken for it.

    Raises:
        GenzooError: if ``KERAS_BACKEND`` or ``keras.json`` names another backend, ``keras.json``
            holds what Keras does not take, or a variable limits each call of ``fit``.
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
                f"{variable} is set to '{os.environ[variable]}', which has Keras end training "
                "early; unset it, and say how long by --steps"
            )


def _read(file: Path) -> dict[str, Any]:
    """Return what a ``keras.json`` says: nothing, if it is none or no JSON, as Keras has it.

    Raises:
        GenzooError: if it cannot be read, or is no JSON object.
    """
    if not file.exists():
        return {}
    try:
        config = json.loads(file.read_text())
    except ValueError:
        return {}
    except OSError as error:
        raise GenzooError(
            f"cannot read {file}, by which Keras is set up ({error.strerror}); mend or delete it"
        ) from error
    if not isinstance(config, dict):
        raise GenzooError(f"{file}, by which Keras is set up, is no JSON object; mend or delete it")
    return config


def _check(config: dict[str, Any], file: Path) -> None:
    """Check what a ``keras.json`` says, but for its backend.

    Raises:
        GenzooError: if Keras would not take it.
    """
    for name, accepted in _ACCEPTED.items():
        if (value := config.get(name, accepted[0])) not in accepted:
            raise GenzooError(
                f"{file} sets Keras's {name} to {value!r}; it may be {', '.join(accepted)}: "
                "mend or delete the file"
            )
    if not isinstance(epsilon := config.get("epsilon", 1e-7), float):
        raise GenzooError(
            f"{file} sets Keras's epsilon to {epsilon!r}, which is no float such as 1e-07: mend or "
            "delete the file"
        )
