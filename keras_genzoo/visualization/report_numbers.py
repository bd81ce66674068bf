"""The parts of a run's report that hold numbers: scores, maps, settings."""

import html
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import Options, results_of, update_results
from keras_genzoo.evaluation.results import ReadResult, RunResults
from keras_genzoo.reading import read_json
from keras_genzoo.visualization.interactive import map_html
from keras_genzoo.visualization.pages import table
from keras_genzoo.visualization.report_images import Page
from keras_genzoo.visualization.umap_study import draw_umap, image_notes, load_studies, why_stale


def results(page: Page) -> RunResults:
    """Return the results in the run folder: of the weights on the page, and of other weights."""
    return results_of(page.run.path, page.digest, page.step)


def scores(page: Page) -> str:
    """Show the scores; if none belong to these weights, measure them, or add a remark to each."""
    found, reason = results(page), ""
    if page.measure and not found.current:
        page.echo("measuring the scores")
        # Scores of generated images are meaningless for a model that does not generate.
        names = None if page.generates else ("reconstruction",)
        options = Options(scores=names, seed=page.seed, dataset=page.dataset)
        try:
            update_results(page.run.path, options, echo=page.echo)
        except GenzooError as error:
            if not found.stale:
                raise
            reason = _not_again(error)
        found = results(page)
    current = "".join(_result(result) for result in found.current)
    stale = "".join(_result(result, page.stale(result.weights)) for result in found.stale)
    if stale and current:
        stale = f"<details><summary>Scores of other weights</summary>{stale}</details>"
    return reason + current + stale


def _not_again(error: GenzooError) -> str:
    return f"<p>Not measured again: {html.escape(str(error))}.</p>"


def _result(result: ReadResult, note: str = "") -> str:
    """Return a result as HTML: its scores, and beside them how they were measured."""
    warnings = "".join(f"<p>Warning: {html.escape(line)}.</p>" for line in result.warnings)
    if result.has_floor:
        warnings = f"<p>{_REAL_IMAGES}</p>{warnings}"
    scores = table(result.scores, head=True, note=note)
    protocol = f"<h3>Measured with</h3>{table(result.protocol)}"
    return f'<div class="grid"><div>{scores}{warnings}</div><div>{protocol}</div></div>'


_REAL_IMAGES = (
    "Column “real images”: the scores of real images other than those compared with. "
    "↑ more is better, ↓ less is better."
)


def maps(page: Page) -> str:
    """Show the maps of ``umap``; if they belong to other weights, draw them anew or say so."""
    folder, reason = page.run.path / "umap", ""
    there = (folder / "umap.json").exists()
    stale = why_stale(folder, page.model) if there else None
    if page.measure and page.generates and (stale or not there):
        page.echo("drawing the maps")
        options: dict[str, Any] = {"seed": page.seed, "dataset": page.dataset}
        options |= _kept_options(folder) if there else {}
        try:
            draw_umap(page.run.path, **options, out=folder, force=True, echo=page.echo)
        except GenzooError as error:
            if not there:
                raise
            reason = _not_again(error)
        else:
            there, stale = True, None
    if not there:
        return ""
    studies = load_studies(folder)
    notes = image_notes(read_json(folder / "umap.json"))
    return f'{reason}<div class="mapped">{map_html(*studies, notes, stale or "")}</div>'


def _kept_options(folder: Path) -> dict[str, Any]:
    """Return the options with which existing maps were drawn, as arguments of ``draw_umap``."""
    numbers = read_json(folder / "umap.json")
    try:
        maps, umap = numbers["maps"], numbers["umap"]
        options = {
            "distances": list(maps),
            "num_real": max(one["num_real"] for one in maps.values()),
            "num_generated": max(one["num_generated"] for one in maps.values()),
            "split": numbers["real"].rpartition(", split ")[2],
            "num_neighbours": umap["n_neighbors"],
            "min_dist": umap["min_dist"],
            "seed": numbers["seed"],
        }
        if numbers["features"]:
            options["features"] = numbers["features"]["name"]
    except (LookupError, TypeError, ValueError, AttributeError):
        # umap.json of an earlier version lacks some of them: draw with the defaults.
        return {}
    return options


def settings(page: Page) -> str:
    """Show all settings of the run with the values in use, and the versions that it began with."""
    run = page.run
    values = run.values | {f"version of {k}": v for k, v in run.versions.items()}
    rows = [(name, str(value)) for name, value in values.items() if value is not None]
    return f"<details><summary>All settings</summary>{table(rows)}</details>"
