"""UMAP maps as one HTML page that loads nothing else: pointing at a dot shows its image."""

import html
from collections.abc import Sequence

import numpy as np

from keras_genzoo.images import image_grid
from keras_genzoo.markup import data_element, fill
from keras_genzoo.visualization.pages import png_address
from keras_genzoo.visualization.study import BACKGROUND_IN_WORDS, SPARSE_IN_WORDS, Study
from keras_genzoo.visualization.study_figures import DENSE, SPARSE, map_note

_COLUMNS = 32


def map_html(
    studies: Sequence[Study],
    real_images: np.ndarray,
    generated_images: np.ndarray,
    notes: Sequence[str] = (),
    stale: str = "",
) -> str:
    """Return the HTML of the maps with the script that draws them, once for a page.

    Args:
        studies: the maps.
        real_images: the images that they were fitted on, uint8 ``(n, height, width, channels)``.
        generated_images: the images placed on them, uint8 ``(m, height, width, channels)``.
        notes: lines for the reader, such as where the images come from.
        stale: a remark at the numbers of each map, such as which other weights they belong to.
    """
    images = np.concatenate([generated_images, real_images])
    panels = [
        {
            "title": study.distance,
            "stale": stale,
            "points": _scaled(np.concatenate([study.generated, study.real])),
            "sparse": study.where_sparse.astype(int).tolist(),
            "note": map_note(study).replace("\n", " "),
        }
        for study in studies
    ]
    data = {
        "panels": panels,
        "generated": len(generated_images),
        "height": images.shape[1],
        "width": images.shape[2],
        "columns": min(_COLUMNS, len(images)),
        # One image file with all images in rows.
        "sprite": png_address(image_grid(images, _COLUMNS, gap=0)),
    }
    lines = [*notes, SPARSE_IN_WORDS, BACKGROUND_IN_WORDS]
    words = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
    names = {"SPARSE": SPARSE, "DENSE": DENSE}
    words = f'<div class="words">{words}</div>'
    return fill(_PART, **names) + words + data_element("map-data", data) + fill(_SCRIPT, **names)


def map_page(
    title: str,
    studies: Sequence[Study],
    real_images: np.ndarray,
    generated_images: np.ndarray,
    notes: Sequence[str] = (),
) -> str:
    """Return the maps as a complete page."""
    part = map_html(studies, real_images, generated_images, notes)
    return fill(_PAGE, TITLE=html.escape(title), PART=part)


def _scaled(points: np.ndarray) -> list[list[float]]:
    """Return points in [0, 1] x [0, 1], with equal scales on both axes.

    The second coordinate is flipped, since it points downwards on a canvas.
    """
    low, size = points.min(axis=0), max(np.ptp(points, axis=0)) or 1.0
    offset = (size - np.ptp(points, axis=0)) / 2
    scaled = (points - low + offset) / size
    scaled[:, 1] = 1 - scaled[:, 1]
    return np.round(scaled, 4).tolist()


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%TITLE%</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:1rem auto;max-width:90rem;padding:0 1rem;
color:#222}h1{font-size:1.3rem}</style></head>
<body><h1>%TITLE%</h1>%PART%</body></html>
"""

_PART = """<style>
.maps{display:flex;flex-wrap:wrap;gap:1rem}.maps figure{margin:0;flex:1 1 20rem;max-width:36rem}
.maps canvas{width:100%;aspect-ratio:1;border:1px solid #ddd;touch-action:none}
.maps figcaption{font-size:.85rem;color:#555}.maps b{color:#222}.maps small{color:#b30000}
.words{font-size:.85rem;color:#555;max-width:60rem}.words p{margin:.3rem 0}
.key span{display:inline-block;margin-right:1.2rem}.key i{display:inline-block;width:.8em;
height:.8em;border-radius:50%;margin-right:.35em}
#tip{position:fixed;display:none;pointer-events:none;background:#fff;border:3px solid #8ac;
padding:2px;box-shadow:0 2px 8px #0005;font-size:.8rem;text-align:center;z-index:9}
#tip div{image-rendering:pixelated}
</style>
<p class="key"><span><i style="background:#88AACC"></i>real</span><span>
<i style="background:#0B5394"></i>generated, %DENSE%</span><span>
<i style="background:#CC3311"></i>generated, %SPARSE%</span>
Point at a dot, or touch it, to see its image.</p>
<div class="maps" id="maps"></div><div id="tip"><div></div><span></span></div>
"""

_SCRIPT = """<script>
(() => {
const data = JSON.parse(document.getElementById("map-data").textContent);
const tip = document.getElementById("tip"), [image, words] = tip.children;
const zoom = Math.max(1, Math.round(128 / data.height));
image.style.cssText = `width:${data.width * zoom}px;height:${data.height * zoom}px;` +
  `background:url(${data.sprite});background-size:${data.columns * data.width * zoom}px auto`;
const colours = ["#88AACC", "#0B5394", "#CC3311"], names = ["real",
  "generated, %DENSE%", "generated, %SPARSE%"];
const draws = [];
data.panels.forEach(panel => {
  const figure = document.createElement("figure"), canvas = document.createElement("canvas");
  const caption = document.createElement("figcaption"), title = document.createElement("b");
  title.textContent = panel.title;
  const stale = document.createElement("small");
  stale.textContent = panel.stale;
  caption.append(title, document.createElement("br"), panel.note, " ", stale);
  figure.append(canvas, caption);
  document.getElementById("maps").append(figure);
  const kind = i => i >= data.generated ? 0 : 1 + panel.sparse[i];
  const place = (p, size) => p.map(v => size * (0.03 + 0.94 * v));
  draws.push(chosen => {
    const size = canvas.clientWidth, scale = window.devicePixelRatio || 1;
    canvas.width = canvas.height = size * scale;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    for (let i = panel.points.length - 1; i >= 0; i--) {
      const [x, y] = place(panel.points[i], size), k = kind(i);
      pen.globalAlpha = k ? 1 : 0.55;
      pen.fillStyle = colours[k];
      pen.beginPath();
      pen.arc(x, y, i === chosen ? 8 : k ? 4.5 : 2.5, 0, 7);
      pen.fill();
      if (i === chosen) { pen.strokeStyle = "#000"; pen.lineWidth = 2; pen.stroke(); }
    }
  });
  const show = event => {
    const box = canvas.getBoundingClientRect(), size = canvas.clientWidth;
    const mouse = [event.clientX - box.left, event.clientY - box.top];
    let best = -1, least = 16 ** 2;
    panel.points.forEach((p, i) => {
      const [x, y] = place(p, size), far = (x - mouse[0]) ** 2 + (y - mouse[1]) ** 2;
      if (far < least) { least = far; best = i; }
    });
    draws.forEach(draw => draw(best));
    if (best < 0) { tip.style.display = "none"; return; }
    const column = best % data.columns, row = Math.floor(best / data.columns);
    image.style.backgroundPosition =
      `-${column * data.width * zoom}px -${row * data.height * zoom}px`;
    words.textContent = names[kind(best)];
    tip.style.borderColor = colours[kind(best)];
    tip.style.display = "block";
    const w = tip.offsetWidth, h = tip.offsetHeight;
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 4)) + "px";
    tip.style.top = Math.max(4, event.clientY + 14 + h > innerHeight ? event.clientY - h - 14
      : event.clientY + 14) + "px";
  };
  canvas.addEventListener("pointermove", show);
  canvas.addEventListener("pointerdown", show);
  canvas.addEventListener("pointerleave", () => { tip.style.display = "none";
    draws.forEach(draw => draw(-1)); });
});
const all = () => draws.forEach(draw => draw(-1));
addEventListener("resize", all);
all();
})();
</script>
"""
