"""Standard input, output and errors as they may be: closed, full, or no longer read by anyone."""

import contextlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import TextIO

import click

# The number that signal.SIGPIPE has where there is one.
_SIGPIPE = 13


class OutputLostError(Exception):
    """The standard output took no more of a command's lines.

    Args:
        error: what the system said.

    Attributes:
        is_pipe: whether it is a pipe whose reader has seen enough, as ``| head -1``.
        exit_code: of the command: of such a pipe, that of a program which SIGPIPE ends.
    """

    def __init__(self, error: OSError):
        super().__init__(unwritable_output(error))
        self.is_pipe = isinstance(error, BrokenPipeError)
        self.exit_code = 128 + _SIGPIPE if self.is_pipe else 1

    @classmethod
    @contextlib.contextmanager
    def raised(cls) -> Iterator[None]:
        """Raise it in place of the OSError of a line that Click could not write in the block.

        Click itself would end the process at a broken pipe, and at no other.
        """
        try:
            yield
        except OSError as error:
            if traceback.extract_tb(error.__traceback__)[-1].name != click.echo.__name__:
                raise
            raise cls(error) from error


def open_streams() -> None:
    """Put the null device where the standard input, output or errors are closed.

    Else the next file that is opened takes the number of the closed one: what C++ writes to the
    standard error then ends up in a checkpoint.
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
        # Names of files need not be text; no output may fail at one.
        stream.reconfigure(errors="backslashreplace")


def close_stream(stream: TextIO) -> None:
    """Send what a stream still holds, and all that comes, to the null device."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    with contextlib.suppress(OSError):
        stream.flush()


def write_error(line: str) -> None:
    """Write a line to the standard error, if that takes any."""
    try:
        click.echo(line, err=True)
    except OSError:
        close_stream(sys.stderr)


def lasting_echo() -> Callable[[str], None]:
    """Return an ``echo`` for work that is worth more than its lines: it goes on without them.

    At the first line that the standard output does not take, all others are dropped; unless it is
    a pipe whose reader has seen enough, a line on the standard error says so.
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
    """Return in words that the standard output takes no more."""
    return f"cannot write to the standard output: {error.strerror or error}"
