"""Makes text from files and file names safe to print: valid UTF-8 without control characters."""

import os
import re

# Unicode's control characters, line and paragraph separators, and marks of text direction. They can
# move a cursor, break a line or reverse the text on a terminal.
_CONTROLS = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"
)


def encodable(text: str) -> str:
    r"""Return text that can be encoded as UTF-8: bytes of a name that are not UTF-8 are escaped.

    >>> encodable(os.fsdecode(b"caf\xe9/1.png") + "\n")
    'caf\\xe9/1.png\n'
    """
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # A surrogate that stands for no byte, as JSON may hold.
        content = text.encode("utf-8", "backslashreplace")
    return content.decode("utf-8", "backslashreplace")


def shown(name: str | os.PathLike) -> str:
    r"""Return a name, of a file or a class, as one line of printable text.

    Bytes that are not UTF-8 and control characters are escaped. Text that is escaped already does
    not change.

    >>> print(shown(os.fsdecode(b"caf\xe9/1.png")), shown("a\nb\x1b[2J"))
    caf\xe9/1.png a\nb\x1b[2J
    """
    return _CONTROLS.sub(_escaped, encodable(os.fspath(name)))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def one_line(error: Exception) -> str:
    """Return the first line of an error's text, without terminal colours."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__
