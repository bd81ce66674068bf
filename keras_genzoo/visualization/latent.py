"""The latent space drawn: where codes lie (thesis, figures 3.2 and 4.2), and what lies there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import VAE, Autoencoder
from keras_genzoo.text import shown
from keras_genzoo.visualization.style import colour_of, new_figure, plain, show_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Codes(NamedTuple):
    """The codes of some images.

    Args:
        title: what is drawn above them.
        points: ``(n, 2)``.
        labels: classes ``(n,)``, or None.
        axes: what the two axes are.
    """

    title: str
    points: np.ndarray
    labels: np.ndarray | None
    axes: tuple[str, str] = ("z₁", "z₂")


def codes_of(
    model: Autoencoder, images: np.ndarray, labels: np.ndarray | None, title: str
) -> Codes:
    """Return the codes of images in two dimensions: their own, or their two main components.

    Raises:
        GenzooError: if the model has one dimension only, or main components are of one image.
    """
    points = model.code(model.encode(images))
    if points.shape[1] < 2:
        raise GenzooError("a map needs codes of two dimensions or more; this model has one")
    if points.shape[1] == 2:
        return Codes(title, points, labels)
    if len(points) < 2:
        raise GenzooError("main components of codes need 2 images or more, not 1")
    from sklearn.decomposition import PCA

    pca = PCA(2, random_state=0)
    points = pca.fit_transform(points)
    shares = [
        f"main component {i + 1} ({s:.0%})" for i, s in enumerate(pca.explained_variance_ratio_)
    ]
    return Codes(f"{title}, {model.latent_dim} dimensions", points, labels, tuple(shares))


def latent_map(panels: Sequence[Codes], class_names: Sequence[str] | None = None) -> "Figure":
    """Draw the codes of one or several models side by side, all with the same axes.

    Each class has a colour, and its name stands at its median; of more than 20 classes evenly
    spread ones have their names there. The dashed circles hold 39, 86 and
    99 % of N(0, I) in two dimensions (radius 1, 2 and 3).

    Raises:
        GenzooError: if there is no panel.
    """
    if not panels:
        raise GenzooError("a latent map needs at least one model")
    low, high = _limits(panels)
    width, height = 5 * (high - low) / max(high - low)
    figure = new_figure(width * len(panels) + 1, height + 0.8)
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    for axes, panel in zip(all_axes, panels, strict=True):
        plain(axes, panel.title)
        axes.set(xlabel=panel.axes[0], ylabel=panel.axes[1], aspect="equal")
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        outside = int(((panel.points < low) | (panel.points > high)).any(axis=1).sum())
        if outside:
            note = f"{outside} of {len(panel.points)} outside"
            axes.text(0.99, 0.01, note, transform=axes.transAxes, ha="right", fontsize=8)
        own_low, own_high = _limits([panel])
        if max(own_high - own_low) < max(high - low) / 3:
            # Too small to see: once more, magnified.
            _scatter(axes, panel)
            axes = axes.inset_axes([*_far_corner(panel, low, high), 0.5, 0.5], aspect="equal")
            axes.set(xlim=(own_low[0], own_high[0]), ylim=(own_low[1], own_high[1]))
            axes.tick_params(labelsize=8)
            axes.set_title("magnified", fontsize=9)
        _scatter(axes, panel)
        _name_classes(axes, panel, class_names)
    return figure


def _limits(panels: Sequence[Codes]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower left and upper right corner that hold N(0, I) and all but stray codes."""
    # One stray code must not shrink the others to a point.
    corners = [np.quantile(panel.points, [0.001, 0.999], axis=0) for panel in panels]
    low = np.minimum(np.min([corner[0] for corner in corners], axis=0), -3.2)
    high = np.maximum(np.max([corner[1] for corner in corners], axis=0), 3.2)
    margin = 0.04 * max(high - low)
    return low - margin, high + margin


def _far_corner(panel: Codes, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return the lower left corner of the quarter of the axes farthest from the codes."""
    middle = (np.median(panel.points, axis=0) - low) / (high - low)
    corners = [(x, y) for x in (0.02, 0.48) for y in (0.04, 0.44)]
    return max(corners, key=lambda corner: np.hypot(*(np.add(corner, 0.25) - middle)))


def _scatter(axes, panel: Codes) -> None:
    """Draw the codes, and the circles of N(0, I)."""
    colours = colour_of(0)
    if panel.labels is not None:
        # All classes in one call, in the order of the images: none lies on top of the others.
        colours = [colour_of(int(label)) for label in panel.labels]
    size = float(np.clip(20_000 / len(panel.points), 2, 12))
    style = {"s": size, "linewidths": 0, "alpha": 0.6, "rasterized": True}
    axes.scatter(*panel.points.T, c=colours, **style)
    angle = np.linspace(0, 2 * np.pi, 200)
    for radius in (1, 2, 3):
        circle = radius * np.cos(angle), radius * np.sin(angle)
        axes.plot(*circle, "--", color="0.35", linewidth=0.8, zorder=3)


def _name_classes(axes, panel: Codes, class_names: Sequence[str] | None) -> None:
    labels = [] if panel.labels is None else np.unique(panel.labels)
    for label in [labels[number] for number in shown_classes(len(labels))]:
        middle = np.median(panel.points[panel.labels == label], axis=0)
        box = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": colour_of(int(label)), "lw": 1.2}
        name = shown(class_names[label]) if class_names else str(label)
        style = {"fontsize": 9, "bbox": box, "zorder": 4, "parse_math": False}
        axes.text(*middle, name, ha="center", va="center", **style)


def latent_manifold(model: Autoencoder, codes: np.ndarray, side: int = 20) -> "Figure":
    """Draw what a two-dimensional latent space decodes to, point by point of a grid.

    The grid of a VAE is that of the quantiles of N(0, I) (1312.6114, figure 4), so that each image
    stands for as much probability; that of a plain autoencoder spans the middle 98 % of its codes.

    Args:
        model: an autoencoder with two latent dimensions.
        codes: codes of real images, ``(n, 2)``.
        side: images in a row.

    Raises:
        GenzooError: if the latent space has another size.
    """
    if model.latent_dim != 2:
        raise GenzooError(f"a manifold is drawn of 2 latent dimensions, not of {model.latent_dim}")
    if isinstance(model, VAE):
        from statistics import NormalDist

        steps = [NormalDist().inv_cdf((i + 0.5) / side) for i in range(side)]
        first, second = np.array(steps), np.array(steps)
        title = "decoded quantiles of N(0, I)"
    else:
        low, high = np.quantile(codes, [0.01, 0.99], axis=0)
        first, second = (np.linspace(low[i], high[i], side) for i in (0, 1))
        title = "decoded grid over the middle 98 % of the codes"
    # Upwards as in the map: the second coordinate falls from row to row.
    z = np.stack(np.meshgrid(first, second[::-1]), axis=-1).reshape(-1, 2)
    figure = new_figure(7, 7.3)
    show_grid(figure.subplots(), model.decode(z), side, title)
    return figure
