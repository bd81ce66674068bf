"""How much memory this process may use, and how much it has used."""

import contextlib
import os
import sys
from pathlib import Path

from keras_genzoo.errors import GenzooError


def usable_memory() -> int:
    """Return the memory that this process may use in bytes.

    This is the least of the machine's memory, the limit of the container and that of the process.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with contextlib.suppress(ImportError):
        # The module exists on Unix only.
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        memory = memory if limit == resource.RLIM_INFINITY else min(memory, limit)
    return memory


def free_memory() -> int:
    """Return the memory that is free for this process in bytes; without Linux, all it may use."""
    with contextlib.suppress(OSError, KeyError, ValueError, IndexError):
        # The file exists on Linux only.
        lines = Path("/proc/meminfo").read_text().splitlines()
        kib = {
            name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)
        }
        return min(usable_memory(), 1024 * (kib["MemAvailable"] + kib["SwapFree"]))
    return usable_memory()


def peak_memory() -> int | None:
    """Return the most memory that this process has held at once in bytes; None if unknown."""
    with contextlib.suppress(OSError, KeyError, ValueError, IndexError):
        # getrusage counts what the process that started this one held, too; this does not.
        lines = Path("/proc/self/status").read_text().splitlines()
        return 1024 * int(dict(line.split(":", 1) for line in lines)["VmHWM"].split()[0])
    with contextlib.suppress(ImportError):
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    return None


def refuse_what_does_not_fit(
    nbytes: int, what: str, remedy: str = "a folder of image files is read one by one"
) -> None:
    """Check that so many bytes fit into the free memory, before they are allocated.

    Args:
        nbytes: number of bytes.
        what: what needs them, for the error.
        remedy: what to do about it, for the error.

    Raises:
        GenzooError: if they do not fit.
    """
    if nbytes > (memory := free_memory()):
        raise GenzooError(
            f"{what} takes {nbytes / 2**30:,.1f} GiB in memory and this machine has "
            f"{memory / 2**30:,.1f} free; {remedy}"
        )
