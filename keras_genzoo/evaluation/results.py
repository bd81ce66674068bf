"""A result as a file and in words: the protocol, a row for each score, the warnings."""

import math
import os
from dataclasses import dataclass
from typing import Any

from keras_genzoo.classes import MOST_CLASSES
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.features import accuracy_in_words
from keras_genzoo.files import write_json
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown


@dataclass(frozen=True)
class ReadResult:
    """A result that was read from a file, in words.

    Args:
        protocol: as ``protocol_rows`` returns it.
        scores: as ``score_rows`` returns them.
        warnings: sentences.
        has_floor: whether it says what other real images score.
    """

    protocol: list[tuple[str, str]]
    scores: list[tuple[str, str, str]]
    warnings: list[str]
    has_floor: bool


def write_result(result: dict[str, Any], path: str | os.PathLike) -> None:
    """Write a result as JSON, whole or not at all."""
    write_json(path, result)


def read_result(path: str | os.PathLike) -> ReadResult:
    """Read a result that ``write_result`` wrote.

    Raises:
        GenzooError: if the file cannot be read, or is damaged.
    """
    try:
        result = read_json(path)
        return ReadResult(
            protocol_rows(result),
            score_rows(result),
            [str(line) for line in result["warnings"]],
            "floor" in result,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GenzooError(f"{path} is damaged ({error}); remove it to measure anew") from error


def table(result: dict[str, Any]) -> str:
    """Return a result as lines of text: the protocol, a row for each score, the warnings.

    Histograms are left to the JSON, where null stands for a number that is not finite.

    >>> print(table({"protocol": {"num_fake": 10}, "scores": {"fid": 1.5}, "warnings": []}))
    num_fake  10
    <BLANKLINE>
    score      value      floor
    fid          1.5
    """
    protocol = protocol_rows(result)
    width = max(len(name) for name, _ in protocol)
    lines = [f"{name:{width}}  {value}" for name, value in protocol]
    scores = [("score", "value", "floor"), *score_rows(result)]
    width = max(len(name) for name, *_ in scores)
    lines += ["", *(f"{name:{width}} {value:>10} {floor:>10}" for name, value, floor in scores)]
    lines += [f"warning: {warning}" for warning in result["warnings"]]
    return "\n".join(shown(line.rstrip()) for line in lines)


def protocol_rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a result was measured with, in words: (name, value)."""
    protocol = dict(result["protocol"])
    network = protocol.pop("features", None)
    if network:
        accuracy = f", {accuracy_in_words(network)}" if "tested_on" in network else ""
        protocol["features"] = f"{network['name']} ({network['checksum'][:12]}{accuracy})"
        protocol["resize"] = network["resize"]
    return [(name, str(value)) for name, value in protocol.items()]


def score_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the scores of a result in words: (name, value, floor).

    Histograms, and scores of each of more than 20 classes, are left out.
    """
    scores = {name: value for name, value in result["scores"].items() if not _too_long(name, value)}
    floor = _flat(result.get("floor", {}))
    return [
        (name, _shown(value), _shown(floor.get(name, ""))) for name, value in _flat(scores).items()
    ]


def _too_long(name: str, value: Any) -> bool:
    return name == "class_histogram" or (isinstance(value, dict) and len(value) > MOST_CLASSES)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def _shown(value: Any) -> str:
    if value is None:
        return "not finite"
    if isinstance(value, float):
        return f"{value:.5g}" if math.isfinite(value) else "not finite"
    if isinstance(value, list):
        return " to ".join(_shown(item) for item in value)
    return str(value)
