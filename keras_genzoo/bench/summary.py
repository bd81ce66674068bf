"""The results of a bench: per recipe the mean and the deviation over the seeds that ended well.

A deviation is that of the sample (``n - 1``), and there is none of a single seed.
"""

import dataclasses
from pathlib import Path
from typing import Any

from keras_genzoo.bench.entries import Entry
from keras_genzoo.bench.plan import Plan
from keras_genzoo.bench.records import Record
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.display import compared_displays, numbers_in
from keras_genzoo.evaluation.protocols import protocol_differences
from keras_genzoo.evaluation.score import Display
from keras_genzoo.evaluation.spread import Spread


@dataclasses.dataclass(frozen=True)
class RunNumbers:
    """What was measured of one run.

    Args:
        entry: its entry.
        seed: its seed.
        steps: the steps at which it was scored.
        values: for each of these, the values of the scores by their paths in a result, as they are
            in it: what a person reads is scaled by the ``Display``.
        ended_well: whether it was trained and scored to the end.
        stopped: why its training cannot go on, if so.
        error: why its last process failed, if so.
        ms_a_step: milliseconds a step of training.
        memory: peak memory of training in bytes.
    """

    entry: Entry
    seed: int
    steps: list[int]
    values: list[dict[str, float | None]]
    ended_well: bool
    stopped: str | None
    error: str | None
    ms_a_step: float | None
    memory: int | None

    @property
    def name(self) -> str:
        """The entry and the seed, in words."""
        return f"{self.entry.name}, seed {self.seed}"

    def minutes(self, step: int) -> float | None:
        """Return the minutes of training up to a step; None if no step was timed."""
        return None if self.ms_a_step is None else step * self.ms_a_step / 60_000


@dataclasses.dataclass(frozen=True)
class Summary:
    """The results of a bench so far.

    Args:
        runs: every run of the plan.
        displays: the values of the scores in their order, with how each is shown.
        real_images: what other real images score, by value; as it is in the results.
        protocol: what the scores were measured with; None before the first.
        warnings: those of the evaluation, each once.
        places: machines and versions of packages that trained.
    """

    runs: list[RunNumbers]
    displays: dict[str, Display]
    real_images: dict[str, float | None]
    protocol: dict[str, Any] | None
    warnings: list[str]
    places: list[tuple[str, str]]

    def of(self, entry: Entry) -> list[RunNumbers]:
        """Return the runs of an entry."""
        return [run for run in self.runs if run.entry is entry]

    def ended_well(self, entry: Entry) -> list[RunNumbers]:
        """Return the runs of an entry that were trained and scored to the end."""
        return [run for run in self.of(entry) if run.ended_well]

    def score(self, entry: Entry, value: str, point: int = -1) -> Spread | None:
        """Return a value over the seeds that ended well, by default at the end of training."""
        runs = [run for run in self.ended_well(entry) if value in run.values[point]]
        return Spread.of([run.values[point][value] for run in runs])

    def minutes(self, entry: Entry, point: int = -1) -> Spread | None:
        """Return the minutes of training over the seeds that ended well."""
        minutes = [run.minutes(run.steps[point]) for run in self.ended_well(entry)]
        return Spread.of([value for value in minutes if value is not None])

    def ms_a_step(self, entry: Entry) -> Spread | None:
        """Return the milliseconds of a step over the seeds that ended well."""
        return Spread.of([r.ms_a_step for r in self.ended_well(entry) if r.ms_a_step is not None])

    def memory(self, entry: Entry) -> Spread | None:
        """Return the peak memory in MiB over the seeds that ended well."""
        return Spread.of([r.memory / 2**20 for r in self.ended_well(entry) if r.memory is not None])

    def numbers(self) -> dict[str, Any]:
        """Return the means and deviations, ready for JSON."""
        entries = {run.entry.name: run.entry for run in self.runs}
        return {
            "entries": [
                {
                    "name": name,
                    "ended_well": len(self.ended_well(entry)),
                    "values": {value: _plain(self.score(entry, value)) for value in self.displays},
                    "minutes": _plain(self.minutes(entry)),
                    "ms_a_step": _plain(self.ms_a_step(entry)),
                    "memory_mib": _plain(self.memory(entry)),
                }
                for name, entry in entries.items()
            ],
            "real_images": self.real_images,
            "protocol": self.protocol,
        }


def summarize(plan: Plan) -> Summary:
    """Return the results of a bench so far.

    Raises:
        GenzooError: if a record is damaged, or two runs were scored by different protocols.
    """
    records = [(entry, seed, plan.record(entry, seed)) for entry, seed in plan.runs()]
    results = [
        (plan.record_file(entry, seed), point["result"])
        for entry, seed, record in records
        for point in record.points
    ]
    _check_protocols(results)
    displays = _displays(plan)
    runs = [_run_numbers(plan, *of_run, displays) for of_run in records]
    real: dict[str, float | None] = {}
    for _, result in results:
        real = numbers_in(result.get("floor", {}), displays) | real
    places = [place for _, _, record in records for place in record.places]
    warnings = [str(line) for _, result in results for line in result.get("warnings", [])]
    return Summary(
        runs,
        {value: display for value, display in displays.items() if _is_measured(value, runs)},
        real,
        results[0][1]["protocol"] if results else None,
        list(dict.fromkeys(warnings)),
        list(dict.fromkeys(places)),
    )


def _run_numbers(
    plan: Plan, entry: Entry, seed: int, record: Record, displays: dict[str, Display]
) -> RunNumbers:
    points = sorted(record.points, key=lambda point: point["step"])
    return RunNumbers(
        entry,
        seed,
        [point["step"] for point in points],
        [numbers_in(point["result"]["scores"], displays) for point in points],
        ended_well=plan.next_step(entry, seed) is None and record.stopped is None,
        stopped=record.stopped,
        error=record.error,
        ms_a_step=record.ms_a_step,
        memory=record.memory,
    )


def _displays(plan: Plan) -> dict[str, Display]:
    """Return how the numbers are shown that the scores of a bench give, by path in a result."""
    return compared_displays({name for entry in plan.entries for name in entry.scores})


def _is_measured(value: str, runs: list[RunNumbers]) -> bool:
    return any(value in values for run in runs for values in run.values)


def _check_protocols(results: list[tuple[Path, dict[str, Any]]]) -> None:
    """Check that all scores were measured in the same way.

    Raises:
        GenzooError: if not; names the first two runs, and what differs.
    """
    for file, result in results[1:]:
        first_file, first = results[0]
        if found := protocol_differences(first["protocol"], result["protocol"]):
            raise GenzooError(
                f"{first_file} and {file} hold scores of different protocols "
                f"({'; '.join(found)}), which cannot be compared; empty 'points' in one of them to "
                "have that scored anew"
            )


def _plain(spread: Spread | None) -> dict[str, Any] | None:
    return None if spread is None else spread.as_dict()
