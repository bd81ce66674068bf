"""Presets at a hub: fetched by the hub's own client, into its own cache.

The clients are no requirements of this package.
"""

import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.presets import PRESET_FILES
from keras_genzoo.text import one_line, shown

_ADDRESS = re.compile(r"(\w+)://(.*)", re.DOTALL)
# A part of an address also becomes a part of the name of a run folder.
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def is_address(preset: str | os.PathLike) -> bool:
    """Whether this is the address of a preset at a hub, not a name or a folder.

    >>> is_address("hf://someone/model"), is_address("presets/mine")
    (True, False)
    """
    return _ADDRESS.fullmatch(os.fspath(preset)) is not None


def fetch(address: str) -> Path:
    """Return the folder of a preset at a hub in the cache of the hub's client, fetched if need be.

    Args:
        address: as ``hf://USER/MODEL`` or ``kaggle://USER/MODEL/keras/VARIATION``.

    Raises:
        GenzooError: if the hub is unknown, its client is not installed, or the preset cannot be
            fetched.
    """
    hub, place = _parts(address)
    package, download = _HUBS[hub]
    try:
        client = importlib.import_module(package)
    except ImportError as error:
        raise GenzooError(f"{shown(address)} needs {package}: pip install {package}") from error
    try:
        return Path(download(client, place))
    except Exception as error:  # The client raises errors of many types.
        raise GenzooError(f"cannot fetch {shown(address)}: {one_line(error)}") from error


def name_of(address: str) -> str:
    """Return a name for the preset of an address, that of its run folder.

    Raises:
        GenzooError: if it is no address.

    >>> name_of("kaggle://someone/digits/keras/small")
    'someone-digits-keras-small'
    """
    return _parts(address)[1].replace("/", "-")


def _parts(address: str) -> tuple[str, str]:
    """Return the hub of an address, and the place there.

    Raises:
        GenzooError: if the hub is unknown, or the place is not one.
    """
    match = _ADDRESS.fullmatch(address)
    assert match is not None  # Whoever calls it has asked ``is_address``.
    hub, place = match.groups()
    if hub not in _HUBS:
        raise unknown("hub", hub, _HUBS)
    if not all(_PART.fullmatch(part) for part in place.split("/")):
        raise GenzooError(
            f"{shown(address)} is no address of a preset; write hf://USER/MODEL or "
            "kaggle://USER/MODEL/keras/VARIATION"
        )
    return hub, place


def _from_hugging_face(client: Any, place: str) -> str:
    return client.snapshot_download(place, allow_patterns=list(PRESET_FILES))


def _from_kaggle(client: Any, place: str) -> str:
    return client.model_download(place)


# By the name of the hub: the package of its client, and what fetches with it.
_HUBS: dict[str, tuple[str, Callable[[Any, str], str]]] = {
    "hf": ("huggingface_hub", _from_hugging_face),
    "kaggle": ("kagglehub", _from_kaggle),
}
