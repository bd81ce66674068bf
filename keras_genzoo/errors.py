"""The one exception for a person's mistake, and the words that help to mend it.

The command line prints a ``GenzooError`` as one line and exits with 2; in a script it is a
``ValueError`` with the same words.
"""

import difflib
from collections.abc import Iterable

# Of a thousand classes, say; all that registries hold are fewer.
MOST_NAMES = 50


class GenzooError(ValueError):
    """A mistake in what a person asked for: one line says what, what is accepted, what to do."""


class TrainingStoppedError(RuntimeError):
    """Training that cannot go on, such as a loss that is no number; names the last checkpoint."""


def unknown(kind: str, name: object, known: Iterable[str]) -> GenzooError:
    """Return the error for a name that no registry has, with the nearest known one.

    >>> unknown("model", "dgcan", ["gan", "dcgan"])
    GenzooError("unknown model 'dgcan'; did you mean 'dcgan'? known: dcgan, gan")
    """
    known = sorted(known)
    nearest = difflib.get_close_matches(str(name), known, n=1)
    hint = f" did you mean '{nearest[0]}'?" if nearest else ""
    shown = ", ".join(known[:MOST_NAMES])
    if len(known) > MOST_NAMES:
        shown += f" and {len(known) - MOST_NAMES:,} more"
    return GenzooError(f"unknown {kind} '{name}';{hint} known: {shown}")
