"""Stop the Python functions inside tf.data before the interpreter shuts down.

tf.data calls them from threads of its own, which read ahead without end. A thread that calls Python
while the interpreter is being taken down blocks for ever, and the process never exits. So, when the
program ends, these functions give placeholders at once; the threads fill their buffers with them
and stop calling, and only then does the interpreter go on.
"""

import atexit
import functools
import threading
import time
from collections.abc import Callable
from typing import Any


class _Calls:
    """How many calls of all such functions are running, and have ever started."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.running = self.started = 0
        self.shutting_down = False


_calls = _Calls()


def stopped_at_exit(function: Callable, placeholder: Callable[[], Any]) -> Callable:
    """Return ``function`` for use in tf.data; once the program ends it gives ``placeholder()``.

    By then no one is left who could use the result.
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _calls.lock:
            _calls.running += 1
            _calls.started += 1
        try:
            return placeholder() if _calls.shutting_down else function(*arguments)
        finally:
            with _calls.lock:
                _calls.running -= 1

    return call


@atexit.register
def _wait_until_idle(idle_polls: int = 10, limit_seconds: float = 30) -> None:
    """Wait until no call runs and none has started for some polls, 5 ms apart."""
    _calls.shutting_down = True
    started, idle, end = -1, 0, time.monotonic() + limit_seconds
    while _calls.started and idle < idle_polls and time.monotonic() < end:
        is_idle = not _calls.running and _calls.started == started
        idle, started = (idle + 1 if is_idle else 0), _calls.started
        time.sleep(0.005)
