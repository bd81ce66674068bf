"""Noticing that training has come to a standstill for good.

A healthy run never looks like this for long: even where nothing more is to be gained, chance in
the order of the data and in the noise keeps the weights moving.
"""

from collections.abc import Mapping, Sequence

import numpy as np

# How long all must stand still, in rows of the history and in steps.
FROZEN_ROWS, FROZEN_STEPS = 20, 1000
# Relative changes that are none: float32 resolves 6e-8, and a mean of many steps rounds more.
LOSS_CHANGE, WEIGHT_CHANGE = 1e-6, 1e-8


class CollapseWatch:
    """Counts the rows of the history over which training has stood still.

    Args:
        step: steps done before.
        probabilities: whether ``real_score`` and ``fake_score`` are probabilities. Only a
            discriminator that gives them can win for good: where it is sure, the cross-entropy has
            no gradient left. Scores of other losses say nothing of the kind.

    After ``see``, ``good`` is the last step at which training was alive, and ``verdict`` says in
    words what has collapsed, None as long as nothing has.

    >>> watch = CollapseWatch(step=0)
    >>> for step in range(100, 2300, 100):
    ...     watch.see(step, {"loss": 5.0}, {"encoder": [np.array([step])]})
    >>> watch.good, watch.verdict
    (100, 'the losses stand still')
    """

    def __init__(self, step: int, probabilities: bool = False):
        self.good = step
        self.probabilities = probabilities
        self.verdict: str | None = None
        self._streaks: dict[str, tuple[int, int]] = {}
        self._losses: list[float] | None = None
        self._weights: dict[str, np.ndarray] = {}

    def see(
        self, step: int, row: Mapping[str, float], weights: Mapping[str, Sequence[np.ndarray]]
    ) -> None:
        """Take in one row.

        Args:
            step: steps done.
            row: the means of an interval of steps, by name.
            weights: the trainable weights of each network, by its name.
        """
        signs = {
            "the losses stand still": self._losses_still(row),
            "the discriminator has won for good": self.probabilities and _won(row),
            **{
                f"the {name} does not move": self._still(name, arrays)
                for name, arrays in weights.items()
            },
        }
        for sign, shown in signs.items():
            rows, since = self._streaks.get(sign, (0, self.good))
            self._streaks[sign] = (rows + 1, since) if shown else (0, step)
        self.good = min(since for _, since in self._streaks.values())
        self.verdict = next(
            (
                sign
                for sign, (rows, since) in self._streaks.items()
                if rows >= FROZEN_ROWS and step - since >= FROZEN_STEPS
            ),
            None,
        )

    def _losses_still(self, row: Mapping[str, float]) -> bool:
        losses = [value for name, value in row.items() if name.endswith("loss")]
        before, self._losses = self._losses, losses
        return before is not None and np.allclose(losses, before, rtol=LOSS_CHANGE, atol=0)

    def _still(self, name: str, arrays: Sequence[np.ndarray]) -> bool:
        weights = np.concatenate([np.ravel(array) for array in arrays])
        before = self._weights.get(name)
        self._weights[name] = weights
        if before is None:
            return False
        return np.linalg.norm(weights - before) <= WEIGHT_CHANGE * np.linalg.norm(weights)


def _won(row: Mapping[str, float]) -> bool:
    return row.get("real_score", 0) > 0.9999 and row.get("fake_score", 1) < 1e-4
