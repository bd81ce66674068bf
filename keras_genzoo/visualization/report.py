"""``genzoo report``: all that is known of a run, as one page that needs no network."""

import base64
import html
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_genzoo.data.splits import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    Options,
    evaluate_run,
    nearest_rows,
    protocol_rows,
    score_rows,
    write_result,
)
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.files import writing
from keras_genzoo.images import image_grid, readable_scale
from keras_genzoo.models import CGAN, Autoencoder, ImageModel
from keras_genzoo.training import Run, load_model
from keras_genzoo.training.preparing import open_splits
from keras_genzoo.visualization.curves import training_curves
from keras_genzoo.visualization.figures import MAP_IMAGES, class_rows, reconstructions_and_walk
from keras_genzoo.visualization.interactive import map_html
from keras_genzoo.visualization.latent import codes_of, latent_manifold, latent_map
from keras_genzoo.visualization.umap_study import draw_umap, load_studies

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Echo = Callable[[str], None]
NEIGHBOUR_IMAGES = 20_000
MOST_PICTURES = 12


def write_report(
    path: Path,
    out: Path,
    *,
    measure: bool = True,
    seed: int = 0,
    echo: Echo = lambda line: None,
) -> Path:
    """Write the page of a run: settings, curves, samples over time, scores, maps, neighbours.

    Scores and maps that ``evaluate`` and ``umap`` have left in the run folder are shown as they
    are; what is missing is measured now, and left there, too.

    Args:
        path: the run folder.
        out: the page.
        measure: whether to measure what is missing.
        seed: key of the noise and of the choice of real images.
        echo: told what takes long.

    Raises:
        GenzooError: if the run has no model, the data cannot be had, or a file cannot be written.
    """
    run = Run.open(path)
    model = load_model(run, echo)
    splits = open_splits(run.settings)
    sections = [
        ("Samples", _samples(run, model, seed)),
        ("Training", _training(run)),
        ("Scores", _scores(run, measure, seed, echo)),
        ("Inside the real images?", _maps(run, measure, seed, echo)),
        ("Latent space", _latent(run, model, splits, seed)),
        ("Nearest training images", _neighbours(model, splits, seed)),
        ("Settings", _settings(run)),
    ]
    body = "".join(
        f"<section><h2>{title}</h2>{content}</section>" for title, content in sections if content
    )
    title = html.escape(f"{run.settings.model} on {run.settings.dataset}")
    links = " · ".join(
        f'<a href="#{_anchor(name)}">{name}</a>' for name, content in sections if content
    )
    for name, _ in sections:
        body = body.replace(f"<h2>{name}</h2>", f'<h2 id="{_anchor(name)}">{name}</h2>')
    page = _PAGE.replace("%TITLE%", title).replace("%LINKS%", links).replace("%BODY%", body)
    with writing(out) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return out


def _anchor(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name.lower())


def _samples(run: Run, model: ImageModel, seed: int) -> str:
    columns = model.num_classes if isinstance(model, CGAN) else 8
    images = model.generate(64 // columns * columns or columns, seed=seed)
    grid = image_grid(images, columns, scale=_scale(images))
    parts = [_picture(grid, f"{len(images)} generated images")]
    if isinstance(model, CGAN):
        parts.append(_drawn(class_rows(model, seed), "A row for each class asked for"))
    return "".join(parts)


def _training(run: Run) -> str:
    history = run.read_history()
    if not history:
        return ""
    parts = [_drawn(training_curves(history), "Means between two checkpoints")]
    pictures = run.pictures()
    if pictures:
        # First and last always, those between at equal distances.
        chosen = np.unique(np.linspace(0, len(pictures) - 1, MOST_PICTURES).round().astype(int))
        frames = [
            {"step": int(pictures[i].stem.removeprefix("step-")), "src": _data(pictures[i])}
            for i in chosen
        ]
        text = json.dumps(frames).replace("</", "<\\/")
        parts.append(_FILM.replace("%FRAMES%", text).replace("%LAST%", str(len(frames) - 1)))
    return "".join(parts)


def _scores(run: Run, measure: bool, seed: int, echo: Echo) -> str:
    file = run.path / "evaluation.json"
    if not (file.exists() or measure):
        return ""
    if not file.exists():
        echo("measuring the scores")
        write_result(evaluate_run(run.path, Options(seed=seed), echo), file)
    try:
        result = json.loads(file.read_text())
        scores, protocol = score_rows(result), protocol_rows(result)
        warnings = "".join(f"<p>Warning: {html.escape(line)}.</p>" for line in result["warnings"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GenzooError(f"{file} is damaged ({error}); remove it to measure anew") from error
    return (
        _table(scores, ("score", "value", "floor"))
        + "<p>The floor is what other real images score, as if they were generated.</p>"
        + warnings
        + f"<details open><summary>Protocol</summary>{_table(protocol)}</details>"
    )


def _maps(run: Run, measure: bool, seed: int, echo: Echo) -> str:
    folder = run.path / "umap"
    if not (folder / "umap.json").exists():
        if not measure:
            return ""
        echo("drawing the maps")
        count = min(1000, open_splits(run.settings).train.num_images)
        draw_umap(run.path, num_real=count, seed=seed, out=folder, force=True, echo=echo)
    studies, real, generated = load_studies(folder)
    return (
        "<p>UMAP fitted on real images places generated ones among them. A generated image is at "
        "the border where real ones are as sparse as around the outermost tenth of them.</p>"
        + map_html(studies, real, generated)
    )


def _latent(run: Run, model: ImageModel, splits: Splits, seed: int) -> str:
    if not isinstance(model, Autoencoder):
        return ""
    source = splits.to_look_at()
    images, labels = source.sample(min(MAP_IMAGES, source.num_images), seed)
    parts = [
        _drawn(
            reconstructions_and_walk(model, images[:10]), "Reconstructions, and a walk between two"
        )
    ]
    if model.latent_dim >= 2:
        labels = labels if source.num_classes else None
        codes = codes_of(model, images, labels, f"{source.name}, split {source.split}")
        parts.append(_drawn(latent_map([codes], source.class_names), "Codes of real images"))
        if model.latent_dim == 2:
            parts.append(_drawn(latent_manifold(model, codes.points), "What lies there"))
    return "".join(parts)


def _neighbours(model: ImageModel, splits: Splits, seed: int, rows: int = 8) -> str:
    generated = model.generate(rows, seed=seed)
    train, _ = splits.train.sample(min(splits.train.num_images, NEIGHBOUR_IMAGES), seed)
    pixels = Pixels()
    features = [pixels.compute(part).features.astype("float64") for part in (generated, train)]
    numbers, _ = nearest_rows(*features, k=min(6, len(train)))
    images = np.concatenate(
        [np.concatenate([generated[i : i + 1], train[numbers[i]]]) for i in range(rows)]
    )
    grid = image_grid(images, 1 + numbers.shape[1], scale=_scale(images))
    words = (
        f"Left: generated images. Beside each, the nearest of {len(train):,} training images by "
        f"the distance of pixels, {pixels.resize}: a copy would show."
    )
    return _picture(grid, words)


def _settings(run: Run) -> str:
    values = run.settings.to_dict() | {f"version of {k}": v for k, v in run.versions.items()}
    rows = [(name, str(value)) for name, value in values.items() if value is not None]
    return f"<details><summary>All settings</summary>{_table(rows)}</details>"


def _table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...] = ()) -> str:
    lines = ["".join(f"<th>{html.escape(cell)}</th>" for cell in head)] if head else []
    for name, *cells in rows:
        values = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        lines.append(f"<th>{html.escape(name)}</th>{values}")
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _scale(images: np.ndarray) -> int:
    return readable_scale(images.shape[1])


def _data(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def _picture(grid: np.ndarray, words: str) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(grid[..., 0] if grid.shape[-1] == 1 else grid).save(buffer, "PNG")
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return _FIGURE.format(source=f"data:image/png;base64,{code}", words=html.escape(words))


def _drawn(figure: "Figure", words: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, bbox_inches="tight", metadata={"Software": None})
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return _FIGURE.format(source=f"data:image/png;base64,{code}", words=html.escape(words))


_FIGURE = (
    '<figure><img src="{source}" alt="{words}" loading="lazy">'
    "<figcaption>{words}</figcaption></figure>"
)

_FILM = """<figure><img id="film" alt="The same noise over training">
<figcaption><input id="time" type="range" min="0" max="%LAST%" value="%LAST%"
aria-label="step of training"> <span id="step"></span>: the same noise over training</figcaption>
</figure><script>
(() => {
const frames = %FRAMES%, time = document.getElementById("time");
const show = () => { const frame = frames[time.value];
  document.getElementById("film").src = frame.src;
  document.getElementById("step").textContent = "step " + frame.step.toLocaleString("en"); };
time.addEventListener("input", show);
show();
})();
</script>"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%TITLE%</title>
<style>
body{font:16px/1.55 system-ui,sans-serif;color:#222;margin:0 auto;max-width:76rem;
padding:0 1rem 4rem}
h1{font-size:1.7rem;margin:1.4rem 0 .2rem}h2{font-size:1.2rem;margin:0 0 .6rem}
nav{color:#777;font-size:.95rem}a{color:#0b5394}
section{border-top:1px solid #ddd;margin-top:1.6rem;padding-top:1.1rem;display:flow-root}
figure{display:inline-block;vertical-align:top;margin:0 1rem 1rem 0;max-width:100%}
figure img{max-width:min(100%,34rem);height:auto;display:block}
figcaption{font-size:.85rem;color:#555;margin-top:.3rem;max-width:34rem}
table{border-collapse:collapse;font-size:.85rem}th,td{text-align:left;padding:.15rem .9rem .15rem 0;
border-bottom:1px solid #eee;overflow-wrap:anywhere}th{font-weight:500;color:#555}
summary{cursor:pointer}input[type=range]{vertical-align:middle;width:min(16rem,60vw)}
</style></head>
<body><h1>%TITLE%</h1><nav>%LINKS%</nav>%BODY%</body></html>
"""
