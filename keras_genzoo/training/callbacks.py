"""What a run leaves on disk as it goes: history, sample grids, checkpoints.

One Keras epoch of a run is the interval between two checkpoints.
"""

import math
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import TrainingStoppedError
from keras_genzoo.images import save_png
from keras_genzoo.training.build import adversarial_loss
from keras_genzoo.training.checkpoints import model_state, save_checkpoint
from keras_genzoo.training.collapse import CollapseWatch
from keras_genzoo.training.held_out import HeldOutImages, HeldOutLosses
from keras_genzoo.training.run import Run, list_checkpoints
from keras_genzoo.training.sample_grids import sample_grid


class Recorder(keras.callbacks.Callback):
    """Counts steps; after each interval writes history, sample grid and checkpoint, in that order.

    Args:
        run: the run folder.
        step: steps done before.
        images: real images for the sample grids of models that only reconstruct.
        writes: whether this worker writes the run folder. The other workers run the same
            computations, because reading the means of an interval needs all of them.
        held_out: images whose losses are measured after each interval. The losses are added to the
            history as ``val_loss`` and so on.

    The ``logs`` of the callbacks after this one are given what the history has: held-out losses,
    and scheduled learning rates.

    The checkpoint is written last. A run that is killed between two of the files resumes from the
    checkpoint before, and writes the same files again.
    """

    def __init__(
        self,
        run: Run,
        step: int,
        images: np.ndarray,
        writes: bool = True,
        held_out: HeldOutImages | None = None,
    ):
        super().__init__()
        self.run = run
        self.step = step
        self.images = images
        self.writes = writes
        self.held_out = held_out
        self.losses: HeldOutLosses | None = None
        # Drop the row written at the old final step: it is not a checkpoint boundary of the
        # longer run.
        self.rows = [
            row for row in run.read_history(up_to=step) if self._ends_interval(int(row["step"]))
        ]
        loss = adversarial_loss(run.settings)
        self.watch = CollapseWatch(step, loss is not None and loss.gives_probabilities)

    def on_train_begin(self, logs: Any = None) -> None:
        """Draw the sample grid of the untrained model."""
        outdated = self.losses is None or self.losses.stage != self.model.stage
        if self.held_out is not None and outdated:
            self.losses = HeldOutLosses(self.model, self.held_out.images, self.held_out.labels)
        if self.step == 0 and self.writes:
            self.draw()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the steps and stop at a NaN or infinite loss."""
        self.step += self.model.steps_per_execution
        for name, value in logs.items():
            if not math.isfinite(value):
                self._stop(f"{name} became {value} at step {self.step}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write history, sample grid and checkpoint; after a signal, only the checkpoint."""
        state = model_state(self.model)
        if not all(np.isfinite(array).all() for array in state.values()):
            self._stop(f"a weight became infinite or NaN by step {self.step}")
        if self._ends_interval(self.step):
            means = {name: float(value) for name, value in logs.items()}
            logs |= self.losses.measure() if self.losses is not None else {}
            scheduled = self.run.settings.schedule != "constant"
            logs |= self.model.learning_rates() if scheduled else {}
            self.rows.append({"step": self.step} | logs | means)
            if self.writes:
                self.run.write_history(self.rows)
            self._check_not_collapsed(means)
            if self.writes and self._wants_grid():
                self.draw()
        if self.writes:
            self._save(state)

    def _save(self, state: dict[str, np.ndarray]) -> None:
        keep = self.run.settings.keep_checkpoints
        save_checkpoint(
            self.run.checkpoints,
            state,
            self.step,
            keep,
            also_keep=[self.watch.good_step],
            # The finished model of a run that was made longer has fewer steps than this.
            outdated=self.run.model_file,
        )

    def draw(self) -> None:
        """Draw the sample grid of the fixed noise."""
        # Finite weights may give NaN images. The NaN loss of the next step stops the run, so no
        # warning is needed here.
        with np.errstate(invalid="ignore"):
            grid = sample_grid(self.model, self.images, self.run.settings.seed)
        save_png(self.run.samples / f"step-{self.step:08d}.png", grid)

    def _ends_interval(self, step: int) -> bool:
        settings = self.run.settings
        return step % settings.checkpoint_every == 0 or self._ends_stage(step)

    def _ends_stage(self, step: int) -> bool:
        return any(step == stage.last for stage in self.run.settings.stages)

    def _wants_grid(self) -> bool:
        settings = self.run.settings
        number, rest = divmod(self.step, settings.checkpoint_every)
        # Samples change fastest at the beginning: draw at the 1st, 2nd, 4th, 8th, ... checkpoint.
        if self.step < settings.sample_every and not rest and number.bit_count() == 1:
            return True
        # Then at the first checkpoint at or after each multiple of sample_every.
        due = self.step // settings.sample_every
        before = (self.step - settings.checkpoint_every) // settings.sample_every
        return due > max(before, 0) or self._ends_stage(self.step)

    def _check_not_collapsed(self, means: dict[str, float]) -> None:
        networks = {layer.name: layer for layer in self.model.layers if self.model.trains(layer)}
        weights = {
            name: [variable.numpy() for variable in network.trainable_variables]
            for name, network in networks.items()
        }
        self.watch.update(self.step, means, weights)
        if self.watch.verdict:
            self._stop(
                f"training has collapsed: {self.watch.verdict} since step {self.watch.good_step}"
            )

    def _stop(self, what: str) -> None:
        """Stop, and name the last checkpoint from before the trouble began.

        Raises:
            TrainingStoppedError: always.
        """
        good = f"step-{self.watch.good_step:08d}.npz"
        paths = [p for p in list_checkpoints(self.run.checkpoints) if p.name <= good]
        checkpoint = f"last good checkpoint: {paths[-1]}" if paths else "no good checkpoint yet"
        raise TrainingStoppedError(
            f"{what}; {checkpoint}; a smaller learning rate or another seed may help"
        )


class RestoreMetrics(keras.callbacks.Callback):
    """Restores the running means of an interrupted interval, which Keras resets in ``fit``.

    Create it after the checkpoint is restored and before ``fit``: it copies the means then.
    """

    def __init__(self, model: keras.Model):
        super().__init__()
        self.values = [variable.numpy() for variable in _metric_variables(model)]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Restore the means at the first epoch only."""
        if self.values:
            for variable, value in zip(_metric_variables(self.model), self.values, strict=True):
                variable.assign(value)
        self.values = []


def _metric_variables(model: keras.Model) -> list:
    return [variable for metric in model.metrics for variable in metric.variables]
