"""The exceptions of this package.

A ``GenzooError`` is a user's mistake: the command line prints it as one line and exits with 2; in a
script it is a ``ValueError`` with the same message.
"""

import difflib
from collections.abc import Iterable

from keras_genzoo.text import shown

# An error lists so many known names at most; a data set may have a thousand classes.
MOST_NAMES = 50


class GenzooError(ValueError):
    r"""A mistake in a request: one line says what is wrong, what is accepted and what to do.

    The message may hold names from files. Line breaks and control characters in it are escaped.

    >>> print(GenzooError("cannot read a\x1b[2J.png"))
    cannot read a\x1b[2J.png
    """

    def __init__(self, message: str):
        super().__init__(shown(message))


class TrainingStoppedError(RuntimeError):
    """Training cannot go on, as after a NaN loss; the message names the last checkpoint."""

    def __init__(self, message: str):
        super().__init__(shown(message))


def unknown(kind: str, name: object, known: Iterable[str]) -> GenzooError:
    """Return the error for an unknown name, which suggests the nearest known name.

    >>> unknown("model", "dgcan", ["gan", "dcgan"])
    GenzooError("unknown model 'dgcan'; did you mean 'dcgan'? known: dcgan, gan")
    """
    known = sorted(known)
    nearest = difflib.get_close_matches(str(name), known, n=1)
    hint = f" did you mean '{nearest[0]}'?" if nearest else ""
    names = ", ".join(known[:MOST_NAMES])
    if len(known) > MOST_NAMES:
        names += f" and {len(known) - MOST_NAMES:,} more"
    return GenzooError(f"unknown {kind} '{name}';{hint} known: {names}")
