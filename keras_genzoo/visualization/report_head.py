"""The head of a run's report: a sentence to quote, what its weights are, its page to play with."""

import html
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote as quoted_address

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import quoted_score
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.evaluation.options import PRIOR
from keras_genzoo.markup import read_weights_mark
from keras_genzoo.text import shown
from keras_genzoo.visualization.report_images import Page
from keras_genzoo.visualization.report_numbers import results

PLAYGROUND = "playground.html"
# The scores that the sentence names if they were measured, by whether the model generates. Of a
# group, the first one that there is.
_QUOTED = {
    True: (
        ("fid",),
        ("label_accuracy",),
        ("likelihood.bits_per_dim", "likelihood.log_likelihood"),
    ),
    False: (("reconstruction.mse",), ("reconstruction.ssim",)),
}


def head(page: Page, out: Path) -> str:
    """Return the head of the report as HTML.

    Args:
        page: the page.
        out: where it is written, from where its link to the playground leads.
    """
    heading = f"<h1>{html.escape(page.run.subject)}</h1>"
    sentence = f'<p id="quote">{html.escape(quote(page))}</p>'
    return f'{heading}{sentence}<p id="origin">{html.escape(origin(page))}</p>{play(page, out)}'


def quote(page: Page) -> str:
    """Return a sentence that names the model, its data, its steps and its main scores.

    Only scores of the very weights on the page stand in it, with what they were measured with.
    """
    steps = f"{page.step:,} steps of {page.run.settings.batch_size:,}"
    sentence = f"{page.run.model_and_data}, {steps}"
    scores = _scores(_results(page), page.generates)
    return f"{sentence}: {scores}." if scores else f"{sentence}."


def origin(page: Page) -> str:
    """Return which weights the page shows, and what tells their run from others."""
    run = page.run
    parts = [f"T{page.weights[1:]}" if page.weights.startswith("the ") else page.weights]
    if not _results(page):
        parts.append("no scores of these weights")
    known = {"recipe": run.recipe, "begun": run.begun and run.begun[:10]}
    known |= {"weights": page.digest, "keras_genzoo": run.versions.get("keras_genzoo")}
    parts += [f"{name} {value}" for name, value in known.items() if value]
    return shown("; ".join(parts)) + "."


def play(page: Page, out: Path) -> str:
    """Return a link to the page to play with, if the run has one, as HTML."""
    file = page.run.path / PLAYGROUND
    if not file.is_file():
        return ""
    mark = read_weights_mark(file)
    if mark == page.digest:
        remark = ""
    elif mark is None:
        remark = "that page does not say which weights it has"
    else:
        remark = "that page has other weights than the images below"
    remark = f" <small>{remark}</small>" if remark else ""
    return f'<p id="play"><a href="{_address(file, out)}">Play with this model</a>{remark}</p>'


def _address(file: Path, out: Path) -> str:
    """Return the address of a file as a link on a page has it."""
    try:
        place = Path(os.path.relpath(file.resolve(), out.resolve().parent)).as_posix()
    except ValueError:
        # On another drive of Windows no relative path leads there.
        return html.escape(file.resolve().as_uri())
    # A name with a colon would read as the scheme of an address.
    place = place if place.startswith("../") else f"./{place}"
    return html.escape(quoted_address(os.fsencode(place)))


def _results(page: Page) -> list[dict[str, Any]]:
    """Return the results of the weights on the page, the one that belongs first in it first."""
    try:
        return [result.values for result in results(page).current]
    except GenzooError:
        # The section of the scores says what is wrong with the file.
        return []


def _scores(measured: list[dict[str, Any]], generates: bool) -> str:
    """Return the main scores, each of the first result that has it, with its protocol."""
    parts: list[str] = []
    said: list[str] = []
    for group in _QUOTED[generates]:
        found = (
            (result, name, score)
            for result in measured
            for name in group
            if (score := quoted_score(result, name))
        )
        first = next(found, None)
        if first is None:
            continue
        result, name, (label, value, real) = first
        protocol = [words for words in _protocol(result, name) if words not in said]
        said += protocol
        beside = [", ".join(protocol), real and f"real images {real}"]
        words = "; ".join(part for part in beside if part)
        parts.append(f"{label} {value} ({words})" if words else f"{label} {value}")
    return ", ".join(parts)


def _protocol(result: dict[str, Any], name: str) -> list[str]:
    """Return what a score cannot be compared without, in few words.

    A file that was edited by hand may lack any of it.
    """
    protocol, kind = result["protocol"], name.partition(".")[0]
    if kind == "likelihood":
        likelihood = result["scores"][kind]
        words = [_images(None, likelihood.get("num_images", protocol.get("num_real")))]
        if (binarization := likelihood.get("binarization", "grey")) != "grey":
            words.append(f"{binarization} binarization")
        if given := likelihood.get("given"):
            words.append(f"given their {given}")
    elif kind == "reconstruction":
        words = [_images(None, protocol.get("num_real"))]
    else:
        words = [_images(protocol.get("num_fake"), protocol.get("num_real"))]
        if name == "fid" and "features" in protocol:
            # Of a network in a file only the name of the file.
            network = Path(protocol["features"]["name"].removeprefix("model:")).name
            words.insert(0, "of pixels" if network == Pixels.name else f"{network} features")
        if (sampler := protocol.get("sampler", PRIOR)) != PRIOR:
            words.append(f"sampler {sampler}")
        if sampling := protocol.get("sampling"):
            words.append(str(sampling))
    return [part for part in words if part]


def _images(generated: Any, real: Any) -> str:
    """Return counts of images in words; one that is None is left out."""
    counts = {"generated": generated, "real": real}
    words = {kind: f"{n:,}" if isinstance(n, int) else str(n) for kind, n in counts.items() if n}
    if len(set(words.values())) == 1:
        return f"{next(iter(words.values()))} images"
    return " and ".join(f"{count} {kind} images" for kind, count in words.items())
