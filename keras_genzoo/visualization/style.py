"""The style of all figures: colours for colour-blind readers, plain axes, PNG and SVG.

Figures are made without ``pyplot``, so that no global state, window or backend is involved.
"""

import math
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.files import writing
from keras_genzoo.text import shown
from keras_genzoo.training.contents import FORMATS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Paul Tol's muted scheme (personal.sron.nl/~pault), safe for colour-blind readers, and black.
COLOURS = (
    "#332288",
    "#88CCEE",
    "#44AA99",
    "#117733",
    "#999933",
    "#DDCC77",
    "#CC6677",
    "#882255",
    "#AA4499",
    "#000000",
)
REAL, GENERATED = "#88AACC", "#CC3311"


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def palette_colour(label: int) -> str:
    """Return the colour of a class; class 10 has the colour of class 0, and so on.

    >>> palette_colour(3) == palette_colour(13)
    True
    """
    return COLOURS[label % len(COLOURS)]


def plain(axes: "Axes", title: str = "") -> "Axes":
    """Remove the upper and right border of axes, and set their title."""
    axes.spines[["top", "right"]].set_visible(False)
    if title:
        axes.set_title(shown(title), loc="left", fontsize=11)
    return axes


def head(figure: "Figure", text: str) -> None:
    """Write the title of a figure above it, at the left."""
    figure.suptitle(shown(text), x=0.01, ha="left", fontsize=12)


def foot(figure: "Figure", text: str) -> None:
    """Write explanations below a figure, at the left."""
    # About 13.5 letters of this size fit into an inch.
    columns = int(13.5 * figure.get_figwidth())
    lines = [textwrap.fill(shown(line), columns) for line in text.split("\n")]
    figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=9, color="0.25")


def show_grid(
    axes: "Axes", images: np.ndarray, columns: int | None = None, title: str = ""
) -> tuple[int, int]:
    """Draw uint8 images ``(n, height, width, 1 or 3)`` in rows, each pixel sharp.

    Returns:
        height and width of the grid, in pixels of the images.
    """
    from keras_genzoo.images import image_grid

    grid = image_grid(images, columns, gap=max(1, images.shape[1] // 14))
    grid = grid[..., 0] if grid.shape[-1] == 1 else grid
    axes.imshow(grid, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_axis_off()
    if title:
        axes.set_title(shown(title), loc="left", fontsize=11)
    return grid.shape[0], grid.shape[1]


def grid_size(images: np.ndarray, columns: int | None = None, pixel: float = 0.02) -> tuple:
    """Return width and height in inches for a grid of images, half an inch for 28 pixels."""
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    side = max(0.45, images.shape[1] * pixel / 1.2)
    return columns * side, rows * side


def save_figure(figure: "Figure", path: str | os.PathLike) -> list[Path]:
    """Write a figure as PNG and SVG beside each other, each complete or not at all.

    Args:
        figure: the figure.
        path: the file without suffix.

    Returns:
        the files.

    Raises:
        GenzooError: if a file cannot be written.
    """
    import matplotlib as mpl

    path, paths = Path(path), []
    # SVG ids are hashes of the content with this salt, so that the same figure is the same file.
    with mpl.rc_context({"svg.hashsalt": "genzoo", "svg.fonttype": "none"}):
        for suffix in FORMATS:
            file = path.with_name(f"{path.name}.{suffix}")
            metadata = {"Date": None} if suffix == "svg" else {"Software": None}
            with writing(file) as temporary:
                figure.savefig(
                    temporary, format=suffix, dpi=150, metadata=metadata, bbox_inches="tight"
                )
            paths.append(file)
    return paths
