"""Latent maps: the codes of real images (thesis, figures 3.2 and 4.2), and what codes decode to."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.visualization.style import new_figure, palette_colour, plain, show_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# The side of the magnified axes, as a share of the axes around them.
INSET = 0.44


class Codes(NamedTuple):
    """The codes of some images in two dimensions.

    Args:
        title: the title of their panel.
        points: ``(n, 2)``.
        labels: classes ``(n,)``, or None.
        axes: the labels of the two axes.
    """

    title: str
    points: np.ndarray
    labels: np.ndarray | None
    axes: tuple[str, str] = ("z₁", "z₂")


def why_no_map(model: ImageModel, num_images: int) -> str | None:
    """Return why the codes of so many images cannot be drawn in two dimensions, None if they can.

    Args:
        model: a model with an encoder.
        num_images: how many images there are.
    """
    size = math.prod(model.latent_shape)
    if size < 2:
        return "a map needs codes of two dimensions or more; this model has one"
    if size > 2 and num_images < 2:
        return f"main components of codes need 2 images or more, not {num_images}"
    return None


def why_no_manifold(model: ImageModel) -> str | None:
    """Return why what a latent space decodes to cannot be drawn in a plane, None if it can."""
    shape = tuple(model.latent_shape)
    if shape == (2,):
        return None
    return f"it shows a latent space of 2 dimensions; this model has {_shape_in_words(shape)}"


def codes_in_2d(
    model: ImageModel, images: np.ndarray, labels: np.ndarray | None, title: str
) -> Codes:
    """Return the codes of images in two dimensions.

    These are the codes themselves, or their first two principal components if they have more
    dimensions. Codes that are not vectors, such as a grid of codes, are flattened first.

    Args:
        model: a model with an encoder.
        images: uint8 ``(n, height, width, channels)``.
        labels: classes ``(n,)``, or None.
        title: the title of the panel.

    Raises:
        GenzooError: if a code is a single number, or principal components are asked of one image.
    """
    if reason := why_no_map(model, len(images)):
        raise GenzooError(reason)
    codes = np.asarray(model.code(model.encode(images)))
    points = codes.reshape(len(codes), -1)
    if points.shape[1] == 2:
        return Codes(title, points, labels)
    from sklearn.decomposition import PCA

    pca = PCA(2, random_state=0)
    points = pca.fit_transform(points)
    words = _shape_in_words(codes.shape[1:])
    first, second = [
        f"main component {i + 1} of {words} ({share:.0%} of the variance)"
        for i, share in enumerate(pca.explained_variance_ratio_)
    ]
    return Codes(title, points, labels, (first, second))


def _shape_in_words(shape: tuple[int, ...]) -> str:
    """Return the shape of a code in words.

    >>> _shape_in_words((10,)), _shape_in_words((7, 7, 64))
    ('10', '7x7x64')
    """
    return "x".join(map(str, shape))


def latent_map(panels: Sequence[Codes], class_names: Sequence[str] | None = None) -> "Figure":
    """Draw the codes of one or several models side by side, all with the same axes.

    Each class has a colour. Its name is written at the median of its codes; a name that would hide
    another is moved away and joined to its median by a line. If there are more than 20 classes, 20
    evenly spread ones are named. The dashed circles of radius 1, 2 and 3 contain 39, 86 and 99 % of
    N(0, I) in two dimensions. If the codes fill less than a third of the axes, that part is framed
    and drawn a second time, magnified.

    Raises:
        GenzooError: if there is no panel.
    """
    if not panels:
        raise GenzooError("a latent map needs at least one model")
    low, high = _limits(panels)
    width, height = 5 * (high - low) / max(high - low)
    figure = new_figure(width * len(panels) + 1, height + 1.3)
    unit = max(high - low) / 5
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, panel in zip(all_axes, panels, strict=True):
        plain(axes, panel.title)
        axes.set(xlabel=panel.axes[0], ylabel=panel.axes[1], aspect="equal")
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        outside = int(((panel.points < low) | (panel.points > high)).any(axis=1).sum())
        if outside:
            note = f"{outside:,} of {len(panel.points):,} outside"
            axes.text(0.99, 0.01, note, transform=axes.transAxes, ha="right", fontsize=8)
        own_low, own_high = _limits([panel])
        if max(own_high - own_low) < max(high - low) / 3:
            # Too small to see: draw this part a second time, magnified.
            _scatter(axes, panel)
            own_unit = max((own_high - own_low) / (INSET * np.array([width, height])))
            axes = _magnified(axes, panel, (low, high), (own_low, own_high), unit / own_unit)
            _scatter(axes, panel)
            _name_classes(axes, panel, class_names, own_unit)
        else:
            _scatter(axes, panel)
            _name_classes(axes, panel, class_names, unit)
    words = "N(0, I): 39, 86 and 99 % of it lie inside the circles of radius 1, 2 and 3"
    figure.legend(
        all_axes[0].lines[1:2], [words], loc="outside lower left", frameon=False, fontsize=9
    )
    return figure


def _magnified(
    axes: "Axes",
    panel: Codes,
    limits: tuple[np.ndarray, np.ndarray],
    own_limits: tuple[np.ndarray, np.ndarray],
    factor: float,
) -> "Axes":
    """Return inset axes for the part of ``axes`` that the codes fill, which is framed there.

    The inset has no tick labels, since they could be taken for those of the outer axes; the circles
    show the scale.
    """
    (own_low, own_high), corner = own_limits, _far_corner(panel, *limits)
    left, bottom = corner
    inset = axes.inset_axes((left, bottom, INSET, INSET), aspect="equal")
    inset.set(xlim=(own_low[0], own_high[0]), ylim=(own_low[1], own_high[1]), xticks=[], yticks=[])
    inset.set_title(f"magnified {factor:.0f} times", fontsize=9)
    axes.indicate_inset_zoom(inset, edgecolor="0.2", alpha=1)
    return inset


def _limits(panels: Sequence[Codes]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower left and upper right corner around N(0, I) and all codes but outliers."""
    # One outlier must not shrink the other codes to a point.
    corners = [np.quantile(panel.points, [0.001, 0.999], axis=0) for panel in panels]
    low = np.minimum(np.min([corner[0] for corner in corners], axis=0), -3.2)
    high = np.maximum(np.max([corner[1] for corner in corners], axis=0), 3.2)
    margin = 0.04 * max(high - low)
    return low - margin, high + margin


def _far_corner(panel: Codes, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return the lower left corner of inset axes in the corner that is farthest from the codes."""
    middle = (np.median(panel.points, axis=0) - low) / (high - low)
    corners = [(x, y) for x in (0.01, 0.99 - INSET) for y in (0.04, 0.94 - INSET)]
    return max(corners, key=lambda corner: np.hypot(*(np.add(corner, INSET / 2) - middle)))


def _scatter(axes: "Axes", panel: Codes) -> None:
    """Draw the codes, and the circles of N(0, I)."""
    colours: str | list[str] = palette_colour(0)
    if panel.labels is not None:
        # One call for all classes, in the order of the images, so that no class hides the others.
        colours = [palette_colour(int(label)) for label in panel.labels]
    size = float(np.clip(20_000 / len(panel.points), 2, 12))
    style: dict[str, Any] = {"s": size, "linewidths": 0, "alpha": 0.6, "rasterized": True}
    axes.scatter(panel.points[:, 0], panel.points[:, 1], c=colours, **style)
    angle = np.linspace(0, 2 * np.pi, 200)
    for radius in (1, 2, 3):
        circle = radius * np.cos(angle), radius * np.sin(angle)
        # A white line below makes the circle visible among dots of any colour.
        axes.plot(*circle, color="white", linewidth=2, alpha=0.6, zorder=3)
        axes.plot(*circle, "--", color="0.1", linewidth=0.9, zorder=3)


def _name_classes(
    axes: "Axes", panel: Codes, class_names: Sequence[str] | None, unit: float
) -> None:
    """Write the names of classes at the medians of their codes, without overlaps.

    Args:
        axes: the axes to write on.
        panel: the codes.
        class_names: the names by number; None writes the numbers.
        unit: length of an inch in the units of the axes.
    """
    present = [] if panel.labels is None else np.unique(panel.labels).tolist()
    labels = [present[number] for number in shown_classes(len(present))]
    if not labels:
        return
    names = [shown(class_names[label]) if class_names else str(label) for label in labels]
    medians = np.array([np.median(panel.points[panel.labels == label], axis=0) for label in labels])
    # Width and height of a name in 9 points: so many inches times the length of an inch.
    sizes = unit * np.array([(0.085 * len(name) + 0.08, 0.2) for name in names])
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    places = spread_apart(medians, sizes, low, high)
    for label, name, median, place in zip(labels, names, medians, places, strict=True):
        colour = palette_colour(int(label))
        if np.abs(place - median).max() > 0.1 * unit:
            axes.plot(*np.transpose([median, place]), color=colour, linewidth=1, zorder=3.5)
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": colour, "lw": 1.2}
        style: dict[str, Any] = {"fontsize": 9, "bbox": box, "zorder": 4, "parse_math": False}
        x, y = place
        axes.text(x, y, name, ha="center", va="center", **style)


def spread_apart(
    middles: np.ndarray, sizes: np.ndarray, low: np.ndarray, high: np.ndarray, rounds: int = 300
) -> np.ndarray:
    """Return the centres of boxes after moving them apart until no two overlap.

    Two overlapping boxes are moved by half of the overlap each, along the axis on which it is
    smaller. This is repeated until no boxes overlap, or for ``rounds`` rounds.

    Args:
        middles: centres of the boxes, ``(n, 2)``.
        sizes: widths and heights, ``(n, 2)``.
        low: lower left corner of the area that all boxes stay in.
        high: its upper right corner.
        rounds: number of rounds at most.

    >>> sizes, corner = np.ones((2, 2)), np.full(2, 9.0)
    >>> spread_apart(np.array([[0, 0], [0, 0.5]]), sizes, -corner, corner).tolist()
    [[0.0, -0.25], [0.0, 0.75]]
    """
    middles = np.array(middles, float)
    for _ in range(rounds):
        moved = False
        for i in range(len(middles)):
            for j in range(i):
                apart = middles[i] - middles[j]
                overlap = (sizes[i] + sizes[j]) / 2 - abs(apart)
                if (overlap > 1e-9 * sizes[i]).all():
                    axis = int(np.argmin(overlap))
                    push = overlap[axis] / 2 * (1 if apart[axis] >= 0 else -1)
                    middles[i, axis] += push
                    middles[j, axis] -= push
                    moved = True
        middles = np.clip(middles, low + sizes / 2, high - sizes / 2)
        if not moved:
            break
    return middles


def latent_manifold(model: ImageModel, codes: np.ndarray, side: int = 20) -> "Figure":
    """Draw the images that a grid of points in a two-dimensional latent space decodes to.

    If the model has a prior, the grid is that of the quantiles of N(0, I) (1312.6114, figure 4), so
    that each image stands for the same probability. Otherwise it spans the middle 98 % of the
    codes.

    Args:
        model: a model with an encoder and two latent dimensions.
        codes: codes of real images, ``(n, 2)``.
        side: images in a row.

    Raises:
        GenzooError: if the latent space has another shape.
    """
    if reason := why_no_manifold(model):
        raise GenzooError(f"no latent manifold: {reason}")
    if model.has_prior:
        from statistics import NormalDist

        steps = [NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)]
        first, second = np.array(steps), np.array(steps)
        title = "decoded quantiles of N(0, I)"
    else:
        low, high = np.quantile(codes, [0.01, 0.99], axis=0)
        first, second = (np.linspace(low[i], high[i], side) for i in (0, 1))
        title = "decoded grid over the middle 98 % of the codes"
    of_class = {}
    if model.needs_labels:
        of_class["class_labels"] = 0
        title = f"{title}, all of the first class"
    # The second coordinate points upwards as in the map, so it decreases from row to row.
    z = np.stack(np.meshgrid(first, second[::-1]), axis=-1).reshape(-1, 2)
    figure = new_figure(7, 7.2)
    axes = figure.subplots()
    height, width = show_grid(axes, model.decode(z, **of_class), side, title)
    axes.set_axis_on()
    marked = np.unique(np.linspace(0, side - 1, 7).round().astype(int))
    middles = (marked + 0.5) / side
    axes.set_xticks(middles * width, _in_words(first[marked]), fontsize=9)
    axes.set_yticks(middles * height, _in_words(second[::-1][marked]), fontsize=9)
    axes.set(xlabel="z₁", ylabel="z₂")
    axes.spines[:].set_visible(False)
    return figure


def _in_words(values: np.ndarray) -> list[str]:
    """Return numbers as text with two decimals and a typographic minus sign.

    >>> _in_words(np.array([-1.25, 0.5]))
    ['−1.25', '0.50']
    """
    return [f"{value:.2f}".replace("-", "−") for value in values]  # noqa: RUF001
