"""A comparison of runs as tables of words, as lines of a terminal, and as numbers for files."""

import csv
import os
from collections.abc import Sequence
from typing import Any

from keras_genzoo.evaluation.comparison import Comparison, Group
from keras_genzoo.evaluation.display import MISSING, value_at
from keras_genzoo.evaluation.results import shared_protocol_rows
from keras_genzoo.evaluation.score import SCORES
from keras_genzoo.evaluation.spread import Spread
from keras_genzoo.files import writing
from keras_genzoo.text import shown

Row = tuple[str, ...]
NONE = "-"
SPREAD_IN_WORDS = "mean ± sample standard deviation over the seeds"
# Shown with the settings of each run, since models have their own.
_OF_MODELS = "images made by"


def run_rows(comparison: Comparison) -> list[Row]:
    """Return a head and a row for each group: its runs, their data, seeds and steps."""
    rows: list[Row] = [("runs", "model and data", "seeds", "steps")]
    for group in comparison.groups:
        run, settings = group.runs[0], group.runs[0].run.settings
        step = "none" if run.step is None else f"{run.step:,}"
        unfinished = run.step is None or run.step < settings.total_steps
        step += f" of {settings.total_steps:,}" if unfinished and run.run.preset is None else ""
        seeds = ", ".join(map(str, group.seeds))
        rows.append((group.name, run.run.subject, seeds, step))
    return rows


def setting_rows(comparison: Comparison) -> list[Row]:
    """Return a head and a row for each setting that differs, with a column for each group."""
    rows = [("setting", *(group.name for group in comparison.groups))]
    for name, values in comparison.settings.items():
        cells = [_distinct(values, group) for group in comparison.groups]
        rows.append((name, *cells))
    return rows


def _distinct(values: dict[str, str], group: Group) -> str:
    return " / ".join(dict.fromkeys(values[run.name] or NONE for run in group.runs))


def score_rows(comparison: Comparison) -> list[Row]:
    """Return a head and a row for each score, with a column for each group and for real images."""
    real = comparison.real_images
    heads = [group.name for group in comparison.groups] + (["real images"] if real else [])
    rows = [("score", *heads)]
    for path, display in comparison.displays.items():
        cells = [_score(comparison, group, path) for group in comparison.groups]
        if real:
            floor = Spread.of([real[path]]) if path in real else None
            cells.append(floor.scaled(display.scale).in_words() if floor else NONE)
        rows.append((display.head(), *cells))
    return rows


def _score(comparison: Comparison, group: Group, path: str) -> str:
    spread = comparison.score(group, path)
    if spread is None:
        return NONE
    words = spread.scaled(comparison.displays[path].scale).in_words()
    seeds = len(group.one_of_each_seed)
    return words if spread.count == seeds else f"{words} ({spread.count} of {seeds} seeds)"


def protocols(comparison: Comparison) -> list[tuple[list[str], list[tuple[str, str]]]]:
    """Return what scores were measured with: their names, and the rows of the protocol."""
    found: dict[tuple, list[str]] = {}
    for name, result in comparison.references.items():
        rows = [row for row in shared_protocol_rows(result["protocol"]) if row[0] != _OF_MODELS]
        for path, display in SCORES[name].gives.items():
            value = value_at(result["scores"], path)
            if display is not None and display.of_protocol and value is not MISSING:
                rows.append((display.head(), str(value)))
        found.setdefault(tuple(rows), []).append(name)
    return [(names, list(rows)) for rows, names in found.items()]


def has_means(comparison: Comparison) -> bool:
    """Whether a group has several seeds, so that its scores are means."""
    return any(len(group.one_of_each_seed) > 1 for group in comparison.groups)


def comparison_text(comparison: Comparison, width: int = 100) -> str:
    """Return a comparison as lines of text: runs, settings that differ, scores, notes.

    Args:
        comparison: the comparison.
        width: columns of the terminal; a wider table is cut into several, between its columns.
    """
    lines = _aligned(run_rows(comparison), width)
    settings = setting_rows(comparison)
    lines += ["", *(_aligned(settings, width) if settings[1:] else ["no setting differs"])]
    if comparison.displays:
        lines += ["", *_aligned(score_rows(comparison), width)]
        if has_means(comparison):
            lines.append(SPREAD_IN_WORDS)
    for names, rows in protocols(comparison):
        lines += ["", f"{', '.join(names)}: measured with"]
        lines += [f"  {name}: {value}" for name, value in rows]
    if comparison.notes:
        lines += ["", *(f"- {note}" for note in comparison.notes)]
    return "\n".join(shown(line.rstrip()) for line in lines)


def _aligned(rows: Sequence[Row], width: int) -> list[str]:
    """Return rows as lines with aligned columns; too many columns become tables below each other.

    >>> for line in _aligned([("", "a", "b"), ("x", "12", "345")], width=6): print(line)
       a
    x  12
    <BLANKLINE>
       b
    x  345
    """
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines: list[str] = []
    first = 1
    while first < len(sizes):
        last = first + 1
        while (
            last < len(sizes)
            and sizes[0] + sum(2 + size for size in sizes[first : last + 1]) <= width
        ):
            last += 1
        chosen = [0, *range(first, last)]
        lines += [""] if lines else []
        lines += ["  ".join(row[i].ljust(sizes[i]) for i in chosen).rstrip() for row in rows]
        first = last
    return lines


def comparison_numbers(comparison: Comparison) -> dict[str, Any]:
    """Return all numbers of a comparison, ready for JSON: each as it is in the results."""
    groups = comparison.groups
    protocols = {name: result["protocol"] for name, result in comparison.references.items()}
    return {
        "runs": [
            {
                "name": run.name,
                "path": shown(run.run.path),
                "group": group.name,
                "seed": run.seed,
                "step": run.step,
                "weights_digest": run.digest,
                "settings": run.run.values,
                "scores": comparison.values[run.name],
            }
            for group in groups
            for run in group.runs
        ],
        "groups": [
            {
                "name": group.name,
                "runs": [run.name for run in group.runs],
                "seeds": group.seeds,
                "scores": {
                    path: spread.as_dict()
                    for path in comparison.displays
                    if (spread := comparison.score(group, path)) is not None
                },
            }
            for group in groups
        ],
        "differing_settings": comparison.settings,
        "protocols": protocols,
        "real_images": comparison.real_images,
        "not_compared": [
            {"run": one.run.name, "scores": one.scores, "differences": one.differences}
            for one in comparison.left_out
        ],
        "notes": comparison.notes,
    }


def write_csv(comparison: Comparison, path: str | os.PathLike) -> None:
    """Write a row for each run: settings that differ, and the scores that may be compared.

    Raises:
        GenzooError: if the file cannot be written.
    """
    of_run = ["run", "path", "group", "seed", "step"]
    names = [name for name in comparison.settings if name not in of_run]
    with writing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=[*of_run, *names, *comparison.displays])
        writer.writeheader()
        for group in comparison.groups:
            for run in group.runs:
                place = (run.name, shown(run.run.path), group.name, run.seed, run.step)
                row = dict(zip(of_run, place, strict=True))
                row |= {name: comparison.settings[name][run.name] for name in names}
                writer.writerow(row | comparison.values[run.name])
