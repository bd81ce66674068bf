"""Runs that differ by their random seed only, trained one after the other."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError, TrainingStoppedError
from keras_genzoo.training.run import check_free
from keras_genzoo.training.settings import Settings, check_seeds
from keras_genzoo.training.train import Outcome, fit


@dataclasses.dataclass(frozen=True)
class SeedOutcome:
    """How the training with one seed ended.

    Args:
        seed: the seed.
        outcome: as ``fit`` returns it; None if training could not go on.
        error: why it could not, None if it could.
        left: the seeds that are not begun yet.
    """

    seed: int
    outcome: Outcome | None
    error: TrainingStoppedError | None
    left: list[int]


def fit_seeds(
    settings: Settings,
    seeds: Sequence[int],
    out: str | os.PathLike | None = None,
    *,
    force: bool = False,
    echo: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> Iterator[SeedOutcome]:
    """Train a run for each seed, one after the other; yield how each ended.

    A run that cannot go on, since it collapses or a loss becomes NaN, costs the others nothing. A
    signal ends all: the run that it stopped is saved, and the others are not begun.

    Args:
        settings: the settings of all runs, but for the seed.
        seeds: the random seeds.
        out: what the run folders are called: ``OUT-seed-0``, ``OUT-seed-1``, ...; by default each
            is the next free one, as for ``fit``.
        force: replace runs that are there already.
        echo: writes a line of progress.
        **options: others of ``fit``.

    Raises:
        GenzooError: if a seed is given twice, if several might compute in different types, or as
            ``fit`` does; before the first run begins, if one of the folders is taken.
    """
    check_seeds(seeds)
    if len(seeds) > 1 and settings.mixed_precision == "auto":
        raise GenzooError(
            "--mixed-precision auto might choose one type for one seed and another for the next, "
            "which would differ by more than their seed; give float32, bfloat16 or float16"
        )
    runs = {seed: settings.replace(seed=seed) for seed in seeds}
    places = {seed: None if out is None else seed_folder(out, seed) for seed in seeds}
    for place in places.values():
        check_free(place, force)
    return _fit_in_turn(runs, places, force=force, echo=echo, **options)


def seed_folder(out: str | os.PathLike, seed: int) -> Path:
    """Return the run folder of a seed.

    >>> seed_folder("runs/mine", 3).as_posix()
    'runs/mine-seed-3'
    """
    return Path(out).with_name(f"{Path(out).name}-seed-{seed}")


def _fit_in_turn(
    runs: dict[int, Settings],
    places: dict[int, Path | None],
    *,
    echo: Callable[[str], None],
    **options: Any,
) -> Iterator[SeedOutcome]:
    seeds = list(runs)
    for number, seed in enumerate(seeds):
        left = seeds[number + 1 :]
        echo(f"seed {seed}: run {number + 1} of {len(seeds)}")
        try:
            outcome = fit(runs[seed], places[seed], echo=echo, **options)
        except TrainingStoppedError as error:
            yield SeedOutcome(seed, None, error, left)
            continue
        except GenzooError as error:
            if number == 0:
                raise
            unfinished = ",".join(map(str, seeds[number:]))
            raise GenzooError(
                f"seed {seed}: {error}; the seeds before it are done: the same command with "
                f"--seeds {unfinished} goes on"
            ) from error
        yield SeedOutcome(seed, outcome, None, left)
        if outcome.signal is not None:
            return
