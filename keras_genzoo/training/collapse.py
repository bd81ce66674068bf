"""Detects training that has stopped changing and will not recover.

A healthy run always changes: even at its optimum, the random order of the data and the noise keep
the weights moving.
"""

from collections.abc import Mapping, Sequence

import numpy as np

# Training has collapsed if it did not change over this many rows of the history and steps.
FROZEN_ROWS, FROZEN_STEPS = 20, 1000
# Relative changes up to these count as no change: float32 resolves 6e-8, and a mean over many steps
# has more rounding.
LOSS_CHANGE, WEIGHT_CHANGE = 1e-6, 1e-8


class CollapseWatch:
    """Counts the rows of the history over which training did not change.

    Args:
        step: steps done before.
        probabilities: whether ``real_score`` and ``fake_score`` are probabilities. Scores near 1
            and 0 then mean that the cross-entropy has no gradient left, so that the generator
            cannot recover. The scores of other losses have no such limit.

    After ``update``, ``good_step`` is the last step at which training still changed, and
    ``verdict`` says in words what has collapsed; it is None as long as nothing has.

    >>> watch = CollapseWatch(step=0)
    >>> for step in range(100, 2300, 100):
    ...     watch.update(step, {"loss": 5.0}, {"encoder": [np.array([step])]})
    >>> watch.good_step, watch.verdict
    (100, 'the losses do not change')
    """

    def __init__(self, step: int, probabilities: bool = False):
        self.good_step = step
        self.probabilities = probabilities
        self.verdict: str | None = None
        self._streaks: dict[str, tuple[int, int]] = {}
        self._losses: list[float] | None = None
        self._weights: dict[str, np.ndarray] = {}

    def update(
        self, step: int, row: Mapping[str, float], weights: Mapping[str, Sequence[np.ndarray]]
    ) -> None:
        """Compare a row of the history with the row before.

        Args:
            step: steps done.
            row: the means of an interval of steps, by name.
            weights: the trainable weights of each network, by its name.
        """
        signs = {
            "the losses do not change": self._losses_unchanged(row),
            "the discriminator is always certain": self.probabilities and _certain(row),
            **{
                f"the weights of the {name} do not change": self._unchanged(name, arrays)
                for name, arrays in weights.items()
            },
        }
        before = self._streaks
        # Without the networks of a stage of training that is over.
        self._streaks = {}
        for sign, shown in signs.items():
            rows, since = before.get(sign, (0, self.good_step))
            self._streaks[sign] = (rows + 1, since) if shown else (0, step)
        self.good_step = min(since for _, since in self._streaks.values())
        self.verdict = next(
            (
                sign
                for sign, (rows, since) in self._streaks.items()
                if rows >= FROZEN_ROWS and step - since >= FROZEN_STEPS
            ),
            None,
        )

    def _losses_unchanged(self, row: Mapping[str, float]) -> bool:
        losses = [value for name, value in row.items() if name.endswith("loss")]
        before, self._losses = self._losses, losses
        return before is not None and np.allclose(losses, before, rtol=LOSS_CHANGE, atol=0)

    def _unchanged(self, name: str, arrays: Sequence[np.ndarray]) -> bool:
        weights = np.concatenate([np.ravel(array) for array in arrays])
        before = self._weights.get(name)
        self._weights[name] = weights
        if before is None:
            return False
        return np.linalg.norm(weights - before) <= WEIGHT_CHANGE * np.linalg.norm(weights)


def _certain(row: Mapping[str, float]) -> bool:
    return row.get("real_score", 0) > 0.9999 and row.get("fake_score", 1) < 1e-4
