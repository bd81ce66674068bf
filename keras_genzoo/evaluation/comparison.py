"""Runs compared with each other: settings that differ, scores that were measured alike.

Runs that differ by their random seed only are a group, whose scores are a mean and a deviation.
"""

import dataclasses
import itertools
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.compared_run import ComparedRun, open_compared
from keras_genzoo.evaluation.display import compared_displays, numbers_in
from keras_genzoo.evaluation.inputs import Echo
from keras_genzoo.evaluation.protocols import score_differences
from keras_genzoo.evaluation.score import SCORES, Display
from keras_genzoo.evaluation.spread import Spread
from keras_genzoo.training import Run
from keras_genzoo.training.declared import PACE, PLACE
from keras_genzoo.training.finding import find_runs, short_names

# Settings that say where files are, and the one that the runs of a group differ by.
_NOT_SHOWN = ("seed", "data_dir", "manual_dir")
# Names of runs that a line lists before it counts the others.
_LISTED = 4


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs that differ by their random seed only.

    Args:
        name: what the tables call it.
        runs: the runs, at least one.
    """

    name: str
    runs: list[ComparedRun]

    @property
    def seeds(self) -> list[int]:
        """Their seeds."""
        return [run.seed for run in self.runs]

    @property
    def one_of_each_seed(self) -> list[ComparedRun]:
        """Its runs, the first of each seed: a copy of a run says nothing of how seeds spread."""
        return list({run.seed: run for run in reversed(self.runs)}.values())[::-1]


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """Scores of a run that are not compared.

    Args:
        run: the run.
        scores: the names of the scores.
        others: the names of the runs that they would be compared with.
        differences: where the protocols differ, in words.
    """

    run: ComparedRun
    scores: list[str]
    others: list[str]
    differences: list[str]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is known of several runs, side by side.

    Args:
        groups: the runs, by group.
        settings: the settings that differ, by name: for each run its value in words, "" if it has
            no such setting.
        displays: how the values of the scores are shown that some run has, by path.
        values: the values that may be compared, by the name of the run and by path.
        references: for each score, the result whose protocol the others have, too.
        left_out: scores that were measured otherwise.
        notes: what is missing or left out, and warnings of the scores, a sentence each.
        seed: random seed of the noise of the samples.
    """

    groups: list[Group]
    settings: dict[str, dict[str, str]]
    displays: dict[str, Display]
    values: dict[str, dict[str, float | None]]
    references: dict[str, dict[str, Any]]
    left_out: list[LeftOut]
    notes: list[str]
    seed: int

    @property
    def runs(self) -> list[ComparedRun]:
        """The runs of all groups."""
        return [run for group in self.groups for run in group.runs]

    def score(self, group: Group, path: str) -> Spread | None:
        """Return a value over the seeds of a group that have it, as it is in the results."""
        values = [self.values[run.name] for run in group.one_of_each_seed]
        return Spread.of([of_run[path] for of_run in values if path in of_run])

    @property
    def real_images(self) -> dict[str, float | None]:
        """What other real images score, by path."""
        found: dict[str, float | None] = {}
        for name, result in self.references.items():
            paths = [path for path in self.displays if path in SCORES[name].gives]
            found |= numbers_in(result.get("floor", {}), paths)
        return found


def compare_runs(
    names: Sequence[str | os.PathLike],
    *,
    columns: int = 0,
    seed: int = 0,
    echo: Echo = lambda line: None,
) -> Comparison:
    """Compare runs as far as they go together.

    Scores are compared only where they were measured alike: of a score, those count whose protocol
    most of the runs share, and the others are named with what differs. Scores of other weights
    than a run has now are left out, too.

    Args:
        names: run folders, presets or their addresses at a hub, exported SavedModels, or patterns
            such as ``runs/vae-*``.
        columns: the number of images that each model makes of the same noise; 0 for none.
        seed: random seed of that noise.
        echo: called with a line before each run that is read.

    Raises:
        GenzooError: if there is nothing of a name, or fewer than two runs can be read.
    """
    found = find_runs(names)
    if len(found.runs) < 2:
        reasons = "; ".join(["name two runs or more to compare", *found.left_out])
        raise GenzooError(reasons)
    runs = []
    for run, name in zip(found.runs, short_names([run.path for run in found.runs]), strict=True):
        echo(f"reading {name}")
        runs.append(open_compared(run, name, columns, seed))
    groups = _groups(runs)
    chosen = {name: one for name in SCORES if (one := _Chosen.of(name, runs)) is not None}
    displays = compared_displays(chosen)
    values: dict[str, dict[str, float | None]] = {run.name: {} for run in runs}
    for name, one in chosen.items():
        paths = [path for path in displays if path in SCORES[name].gives]
        for run_name, result in one.results.items():
            values[run_name] |= numbers_in(result["scores"], paths)
    left_out = _left_out(chosen)
    notes = [
        *found.left_out,
        *(note for run in runs for note in run.notes),
        *_of_other_data(runs),
        *_of_one_seed(groups),
        *_unknown_scores(runs),
        *(_in_words(one) for one in left_out),
        *_warnings(chosen),
    ]
    measured = {path for of_run in values.values() for path in of_run}
    return Comparison(
        groups,
        _settings(runs, chosen),
        {path: display for path, display in displays.items() if path in measured},
        values,
        {name: one.reference for name, one in chosen.items()},
        left_out,
        list(dict.fromkeys(notes)),
        seed,
    )


@dataclasses.dataclass(frozen=True)
class _Chosen:
    """Of one score, the results that were measured alike, and the others.

    Args:
        reference: the result whose protocol most of the runs have.
        results: by the name of the run, a result of that protocol.
        others: the runs that have none, each with what differs.
    """

    reference: dict[str, Any]
    results: dict[str, dict[str, Any]]
    others: list[tuple[ComparedRun, list[str]]]

    @classmethod
    def of(cls, name: str, runs: Sequence[ComparedRun]) -> "_Chosen | None":
        """Choose among the results of runs; None if none has the score."""
        having = {run.name: [r for r in run.results if _has(name, r)] for run in runs}
        having = {run: results for run, results in having.items() if results}
        if not having:
            return None

        def fitting(results: list[dict], reference: dict) -> dict | None:
            same = (one for one in results if not score_differences(name, one, reference))
            return next(same, None)

        def runs_like(reference: dict) -> int:
            return sum(fitting(results, reference) is not None for results in having.values())

        # Of several that as many runs share, max takes the first.
        reference = max((one for results in having.values() for one in results), key=runs_like)
        results = {run: fitting(results, reference) for run, results in having.items()}
        others = [
            (run, score_differences(name, having[run.name][0], reference))
            for run in runs
            if run.name in results and results[run.name] is None
        ]
        return cls(reference, {run: one for run, one in results.items() if one}, others)


def _has(name: str, result: dict[str, Any]) -> bool:
    return any(value in result["scores"] for value in SCORES[name].values)


def _left_out(chosen: dict[str, _Chosen]) -> list[LeftOut]:
    """Return what is not compared; scores of a run with the same differences are one entry."""
    found: dict[tuple, LeftOut] = {}
    for name, one in chosen.items():
        for run, differences in one.others:
            names = list(one.results)
            key = (run.name, *names, *differences)
            found.setdefault(key, LeftOut(run, [], names, differences)).scores.append(name)
    return list(found.values())


def _in_words(left_out: LeftOut) -> str:
    return (
        f"{left_out.run.name}: not compared with {names_in_words(left_out.others)}: "
        f"{', '.join(left_out.scores)}, measured with {'; '.join(left_out.differences)}"
    )


def _unknown_scores(runs: Sequence[ComparedRun]) -> list[str]:
    """Return a line for each run with values that no registered score gives."""
    known = {value for name in SCORES for value in SCORES[name].values}
    lines = []
    for run in runs:
        unknown = sorted({name for one in run.results for name in one["scores"]} - known)
        if unknown:
            lines.append(
                f"{run.name}: left out, since no registered score gives them: "
                f"{names_in_words(unknown)}; genzoo --import MODULE makes your own known"
            )
    return lines


def _warnings(chosen: dict[str, _Chosen]) -> list[str]:
    results = [result for one in chosen.values() for result in one.results.values()]
    return [f"warning: {line}" for result in results for line in result["warnings"]]


# Settings and groups -----------------------------------------------------------------------------


def _groups(runs: Sequence[ComparedRun]) -> list[Group]:
    by_key: dict[str, list[ComparedRun]] = {}
    for run in runs:
        by_key.setdefault(_all_but_seed(run), []).append(run)
    names = [_group_name([run.name for run in group]) for group in by_key.values()]
    groups = []
    for name, members in zip(names, by_key.values(), strict=True):
        if names.count(name) > 1 and len(members) > 1:
            name = f"{members[0].name} and {len(members) - 1} more"
        groups.append(Group(name, members))
    return groups


def _all_but_seed(compared: ComparedRun) -> str:
    """Return what two runs of a group have in common, as text."""
    run = compared.run
    free = (PLACE, PACE)
    values = {
        name: value
        for name, value in run.values.items()
        if run.settings.setting(name).role not in free and name not in ("seed", "dataset")
    }
    stages = [stage.last for stage in run.settings.stages]
    data = [run.data.get("fingerprint"), run.data["image_shape"]]
    start = (run.start or {}).get("weights_digest")
    return json.dumps([values, stages, data, start, compared.step], sort_keys=True, default=str)


def _group_name(names: Sequence[str]) -> str:
    """Return a name for runs of these names: what they begin with, without number or seed.

    >>> _group_name(["vae-mnist-1", "vae-mnist-2"]), _group_name(["gan-seed-0", "gan-seed-1"])
    ('vae-mnist', 'gan')
    >>> _group_name(["first", "second"]), _group_name(["vae-1"])
    ('first and 1 more', 'vae-1')
    """
    if len(names) == 1:
        return names[0]
    alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    common = re.sub(r"[-_. ]*(seed)?[-_. ]*\d*$", "", "".join(letters[0] for letters in alike))
    return common.rstrip("/") or f"{names[0]} and {len(names) - 1} more"


def _settings(runs: Sequence[ComparedRun], chosen: dict[str, _Chosen]) -> dict[str, dict[str, str]]:
    """Return the settings that differ, and what else of the training does."""
    rows: dict[str, dict[str, str]] = {}

    def add(name: str, run: ComparedRun, value: Any) -> None:
        rows.setdefault(name, {})[run.name] = value_in_words(value)

    for run in runs:
        for name, value in run.run.values.items():
            if name not in _NOT_SHOWN:
                add(name, run, value)
    for run in runs:
        if run.run.start is not None:
            add("begun with the weights of", run, run.run.start["name"])
        for package, version in run.run.versions.items():
            add(f"version of {package}", run, version)
        for one in chosen.values():
            sampling = one.results.get(run.name, {}).get("protocol", {}).get("sampling")
            if sampling is not None:
                add("scored images made by", run, sampling)
    whole = {name: {run.name: row.get(run.name, "") for run in runs} for name, row in rows.items()}
    return {name: row for name, row in whole.items() if len(set(row.values())) > 1}


def value_in_words(value: Any) -> str:
    """Return the value of a setting as its flag takes it.

    >>> value_in_words([512, 256]), value_in_words(0.5)
    ('512,256', '0.5')
    """
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _of_other_data(runs: Sequence[ComparedRun]) -> list[str]:
    """Return a line that says which runs were trained on which data, if not all on the same."""
    by_data: dict[tuple, list[ComparedRun]] = {}
    for run in runs:
        by_data.setdefault(_data_of(run.run), []).append(run)
    if len(by_data) < 2:
        return []
    parts = []
    for members in by_data.values():
        data, settings = members[0].run.data, members[0].run.settings
        shape = "x".join(map(str, data["image_shape"]))
        place = Path(settings.dataset)
        name = place.name if place.is_absolute() else settings.dataset
        parts.append(
            f"{data['num_images']:,} images of {name}, split {settings.split}, at {shape} "
            f"({names_in_words([member.name for member in members])})"
        )
    return [
        f"the runs are of different data: {'; '.join(parts)}: losses and scores of different data "
        "say nothing of each other"
    ]


def _data_of(run: Run) -> tuple:
    return run.data.get("fingerprint"), *run.data["image_shape"]


def _of_one_seed(groups: Sequence[Group]) -> list[str]:
    """Return a line for each seed that several runs of a group have."""
    lines = []
    for group in groups:
        counted = {run.name for run in group.one_of_each_seed}
        for run in group.runs:
            if run.name not in counted:
                first = next(other for other in group.runs if other.seed == run.seed)
                lines.append(
                    f"{run.name} has the settings and the seed of {first.name}, and does not count "
                    "in means"
                )
    return lines


def names_in_words(names: Sequence[str]) -> str:
    """Return names in a line; of many, the first ones and how many more there are.

    >>> names_in_words(list("abcdef"))
    'a, b, c, d and 2 more'
    """
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
