"""Imports modules that register a person's own losses, penalties, augmentations and so on."""

import importlib
import os
import sys
from collections.abc import Iterable
from importlib import metadata

import click

from keras_genzoo.cli.tensorflow import prepare_tensorflow
from keras_genzoo.errors import GenzooError
from keras_genzoo.quiet import held_back_errors
from keras_genzoo.text import shown

# Installed packages with components name a module of theirs in this group of entry points.
ENTRY_POINTS = "keras_genzoo.components"


def import_modules(context: click.Context, option: click.Option, names: Iterable[str]) -> None:
    """Import the modules that ``--import`` names, in the current folder or installed.

    The command that follows knows the components that they register.

    Raises:
        GenzooError: if there is no such module, or it cannot be imported.
    """
    for name in names:
        if os.curdir not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109
            sys.path.insert(0, os.getcwd())  # noqa: PTH109
        _load(f"--import {name}", lambda name=name: importlib.import_module(name))


def import_installed() -> None:
    """Import the modules in the entry points ``keras_genzoo.components`` of installed packages.

    Raises:
        GenzooError: if one cannot be imported.
    """
    for point in metadata.entry_points(group=ENTRY_POINTS):
        _load(f"the entry point '{point.name}' ({point.value})", point.load)


def _load(what: str, load) -> None:
    # The module may import TensorFlow, whose log is hidden as everywhere.
    prepare_tensorflow()
    try:
        with held_back_errors(python=False):
            load()
    except GenzooError:
        raise
    except Exception as error:  # A person's own code may fail in any way.
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise GenzooError(f"{what} cannot be imported: {shown(reason.splitlines()[0])}") from error
