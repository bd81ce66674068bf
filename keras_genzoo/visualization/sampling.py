"""Figures of models with a solver: the path from noise to an image, quality against its cost."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.models import ImageModel
from keras_genzoo.visualization.style import (
    foot,
    grid_size,
    new_figure,
    palette_colour,
    plain,
    show_grid,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FRAMES = 9


def path_rows(model: ImageModel, seed: int = 0, rows: int = 8) -> "Figure":
    """Draw noise on its way to images, a row each; a conditional model takes the classes in turn.

    Args:
        model: a model that ``has_solver``.
        seed: random seed of the noise.
        rows: number of paths.
    """
    labels = np.resize(shown_classes(model.num_classes), rows) if model.needs_labels else None
    images = model.path(model.sample_latents(rows, seed), labels, FRAMES)
    images = images.reshape(-1, *images.shape[2:])
    width, height = grid_size(images, FRAMES)
    figure = new_figure(width + 0.2, height + 0.6)
    axes = figure.subplots()
    _, wide = show_grid(axes, images, FRAMES)
    axes.set_axis_on()
    times = [f"{time:.3g}" for time in np.linspace(0, 1, FRAMES)]
    axes.set_xticks((np.arange(FRAMES) + 0.5) * wide / FRAMES, times)
    axes.set_yticks([])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("time, from noise at 0 to the image at 1")
    return figure


def quality_curves(points: Sequence[dict[str, Any]], words: str) -> "Figure":
    """Draw the FID against the number of network calls, a line for each solver.

    Args:
        points: as ``evaluation.quality_by_calls`` measures them.
        words: what was measured with, below the figure.
    """
    from matplotlib.ticker import LogLocator

    figure = new_figure(6.5, 4.2)
    axes = plain(figure.subplots(), "FID against the network calls of an image")
    for index, solver in enumerate(dict.fromkeys(point["solver"] for point in points)):
        chosen = [point for point in points if point["solver"] == solver]
        axes.plot(
            [point["network_calls"] for point in chosen],
            [point["fid"] for point in chosen],
            color=palette_colour((0, 6, 3)[index % 3]),
            linestyle=("-", "--", ":")[index % 3],
            marker="o",
            label=solver,
        )
    axes.set(xscale="log", yscale="log", xlabel="network calls", ylabel="FID")
    calls = sorted({point["network_calls"] for point in points})
    axes.set_xticks(calls, [f"{number}" for number in calls])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend(frameon=False)
    foot(figure, words)
    return figure
