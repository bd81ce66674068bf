"""HTML pages that need no other file, and their parts: tables and images, all escaped."""

import base64
import html
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.files import writing
from keras_genzoo.images import as_pillow
from keras_genzoo.markup import fill
from keras_genzoo.text import encodable

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


def image_figure(image: np.ndarray, words: str, *, title: str = "", captioned: bool = True) -> str:
    """Return a uint8 image ``(height, width, 1 or 3)`` as a figure.

    Args:
        image: the image.
        words: what it shows, for its caption and for those who do not see it.
        title: what stands above it.
        captioned: whether the words are shown; where several images share them, they may be said
            once beside them.
    """
    heading = f"<h3>{html.escape(title)}</h3>" if title else ""
    words = html.escape(words)
    caption = f"<figcaption>{words}</figcaption>" if captioned else ""
    shown = f'<img class="pixels" src="{png_address(image)}" alt="{words}" loading="lazy">'
    return f"<figure>{heading}{shown}{caption}</figure>"


def drawn_figure(figure: "Figure", words: str) -> str:
    """Return a figure of matplotlib as an image with a caption.

    On a narrow screen it stays as large as its letters need, and is moved sideways.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    source, words = png_bytes_address(buffer.getvalue()), html.escape(words)
    shown = f'<img class="drawn" src="{source}" alt="{words}" loading="lazy">'
    caption = f"<figcaption>{words}</figcaption>"
    return f'<figure><div class="moved">{shown}</div>{caption}</figure>'


def write_page(
    out: str | os.PathLike, title: str, head: str, sections: Sequence[tuple[str, str]]
) -> Path:
    """Write a page of sections, with links to them at its top, whole or not at all.

    Args:
        out: the file.
        title: of the page, as text.
        head: what stands above the links, its heading first, as HTML.
        sections: the heading of each as text, and its content as HTML.

    Raises:
        GenzooError: if the file cannot be written.
    """
    body = "".join(
        f'<section><h2 id="{_anchor(name)}">{html.escape(name)}</h2>{content}</section>'
        for name, content in sections
    )
    links = " · ".join(
        f'<a href="#{_anchor(name)}">{html.escape(name)}</a>' for name, _ in sections
    )
    text = fill(_PAGE, TITLE=html.escape(title), HEAD=head, LINKS=links, BODY=body)
    with writing(out) as temporary:
        temporary.write_text(encodable(text), encoding="utf-8")
    return Path(out)


def _anchor(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%TITLE%</title>
<style>
body{font:16px/1.55 system-ui,sans-serif;color:#222;margin:0 auto;max-width:88rem;
padding:0 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:1.4rem 0 .7rem}h2{font-size:1.25rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:0 0 .4rem}
#quote{font-size:1.15rem;line-height:1.45;margin:0 0 .6rem;padding:.7rem 1rem;background:#eef4fa;
border-left:4px solid #0b5394;border-radius:0 6px 6px 0;user-select:all}
#origin{margin:0 0 .8rem;font-size:.9rem;color:#555}
#play{margin:0 0 .8rem}#play a{display:inline-block;padding:.4rem 1rem;border-radius:8px;
background:#0b5394;color:#fff;text-decoration:none;font-weight:600}
nav{color:#777;font-size:.95rem}a{color:#0b5394}
section{border-top:1px solid #ddd;margin-top:1.6rem;padding-top:1.1rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));
gap:1.2rem 2rem;align-items:start;margin-bottom:1rem}.grid>*{min-width:0}.wide{grid-column:1/-1}
figure{margin:0}.rows{max-width:46rem}.rows figure{margin-bottom:.8rem}
figure img{width:100%;height:auto;display:block}.pixels{image-rendering:pixelated}
.moved{overflow-x:auto}.drawn{min-width:30rem}
figcaption,.words{font-size:.85rem;color:#555;margin:.3rem 0 .6rem}
h1,p,figcaption,summary{overflow-wrap:anywhere}.table{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;vertical-align:top;padding:.15rem .9rem .15rem 0;border-bottom:1px solid #eee}
th{font-weight:500;color:#555}small{color:#b30000}
@media(min-width:56rem){.mapped:has(.maps>:only-child){display:grid;gap:0 2rem;
grid-template-columns:1fr 1fr;grid-template-rows:auto 1fr}
.mapped>.maps:has(>:only-child){grid-column:2;grid-row:1/span 2}
.mapped>.key,.mapped>.words{grid-column:1}}
@media(max-width:34rem){body{padding:0 .8rem 3rem}h1{font-size:1.35rem}#quote{font-size:1.05rem}}
summary{cursor:pointer}input[type=range]{vertical-align:middle;width:min(16rem,60vw)}
</style></head>
<body><header>%HEAD%<nav>%LINKS%</nav></header>%BODY%</body></html>
"""
