"""Training curves out of a run's history."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.visualization.style import colour_of, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SCORES = ("real_score", "fake_score")
# Columns drawn together, the value that each tends to if training succeeds, and the title. That of
# the scores depends on the loss.
_PANELS = (
    (("loss", "reconstruction_loss"), None, "loss (nats an image)"),
    (("kl_loss",), None, "KL divergence (nats an image)"),
    (("discriminator_loss", "generator_loss"), None, "losses"),
    (_SCORES, None, "D(x) and D(G(z))"),
    (("jensen_shannon_estimate",), 0.0, "Jensen-Shannon estimate (nats)"),
)


def training_curves(rows: list[dict[str, Any]], optimum: float | None = None) -> "Figure":
    """Draw the rows of ``history.csv``: losses and scores over the steps.

    The losses of held-out images (``val_``) are drawn beside those of training, dotted.

    Args:
        rows: the rows.
        optimum: the score of real and of generated images at the optimum of the adversarial loss
            (``AdversarialLoss.optimum``); a line is drawn there. None draws none.

    Raises:
        GenzooError: if there are no rows, or none of the known columns.
    """
    if not rows:
        raise GenzooError("the history is empty: nothing has been trained yet")
    panels = [(_there(names, rows), *rest) for names, *rest in _panels(optimum)]
    panels = [panel for panel in panels if panel[0]]
    if not panels:
        raise GenzooError(f"the history has none of the known columns: {', '.join(rows[0])}")
    figure = new_figure(7, 2.6 * len(panels))
    for axes, (names, target, title) in zip(
        figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        plain(axes, title)
        for index, name in enumerate(names):
            # Colours of different lightness, and dashes for those who print in grey.
            style = {"color": colour_of((0, 6)[index]), "linestyle": ("-", "--")[index]}
            marker = "o" if len(rows) == 1 else None
            axes.plot(*_line(name, rows), linewidth=1.3, marker=marker, label=_words(name), **style)
            steps, values = _line(f"val_{name}", rows)
            if len(steps):
                style["linestyle"], label = ":", f"{_words(name)}, held out"
                axes.plot(steps, values, linewidth=1.6, marker=marker, label=label, **style)
        if target is not None:
            axes.axhline(target, color="0.6", linewidth=0.8, linestyle=":")
        if len(axes.get_legend_handles_labels()[0]) > 1:
            axes.legend(frameon=False, fontsize=9)
        axes.grid(axis="y", color="0.92")
    axes.set_xlabel("step")
    return figure


def _panels(optimum: float | None):
    for names, target, title in _PANELS:
        if names == _SCORES and optimum is not None:
            yield names, optimum, f"{title}: both {optimum:g} at the optimum"
        else:
            yield names, target, title


def _there(names: tuple[str, ...], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(name for name in names if name in rows[0])


def _line(name: str, rows: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps and values of a column; rows from before there was such have none."""
    points = [(row["step"], row[name]) for row in rows if name in row]
    steps, values = np.array(points, float).reshape(-1, 2).T
    return steps, values


def _words(name: str) -> str:
    scores = {"real_score": "D(x)", "fake_score": "D(G(z))"}
    return scores.get(name, name.replace("_", " "))
