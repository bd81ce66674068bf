"""The table of a bench as Markdown, ready for a page of documentation, and its numbers as CSV.

Numbers are scaled, as KID by 1,000, in the table alone.
"""

import csv
import math

from keras_genzoo.bench.entries import Entry
from keras_genzoo.bench.plan import Plan
from keras_genzoo.bench.summary import Summary
from keras_genzoo.evaluation.results import shared_protocol_rows
from keras_genzoo.evaluation.score import DOWN, UP
from keras_genzoo.evaluation.spread import Spread
from keras_genzoo.files import writing
from keras_genzoo.text import shown

# Parts of the protocol whose names say something else in this table.
_WORDS = {"column 'real images'": "row 'real images'"}


def write_tables(plan: Plan, summary: Summary) -> None:
    """Write ``bench.md`` and ``bench.csv``, each whole or not at all.

    Raises:
        GenzooError: if one cannot be written.
    """
    with writing(plan.path / "bench.md") as temporary:
        temporary.write_text(bench_table(plan, summary) + "\n", encoding="utf-8")
    with (
        writing(plan.path / "bench.csv") as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        rows = _numbers_of_runs(summary)
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def bench_table(plan: Plan, summary: Summary) -> str:
    """Return the table of a bench as Markdown, and below it how its numbers came about."""
    heads = ["recipe", "seeds", *(display.head() for display in summary.displays.values())]
    heads += ["ms a step", "minutes", "memory (MiB)", "parameters"]
    best = {value: _best(plan, summary, value) for value in summary.displays}
    rows = [_row(entry, summary, best) for entry in plan.entries]
    real = [_real(summary, value) for value in summary.displays]
    if any(real):
        rows.append(["real images", "", *real, "", "", "", ""])
    lines = [_line(heads), _line(["---", *["---:"] * (len(heads) - 1)]), *map(_line, rows), ""]
    lines += [f"- {shown(fact)}" for fact in _facts(plan, summary)]
    return "\n".join(lines)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(shown(cell).replace("|", "\\|") for cell in cells) + " |"


def _row(entry: Entry, summary: Summary, best: dict[str, Entry | None]) -> list[str]:
    runs = summary.of(entry)
    cells = [entry.name, f"{len(summary.ended_well(entry))} of {len(runs)}"]
    for value in summary.displays:
        cell = _words(summary.score(entry, value), summary.displays[value].scale)
        cells.append(f"**{cell}**" if best[value] is entry else cell)
    memory = summary.memory(entry)
    cells += [_words(summary.ms_a_step(entry)), _words(summary.minutes(entry))]
    return [*cells, f"{memory.mean:,.0f}" if memory else "", f"{entry.parameters:,}"]


def _words(spread: Spread | None, scale: float = 1) -> str:
    return "" if spread is None else spread.scaled(scale).in_words()


def _real(summary: Summary, value: str) -> str:
    if value not in summary.real_images:
        return ""
    return _words(Spread.of([summary.real_images[value]]), summary.displays[value].scale)


def _best(plan: Plan, summary: Summary, value: str) -> Entry | None:
    """Return the entry that has the best mean alone; None if there is none."""
    better = summary.displays[value].better
    means = {}
    for number, entry in enumerate(plan.entries):
        spread = summary.score(entry, value)
        if spread is not None and math.isfinite(spread.mean):
            means[number] = spread.mean
    if len(means) < 2 or better not in (UP, DOWN):
        return None
    best = (max if better == UP else min)(means, key=means.__getitem__)
    return plan.entries[best] if list(means.values()).count(means[best]) == 1 else None


def _facts(plan: Plan, summary: Summary) -> list[str]:
    """Return how the numbers came about, a sentence each."""
    seeds = ", ".join(map(str, plan.seeds))
    facts = [f"each run: {plan.budget}; seeds {seeds}; begun {plan.begun}"]
    if len(plan.seeds) > 1:
        facts.append(
            "mean ± sample standard deviation over the seeds that ended well, whose number stands "
            "in the column 'seeds'"
        )
    facts += [f"{run.name} did not end well: {run.stopped}" for run in summary.runs if run.stopped]
    facts += [f"{run.name} failed: {run.error}" for run in summary.runs if run.error]
    waiting = [run.name for run in summary.runs if not (run.ended_well or run.stopped or run.error)]
    if waiting:
        facts.append(f"not finished yet: {'; '.join(waiting)}")
    if summary.protocol is not None:
        rows = shared_protocol_rows(summary.protocol)
        facts += [f"{_WORDS.get(name, name)}: {value}" for name, value in rows]
    facts.append(
        "ms a step: of training, reading the data included; minutes: steps times that; compiling, "
        "checkpoints, sample grids and scoring are in neither"
    )
    facts.append(
        "memory: the peak of the process that trains, TensorFlow included; parameters: the trained "
        "weights of all networks"
    )
    if len({machine for machine, _ in summary.places}) > 1:
        facts.append("the runs were trained on different machines: do not compare their times")
    facts += [f"trained on {machine}; {versions}" for machine, versions in summary.places]
    return [*facts, *plan.notes, *(f"warning: {line}" for line in summary.warnings)]


def _numbers_of_runs(summary: Summary) -> list[dict]:
    """Return a row for each time that a run was scored, and one for a run that was not."""
    rows = []
    for run in summary.runs:
        state = "stopped" if run.stopped else "failed" if run.error else "unfinished"
        of_run = {
            "recipe": run.entry.name,
            "seed": run.seed,
            "state": "ended well" if run.ended_well else state,
            "ms_a_step": run.ms_a_step,
            "memory_bytes": run.memory,
            "parameters": run.entry.parameters,
        }
        points: list[tuple[int | None, dict[str, float | None]]] = [
            *zip(run.steps, run.values, strict=True)
        ] or [(None, {})]
        for step, values in points:
            place = {
                "step": step,
                "images": None if step is None else step * run.entry.settings.batch_size,
                "minutes": None if step is None else run.minutes(step),
            }
            rows.append(of_run | place | {name: values.get(name) for name in summary.displays})
    return rows
