"""Keeping C++ libraries from talking on a person's terminal."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def held_back_errors(show: bool = True) -> Iterator[None]:
    """Keep the standard error, C++ included, from the terminal.

    TensorFlow writes its first lines before it has read any log level, and its converters write
    whatever the log level is.

    Args:
        show: whether what was held back is shown when the block fails.
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
            if show:
                with os.fdopen(os.dup(terminal), "wb") as shown:
                    shutil.copyfileobj(held, shown)
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
