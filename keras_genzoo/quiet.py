"""Hides what C++ libraries write to the standard error."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def held_back_errors(show: bool = True, python: bool = True) -> Iterator[None]:
    """Redirect the standard error in the block, including that of C++ libraries, to a file.

    A log level is not enough: TensorFlow writes its first lines before it reads one, and its
    converters ignore it. If the standard error is closed, nothing is redirected.

    Args:
        show: whether the redirected text is shown if the block fails.
        python: whether what Python code writes is redirected, too.
    """
    _flush_errors()
    try:
        terminal = os.dup(2)
    except OSError:
        yield
        return
    with _temporary_file() as held:
        os.dup2(held.fileno(), 2)
        try:
            if python:
                yield
            else:
                with (
                    os.fdopen(os.dup(terminal), "w", errors="backslashreplace") as stream,
                    contextlib.redirect_stderr(stream),
                ):
                    yield
        except BaseException:
            _flush_errors()
            held.seek(0)
            if show:
                with contextlib.suppress(OSError), os.fdopen(os.dup(terminal), "wb") as shown:
                    shutil.copyfileobj(held, shown)
            raise
        finally:
            _flush_errors()
            os.dup2(terminal, 2)
            os.close(terminal)


def _temporary_file() -> IO[bytes]:
    """Return a temporary file, or the null device if no folder can be written."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("r+b")


def _flush_errors() -> None:
    # The standard error may be closed, full, or a pipe without a reader.
    with contextlib.suppress(OSError, AttributeError, ValueError):
        sys.stderr.flush()
