"""Progress of training: a bar on a terminal, lines elsewhere, and events for TensorBoard."""

import contextlib
import functools
import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import keras
import tensorflow as tf
from tqdm import tqdm

from keras_genzoo.errors import GenzooError
from keras_genzoo.training.run import Run

# Least seconds between two updates of the bar.
SECONDS = 0.2
# Without a bar: seconds until the first line, and between two lines.
FIRST_LINE, LINES = 5.0, 30.0
# Columns of a terminal that does not report its width, and limits for those of the bar.
WIDTH = 80
SHORTEST_BAR, LONGEST_BAR = 6, 42


class Progress(keras.callbacks.Callback):
    """Shows a bar with images/s and time left on a terminal, and writes lines elsewhere.

    A line is written after each checkpoint, after the first few seconds, and every half a minute.
    The speed is measured from the end of the first step, which includes compiling the step.

    Args:
        run: the run.
        step: steps done before.
        echo: writes a line.
    """

    def __init__(self, run: Run, step: int, echo: Callable[[str], None]):
        super().__init__()
        self.settings = run.settings
        self.echo = echo
        self.step = step
        # The speed is measured from first_end once there is a second step, from start until then.
        self.start = self.first_end = (step, time.monotonic())
        self.compiled = False
        self.next_line = math.inf
        self.stage: str | None = None
        # Measured at checkpoints only; the last values are shown until the next checkpoint.
        self.held_out: dict[str, float] = {}
        self.bar = Bar(sys.stderr) if is_terminal(sys.stderr) else None

    def on_train_begin(self, logs: Any = None) -> None:
        """Say that the first step is being compiled, which may take a minute."""
        if self.stage != self.model.stage:
            # Another stage has another step, and another pace.
            self.stage, self.compiled, self.held_out = self.model.stage, False, {}
            self.start = self.first_end = (self.step, time.monotonic())
        if self.compiled:
            return
        words = "compiling the training step; large models take a minute"
        if self.bar is not None:
            self.bar.show(lambda width: words[: width - 1], now=True)
        else:
            self.echo(words)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Update the bar; without one, write a line if it is due."""
        self.step += self.model.steps_per_execution
        now = time.monotonic()
        if not self.compiled:
            self.compiled = True
            self.next_line = now + FIRST_LINE
            self.first_end = (self.step, now)
        if self.bar is not None:
            self.bar.show(functools.partial(self._line, logs))
        elif now >= self.next_line:
            self._write_line(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep the held-out loss for the bar; without a bar, write a line."""
        self.held_out = {name: value for name, value in logs.items() if name == "val_loss"}
        if self.bar is None:
            self._write_line(logs)
        elif self.step >= self.settings.total_steps:
            self.bar.show(functools.partial(self._line, logs), now=True)

    def _write_line(self, logs: Mapping[str, float]) -> None:
        self.next_line = time.monotonic() + LINES
        rate, left = self._pace()
        self.echo(
            f"step {self.step}/{self.settings.total_steps}  {_means(logs)}  "
            f"{rate:.0f} images/s  {left} left"
        )

    def close(self) -> None:
        """Leave the bar on the terminal and move to the next line."""
        if self.bar is not None:
            self.bar.close()

    def _pace(self) -> tuple[float, str]:
        """Return images a second, and the time left."""
        first, began = self.first_end if self.step > self.first_end[0] else self.start
        rate = (self.step - first) / max(time.monotonic() - began, 1e-9)
        left = tqdm.format_interval((self.settings.total_steps - self.step) / rate)
        return rate * self.settings.batch_size, left

    def _line(self, logs: Mapping[str, float], width: int) -> str:
        rate, left = self._pace()
        logs = {**logs, **self.held_out}
        return bar_line(width, self.step, self.settings.total_steps, rate, left, logs)


class Bar:
    """A line of a terminal that is overwritten in place, also after the terminal was resized.

    The cursor stays at the line's beginning. If a narrower terminal wraps the line, clearing from
    the cursor to the end of the screen still erases all of it.

    Args:
        stream: the terminal. If it is closed, nothing more is shown.
    """

    def __init__(self, stream: TextIO):
        self.stream: TextIO | None = stream
        self.shown = 0.0
        self.last = ""

    def show(self, line: Callable[[int], str], now: bool = False) -> None:
        """Show ``line(width)``, at most once in ``SECONDS`` unless ``now``."""
        if self.stream is None or (time.monotonic() - self.shown < SECONDS and not now):
            return
        self.shown = time.monotonic()
        with contextlib.suppress(OSError):
            self.last = line(os.get_terminal_size(self.stream.fileno()).columns or WIDTH)
        self._write(f"\r\x1b[J{self.last}\r")

    def close(self) -> None:
        """Leave the line on the terminal and move to the next."""
        if self.last:
            self._write(f"\r\x1b[J{self.last}\n")
            self.last = ""

    def _write(self, text: str) -> None:
        try:
            if self.stream is not None:
                self.stream.write(text)
                self.stream.flush()
        except OSError:
            self.stream = None


def is_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which a line can be overwritten."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def bar_line(
    width: int, step: int, steps: int, rate: float, left: str, logs: Mapping[str, float]
) -> str:
    """Return the progress line for a terminal of this width.

    In narrower terminals the bar is left out first, then words of the labels, then the count of
    steps, the speed and the time left.

    Args:
        width: columns of the terminal; the last one stays free.
        step: steps done.
        steps: steps in all.
        rate: images a second.
        left: the time left.
        logs: the means of the interval by name.

    >>> logs = {"discriminator_loss": 1.25, "generator_loss": 0.7}
    >>> bar_line(80, 50, 100, 2150, "00:12", logs)
    ' 50% ######       50/100  00:12 left  2150 images/s  D loss 1.250  G loss 0.700'
    >>> bar_line(40, 50, 100, 2150, "00:12", logs)
    ' 50% 00:12 left  D 1.250  G 0.700'
    """
    share = f"{step / steps:4.0%}"
    count, pace = f"{step}/{steps}", f"{left} left  {rate:.0f} images/s"
    long, short = _means(logs), _means(logs, _SHORTER)
    lines = [
        f"{share} {{bar}}{count}  {pace}  {long}",
        f"{share} {count}  {pace}  {short}",
        f"{share} {pace}  {short}",
        f"{share} {left} left  {short}",
        f"{share} {short}",
        short,
    ]
    room = width - 1 - len(lines[0].format(bar=""))
    if room >= SHORTEST_BAR:
        length = min(room, LONGEST_BAR) - 1
        filled = round(length * step / steps)
        return lines[0].format(bar="#" * filled + " " * (length - filled) + " ")
    fitting = [line for line in (lines[0].format(bar=""), *lines[1:]) if len(line) < width]
    return fitting[0] if fitting else short[: width - 1]


# Labels by the name of the log, in the order in which they are shown.
_SHORT = {
    "loss": "loss",
    "reconstruction_loss": "reconstruction",
    "kl_loss": "KL",
    "val_loss": "held-out loss",
    "discriminator_loss": "D loss",
    "generator_loss": "G loss",
    "real_score": "D(x)",
    "fake_score": "D(G(z))",
    "jensen_shannon_estimate": "JS",
    "wasserstein_estimate": "Wasserstein",
}
_SHORTER = _SHORT | {
    "reconstruction_loss": "rec",
    "val_loss": "held-out",
    "discriminator_loss": "D",
    "generator_loss": "G",
}


def _means(logs: Mapping[str, float], labels: Mapping[str, str] = _SHORT) -> str:
    """Return the means of an interval in one short line.

    The parts of the held-out loss and learning rates are left out.

    >>> _means({"fake_score": 0.25, "generator_loss": 0.7, "generator_learning_rate": 2e-4})
    'G loss 0.700  D(G(z)) 0.250'
    """
    order = [*_SHORT, *logs]
    parts = [name for name in logs if name.startswith("val_") and name != "val_loss"]
    parts += [name for name in logs if name.endswith("learning_rate")]
    names = [name for name in sorted(logs, key=order.index) if name not in parts]
    return "  ".join(f"{labels.get(name, name)} {logs[name]:.3f}" for name in names)


class Events(keras.callbacks.Callback):
    """Writes the means of each interval as events for TensorBoard, into ``logs`` of the run.

    Args:
        run: the run.
        step: steps done before.
    """

    def __init__(self, run: Run, step: int):
        super().__init__()
        self.writer = tf.summary.create_file_writer(str(run.path / "logs"))
        self.step = step

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the steps."""
        self.step += self.model.steps_per_execution

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the means."""
        with self.writer.as_default(step=self.step):
            for name, value in logs.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def require_tensorboard() -> None:
    """Check that the package tensorboard is installed, which writes the events.

    Raises:
        GenzooError: if it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise GenzooError(
            "--tensorboard needs the package tensorboard: pip install 'keras_genzoo[tensorboard]'"
        )
