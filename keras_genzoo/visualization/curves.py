"""Training curves from a run's history."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.visualization.style import COLOURS, new_figure, palette_colour, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Prefix of the columns of held-out losses.
HELD_OUT = "val_"
_SCORES = ("real_score", "fake_score")
# Columns drawn together, the value that each tends to if training succeeds, and the title. The
# value of the scores depends on the loss. Any other column gets a panel of its own.
_PANELS = (
    (("loss", "reconstruction_loss"), None, "loss (nats an image)"),
    (("kl_loss",), None, "KL divergence (nats an image)"),
    (("velocity_loss",), None, "mean squared error of the velocity"),
    (("codes_in_use", "perplexity"), None, "codes of an epoch"),
    (("prior_loss",), None, "prior of the codes: loss (nats an image)"),
    (("code_bits",), None, "prior of the codes (bits an image)"),
    (("discriminator_loss", "generator_loss"), None, "losses"),
    (_SCORES, None, "D(x) and D(G(z))"),
    (("jensen_shannon_estimate",), 0.0, "Jensen-Shannon estimate (nats)"),
    (("wasserstein_estimate",), 0.0, "estimate of the Wasserstein distance"),
    (("penalty",), 0.0, "penalty"),
    (("learning_rate",), None, "learning rate"),
    (("prior_learning_rate",), None, "learning rate of the prior"),
    (("generator_learning_rate", "discriminator_learning_rate"), None, "learning rates"),
)


class History(NamedTuple):
    """The rows of a run's history, and the number of the style of its lines."""

    rows: list[dict[str, Any]]
    style: int


def training_curves(rows: list[dict[str, Any]], optimum: float | None = None) -> "Figure":
    """Draw the rows of ``history.csv``: losses and scores over the steps.

    Columns ``val_*`` are held-out losses, drawn as dotted lines in the panel of the training loss.
    Empty and NaN values are left out. Columns that this package does not know, such as the losses
    of a person's own model, get a panel each.

    Args:
        rows: the rows.
        optimum: the score of real and of generated images at the optimum of the adversarial loss
            (``AdversarialLoss.optimum``), which is drawn as a line; None for no line.

    Raises:
        GenzooError: if there are no rows, or no column with a number besides the step.
    """
    if not rows:
        raise GenzooError("the history is empty: nothing has been trained yet")
    panels = [
        (filled, target, title)
        for names, target, title in _panels(rows, optimum)
        if (filled := _filled(names, rows))
    ]
    if not panels:
        raise GenzooError(f"the history has no numbers to draw: {', '.join(rows[0])}")
    figure = new_figure(7.5, 2.8 * len(panels))
    for axes, (names, target, title) in zip(
        figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        plain(axes, title)
        for index, name in enumerate(names):
            # Colours of different lightness and dashes stay distinct in a grey print.
            style = {"color": palette_colour((0, 6)[index]), "linestyle": ("-", "--")[index]}
            _line(axes, rows, name, _label(name), linewidth=1.3, **style)
            held_out = style | {"linestyle": ":", "linewidth": 2}
            _line(axes, rows, f"{HELD_OUT}{name}", f"{_label(name)}, held out", **held_out)
        if target is not None:
            axes.axhline(target, color="0.6", linewidth=0.8, linestyle=":")
        if len(axes.get_legend_handles_labels()[1]) > 1:
            # Above the axes, where it hides no line and leaves them the width of the figure.
            place = {"loc": "lower right", "bbox_to_anchor": (1, 1.01), "borderaxespad": 0}
            axes.legend(ncols=2, frameon=False, fontsize=9, **place)
        axes.grid(axis="y", color="0.92")
    axes.set_xlabel("step")
    return figure


def curves_over_each_other(histories: Sequence[History], column: str, x_label: str) -> "Figure":
    """Draw one column of several histories over each other.

    Values on held-out images (``val_*``) are dotted lines of the same colour. Empty and NaN values
    are left out.

    Args:
        histories: the runs, at least one with a number in the column.
        column: its name, without ``val_``.
        x_label: what the runs are drawn over.
    """
    figure = new_figure(5.6, 3.2)
    axes = plain(figure.subplots(), column_title(column))
    for rows, style in histories:
        dashes = ("-", "--", "-.")[style // len(COLOURS) % 3]
        line = {"color": palette_colour(style), "linestyle": dashes, "linewidth": 1.2, "alpha": 0.9}
        _line(axes, rows, column, "", **line)
        _line(axes, rows, f"{HELD_OUT}{column}", "", **line | {"linestyle": ":", "linewidth": 1.8})
    axes.grid(axis="y", color="0.92")
    axes.set_xlabel(x_label)
    return figure


def column_title(name: str) -> str:
    """Return the title of a panel with one column of a history.

    >>> column_title("kl_loss"), column_title("fake_score")
    ('KL divergence (nats an image)', 'D(G(z))')
    """
    titles = {names: title for names, _, title in _PANELS}
    return titles.get((name,), _label(name))


def columns_in_order(histories: Sequence[list[dict[str, Any]]]) -> dict[str, int]:
    """Return the columns that have numbers, each with how many of the histories have such.

    Held-out losses count as the loss that they are of; the order is that of ``training_curves``.
    """
    order = [name for names, *_ in _PANELS for name in names]
    counts: dict[str, int] = {}
    for rows in histories:
        names = dict.fromkeys(name for row in rows for name in row)
        filled = {name.removeprefix(HELD_OUT) for name in _filled(tuple(names), rows)}
        for name in filled - {"step"}:
            counts[name] = counts.get(name, 0) + 1
    known = {name: place for place, name in enumerate(order)}
    return dict(sorted(counts.items(), key=lambda item: (known.get(item[0], len(order)), item[0])))


def _line(axes: "Axes", rows: list[dict[str, Any]], name: str, label: str, **style: Any) -> None:
    """Draw a column of the history over the steps, if it has numbers."""
    steps, values = _points(rows, name)
    if len(values):
        marker = "o" if len(values) == 1 else None
        axes.plot(steps, values, label=label, marker=marker, **style)


def _points(rows: list[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps at which a column has a finite number, and the numbers.

    >>> _points([{"step": 1, "loss": ""}, {"step": 2, "loss": 0.5}, {"step": 3}], "loss")
    (array([2]), array([0.5]))
    """
    steps = np.array([row["step"] for row in rows])
    cells = [row.get(name) for row in rows]
    values = np.array([np.nan if cell in (None, "") else float(cell) for cell in cells])
    finite = np.isfinite(values)
    return steps[finite], values[finite]


def _panels(
    rows: list[dict[str, Any]], optimum: float | None
) -> Iterator[tuple[tuple[str, ...], float | None, str]]:
    """Yield (columns, target, title) of the known panels, and of one for each other column."""
    for names, target, title in _PANELS:
        if names == _SCORES and optimum is not None:
            yield names, optimum, f"{title}: both {optimum:g} at the optimum"
        else:
            yield names, target, title
    known = {"step", *(name for names, *_ in _PANELS for name in names)}
    columns = dict.fromkeys(name.removeprefix(HELD_OUT) for row in rows for name in row)
    for name in columns:
        if name not in known:
            yield (name,), None, _label(name)


def _filled(names: tuple[str, ...], rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return the names of the columns that have a number."""
    return tuple(name for name in names if len(_points(rows, name)[1]))


def _label(name: str) -> str:
    symbols = {"real_score": "D(x)", "fake_score": "D(G(z))", "kl_loss": "KL divergence"}
    return symbols.get(name, name.replace("_", " "))
