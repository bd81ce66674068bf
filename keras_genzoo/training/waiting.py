"""What a person sees of work that takes minutes: a bar on a terminal, elsewhere lines by time."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from tqdm import tqdm

from keras_genzoo.training.progress import Bar, bar_line, is_terminal

Echo = Callable[[str], None]
# Seconds between two lines, and before anything is shown.
LINE_SECONDS, FIRST_SECONDS = 15, 2


class Waiting:
    """Shows images done, images a second and the time left; nothing if work is short.

    Args:
        what: the work, in a word or two.
        total: images in all.
        echo: writes a line where there is no terminal.
    """

    def __init__(self, what: str, total: int, echo: Echo):
        self.what, self.total, self.echo = what, total, echo
        self.began = self.last = time.monotonic()
        self.bar = Bar(sys.stderr) if is_terminal(sys.stderr) else None

    def show(self, done: int) -> None:
        """Show that so many images are done."""
        now = time.monotonic()
        if now - self.began < FIRST_SECONDS or not done:
            return
        rate = done / (now - self.began)
        left = tqdm.format_interval((self.total - done) / rate)
        if self.bar is not None:
            self.bar.show(lambda width: self._line(width, done, rate, left), done >= self.total)
        elif now - self.last >= LINE_SECONDS:
            self.last = now
            self.echo(f"{self.what}: {done:,} of {self.total:,} images, {left} left")

    def _line(self, width: int, done: int, rate: float, left: str) -> str:
        room = width - len(self.what) - 1
        if room <= 0:
            return self.what[: width - 1]
        return f"{self.what} {bar_line(room, done, self.total, rate, left, {})}".rstrip()

    def close(self) -> None:
        """End the bar's line."""
        if self.bar is not None:
            self.bar.close()


@contextmanager
def waiting(what: str, total: int, echo: Echo | None) -> Iterator[Callable[[int], None]]:
    """Give a function that shows how many of ``total`` images are done; nothing without echo."""
    if echo is None:
        yield lambda done: None
        return
    shown = Waiting(what, total, echo)
    try:
        yield shown.show
    finally:
        shown.close()


class ShowFit(keras.callbacks.Callback):
    """Shows how far ``fit`` is.

    Args:
        show: called with the number of images that are done.
        batch_size: images of a step.
    """

    def __init__(self, show: Callable[[int], None], batch_size: int):
        super().__init__()
        self.show, self.batch_size, self.done = show, batch_size, 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the images of a step."""
        self.done += self.batch_size
        self.show(self.done)
