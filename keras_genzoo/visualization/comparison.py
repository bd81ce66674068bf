"""``genzoo compare``: runs side by side as one HTML page; also as JSON and CSV."""

import html
import os
from collections.abc import Callable
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.comparison import Comparison, names_in_words
from keras_genzoo.evaluation.comparison_tables import (
    SPREAD_IN_WORDS,
    comparison_numbers,
    has_means,
    protocols,
    run_rows,
    score_rows,
    setting_rows,
    write_csv,
)
from keras_genzoo.files import write_json
from keras_genzoo.images import image_grid, readable_scale
from keras_genzoo.visualization.curves import History, columns_in_order, curves_over_each_other
from keras_genzoo.visualization.pages import drawn_figure, image_figure, table, write_page
from keras_genzoo.visualization.style import COLOURS, palette_colour

# Images that each model makes of the same noise.
COMPARED_SAMPLES = 10


def write_comparison(comparison: Comparison, out: str | os.PathLike) -> Path:
    """Write a comparison to a file: a page, all numbers, or a table of the runs.

    Args:
        comparison: what ``compare_runs`` gives, with ``columns=COMPARED_SAMPLES`` for a page.
        out: a file with a suffix in ``FORMATS``.

    Raises:
        GenzooError: if the suffix is another, or the file cannot be written.
    """
    out = Path(out)
    if out.suffix.lower() not in FORMATS:
        raise GenzooError(f"{out} has none of the suffixes {', '.join(FORMATS)}; add one")
    FORMATS[out.suffix.lower()](comparison, out)
    return out


def _write_page(comparison: Comparison, out: Path) -> None:
    names = [group.name for group in comparison.groups]
    parts = {
        "Runs": _runs,
        "Scores": _scores,
        "Settings that differ": _settings,
        "Samples": _samples,
        "Curves": _curves,
    }
    made = [(title, part(comparison)) for title, part in parts.items()]
    sections = [(title, content) for title, content in made if content]
    count = len(comparison.runs)
    sentence = f"{count} runs."
    if len(names) < count:
        sentence = f"{count} runs in {len(names)} columns: those of one differ by their seed only."
    title = f"Comparison of {names_in_words(names)}"
    head = f"<h1>{html.escape(title)}</h1><p>{html.escape(sentence)}</p>"
    write_page(out, title, head, sections)


def _runs(comparison: Comparison) -> str:
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in comparison.notes)
    return table(run_rows(comparison), head=True) + (f"<ul>{notes}</ul>" if notes else "")


def _scores(comparison: Comparison) -> str:
    if not comparison.displays:
        return "<p>No run has scores that can be shown.</p>"
    words = f"<p>{SPREAD_IN_WORDS.capitalize()}.</p>" if has_means(comparison) else ""
    measured = "".join(
        f"<details><summary>Measured with: {', '.join(names)}</summary>{table(rows)}</details>"
        for names, rows in protocols(comparison)
    )
    return table(score_rows(comparison), head=True) + words + measured


def _settings(comparison: Comparison) -> str:
    rows = setting_rows(comparison)
    return table(rows, head=True) if rows[1:] else "<p>None.</p>"


def _samples(comparison: Comparison) -> str:
    """Show a row of samples for each run; runs with noise of the same shape share theirs."""
    by_shape: dict[tuple[int, ...], list[str]] = {}
    for run in comparison.runs:
        if (made := run.samples) is None:
            continue
        row = image_grid(made.images, len(made.images), scale=readable_scale(made.images.shape[1]))
        words = f"{run.name}, seed {run.seed}" + (
            f"; classes {made.classes}" if made.classes else ""
        )
        by_shape.setdefault(made.latent_shape, []).append(image_figure(row, words))
    parts = []
    for shape, rows in by_shape.items():
        size = " x ".join(map(str, shape))
        words = f"Noise z of {size} numbers, random seed {comparison.seed}"
        if len(rows) > 1:
            words += "; each column is made of the same z"
        parts.append(f"<h3>{words}</h3>{''.join(rows)}")
    return f'<div class="rows">{"".join(parts)}</div>' if parts else ""


def _curves(comparison: Comparison) -> str:
    """Show the columns of the histories that several runs have, each in a figure."""
    runs = [run for run in comparison.runs if run.history]
    styles = {run.name: i for i, group in enumerate(comparison.groups) for run in group.runs}
    sizes = {run.name: run.run.settings.batch_size for run in runs}
    by_images = len(set(sizes.values())) > 1
    histories = []
    for run in runs:
        factor = sizes[run.name] if by_images else 1
        rows = [row | {"step": row["step"] * factor} for row in run.history]
        histories.append(History(rows, styles[run.name]))
    counts = columns_in_order([history.rows for history in histories])
    least = min(2, len(runs))
    shared = [name for name, count in counts.items() if count >= least]
    single = [name for name, count in counts.items() if count < least]
    over = "images seen" if by_images else "step"
    figures = [
        drawn_figure(curves_over_each_other(histories, name, over), f"{name} in history.csv")
        for name in shared
    ]
    words = ["Lines of one colour differ by their seed."] if has_means(comparison) else []
    if any(name.startswith("val_") for run in runs for row in run.history for name in row):
        words.append("Dotted: of held-out images.")
    words.append("A loss says something only beside that of the same model, loss and data.")
    if single:
        words.append(f"Of one run only, and not drawn: {', '.join(single)}.")
    if not figures:
        return f"<p>{html.escape(words[-1])}</p>" if single else ""
    drawn = [group for group in comparison.groups if any(run.history for run in group.runs)]
    key = " ".join(_key(styles[group.runs[0].name], group.name) for group in drawn)
    return (
        f"<p>{key}</p><p>{html.escape(' '.join(words))}</p>"
        f'<div class="grid">{"".join(figures)}</div>'
    )


def _key(style: int, name: str) -> str:
    """Return the name of a group beside a line in its style."""
    dashes = ("━━", "╍╍", "━╍")[style // len(COLOURS) % 3]
    line = f'<b style="color:{palette_colour(style)}">{dashes}</b>'
    return f'<span style="white-space:nowrap">{line} {html.escape(name)}</span>'


FORMATS: dict[str, Callable[[Comparison, Path], None]] = {
    ".html": _write_page,
    ".json": lambda comparison, out: write_json(out, comparison_numbers(comparison)),
    ".csv": write_csv,
}
