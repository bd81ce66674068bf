"""Figures of a study: the maps, the images at the border and inside, a part magnified."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.visualization.study import BORDER_SHARE, Study
from keras_genzoo.visualization.style import (
    GENERATED,
    REAL,
    grid_size,
    new_figure,
    plain,
    show_grid,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INSIDE = "#0B5394"
# Images that fit beside each other into a part of a map.
ROW = 14
# Images that a part of a map shows at least, and how often its side may become a quarter larger, up
# to more than twice the map's, or smaller.
DOZEN, LARGER, SMALLER = 12, 9, 20


def maps(studies: Sequence[Study]) -> "Figure":
    """Draw one map for each distance, side by side (thesis, figure 8.2)."""
    figure = new_figure(5 * len(studies), 5.4)
    for axes, study in zip(
        figure.subplots(1, len(studies), squeeze=False)[0], studies, strict=True
    ):
        plain(axes, study.distance)
        axes.scatter(*study.real.T, s=9, c=REAL, alpha=0.55, linewidths=0, label="real")
        inside, border = study.generated[~study.at_border], study.generated[study.at_border]
        style = {"s": 34, "linewidths": 0.8, "edgecolors": "white"}
        axes.scatter(*inside.T, c=INSIDE, marker="o", label="generated, inside", **style)
        axes.scatter(*border.T, c=GENERATED, marker="^", label="generated, at the border", **style)
        note = (
            f"{study.at_border.mean():.0%} of generated at the border (real: {BORDER_SHARE:.0%}); "
            f"background explained: {max(0, study.follows_background):.0%}"
        )
        axes.set_xlabel(note, fontsize=9)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.set_adjustable("datalim")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def galleries(study: Study, generated_images: np.ndarray) -> "Figure":
    """Draw the generated images at the border and those inside (thesis, figures 8.3 and 8.4)."""
    parts = [
        (f"at the border ({study.at_border.sum()})", generated_images[study.at_border]),
        (f"inside ({(~study.at_border).sum()})", generated_images[~study.at_border]),
    ]
    columns = 8
    sizes = [grid_size(images, columns) if len(images) else (1, 0.5) for _, images in parts]
    figure = new_figure(2 * sizes[1][0] + 0.6, max(height for _, height in sizes) + 0.5)
    for axes, (title, images) in zip(figure.subplots(1, 2), parts, strict=True):
        axes.set_anchor("N")
        if len(images):
            # Filled up with white, so that both galleries have images of one size.
            blank = np.full((-len(images) % columns, *images.shape[1:]), 255, np.uint8)
            show_grid(axes, np.concatenate([images, blank]), columns, title)
        else:
            plain(axes, title).set_axis_off()
    return figure


def magnified(
    study: Study, real_images: np.ndarray, generated_images: np.ndarray, share: float = 0.35
) -> "Figure":
    """Draw a dense part of a map, with the images at their points.

    The thesis' figure 8.5. Generated images have a frame; where images would cover each other,
    only the first is drawn, generated ones first.

    Args:
        study: the map.
        real_images: those it was fitted on.
        generated_images: those placed on it.
        share: the part's side, as a share of the map's; as ``choose_part`` takes it.
    """
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    images = np.concatenate([generated_images, real_images])
    points = np.concatenate([study.generated, study.real])
    middle, side, drawn = choose_part(study, share)
    figure = new_figure(8, 8)
    axes = plain(figure.subplots(), f"a part of the map: {study.distance}")
    axes.set(xlim=middle[0] + side * np.array([-0.5, 0.5]), xticks=[])
    axes.set(ylim=middle[1] + side * np.array([-0.5, 0.5]), yticks=[], aspect="equal")
    for index in drawn:
        image, is_generated = images[index], index < len(generated_images)
        colour = REAL
        if is_generated:
            colour = GENERATED if study.at_border[index] else INSIDE
        picture = image[..., 0] if image.shape[-1] == 1 else image
        thumbnail = OffsetImage(picture, zoom=34 / image.shape[0], cmap="gray")
        thumbnail.get_children()[0].set_clim(0, 255)
        frame = {"edgecolor": colour, "linewidth": 2.5 if is_generated else 0.5}
        axes.add_artist(AnnotationBbox(thumbnail, points[index], pad=0.1, bboxprops=frame))
    axes.set_xlabel("thick frames: generated (red: at the border, blue: inside); thin: real")
    return figure


def choose_part(study: Study, share: float = 0.35) -> tuple[np.ndarray, float, list[int]]:
    """Return the middle and the side of the part of a map to magnify, and the images to draw.

    It is the square around a generated image in which most images can be drawn that do not cover
    each other: of the side given, or smaller where the map is a few dense spots. Where that is not
    a dozen, the part is made larger until it is; where no generated image has so many around it,
    the middle is a real one.

    Returns:
        the middle ``(2,)``, the side, and numbers of images, generated ones first.
    """
    whole = max(np.ptp(np.concatenate([study.generated, study.real]), axis=0)) or 1.0
    sides = [share * whole * 1.25**power for power in range(-SMALLER, LARGER + 1)]
    best: tuple[np.ndarray, float, list[int]] | None = None
    for points in (study.generated, study.real):
        # The sides up to the one given, largest first, and then the larger ones.
        for side in (*sides[SMALLER::-1], *sides[SMALLER + 1 :]):
            if best is not None and len(best[2]) >= DOZEN and side > share * whole:
                break
            middle = _densest(study, points, side)
            drawn = _apart(study, middle, side)
            if best is None or len(drawn) > len(best[2]):
                best = middle, side, drawn
        if len(best[2]) >= DOZEN:
            break
    return best


def _densest(study: Study, points: np.ndarray, side: float) -> np.ndarray:
    """Return the point with most images of both kinds in the square around it.

    Counted are the places that they take, since of many at one place only one can be seen;
    places of generated images count twice.
    """
    everything = np.concatenate([study.generated, study.real])

    def places(middle: np.ndarray) -> int:
        return _places(everything, middle, side) + _places(study.generated, middle, side)

    return max(points, key=places)


def _places(points: np.ndarray, middle: np.ndarray, side: float) -> int:
    """Return how many of the places for an image in a square have a point."""
    inside = points[abs(points - middle).max(axis=1) <= side / 2]
    rows, columns = np.floor((inside - middle) / side * ROW).astype(int).T
    return len(np.unique(2 * ROW * rows + columns))


def _apart(study: Study, middle: np.ndarray, side: float) -> list[int]:
    """Return the images inside a square that do not cover each other, the first ones first."""
    points = np.concatenate([study.generated, study.real])
    drawn: list[int] = []
    for index in np.flatnonzero(abs(points - middle).max(axis=1) <= side / 2 * 0.95):
        if all(abs(points[index] - points[other]).max() >= side / ROW for other in drawn):
            drawn.append(int(index))
    return drawn
