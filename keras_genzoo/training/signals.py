"""The signals that ask a long command to save and stop."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

# Windows has no SIGHUP.
_HANGUP = getattr(signal, "SIGHUP", None)
STOP_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([_HANGUP] if _HANGUP else [])]


@contextlib.contextmanager
def stop_signals_handled(receive: Callable) -> Iterator[Callable[[], None]]:
    """Handle Ctrl-C, SIGTERM and SIGHUP by ``receive`` in the block.

    SIGHUP stays ignored where it is, as under ``nohup``. Only the main thread may set handlers; in
    others nothing changes.

    Args:
        receive: called with the number of the signal and the frame, as Python's handlers are.

    Yields:
        a function that restores the handlers before the end of the block.
    """
    previous = {}
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN or number != _HANGUP:
                previous[number] = signal.signal(number, receive)

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    try:
        yield restore
    finally:
        restore()
