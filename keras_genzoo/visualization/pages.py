"""Parts of HTML pages: tables and images, all escaped."""

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.images import as_pillow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def png_address(image: np.ndarray) -> str:
    """Return a uint8 image ``(height, width, 1 or 3)`` as the ``data:`` address of a PNG."""
    buffer = io.BytesIO()
    as_pillow(image).save(buffer, "PNG")
    return png_bytes_address(buffer.getvalue())


def png_bytes_address(png: bytes) -> str:
    """Return the bytes of a PNG as a ``data:`` address."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def table(rows: Sequence[Sequence[str]], *, head: bool = False, note: str = "") -> str:
    r"""Return rows of text as a table whose first column holds the names of the rows.

    Lines break at spaces, and after the slashes of a path.

    Args:
        rows: the cells, row by row.
        head: whether the first row is the heading.
        note: text after the first value of each row, such as the step that it belongs to.

    >>> print(table([("fid", "1.5")], note="of step 3").replace("<t", "\n<t"))
    <div class="table">
    <table>
    <tr>
    <th>fid</th>
    <td>1.5 <small>of step 3</small></td></tr></table></div>
    """
    lines = []
    for index, (name, *values) in enumerate(rows):
        tag, remark = ("th", "") if head and index == 0 else ("td", note)
        remark = f" <small>{html.escape(remark)}</small>" if remark else ""
        first, *others = (_breakable(value) for value in values)
        cells = "".join(f"<{tag}>{cell}</{tag}>" for cell in (first + remark, *others))
        lines.append(f"<tr><th>{_breakable(name)}</th>{cells}</tr>")
    return f'<div class="table"><table>{"".join(lines)}</table></div>'


def _breakable(text: str) -> str:
    return html.escape(text).replace("/", "/<wbr>")


def image_figure(image: np.ndarray, words: str) -> str:
    """Return a uint8 image ``(height, width, 1 or 3)`` with a caption."""
    return _FIGURE.format(source=png_address(image), words=html.escape(words), kind="pixels")


def drawn_figure(figure: "Figure", words: str) -> str:
    """Return a figure of matplotlib as an image with a caption."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    source = png_bytes_address(buffer.getvalue())
    return _FIGURE.format(source=source, words=html.escape(words), kind="drawn")


_FIGURE = (
    '<figure><img class="{kind}" src="{source}" alt="{words}" loading="lazy">'
    "<figcaption>{words}</figcaption></figure>"
)
