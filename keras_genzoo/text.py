"""Names and texts of any origin, made such that every output takes them and no terminal obeys."""

import os
import re

# What moves a cursor, breaks a line or turns the direction of reading: all that Unicode counts as
# control characters, its separators of lines and paragraphs, and the marks of direction.
_CONTROLS = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]"
)


def encodable(text: str) -> str:
    r"""Return a text that UTF-8 takes: the bytes of a name that are not UTF-8 are escaped.

    >>> encodable(os.fsdecode(b"caf\xe9/1.png") + "\n")
    'caf\\xe9/1.png\n'
    """
    try:
        content = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # What stands for no byte: JSON may hold it.
        content = text.encode("utf-8", "backslashreplace")
    return content.decode("utf-8", "backslashreplace")


def shown(name: str | os.PathLike) -> str:
    r"""Return a name, of a file or a class, as one line of text that any output takes.

    Bytes that are not UTF-8 are escaped, and so is what a terminal would obey instead of showing
    it. What is escaped already stays as it is.

    >>> print(shown(os.fsdecode(b"caf\xe9/1.png")), shown("a\nb\x1b[2J"))
    caf\xe9/1.png a\nb\x1b[2J
    """
    return _CONTROLS.sub(_escaped, encodable(os.fspath(name)))


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
