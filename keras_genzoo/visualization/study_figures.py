"""Figures of a UMAP study: the maps, the images in sparse and dense places, a magnified part."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_genzoo.visualization.study import (
    BACKGROUND_IN_WORDS,
    SPARSE_IN_WORDS,
    SPARSE_SHARE,
    Study,
)
from keras_genzoo.visualization.style import (
    GENERATED,
    REAL,
    foot,
    grid_size,
    new_figure,
    plain,
    show_grid,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INSIDE = "#0B5394"
SPARSE, DENSE = "where real images are sparse", "where real images are dense"
# Thumbnails that fit beside each other into the magnified part of a map.
ROW = 14
# The magnified part should show so many images. To find it, its side is made a quarter larger up to
# LARGER times (to more than twice the map's side), or a quarter smaller up to SMALLER times.
DOZEN, LARGER, SMALLER = 12, 9, 20


def maps(studies: Sequence[Study], notes: Sequence[str] = ()) -> "Figure":
    """Draw one map for each distance, side by side (thesis, figure 8.2).

    A text below explains the terms. A frame marks the part that ``magnified`` draws.

    Args:
        studies: the maps.
        notes: further lines for the reader, such as where the images come from.
    """
    from matplotlib.patches import Rectangle

    width = 5 * max(len(studies), 1.4)
    figure = new_figure(width, 6.8)
    columns = 4 if len(studies) > 1 else 2
    # matplotlib would draw a legend of the figure over its title, so it gets a row of the grid.
    grid = figure.add_gridspec(2, len(studies), height_ratios=(0.3 * 4 / columns, 5))
    for column, study in enumerate(studies):
        axes = figure.add_subplot(grid[1, column])
        plain(axes, study.distance)
        axes.scatter(
            study.real[:, 0], study.real[:, 1], s=9, c=REAL, alpha=0.55, linewidths=0, label="real"
        )
        dense, sparse = study.generated[~study.where_sparse], study.generated[study.where_sparse]
        style: dict[str, Any] = {"s": 34, "linewidths": 0.8, "edgecolors": "white"}
        axes.scatter(
            dense[:, 0], dense[:, 1], c=INSIDE, marker="o", label=f"generated, {DENSE}", **style
        )
        axes.scatter(
            sparse[:, 0],
            sparse[:, 1],
            c=GENERATED,
            marker="^",
            label=f"generated, {SPARSE}",
            **style,
        )
        (x, y), side, _ = choose_part(study)
        corner = x - side / 2, y - side / 2
        frame = Rectangle(corner, side, side, fill=False, edgecolor="0.1", label="magnified part")
        axes.add_patch(frame)
        axes.set_xlabel(map_note(study), fontsize=9)
        axes.set(xticks=[], yticks=[], aspect="equal")
        axes.set_adjustable("datalim")
    top = figure.add_subplot(grid[0, :])
    top.set_axis_off()
    place: dict[str, Any] = {
        "ncols": columns,
        "frameon": False,
        "loc": "center left",
        "borderaxespad": 0,
    }
    top.legend(*axes.get_legend_handles_labels(), **place)
    foot(figure, "\n".join([*notes, SPARSE_IN_WORDS, BACKGROUND_IN_WORDS]))
    return figure


def map_note(study: Study) -> str:
    """Return the measurements of a map in words."""
    return (
        f"{study.where_sparse.mean():.0%} of the generated images lie where real ones are sparse\n"
        f"({SPARSE_SHARE:.0%} of the real ones do); background explained: "
        f"{max(0, study.follows_background):.0%}"
    )


def galleries(study: Study, generated_images: np.ndarray) -> "Figure":
    """Draw the generated images in sparse places and those in dense places, side by side.

    These are figures 8.3 and 8.4 of the thesis.
    """
    sparse = study.where_sparse
    parts = [
        (f"{SPARSE} ({sparse.sum()})", generated_images[sparse]),
        (f"{DENSE} ({(~sparse).sum()})", generated_images[~sparse]),
    ]
    columns = 8
    sizes = [grid_size(images, columns) if len(images) else (1, 0.5) for _, images in parts]
    # Both get the size of the larger one, since either may be empty.
    width, height = np.max(sizes, axis=0)
    figure = new_figure(2 * width + 0.6, height + 0.9)
    rows = max(1, *(-(-len(images) // columns) for _, images in parts))
    for axes, (title, images) in zip(figure.subplots(1, 2), parts, strict=True):
        axes.set_anchor("N")
        if len(images):
            # White images fill the last rows, so that images have the same size on both sides.
            missing = rows * columns - len(images)
            blank = np.full((missing, *images.shape[1:]), 255, np.uint8)
            show_grid(axes, np.concatenate([images, blank]), columns, title)
        else:
            plain(axes, title).set_axis_off()
    foot(figure, f"Distance between images: {study.distance}. {SPARSE_IN_WORDS}")
    return figure


def magnified(
    study: Study, real_images: np.ndarray, generated_images: np.ndarray, share: float = 0.35
) -> "Figure":
    """Draw a dense part of a map, with the images at their points (thesis, figure 8.5).

    Generated images have thick frames. Where images would cover each other, only one is drawn, a
    generated one if there is one.

    Args:
        study: the map.
        real_images: the images it was fitted on.
        generated_images: the images placed on it.
        share: side of the part as a share of the map's side, see ``choose_part``.
    """
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    images = np.concatenate([generated_images, real_images])
    points = np.concatenate([study.generated, study.real])
    middle, side, drawn = choose_part(study, share)
    figure = new_figure(8, 8.5)
    axes = plain(figure.subplots(), f"the framed part of the map: {study.distance}")
    axes.set(xlim=middle[0] + side * np.array([-0.5, 0.5]), xticks=[])
    axes.set(ylim=middle[1] + side * np.array([-0.5, 0.5]), yticks=[], aspect="equal")
    for index in drawn:
        image, is_generated = images[index], index < len(generated_images)
        colour = REAL
        if is_generated:
            colour = GENERATED if study.where_sparse[index] else INSIDE
        pixels = image[..., 0] if image.shape[-1] == 1 else image
        thumbnail = OffsetImage(pixels, zoom=34 / image.shape[0], cmap="gray")
        thumbnail.get_children()[0].set(clim=(0, 255))
        frame = {"edgecolor": colour, "linewidth": 2.5 if is_generated else 0.5}
        axes.add_artist(AnnotationBbox(thumbnail, points[index], pad=0.1, bboxprops=frame))
    words = f"thick frames: generated (red: {SPARSE}; blue: {DENSE}); thin: real"
    # Thumbnails at the lower edge reach beyond the axes; keep the label below them.
    axes.set_xlabel(words, fontsize=9, labelpad=16)
    foot(figure, SPARSE_IN_WORDS)
    return figure


def choose_part(study: Study, share: float = 0.35) -> tuple[np.ndarray, float, list[int]]:
    """Choose the square part of a map to magnify, and the images to draw in it.

    The square is centred on a generated image and shows as many images as possible without
    overlaps. Its side is ``share`` of the map's side, or smaller if the map has a few dense spots,
    where images would overlap. If it shows fewer than a dozen images, larger squares are tried, and
    then squares centred on a real image.

    Args:
        study: the map.
        share: side of the square as a share of the map's side.

    Returns:
        the centre ``(2,)``, the side, and the numbers of the images, generated ones first.
    """
    whole = max(np.ptp(np.concatenate([study.generated, study.real]), axis=0)) or 1.0
    sides = [share * whole * 1.25**power for power in range(-SMALLER, LARGER + 1)]
    best: tuple[np.ndarray, float, list[int]] | None = None
    for points in (study.generated, study.real):
        # First the side asked for and the smaller ones, in falling order, then the larger ones.
        for side in (*sides[SMALLER::-1], *sides[SMALLER + 1 :]):
            if best is not None and len(best[2]) >= DOZEN and side > share * whole:
                break
            middle = _densest(study, points, side)
            drawn = _apart(study, middle, side)
            if best is None or len(drawn) > len(best[2]):
                best = middle, side, drawn
        if best is not None and len(best[2]) >= DOZEN:
            break
    assert best is not None  # The first part looked at was the best until then.
    return best


def _densest(study: Study, points: np.ndarray, side: float) -> np.ndarray:
    """Return the point with the most images in the square around it.

    Places for a thumbnail are counted rather than images, since only one image is drawn at a place.
    Places with a generated image count twice.
    """
    everything = np.concatenate([study.generated, study.real])

    def places(middle: np.ndarray) -> int:
        return _places(everything, middle, side) + _places(study.generated, middle, side)

    return max(points, key=places)


def _places(points: np.ndarray, middle: np.ndarray, side: float) -> int:
    """Return in how many places for a thumbnail a square has a point."""
    inside = points[abs(points - middle).max(axis=1) <= side / 2]
    rows, columns = np.floor((inside - middle) / side * ROW).astype(int).T
    return len(np.unique(2 * ROW * rows + columns))


def _apart(study: Study, middle: np.ndarray, side: float) -> list[int]:
    """Return images inside a square that do not cover each other; earlier images win."""
    points = np.concatenate([study.generated, study.real])
    drawn: list[int] = []
    for index in np.flatnonzero(abs(points - middle).max(axis=1) <= side / 2 * 0.95):
        if all(abs(points[index] - points[other]).max() >= side / ROW for other in drawn):
            drawn.append(int(index))
    return drawn
