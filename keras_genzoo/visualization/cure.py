"""Mode collapse while it happens, and the same GAN at other learning rates, which prevent it."""

from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.evaluation.theory import Mixture, TrainedGAN
from keras_genzoo.visualization.style import GENERATED, head, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

COLUMNS = 6


def cure_figure(data: Mixture, gans: dict[str, TrainedGAN]) -> "Figure":
    """Return the generated points during training, a row for each GAN.

    Args:
        data: what they were trained on.
        gans: by their description; all are shown at the same steps.
    """
    figure = new_figure(2.3 * COLUMNS, 2.75 * len(gans) + 0.5)
    head(
        figure,
        "Mode collapse, and the same GAN cured: its discriminator learns faster (1706.08500)",
    )
    rows = figure.subfigures(len(gans), 1, squeeze=False)
    for row, (name, gan) in zip(rows.flat, gans.items(), strict=True):
        outcome = f"{gan.covered} of {len(data.means)} modes"
        jumps = f"JS {gan.divergence_before:.2f} → {gan.divergence:.2f}"
        row.suptitle(f"{name}: {outcome}, {jumps}", x=0.01, ha="left", fontsize=11)
        chosen = shown_snapshots(len(gan.snapshots))
        for axes, index in zip(row.subplots(1, COLUMNS).flat, chosen, strict=False):
            step, points = gan.snapshots[index]
            plain(axes)
            axes.set_title(f"step {step:,}: {data.covered(points)} modes", fontsize=9)
            # Circles of two deviations around the components.
            for mean in data.means:
                axes.add_patch(_circle(mean, 2 * data.deviation))
            axes.scatter(*points.T, s=2, color=GENERATED, alpha=0.35, linewidths=0, rasterized=True)
            axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal", xticks=[], yticks=[])
        for axes in row.axes[len(chosen) :]:
            axes.set_axis_off()
    return figure


def shown_snapshots(count: int) -> list[int]:
    """Return which of ``count`` snapshots are shown: the first ones are closer together.

    >>> shown_snapshots(41), shown_snapshots(2)
    ([0, 1, 3, 6, 16, 40], [0, 1])
    """
    later = np.geomspace(1, max(count - 1, 1), COLUMNS - 1).round().astype(int)
    return [0, *sorted({int(index) for index in later})][:count]


def _circle(middle: np.ndarray, radius: float) -> "Patch":
    from matplotlib.patches import Circle

    return Circle(tuple(middle), radius, fill=False, linewidth=0.8)
