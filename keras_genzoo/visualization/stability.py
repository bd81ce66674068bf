"""The stability study as a figure and a table: which loss and which penalty end well, how often."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_genzoo.evaluation.plane_settings import LEARNING_RATES, WEIGHTS
from keras_genzoo.evaluation.stability import (
    BATCH_SIZE,
    GAUSSIANS,
    GOOD_SHARE,
    Case,
    study_stability,
)
from keras_genzoo.files import write_json, writing
from keras_genzoo.visualization.style import foot, head, new_figure, plain, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = "cividis"


def draw_stability(
    out: str | os.PathLike,
    seeds: int = 5,
    steps: int = 4000,
    seed: int = 0,
    echo: Callable[[str], None] = lambda line: None,
    *,
    losses: Sequence[str] | None = None,
    penalties: Sequence[str] | None = None,
) -> tuple[list[Case], list[Path]]:
    """Train GANs with each loss and penalty on Gaussians of the plane; draw which end well.

    The figure is written as PNG and SVG, the table as Markdown, and the numbers of each seed as
    JSON.

    Args:
        out: the file without suffix.
        seeds: GANs of each case.
        steps: updates of each network, a multiple of 100.
        seed: random seed of weights, noise and points.
        echo: called with a line for each case.
        losses: names in ``ADVERSARIAL_LOSSES``; by default all.
        penalties: names in ``PENALTIES`` and ``none``; by default all.

    Returns:
        the cases, and the files.

    Raises:
        GenzooError: if a number or a name is not usable, or a file cannot be written.
    """
    cases = study_stability(seeds, steps, seed, echo, losses=losses, penalties=penalties)
    protocol = {
        "seeds": seeds,
        "steps": steps,
        "seed": seed,
        "batch_size": BATCH_SIZE,
        "learning_rates": {"generator": LEARNING_RATES[0], "discriminator": LEARNING_RATES[1]},
        "penalty_weights": {
            name: WEIGHTS[name] for name in WEIGHTS if any(case.penalty == name for case in cases)
        },
        "quality_of_a_good_end": GOOD_SHARE,
    }
    *files, table, numbers = stability_places(out)
    save_figure(_figure(cases, protocol), Path(out))
    with writing(table) as temporary:
        temporary.write_text(stability_table(cases))
    summaries = [case.summary() for case in cases]
    write_json(numbers, {"protocol": protocol, "cases": summaries})
    return cases, [*files, table, numbers]


def stability_places(out: str | os.PathLike) -> list[Path]:
    """Return the files of the study: figure, table and numbers."""
    out = Path(out)
    return [out.with_name(f"{out.name}.{suffix}") for suffix in ("png", "svg", "md", "json")]


def stability_table(cases: Sequence[Case]) -> str:
    """Return the cases as a Markdown table, a row each; means over the seeds."""
    lines = [
        "| data | loss | penalty | end well | modes | fewest modes | quality | reverse KL |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        numbers = case.summary()
        reverse_kl = numbers["reverse_kl"]
        lines.append(
            f"| {case.data} | `{case.loss}` | `{case.penalty}` "
            f"| {case.well} of {len(case.outcomes)} | {numbers['modes']:.1f} "
            f"| {numbers['fewest_modes']} | {numbers['quality']:.0%} "
            f"| {'NaN' if reverse_kl is None else f'{reverse_kl:.3f}'} |"
        )
    return "\n".join(lines) + "\n"


def _figure(cases: Sequence[Case], protocol: dict[str, Any]) -> "Figure":
    losses = list(dict.fromkeys(case.loss for case in cases))
    penalties = list(dict.fromkeys(case.penalty for case in cases))
    # Wide and high enough for the legend of a study of few cases.
    width, height = max(2.4 + 1.25 * len(penalties), 5), max(1.2 + 0.75 * len(losses), 2.5)
    figure = new_figure(2 * width, height + 1.2)
    head(figure, "Share of random seeds with which a GAN keeps all modes, by loss and penalty")
    for axes, data in zip(figure.subplots(1, len(GAUSSIANS)), GAUSSIANS, strict=True):
        mine = {(case.loss, case.penalty): case for case in cases if case.data == data}
        _grid(axes, data, losses, penalties, mine)
    weights = ", ".join(f"{name} {WEIGHTS[name]:g}" for name in penalties if name in WEIGHTS)
    foot(
        figure,
        f"Ends well: all modes covered (each by a fifth of its share of points or more), and "
        f"{GOOD_SHARE:.0%} of the points or more within three deviations of a mode. In a field: "
        "seeds that end well; mean number of modes; mean share of points within three deviations. "
        f"{protocol['steps']:,} steps of Adam, learning rate {LEARNING_RATES[0]:g} for both "
        f"networks, falling to 0 along a cosine, batches of {BATCH_SIZE}; weights of the "
        f"penalties: {weights}. Grey: combinations without a meaning.",
    )
    return figure


def _grid(
    axes: "Axes",
    title: str,
    losses: Sequence[str],
    penalties: Sequence[str],
    cases: dict[tuple[str, str], Case],
) -> None:
    import numpy as np

    plain(axes, title)
    shares = np.full((len(losses), len(penalties)), np.nan)
    for (loss, penalty), case in cases.items():
        place = losses.index(loss), penalties.index(penalty)
        shares[place] = case.well / len(case.outcomes)
        numbers = case.summary()
        axes.text(
            *place[::-1],
            f"{case.well}/{len(case.outcomes)}\n"
            f"{numbers['modes']:.1f} modes, {numbers['quality']:.0%}",
            ha="center",
            va="center",
            fontsize=8,
            color="black" if shares[place] > 0.5 else "white",
        )
    # What is left out is no share of 0.
    axes.set_facecolor("0.9")
    image = axes.imshow(shares, cmap=COLOURS, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(penalties)), penalties)
    axes.set_yticks(range(len(losses)), losses)
    axes.set_xlabel("penalty")
    axes.figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02, label="share that ends well")
