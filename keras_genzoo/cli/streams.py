"""Standard streams that may be closed, write to a full disk, or be pipes without a reader."""

import contextlib
import io
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import TextIO, cast

import click

# The value of signal.SIGPIPE, which Windows lacks.
_SIGPIPE = 13


class OutputLostError(Exception):
    """The standard output cannot be written any more.

    Args:
        error: what the operating system reported.

    Attributes:
        is_pipe: whether it is a pipe whose reader has closed it, as in ``| head -1``.
        exit_code: exit code of the command: for such a pipe that of a program ended by SIGPIPE,
            otherwise 1.
    """

    def __init__(self, error: OSError):
        super().__init__(unwritable_output(error))
        self.is_pipe = isinstance(error, BrokenPipeError)
        self.exit_code = 128 + _SIGPIPE if self.is_pipe else 1

    @classmethod
    @contextlib.contextmanager
    def raised(cls) -> Iterator[None]:
        """Turn the OSError of a line that Click could not write in the block into this error.

        Click handles only broken pipes by itself, and no other errors of the standard output.
        """
        try:
            yield
        except OSError as error:
            if traceback.extract_tb(error.__traceback__)[-1].name != click.echo.__name__:
                raise
            raise cls(error) from error


def open_streams() -> None:
    """Open the null device in place of standard streams that are closed.

    Otherwise the next file to be opened gets the file descriptor of the closed stream, and what C++
    libraries write to the standard error ends up in that file, for example a checkpoint.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
                os.close(null)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        # File names may hold bytes that are not valid text; printing them must not fail.
        cast(io.TextIOWrapper, stream).reconfigure(errors="backslashreplace")


def close_stream(stream: TextIO) -> None:
    """Redirect a stream to the null device, including what is still in its buffer."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    with contextlib.suppress(OSError):
        stream.flush()


def write_error(line: str) -> None:
    """Write a line to the standard error, if it can be written."""
    try:
        click.echo(line, err=True)
    except OSError:
        close_stream(sys.stderr)


def lasting_echo() -> Callable[[str], None]:
    """Return an ``echo`` for long work, such as training, that must not stop if output is lost.

    After the first line that cannot be written, all further lines are dropped. A line on the
    standard error says so, unless the output is a pipe that its reader has closed.
    """

    def echo(line: str = "") -> None:
        try:
            click.echo(line)
        except OSError as error:
            close_stream(sys.stdout)
            if not isinstance(error, BrokenPipeError):
                write_error(f"{unwritable_output(error)}; going on without its lines")

    return echo


def unwritable_output(error: OSError) -> str:
    """Return the message for a standard output that cannot be written."""
    return f"cannot write to the standard output: {error.strerror or error}"
