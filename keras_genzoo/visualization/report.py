"""``genzoo report``: the samples, training, scores and settings of a run as one HTML page."""

import html
import os
from collections.abc import Callable
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import writing
from keras_genzoo.markup import fill
from keras_genzoo.models import ImageModel
from keras_genzoo.text import encodable, shown
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.visualization.figures import figure_title
from keras_genzoo.visualization.report_images import (
    Echo,
    Page,
    codes,
    latent,
    neighbours,
    noise_to_images,
    reconstructions,
    samples,
    training,
)
from keras_genzoo.visualization.report_numbers import maps, scores, settings, summary


def write_report(
    path: str | os.PathLike,
    out: str | os.PathLike,
    *,
    measure: bool = True,
    dataset: str | os.PathLike | None = None,
    seed: int = 0,
    echo: Echo = lambda line: None,
) -> Path:
    """Write the page of a run: samples, training, scores, maps, nearest images, settings.

    Scores and maps that ``evaluate`` and ``umap`` wrote into the run folder are shown. If some are
    missing, or belong to other weights than the images on the page, they are measured now and
    written there as well. Without ``measure`` nothing is measured, and a remark stands at each
    number that belongs to other weights. A part that cannot be made, such as a map of fewer than 16
    images, is left out, and the page says why.

    Args:
        path: the run folder.
        out: the page.
        measure: whether to measure missing scores and maps.
        dataset: where the run's images lie now, if they have moved.
        seed: random seed of the noise and of the choice of real images.
        echo: called with a line before each part that takes long.

    Raises:
        GenzooError: if the run has no model, the data cannot be opened, or a file cannot be
            written.
    """
    run = Run.open(path)
    model, weights = load_weights(run, echo)
    splits = splits_of(run, dataset)
    # Most of the page needs the data: fail now if they cannot be opened.
    splits.to_look_at()
    page = Page(run, model, weights, splits, measure, dataset, seed, echo)
    parts: dict[str, Callable[[Page], str]] = {
        "Reconstructions": reconstructions,
        "Samples": samples,
        "Training": training,
        "Scores": scores,
        "Inside the real images?": maps,
        "Latent space": latent,
        "From noise to images": noise_to_images,
        "Codes": codes,
        "Nearest training images": neighbours,
        "Settings": settings,
    }
    made = [(title, _or_reason(part, page)) for title, part in parts.items()]
    sections = [(title, content) for title, content in made if content]
    body = "".join(
        f'<section><h2 id="{_anchor(title)}">{title}</h2>{content}</section>'
        for title, content in sections
    )
    links = " · ".join(f'<a href="#{_anchor(name)}">{name}</a>' for name, _ in sections)
    title = _title(run, model)
    # The summary quotes scores that the sections above may just have measured.
    sentence = html.escape(summary(page, title))
    text = fill(_PAGE, TITLE=html.escape(title), SUMMARY=sentence, LINKS=links, BODY=body)
    with writing(out) as temporary:
        temporary.write_text(encodable(text), encoding="utf-8")
    return Path(out)


def _or_reason(make: Callable[[Page], str], page: Page) -> str:
    """Return a part of the page, or a line that says why it is left out."""
    try:
        return make(page)
    except GenzooError as error:
        return f"<p>Left out: {html.escape(str(error))}.</p>"


def _anchor(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def _title(run: Run, model: ImageModel) -> str:
    """Return the title of the page: model, data, latent size, step, recipe and date."""
    origin = {"recipe": run.recipe, "begun": run.begun and run.begun[:10]}
    parts = [f"{name} {value}" for name, value in origin.items() if value]
    return shown(", ".join([figure_title(run, model), *parts]))


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%TITLE%</title>
<style>
body{font:16px/1.55 system-ui,sans-serif;color:#222;margin:0 auto;max-width:88rem;
padding:0 1rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:1.4rem 0 .4rem}h2{font-size:1.2rem;margin:0 0 .6rem}
h3{font-size:1rem;margin:0 0 .4rem}#summary{margin:.2rem 0 .6rem;max-width:60rem}
nav{color:#777;font-size:.95rem}a{color:#0b5394}
section{border-top:1px solid #ddd;margin-top:1.6rem;padding-top:1.1rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));
gap:1.2rem 2rem;align-items:start;margin-bottom:1rem}.grid>*{min-width:0}.wide{grid-column:1/-1}
figure{margin:0}figure img{width:100%;height:auto;display:block}.pixels{image-rendering:pixelated}
figcaption{font-size:.85rem;color:#555;margin-top:.3rem}
h1,p,figcaption,summary{overflow-wrap:anywhere}.table{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;width:100%}
th,td{text-align:left;vertical-align:top;padding:.15rem .9rem .15rem 0;border-bottom:1px solid #eee}
th{font-weight:500;color:#555}small{color:#b30000}
@media(min-width:56rem){.mapped:has(.maps>:only-child){display:grid;gap:0 2rem;
grid-template-columns:1fr 1fr;grid-template-rows:auto 1fr}
.mapped>.maps:has(>:only-child){grid-column:2;grid-row:1/span 2}
.mapped>.key,.mapped>.words{grid-column:1}}
summary{cursor:pointer}input[type=range]{vertical-align:middle;width:min(16rem,60vw)}
</style></head>
<body><h1>%TITLE%</h1><p id="summary">%SUMMARY%</p><nav>%LINKS%</nav>%BODY%</body></html>
"""
