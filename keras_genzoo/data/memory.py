"""How much memory this process may use."""

import contextlib
import os
from pathlib import Path

from keras_genzoo.errors import GenzooError


def usable_memory() -> int:
    """Return the bytes of memory this process may use: the machine's, or its container's."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory


def refuse_what_does_not_fit(nbytes: int, what: str) -> None:
    """Check, before anything is read, that so many bytes go into memory.

    Raises:
        GenzooError: if they do not.
    """
    if nbytes > (memory := usable_memory()):
        raise GenzooError(
            f"{what} takes {nbytes / 2**30:,.1f} GiB in memory and this machine has "
            f"{memory / 2**30:,.1f}; a folder of image files is read one by one"
        )
