"""Imports modules that register a person's own losses, penalties, augmentations and so on."""

import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata

import click

from keras_genzoo.cli.streams import write_error
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
        GenzooError: if there is no such module, it cannot be imported, or what it registers
            contradicts what is there.
    """
    context.meta[__name__] = list(names)
    for name in names:
        if os.curdir not in sys.path and os.getcwd() not in sys.path:  # noqa: PTH109
            sys.path.insert(0, os.getcwd())  # noqa: PTH109
        with _loading(f"--import {name}"):
            importlib.import_module(name.removesuffix(".py"))
            _check_settings()


def _check_settings() -> None:
    """Check that the settings of every model can be read.

    Raises:
        GenzooError: if a component contradicts another one.
    """
    # Imported here, since most commands need none of it.
    from keras_genzoo.models.registry import MODELS
    from keras_genzoo.training.declared import settings_of

    for model in MODELS:
        settings_of(model)


def imported_modules(context: click.Context) -> list[str]:
    """Return the modules that ``--import`` has named, for a command that starts others."""
    return context.meta.get(__name__, [])


def import_installed() -> None:
    """Import the modules in the entry points ``keras_genzoo.components`` of installed packages.

    One that cannot be imported is left out, and said.
    """
    for point in metadata.entry_points(group=ENTRY_POINTS):
        try:
            with _loading(f"the entry point '{point.name}' ({point.value})"):
                point.load()
        except GenzooError as error:
            write_error(f"left out: {error}")


@contextlib.contextmanager
def _loading(what: str) -> Iterator[None]:
    """Turn what a module raises into one line, and hide the log of TensorFlow.

    Raises:
        GenzooError: if the block fails.
    """
    # The module may import TensorFlow, whose log is hidden as everywhere.
    prepare_tensorflow()
    try:
        with held_back_errors(show=False, python=False):
            yield
    except GenzooError as error:
        raise GenzooError(f"{what}: {error}") from error
    except Exception as error:  # A person's own code may fail in any way.
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise GenzooError(f"{what} cannot be imported: {shown(reason.splitlines()[0])}") from error
