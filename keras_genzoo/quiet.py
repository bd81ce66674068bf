"""Keeping C++ libraries from talking on a person's terminal."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def held_back_errors(show: bool = True) -> Iterator[None]:
    """Keep the standard error, C++ included, from the terminal.

    TensorFlow writes its first lines before it has read any log level, and its converters write
    whatever the log level is. Where the standard error is closed, there is nothing to keep.

    Args:
        show: whether what was held back is shown when the block fails.
    """
    _flush_errors()
    try:
        terminal = os.dup(2)
    except OSError:
        yield
        return
    with _place_to_hold() as held:
        os.dup2(held.fileno(), 2)
        try:
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


def _place_to_hold() -> IO[bytes]:
    """Return a temporary file; where no folder takes one, what is written is dropped."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return Path(os.devnull).open("r+b")


def _flush_errors() -> None:
    # It may be closed, full, or a pipe that no one reads.
    with contextlib.suppress(OSError, AttributeError, ValueError):
        sys.stderr.flush()
