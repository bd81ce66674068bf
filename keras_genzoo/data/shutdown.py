"""Bringing Python functions inside tf.data to rest before the interpreter ends.

TensorFlow's threads call Python for each batch and read ahead without end. One that still wants
to when the interpreter is being taken down waits for ever, and the process with it.
"""

import atexit
import functools
import threading
import time
from collections.abc import Callable
from typing import Any


class _Calls:
    def __init__(self):
        self.lock = threading.Lock()
        self.running = self.begun = 0
        self.ending = False


_calls = _Calls()


def stopped_at_exit(function: Callable, nothing: Callable[[], Any]) -> Callable:
    """Return ``function``, which becomes ``nothing`` once the interpreter ends.

    By then every thread that could use the result is gone; what is read ahead is not seen.
    """

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        with _calls.lock:
            _calls.running += 1
            _calls.begun += 1
        try:
            return nothing() if _calls.ending else function(*arguments)
        finally:
            with _calls.lock:
                _calls.running -= 1

    return call


@atexit.register
def _come_to_rest(quiet_polls: int = 10, limit_seconds: float = 30) -> None:
    _calls.ending = True
    begun, quiet, end = -1, 0, time.monotonic() + limit_seconds
    # The buffers fill quickly now; then nothing calls any more.
    while _calls.begun and quiet < quiet_polls and time.monotonic() < end:
        at_rest = not _calls.running and _calls.begun == begun
        quiet, begun = (quiet + 1 if at_rest else 0), _calls.begun
        time.sleep(0.005)
