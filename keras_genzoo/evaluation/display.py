"""The scores of a result as rows of text; files keep the bare numbers."""

import math
import sys
from collections.abc import Collection, Mapping
from typing import Any

from keras_genzoo.classes import MOST_CLASSES
from keras_genzoo.evaluation.score import SCORES, Display

# Stands for a value that a result lacks, since null stands for one that is not finite.
MISSING = object()


def score_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the scores of a result in words: (score, value, value of real images).

    Histograms, and scores of each of more than 20 classes, are left out, and so is what is shown
    beside another value. A value that no registered score gives goes by its name in the file.

    >>> score_rows({"scores": {"kid": 0.00125, "kid_std": 0.0002}, "floor": {"kid": 0.0001}})
    [('KID × 1,000 ↓', '1.25 ± 0.2', '0.1')]
    """
    displays = _displays()
    # Shown beside another value, not in rows of their own.
    beside = {
        name for display in displays.values() if display
        for name in (display.spread, display.interval)
    }  # fmt: skip
    hidden = {name for name, display in displays.items() if display is None}
    scores, floor = (_flat(result.get(part, {}), hidden) for part in ("scores", "floor"))
    rows = []
    for name in scores:
        if name not in beside:
            display, item = _display(name, displays)
            value, of_real = (_in_words(display, name, part) for part in (scores, floor))
            rows.append((display.head(item), value, of_real))
    return rows


def score_table(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return ``score_rows`` below their heads; the column of real images only if it has a value.

    >>> score_table({"scores": {"fid": 1.5}})
    [('score', 'value'), ('FID ↓', '1.5')]
    """
    rows = [("score", "value", "real images"), *score_rows(result)]
    has_real = any(row[2] for row in rows[1:])
    return [row if has_real else row[:2] for row in rows]


def quoted_score(result: dict[str, Any], name: str) -> tuple[str, str, str] | None:
    """Return a score as a sentence quotes it: (label, value, value of real images), with units.

    Numbers have three digits, and no interval beside them. None if the result lacks the score.

    Args:
        result: the result.
        name: path of the value, such as ``likelihood.elbo``.

    >>> result = {"scores": {"fid": 4.8954, "label_accuracy": 0.98765}, "floor": {"fid": 0.4224}}
    >>> quoted_score(result, "fid"), quoted_score(result, "label_accuracy")
    (('FID', '4.9', '0.422'), ('label accuracy', '98.8 %', ''))
    """
    scores, floor = (_flat(result.get(part, {}), set()) for part in ("scores", "floor"))
    if name not in scores:
        return None
    display, _ = _display(name, _displays())
    unit = f" {display.unit}" if display.unit else ""
    value, real = (
        f"{_number(part[name], display.scale, 3)}{unit}" if name in part else ""
        for part in (scores, floor)
    )
    return display.label, value, real


def _displays() -> dict[str, Display | None]:
    """Return how the values of all scores are shown, by their paths in a result."""
    return {path: shown for name in SCORES for path, shown in SCORES[name].gives.items()}


def _display(name: str, displays: Mapping[str, Display | None]) -> tuple[Display, str]:
    """Return how a value is shown, and the class that it belongs to, if any."""
    if (known := displays.get(name)) is not None:
        return known, ""
    whole, _, item = name.partition(".")
    display = displays.get(whole)
    if display is not None and "{}" in display.label:
        return display, item
    return Display.plain(name), ""


def _in_words(display: Display, name: str, values: Mapping[str, Any]) -> str:
    if name not in values:
        return ""
    text = _number(values[name], display.scale)
    spread, interval = values.get(display.spread), values.get(display.interval)
    if isinstance(spread, float):
        text += f" ± {_number(spread, display.scale, 2)}"
    if isinstance(interval, list):
        text += f" ({_number(interval, display.scale)})"
    return text


def _number(value: Any, scale: float, digits: int = 5) -> str:
    if value is None:
        return "not finite"
    if isinstance(value, float):
        return _in_digits(value * scale, digits) if math.isfinite(value) else "not finite"
    if isinstance(value, list):
        return " to ".join(_number(item, scale, digits) for item in value)
    return str(value)


def _in_digits(value: float, digits: int) -> str:
    """Return a number with so many digits, without an exponent where it is not very large.

    >>> _in_digits(2131.18, 2), _in_digits(0.42246, 3), _in_digits(2.5e12, 3)
    ('2100', '0.422', '2.5e+12')
    """
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e9 else text


def _flat(values: dict[str, Any], hidden: set[str], prefix: str = "") -> dict[str, Any]:
    """Return nested values by their paths, such as ``likelihood.elbo``, without hidden ones."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}{name}"
        if path in hidden or (isinstance(value, dict) and len(value) > MOST_CLASSES):
            continue
        if isinstance(value, dict):
            flat |= _flat(value, hidden, f"{path}.")
        else:
            flat[path] = value
    return flat


def compared_displays(names: Collection[str]) -> dict[str, Display]:
    """Return how the numbers of scores are shown by which models are compared, by path in a result.

    Of a score with values that have a better direction, the others are left out, such as counts.

    Args:
        names: of the scores; the displays have the order of ``SCORES``.

    >>> list(compared_displays(["kid", "modes"]))
    ['kid', 'modes.covered', 'modes.reverse_kl']
    """
    shown: dict[str, Display] = {}
    for name in SCORES:
        if name in names:
            of_score = {path: d for path, d in SCORES[name].gives.items() if d is not None}
            shown |= {path: d for path, d in of_score.items() if d.better} or of_score
    # A spread within one run is not that over the seeds.
    beside = {name for d in shown.values() for name in (d.spread, d.interval)}
    return {path: display for path, display in shown.items() if path not in beside}


def numbers_in(scores: Mapping[str, Any], paths: Collection[str]) -> dict[str, float | None]:
    """Return the numbers that scores have at some paths, by path.

    None stands for a number that is not finite, or larger than any. Texts, lists and values of each
    class are left out.

    >>> numbers_in({"fid": 1.5, "modes": {"covered": 9}}, ["fid", "kid", "modes.covered"])
    {'fid': 1.5, 'modes.covered': 9}
    """
    numbers: dict[str, float | None] = {}
    for path in paths:
        value = value_at(scores, path)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is None or is_number:
            too_large = is_number and abs(value) > sys.float_info.max
            numbers[path] = None if too_large else value
    return numbers


def value_at(scores: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path such as ``"likelihood.elbo"``; ``MISSING`` if there is none."""
    value: Any = scores
    for name in path.split("."):
        value = value.get(name, MISSING) if isinstance(value, dict) else MISSING
    return value
