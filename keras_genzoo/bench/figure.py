"""The figure of a bench: each score against the time of training."""

import math
from typing import TYPE_CHECKING, Any

from keras_genzoo.bench.entries import Entry
from keras_genzoo.bench.plan import Plan
from keras_genzoo.bench.summary import Summary
from keras_genzoo.evaluation.score import DOWN
from keras_genzoo.visualization.style import foot, new_figure, palette_colour, plain, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
REAL_IMAGES = "real images"
MARKERS = "osD^vP*X<>"
# Scores that are better if smaller and differ by more than this factor get a logarithmic axis.
WIDE = 20


def draw_bench(plan: Plan, summary: Summary) -> None:
    """Write ``bench.png`` and ``bench.svg``; nothing before a run has ended well.

    Raises:
        GenzooError: if a file cannot be written.
    """
    if any(
        _has_points(summary, entry, value) for entry in plan.entries for value in _values(summary)
    ):
        save_figure(bench_figure(plan, summary), plan.path / "bench")


def bench_figure(plan: Plan, summary: Summary) -> "Figure":
    """Return a panel for each score: its mean at the mean time, with both deviations.

    Runs that were scored several times are drawn as lines. A dotted line is what real images score.
    """
    values = _values(summary)
    columns = min(COLUMNS, len(values))
    rows = math.ceil(len(values) / columns)
    figure = new_figure(max(6.5, 4.4 * columns), 3.5 * rows + 1.2)
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat[len(values) :]:
        axes.set_axis_off()
    for axes, value in zip(panels.flat, values, strict=False):
        _panel(axes, plan, summary, value)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    # matplotlib puts plain lines first; the line of real images belongs last.
    order = sorted(range(len(labels)), key=lambda number: labels[number] == REAL_IMAGES)
    handles, labels = ([items[number] for number in order] for items in (handles, labels))
    place: dict[str, Any] = {"loc": "outside upper left", "ncols": columns, "frameon": False}
    figure.legend(handles, labels, fontsize=9, **place)
    foot(figure, _words_below(plan, summary))
    return figure


def _words_below(plan: Plan, summary: Summary) -> str:
    words = f"Each run: {plan.budget}."
    if len(plan.seeds) > 1:
        words += " Mean and sample standard deviation over the seeds that ended well."
    data = (summary.protocol or {}).get("real")
    return f"{words} Measured against {data}." if data else words


def _values(summary: Summary) -> list[str]:
    return list(summary.displays)


def _has_points(summary: Summary, entry: Entry, value: str) -> bool:
    return bool(summary.minutes(entry) and summary.score(entry, value))


def _panel(axes: "Axes", plan: Plan, summary: Summary, value: str) -> None:
    display, drawn = summary.displays[value], []
    unit, of_minutes = _unit_of_time(plan, summary)
    plain(axes, display.head())
    for number, entry in enumerate(plan.entries):
        runs = summary.ended_well(entry)
        words = f"{entry.name} ({len(runs)} of {len(plan.seeds)})"
        style: dict[str, Any] = {
            "color": palette_colour(number),
            "marker": MARKERS[number % len(MARKERS)],
        }
        # An empty line stands in the legend for an entry without a number.
        times, means, time_errors, errors = [], [], [], []
        for point in range(len(entry.scored_steps(plan.points)) if runs else 0):
            time, score = summary.minutes(entry, point), summary.score(entry, value, point)
            if time is None or score is None or not math.isfinite(score.mean):
                continue
            score = score.scaled(display.scale)
            times.append(time.mean * of_minutes)
            means.append(score.mean)
            time_errors.append((time.deviation or 0) * of_minutes)
            errors.append(score.deviation or 0)
        axes.errorbar(
            times, means, errors, time_errors, label=words, capsize=3, linewidth=1.3, **style
        )
        drawn += means
    real = summary.real_images.get(value)
    if real is not None:
        real *= display.scale
        axes.axhline(real, color="0.4", linestyle=":", linewidth=1.2, label=REAL_IMAGES)
        drawn.append(real)
    if display.better == DOWN and drawn and min(drawn) > 0 and max(drawn) > WIDE * min(drawn):
        axes.set_yscale("log")
    axes.set_xlabel(f"{unit} of training")
    axes.set_xlim(left=0)
    axes.grid(axis="y", color="0.92")


def _unit_of_time(plan: Plan, summary: Summary) -> tuple[str, float]:
    """Return the unit of time that suits the longest training, and the factor of minutes."""
    times = [summary.minutes(entry) for entry in plan.entries if summary.ended_well(entry)]
    longest = max((time.mean for time in times if time is not None), default=1)
    if longest < 2:
        return "seconds", 60
    return ("minutes", 1) if longest < 120 else ("hours", 1 / 60)
