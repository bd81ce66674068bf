"""What a person sees while a run trains: a bar, lines, curves in TensorBoard."""

import importlib.util
import sys
import time
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf
from tqdm import tqdm

from keras_genzoo.errors import GenzooError
from keras_genzoo.training.run import Run


class Progress(keras.callbacks.Callback):
    """A bar with images/s and time left on a terminal; elsewhere a line for each stretch.

    Args:
        run: the run.
        step: steps done before.
        echo: writes a line.
    """

    def __init__(self, run: Run, step: int, echo: Callable[[str], None]):
        super().__init__()
        self.settings = run.settings
        self.echo = echo
        self.step = self.first = step
        self.began = time.monotonic()
        self.shown = 0.0
        self.bar = (
            tqdm(
                total=self.settings.steps * self.settings.batch_size,
                initial=step * self.settings.batch_size,
                unit=" images",
                unit_scale=True,
                dynamic_ncols=True,
                file=sys.stderr,
            )
            if sys.stderr.isatty()
            else None
        )

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        self.step += self.model.steps_per_execution
        if self.bar is None:
            return
        now = time.monotonic()
        if now - self.shown > 0.2:
            self.shown = now
            self.bar.set_postfix_str(_means(logs), refresh=False)
        self.bar.update(self.model.steps_per_execution * self.settings.batch_size)

    def on_epoch_end(self, epoch, logs=None):
        """Write a line where there is no bar."""
        if self.bar is not None:
            return
        rate = (self.step - self.first) / max(time.monotonic() - self.began, 1e-9)
        left = tqdm.format_interval((self.settings.steps - self.step) / rate)
        self.echo(
            f"step {self.step}/{self.settings.steps}  {_means(logs)}  "
            f"{rate * self.settings.batch_size:.0f} images/s  {left} left"
        )

    def close(self) -> None:
        """Leave the bar as it is."""
        if self.bar is not None:
            self.bar.close()


# In the order in which they are read best.
_SHORT = {
    "loss": "loss",
    "reconstruction_loss": "reconstruction",
    "kl_loss": "KL",
    "discriminator_loss": "D loss",
    "generator_loss": "G loss",
    "real_score": "D(x)",
    "fake_score": "D(G(z))",
    "jensen_shannon_estimate": "JS",
}


def _means(logs: Mapping[str, float]) -> str:
    """Return the means of a stretch in one short line.

    >>> _means({"fake_score": 0.25, "generator_loss": 0.7})
    'G loss 0.700  D(G(z)) 0.250'
    """
    order = [*_SHORT, *logs]
    return "  ".join(
        f"{_SHORT.get(name, name)} {logs[name]:.3f}" for name in sorted(logs, key=order.index)
    )


class Events(keras.callbacks.Callback):
    """Writes the means of each stretch, by step, where TensorBoard finds them.

    Args:
        run: the run.
        step: steps done before.
    """

    def __init__(self, run: Run, step: int):
        super().__init__()
        self.writer = tf.summary.create_file_writer(str(run.path / "logs"))
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        """Count the steps."""
        self.step += self.model.steps_per_execution

    def on_epoch_end(self, epoch, logs=None):
        """Write the means."""
        with self.writer.as_default(step=self.step):
            for name, value in logs.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


def require_tensorboard() -> None:
    """Check that the package is there that events are written with.

    Raises:
        GenzooError: if it is not.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise GenzooError(
            "--tensorboard needs the package tensorboard: pip install 'keras_genzoo[tensorboard]'"
        )
