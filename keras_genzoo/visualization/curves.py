"""Training curves out of a run's history."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.visualization.style import colour_of, new_figure, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What the names of the columns of held-out images begin with.
HELD_OUT = "val_"
_SCORES = ("real_score", "fake_score")
# Columns drawn together, the value that each tends to if training succeeds, and the title. That of
# the scores depends on the loss.
_PANELS = (
    (("loss", "reconstruction_loss"), None, "loss (nats an image)"),
    (("kl_loss",), None, "KL divergence (nats an image)"),
    (("discriminator_loss", "generator_loss"), None, "losses"),
    (_SCORES, None, "D(x) and D(G(z))"),
    (("jensen_shannon_estimate",), 0.0, "Jensen-Shannon estimate (nats)"),
    (("wasserstein_estimate",), 0.0, "estimate of the Wasserstein distance"),
    (("penalty",), 0.0, "penalty"),
    (("learning_rate",), None, "learning rate"),
    (("generator_learning_rate", "discriminator_learning_rate"), None, "learning rates"),
)


def training_curves(rows: list[dict[str, Any]], optimum: float | None = None) -> "Figure":
    """Draw the rows of ``history.csv``: losses and scores over the steps.

    Columns ``val_*`` are drawn beside those of training as held out, dotted; what is empty or NaN
    is left out.

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
    figure = new_figure(8.5, 2.6 * len(panels))
    for axes, (names, target, title) in zip(
        figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        plain(axes, title)
        for index, name in enumerate(names):
            # Colours of different lightness, and dashes for those who print in grey.
            style = {"color": colour_of((0, 6)[index]), "linestyle": ("-", "--")[index]}
            _line(axes, rows, name, _words(name), linewidth=1.3, **style)
            held_out = style | {"linestyle": ":", "linewidth": 2}
            _line(axes, rows, f"{HELD_OUT}{name}", f"{_words(name)}, held out", **held_out)
        if target is not None:
            axes.axhline(target, color="0.6", linewidth=0.8, linestyle=":")
        if len(axes.get_legend_handles_labels()[1]) > 1:
            # Beside the axes, where no line can run below it.
            place = {"loc": "center left", "bbox_to_anchor": (1, 0.5)}
            axes.legend(frameon=False, fontsize=9, **place)
        axes.grid(axis="y", color="0.92")
    axes.set_xlabel("step")
    return figure


def _line(axes, rows: list[dict[str, Any]], name: str, label: str, **style) -> None:
    """Draw a column of the history over the steps, if it is there."""
    steps, values = _points(rows, name)
    if len(values):
        marker = "o" if len(values) == 1 else None
        axes.plot(steps, values, label=label, marker=marker, **style)


def _points(rows: list[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps at which a column has a number, and the numbers.

    >>> _points([{"step": 1, "loss": ""}, {"step": 2, "loss": 0.5}, {"step": 3}], "loss")
    (array([2]), array([0.5]))
    """
    steps = np.array([row["step"] for row in rows])
    cells = [row.get(name) for row in rows]
    values = np.array([np.nan if cell in (None, "") else float(cell) for cell in cells])
    finite = np.isfinite(values)
    return steps[finite], values[finite]


def _panels(optimum: float | None):
    for names, target, title in _PANELS:
        if names == _SCORES and optimum is not None:
            yield names, optimum, f"{title}: both {optimum:g} at the optimum"
        else:
            yield names, target, title


def _there(names: tuple[str, ...], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(name for name in names if len(_points(rows, name)[1]))


def _words(name: str) -> str:
    symbols = {"real_score": "D(x)", "fake_score": "D(G(z))", "kl_loss": "KL divergence"}
    return symbols.get(name, name.replace("_", " "))
