"""The one exception for a person's mistake, and the words that help to mend it.

The command line prints a ``GenzooError`` as one line and exits with 2; in a script it is a
``ValueError`` with the same words.
"""

import difflib
from collections.abc import Iterable

from keras_genzoo.text import shown

# Of a thousand classes, say; all that registries hold are fewer.
MOST_NAMES = 50


class GenzooError(ValueError):
    r"""A mistake in what a person asked for: one line says what, what is accepted, what to do.

    Names of any origin stand in it: what would break the line, or a terminal would obey, is
    escaped.

    >>> print(GenzooError("cannot read a\x1b[2J.png"))
    cannot read a\x1b[2J.png
    """

    def __init__(self, message: str):
        super().__init__(shown(message))


class TrainingStoppedError(RuntimeError):
    """Training that cannot go on, such as a NaN loss; names the last checkpoint."""

    def __init__(self, message: str):
        super().__init__(shown(message))


def unknown(kind: str, name: object, known: Iterable[str]) -> GenzooError:
    """Return the error for a name that no registry has, with the nearest known one.

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
