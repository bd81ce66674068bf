"""Results as files and in words; which of a run's results are of its present weights.

A result is a dictionary with ``protocol``, ``scores``, ``floor`` (what real images score) and
``warnings``. A run keeps the newest in ``evaluation.json``, and under ``others`` in the same file
those of other weights or another protocol.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.display import score_table
from keras_genzoo.evaluation.features import accuracy_in_words
from keras_genzoo.files import write_json
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown

FILE = "evaluation.json"

# How parts of the protocol are shown; others are shown by their names in the file.
_PROTOCOL = {
    "fid_real": "statistics of FID",
    "floor": "column 'real images'",
    "classes": "classes of generated images",
    "sampling": "images made by",
}
# What one run has to itself, and no other.
_OF_A_RUN = ("run", "model", "weights", "classes of generated images", "steps", "weights_digest")


@dataclass(frozen=True)
class ReadResult:
    """A result that was read from a file, in words.

    Args:
        protocol: as ``protocol_rows`` returns it.
        scores: as ``score_table`` returns them: the heads, then a row for each score.
        warnings: sentences.
        has_floor: whether it says what other real images score.
        values: the result as the file has it.
    """

    protocol: list[tuple[str, str]]
    scores: list[tuple[str, ...]]
    warnings: list[str]
    has_floor: bool
    values: dict[str, Any]

    @property
    def step(self) -> int | None:
        """The training step of the weights that were measured, None if it is not known."""
        step = self.values["protocol"].get("steps")
        return step if isinstance(step, int) else None

    @property
    def weights(self) -> str:
        """The weights that were measured, in words: ``step 3,000`` or ``unknown weights``."""
        return "unknown weights" if self.step is None else f"step {self.step:,}"


@dataclass(frozen=True)
class RunResults:
    """The results that a run has kept.

    Args:
        current: those of the weights asked for, the one that belongs first in the page first; the
            others have another protocol, such as other features.
        stale: those of other weights, whose ``weights`` say of which, the latest step first.
    """

    current: list[ReadResult]
    stale: list[ReadResult]


def results_of(run: str | os.PathLike, digest: str, step: int) -> RunResults:
    """Return the results that a run has kept: of the weights asked for, and stale ones.

    ``evaluate`` keeps every result of a run here, also one that it was asked to write elsewhere.
    A result of a time before digests is of the weights asked for if its step is the same.

    Args:
        run: the run folder.
        digest: of the model's weights, as ``training.variables.weights_digest`` returns it.
        step: of the model.

    Raises:
        GenzooError: if the file cannot be read, or is damaged.
    """
    file = Path(run) / FILE
    if not file.exists():
        return RunResults([], [])
    read = [_in_words(result, file) for result in read_results(file)]
    current = [one for one in read if is_of_weights(one.values, digest, step)]
    stale = [one for one in read if one not in current]
    return RunResults(current, sorted(stale, key=lambda one: -(one.step or 0)))


def is_of_weights(result: dict[str, Any], digest: str, step: int) -> bool:
    """Whether a result is of the weights with a digest, or, if it names none, of their step."""
    protocol = result["protocol"]
    if "weights_digest" in protocol:
        return protocol["weights_digest"] == digest
    return protocol.get("steps") == step


def write_result(result: dict[str, Any], path: str | os.PathLike) -> None:
    """Write a result as JSON, whole or not at all."""
    write_json(path, result)


def read_result(path: str | os.PathLike) -> ReadResult:
    """Read a result that ``write_result`` wrote.

    Raises:
        GenzooError: if the file cannot be read, or is damaged.
    """
    return _in_words(read_results(path)[0], path)


def read_results(path: str | os.PathLike) -> list[dict[str, Any]]:
    """Return what a file of results holds: the newest, then the others.

    Raises:
        GenzooError: if the file cannot be read, or is damaged.
    """
    try:
        first = dict(read_json(path))
        results = [first, *first.pop("others", [])]
        for result in results:
            _check(result)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error
    return results


def _check(result: dict[str, Any]) -> None:
    """Check that a result has the parts that are read from it.

    Raises:
        ValueError, KeyError or TypeError: if it has not.
    """
    protocol, scores = result["protocol"], result["scores"]
    kinds = [(protocol, dict), (scores, dict), (result["warnings"], list)]
    kinds += [(result.get("floor", {}), dict), (scores.get("likelihood", {}), dict)]
    if "features" in protocol:
        network = protocol["features"]
        kinds += [(network, dict), (network["name"], str), (network["checksum"], str)]
    for part, kind in kinds:
        if not isinstance(part, kind):
            raise ValueError(f"{part!r:.20} is not a {kind.__name__}")


def _in_words(result: dict[str, Any], path: str | os.PathLike) -> ReadResult:
    try:
        return ReadResult(
            protocol_rows(result),
            score_table(result),
            [str(line) for line in result["warnings"]],
            "floor" in result,
            result,
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: str | os.PathLike, error: Exception) -> GenzooError:
    return GenzooError(f"{path} is damaged ({error}); remove it to measure anew")


def table(result: dict[str, Any]) -> str:
    """Return a result as lines of text: the protocol, a row for each score, the warnings.

    Histograms are left to the JSON, where null stands for a number that is not finite.

    >>> result = {"protocol": {"seed": 0}, "scores": {"fid": 1.5}, "warnings": []}
    >>> print(table(result | {"floor": {"fid": 0.25}}))
    seed  0
    <BLANKLINE>
    score      value  real images
    FID ↓        1.5         0.25
    """
    protocol = protocol_rows(result)
    width = max(len(name) for name, _ in protocol)
    lines = [f"{name:{width}}  {value}" for name, value in protocol]
    scores = score_table(result)
    widths = [max(map(len, column)) for column in zip(*scores, strict=True)]
    lines.append("")
    for name, *values in scores:
        cells = [f"{value:>{width}}" for value, width in zip(values, widths[1:], strict=True)]
        lines.append("  ".join([f"{name:{widths[0]}}", *cells]))
    lines += [f"warning: {warning}" for warning in result["warnings"]]
    return "\n".join(shown(line.rstrip()) for line in lines)


def protocol_rows(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what a result was measured with, in words: (name, value).

    >>> protocol = {"real": "mnist, split test", "num_real": 100, "num_fake": 100, "seed": 0}
    >>> protocol_rows({"protocol": protocol | {"real_images_are": "held out"}})
    [('real images', '100 of mnist, split test: held out'), ('generated images', '100'),
     ('seed', '0')]
    """
    protocol = dict(result["protocol"])
    kinds = ("real", "real images"), ("fake", "generated images"), ("train", "training images")
    for name, words in kinds:
        count, origin = protocol.pop(f"num_{name}", None), protocol.pop(name, None)
        count = f"{count:,}" if isinstance(count, int) else count
        parts = [str(part) for part in (count, origin) if part is not None]
        role = protocol.pop(f"{name}_images_are", None)
        if parts:
            protocol[words] = " of ".join(parts) + (f": {role}" if role else "")
    if "weights" in protocol:
        # The words already name the step, and the digest is for programs.
        protocol.pop("steps", None)
        protocol.pop("weights_digest", None)
    if (shape := protocol.pop("image_shape", None)) is not None:
        protocol["image shape"] = "x".join(map(str, shape))
    network = protocol.pop("features", None)
    if network:
        accuracy = f", {accuracy_in_words(network)}" if "tested_on" in network else ""
        protocol["features"] = f"{network['name']} ({network['checksum'][:12]}{accuracy})"
        protocol["resize"] = network["resize"]
    order = ["run", "model", "weights", "real images", "generated images", "training images"]
    names = sorted(protocol, key=lambda name: order.index(name) if name in order else len(order))
    return [(_PROTOCOL.get(name, name), str(protocol[name])) for name in names]


def shared_protocol_rows(protocol: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the rows of a protocol that it shares with those of other runs.

    >>> shared_protocol_rows({"run": "runs/a", "seed": 0})
    [('seed of what the scores draw', '0')]
    """
    rows = protocol_rows({"protocol": protocol})
    words = {"seed": "seed of what the scores draw"}
    return [(words.get(name, name), value) for name, value in rows if name not in _OF_A_RUN]
