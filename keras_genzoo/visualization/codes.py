"""What the codes of a codebook stand for, how often they occur, and the grids of a few images."""

from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.models import ImageModel
from keras_genzoo.visualization.style import REAL, new_figure, plain, show_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The most codes drawn, and the images whose grids are.
MOST_CODES, MOST_IMAGES = 128, 8
_COLUMNS = 16


def codebook_figure(model: ImageModel, images: np.ndarray) -> "Figure":
    """Draw the codes of a model in the order of their use, their shares, and grids of images.

    An entry is shown by the image of a grid that holds its code at every place. Each of the first
    images stands above its grid of codes, in which a code has the colour of its rank in use, and
    its reconstruction.

    Args:
        model: a model whose encoder gives grids of codes.
        images: uint8 ``(n, height, width, channels)``, of which the shares are.
    """
    codes = model.encode(images)
    counts = np.bincount(codes.ravel(), minlength=model.num_codes)
    by_use = np.argsort(-counts, kind="stable")
    shown = by_use[:MOST_CODES]
    grids = np.broadcast_to(shown[:, None, None], (len(shown), *codes.shape[1:]))
    entries = model.decode_codes(grids)
    rows = -(-len(shown) // _COLUMNS)
    few = min(MOST_IMAGES, len(images))
    figure = new_figure(8.5, 0.55 * rows + 6.5)
    top, middle, bottom = figure.subplots(3, 1, height_ratios=(0.55 * rows + 0.3, 2, 3.6))
    part = "" if len(shown) == len(counts) else f", the {len(shown)} most used of {len(counts)}"
    show_grid(top, entries, _COLUMNS, f"each code at every place, by use{part}")
    _draw_shares(middle, counts[by_use])
    _draw_grids(bottom, images[:few], codes[:few], model, by_use)
    return figure


def _draw_shares(axes: "Axes", counts: np.ndarray) -> None:
    """Draw the share of each code as a bar."""
    shares = counts / counts.sum()
    used = shares[shares > 0]
    perplexity = np.exp(-(used * np.log(used)).sum())
    words = f"{len(used)} of {len(counts)} codes in use, perplexity {perplexity:.1f}"
    plain(axes, words)
    axes.bar(np.arange(len(shares)), shares, width=1.0, color=REAL)
    axes.axhline(1 / len(shares), color="0.4", linewidth=0.8, linestyle=":")
    axes.set(xlim=(-0.5, len(shares) - 0.5), xlabel="code, by use", ylabel="share of the places")


def _draw_grids(
    axes: "Axes", images: np.ndarray, codes: np.ndarray, model: ImageModel, by_use: np.ndarray
) -> None:
    """Draw images, their grids of codes in colours, and their reconstructions, in three rows."""
    import matplotlib as mpl

    rank = np.empty(len(by_use), int)
    rank[by_use] = np.arange(len(by_use))
    height, width = images.shape[1:3]
    colours = mpl.colormaps["viridis"](rank[codes] / max(1, len(by_use) - 1))[..., :3]
    coloured = np.rint(255 * colours).astype(np.uint8)
    rows, columns = _nearest(height, codes.shape[1]), _nearest(width, codes.shape[2])
    coloured = coloured[:, rows][:, :, columns]
    parts = [_in_colour(images), coloured, _in_colour(model.reconstruct(images))]
    show_grid(axes, np.concatenate(parts), len(images), "images, their codes, reconstructions")


def _nearest(size: int, count: int) -> np.ndarray:
    """Return which of ``count`` places each of ``size`` pixels lies in."""
    return np.arange(size) * count // size


def _in_colour(images: np.ndarray) -> np.ndarray:
    return np.broadcast_to(images, (*images.shape[:3], 3))
