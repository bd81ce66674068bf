"""New scores are added to those that a file has: missing ones, and those asked for again.

Scores are added to a result only if they were measured of the same weights and by the same
protocol. Results of other weights or protocols stay in the run's file, under ``others``.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.evaluate import measure
from keras_genzoo.evaluation.evaluated_run import EvaluatedRun
from keras_genzoo.evaluation.features import usual_network
from keras_genzoo.evaluation.inputs import Echo
from keras_genzoo.evaluation.options import Options
from keras_genzoo.evaluation.results import FILE, is_of_weights, read_results, write_result
from keras_genzoo.evaluation.score import SCORES
from keras_genzoo.text import shown
from keras_genzoo.training.preset_runs import run_folder

# Scores stand in one result only if these parts of the protocol agree; each with its name or flag.
_COMPARED = {
    "real": "real images",
    "num_real": "-n",
    "image_shape": "image shape",
    "seed": "--seed",
    "sampler": "--sampler",
    "sampling": "images made by",
}


def update_results(
    path: str | os.PathLike,
    options: Options | None = None,
    out: str | os.PathLike | None = None,
    *,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> dict[str, Any]:
    """Measure what is missing of a run's scores, and keep it; return the whole result.

    Without names in ``options.scores``, the usual scores that the file lacks are measured; those
    that are named are measured, also again. Scores of the same weights and protocol stay. A result
    of other weights is measured anew, and its old values stay in the run's file, under ``others``.
    What is written elsewhere is kept in the run, too. Each file is written whole or not at all,
    and also before a score that takes minutes.

    Args:
        path: the run folder; or the folder of an exported SavedModel, into which nothing is
            written: its scores stand in its run folder, ``runs/NAME-v1`` for version 1.
        options: what to measure.
        out: a JSON file; by default ``evaluation.json`` in the run.
        force: measure the usual scores again, too; and put the result in place of one of another
            protocol or, elsewhere than in the run, of other weights.
        echo: called with lines that say what is measured, and what becomes of the scores that are
            there.

    Raises:
        GenzooError: as ``evaluate_run``; if a file is damaged; without ``force``, if it holds
            scores of another protocol, or elsewhere than in the run of other weights.
    """
    options = options or Options()
    path = run_folder(path, generates=True)
    own = path / FILE
    file = Path(out) if out is not None else own
    is_own = file.resolve() == own.resolve()
    evaluated = EvaluatedRun.open(path, options, echo)
    found = _read(file, force, echo)
    before = next((one for one in found if _goes_with(one, evaluated)), None)
    if before is None and found:
        echo(_what_is_replaced(found[0], file, is_own, evaluated, force))
    if before is not None and "weights_digest" not in before["protocol"]:
        echo(f"{shown(file)} names no weights; it is taken for these, which are of the same step")
    names = _missing(evaluated, before, force)
    if before is not None and not names:
        echo(f"{shown(file)} has all of these scores already; --scores NAME measures one again")
        return before
    if before is not None:
        rest = [name for name in _names_in(before) if name not in names]
        if rest:
            echo(f"kept from {shown(file)}: {', '.join(rest)}; measured now: {', '.join(names)}")

    def save(result: dict[str, Any]) -> dict[str, Any]:
        if not result["scores"]:
            return result
        whole = _added(before, result, names) if before else result
        if not is_own:
            write_result(whole, file)
        _keep_in_run(whole, own, evaluated, names, first=is_own, force=force, echo=echo)
        return whole

    return save(measure(evaluated, names, save))


def _read(file: Path, force: bool, echo: Echo) -> list[dict[str, Any]]:
    """Return the results of a file, none if there is none, or it is damaged and replaced."""
    if not file.exists():
        return []
    try:
        return read_results(file)
    except GenzooError as error:
        if not force:
            raise
        echo(f"replacing {shown(file)}: {error}")
        return []


def _goes_with(result: dict[str, Any], evaluated: EvaluatedRun) -> bool:
    """Whether scores of the run may be added to a result."""
    return _is_current(result, evaluated) and not _differences(result, evaluated)


def _is_current(result: dict[str, Any], evaluated: EvaluatedRun) -> bool:
    protocol = evaluated.protocol
    return is_of_weights(result, protocol["weights_digest"], protocol["steps"])


def _differences(result: dict[str, Any], evaluated: EvaluatedRun) -> list[str]:
    """Return in words where a result's protocol differs from the one asked for."""
    old, new = result["protocol"], evaluated.protocol
    found = [
        f"{words} {old[name]}, not {new[name]}"
        for name, words in _COMPARED.items()
        if name in old and name in new and not _alike(name, old[name], new[name], evaluated)
    ]
    network = old.get("features")
    if network and any(SCORES[name].of == "images" for name in evaluated.names):
        asked = evaluated.options.features or usual_network(evaluated.data)
        # Opening a network takes long, so its checksum is compared only if its name is the same.
        is_fallback = evaluated.options.features is None and "instead_of" in network
        if not is_fallback and network["name"].partition(":")[0] != asked.partition(":")[0]:
            found.append(f"--features {network['name']}, not {asked}")
        elif not found and network["checksum"] != evaluated.network.checksum:
            found.append(f"another network --features {network['name']}")
    return found


def _alike(name: str, old: Any, new: Any, evaluated: EvaluatedRun) -> bool:
    if name == "real" and evaluated.options.dataset is not None:
        # The images were moved; their fingerprint has shown that they are the same.
        old, new = (str(value).rpartition(", split ")[2] for value in (old, new))
    return old == new


def _what_is_replaced(
    found: dict[str, Any], file: Path, is_own: bool, evaluated: EvaluatedRun, force: bool
) -> str:
    """Return in words what becomes of a result to which the new scores cannot be added.

    Raises:
        GenzooError: if it may not be replaced without ``force``.
    """
    current, step = _is_current(found, evaluated), found["protocol"].get("steps")
    of = f"step {step:,}" if isinstance(step, int) else "unknown weights"
    if current:
        what = f"its scores have another protocol ({'; '.join(_differences(found, evaluated))})"
    else:
        what = f"its scores are of {of}, and the model is of step {evaluated.protocol['steps']:,}"
    if (current or not is_own) and not force:
        forced = "put the new ones first" if is_own else "replace them"
        raise GenzooError(f"{file}: {what}; choose another --out, or --force to {forced}")
    stay = "they stay in the file, under 'others'" if is_own else "they are replaced"
    return f"{shown(file)}: {what}; measuring anew: {stay} ({', '.join(_names_in(found))})"


def _missing(evaluated: EvaluatedRun, before: dict[str, Any] | None, force: bool) -> list[str]:
    """Return the names of the scores to measure: all that were asked for, or what is not there."""
    if before is None or evaluated.options.names_scores or force:
        return evaluated.names
    network = before["protocol"].get("features")
    available = evaluated.available(network and network["name"])
    there = _names_in(before, with_floor=evaluated.options.floor)
    if _other_draws(before, evaluated.options):
        there.remove("likelihood")
    return [
        name for name in evaluated.names if name not in there and not SCORES[name].needs - available
    ]


def _other_draws(result: dict[str, Any], options: Options) -> bool:
    """Whether a person asked for a likelihood by other draws than those of a result."""
    there = result["scores"].get("likelihood", {})
    return any(
        name in there and getattr(options, name) not in (there[name], getattr(Options, name))
        for name in ("num_samples", "binarization")
    )


def _names_in(result: dict[str, Any], with_floor: bool = False) -> list[str]:
    """Return the names of the scores of a result; ``with_floor``: that have their floor, too."""
    scores, floor = result["scores"], result.get("floor", {})
    names = [name for name in SCORES if any(value in scores for value in SCORES[name].values)]
    if not with_floor or str(result["protocol"].get("floor", "")).startswith("none"):
        return names
    return [
        name
        for name in names
        if not _has_floor(name) or any(value in floor for value in SCORES[name].values)
    ]


def _has_floor(name: str) -> bool:
    """Whether a score is also measured on other real images."""
    return SCORES[name].of == "images" and "train_images" not in SCORES[name].needs


def _added(before: dict[str, Any], result: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a result with newly measured scores added, or put in place of its old ones."""
    warnings = [
        line
        for line in before["warnings"]
        if not any(f"the score '{name}' " in line for name in names)
    ]
    whole = {
        "protocol": before["protocol"] | result["protocol"],
        "scores": _replaced(before["scores"], result["scores"]),
        "floor": _replaced(before.get("floor", {}), result.get("floor", {})),
        "warnings": list(dict.fromkeys([*warnings, *result["warnings"]])),
    }
    if "floor" not in before and "floor" not in result:
        del whole["floor"]
    return whole


def _replaced(before: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return the values of both in the order of the scores; of a score in both, the new ones."""
    values: dict[str, Any] = {}
    for name in SCORES:
        given = SCORES[name].values
        part = new if any(value in new for value in given) else before
        values |= {value: part[value] for value in given if value in part}
    # Values that no registered score gives stay, such as those of a person's own module.
    return values | {name: value for name, value in before.items() if name not in values}


def _keep_in_run(
    result: dict[str, Any],
    own: Path,
    evaluated: EvaluatedRun,
    names: Sequence[str],
    *,
    first: bool,
    force: bool,
    echo: Echo,
) -> None:
    """Keep a result in the run's file: first, or behind one of the same weights that is first.

    Raises:
        GenzooError: if the file cannot be written or is damaged, and the result belongs ``first``.
    """
    try:
        found = _read(own, force and first, echo)
        same = next((one for one in found if _goes_with(one, evaluated)), None)
        place = 0
        if same is not None:
            result = _added(same, result, names)
            place = found.index(same)
            found.remove(same)
        elif found and _is_current(found[0], evaluated):
            place = len(found)
        found.insert(0 if first else place, result)
        others = {"others": found[1:]} if found[1:] else {}
        write_result(found[0] | others, own)
    except GenzooError as error:
        if first:
            raise
        echo(f"the run does not keep these scores, and its report will not show them: {error}")
