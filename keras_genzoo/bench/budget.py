"""How many steps of each recipe a budget of images or minutes allows.

Equal numbers of images compare losses; equal times compare what a person waits for.
"""

import dataclasses
from collections.abc import Callable, Sequence

from keras_genzoo.bench.entries import Entry, Request, entry_of
from keras_genzoo.errors import GenzooError
from keras_genzoo.training.settings import Settings

# Settings that may be paths.
PATHS = ("dataset", "data_dir", "manual_dir")


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each run of a bench may use.

    Args:
        entries: the entries, with the number of steps that the budget allows.
        images: the images that each run sees; None for a budget of time.
        minutes: the minutes that each run trains; None for a budget of images.
        notes: what a person should know of it, a sentence each.
    """

    entries: list[Entry]
    images: int | None
    minutes: float | None
    notes: list[str]


def within_budget(
    request: Request, entries: Sequence[Entry], measure: Callable[[Settings], float]
) -> Budget:
    """Return the entries with as many steps as the budget of a request allows.

    A batch is never cut, so a run may see a few images less than the budget.

    Args:
        request: the request.
        entries: its entries.
        measure: returns the milliseconds that a step of these settings takes on this machine.

    Raises:
        GenzooError: if the budget allows no step, or fewer than the points at which it is scored.
    """
    notes: list[str] = []
    images = request.images
    if images is None and request.minutes is None:
        images = min(e.settings.steps * e.settings.batch_size for e in entries)
        notes.append(f"no budget was given: {images:,} images, as the shortest recipe sees")
    fitted = []
    for entry in entries:
        if images is not None:
            steps = _steps_for_images(entry, images, notes)
        else:
            assert request.minutes is not None
            steps = _steps_for_minutes(entry, request.minutes, measure(entry.settings), notes)
        if steps < request.points:
            raise GenzooError(
                f"{entry.name} would train for {steps:,} steps, too few to be scored at "
                f"{request.points}; give a larger budget, or fewer --points"
            )
        settings = entry_of(entry.name, request, steps).settings
        # The entry's own, which are absolute.
        places = {name: getattr(entry.settings, name) for name in PATHS}
        fitted.append(dataclasses.replace(entry, settings=settings.replace(**places)))
    for entry in fitted:
        settings = entry.settings
        if settings.schedule != "constant" and settings.schedule_steps != settings.steps:
            notes.append(
                f"{entry.name}: its schedule has {settings.schedule_steps:,} steps, and it trains "
                f"for {settings.steps:,}"
            )
    return Budget(fitted, images, request.minutes, notes)


def _steps_for_images(entry: Entry, images: int, notes: list[str]) -> int:
    batch = entry.settings.batch_size
    steps, rest = divmod(images, batch)
    if not steps:
        raise GenzooError(
            f"{images:,} images are less than one batch of {entry.name}, which has {batch}; give "
            "more --images"
        )
    if rest:
        notes.append(
            f"{entry.name}: {images:,} images do not divide into batches of {batch}; it sees "
            f"{steps * batch:,} in {steps:,} steps"
        )
    return steps


def _steps_for_minutes(entry: Entry, minutes: float, ms: float, notes: list[str]) -> int:
    steps = int(minutes * 60_000 / ms)
    if not steps:
        raise GenzooError(
            f"{minutes:g} minutes are less than one step of {entry.name}, which takes {ms:,.0f} "
            "ms; give more --minutes"
        )
    notes.append(
        f"{entry.name}: {minutes:g} minutes are {steps:,} steps of {ms:.3g} ms, as measured before "
        "training"
    )
    return steps
