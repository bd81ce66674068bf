"""``genzoo report``: the samples, training, scores and settings of a run as one HTML page."""

import html
import os
from collections.abc import Callable
from pathlib import Path

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.visualization.figures import figure_title
from keras_genzoo.visualization.pages import write_page
from keras_genzoo.visualization.report_head import head
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
from keras_genzoo.visualization.report_numbers import maps, scores, settings


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
    title = _title(run, model)
    # The head quotes scores that the sections above may just have measured.
    return write_page(out, title, head(page, Path(out)), sections)


def _or_reason(make: Callable[[Page], str], page: Page) -> str:
    """Return a part of the page, or a line that says why it is left out."""
    try:
        return make(page)
    except GenzooError as error:
        return f"<p>Left out: {html.escape(str(error))}.</p>"


def _title(run: Run, model: ImageModel) -> str:
    """Return the title of the page: model, data, latent size, step, recipe and date."""
    origin = {"recipe": run.recipe, "begun": run.begun and run.begun[:10]}
    parts = [f"{name} {value}" for name, value in origin.items() if value]
    return shown(", ".join([figure_title(run, model), *parts]))
