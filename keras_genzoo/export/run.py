"""From a run to the files that leave it, with a card that says where they come from."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data import DATASETS
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.evaluation import results_of
from keras_genzoo.export.inputs import VERIFIED_ROWS
from keras_genzoo.export.litert import CALIBRATION, export_litert
from keras_genzoo.export.network_files import export_keras, export_onnx
from keras_genzoo.export.networks import check_name
from keras_genzoo.export.placing import refuse_existing
from keras_genzoo.export.saved_model import export_saved_model
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.variables import weights_digest

FORMATS = ("saved_model", "litert", "onnx", "keras")
SERVED = Path("savedmodels")
# What tells most of a model in a line.
SHOWN_SCORES = (
    "fid",
    "kid",
    "precision",
    "recall",
    "label_accuracy",
    "elbo",
    "log_likelihood",
    "mse",
)
# Of the settings: told elsewhere in the card, or of no weight for the numbers.
_LEFT_OUT = (
    "dataset",
    "split",
    "steps",
    "batch_size",
    "strategy",
    "devices",
    "data_dir",
    "manual_dir",
    "strict",
    "checkpoint_every",
    "sample_every",
    "keep_checkpoints",
)


def export_run(
    path: str | os.PathLike,
    format: str = "saved_model",  # noqa: A002
    *,
    out: str | os.PathLike | None = None,
    dataset: str | os.PathLike | None = None,
    name: str | None = None,
    version: int | None = None,
    warm_up: Sequence[int] | None = None,
    types: Sequence[str] | None = None,
    batch_size: int | None = None,
    calibration: int | None = None,
    check: bool = False,
    force: bool = False,
    echo: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Export the model of a run, and return the files, or the folder of the new version.

    Args:
        path: the run folder.
        format: one of ``FORMATS``.
        out: where: the folder of all served models (by default ``savedmodels``), or that of the
            files (by default ``export`` in the run).
        dataset: where the run's images lie now, if they have moved; an autoencoder's export takes
            them to be verified, and for int8.
        name: what the model is called there; by default the name of the run folder.
        version: of the SavedModel; by default the next free one.
        warm_up: of the SavedModel, batch sizes of the requests to warm up with; by default none.
        types: of LiteRT, names in ``LITERT_TYPES``; by default float32.
        batch_size: of LiteRT, of every call; 0 leaves it free; by default 1.
        calibration: of LiteRT, rows that int8 measures its ranges on; by default 200.
        check: compare what is written with the model.
        force: replace files of these names, and the settings of the server; a version is never
            replaced.
        echo: called with a line when the run is unfinished.

    Raises:
        GenzooError: if a name is unknown, an option belongs to another format, the run has no
            model, or as the exporter of the format.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    own = {
        "saved_model": {"version": version, "warm_up": warm_up},
        "litert": {"types": types, "batch_size": batch_size, "calibration": calibration},
    }
    _refuse_foreign(format, own)
    options = {key: value for key, value in own.get(format, {}).items() if value is not None}
    refuse_saved_model(path)
    run = Run.open(path)
    name = _default_name(run) if name is None else check_name(name)
    model, weights = load_weights(run, echo)
    folder = Path(out or run.path / "export")
    if not force and format != "saved_model":
        refuse_existing(_files(folder, name, format, model, options))
    options |= {"check": check, "facts": facts_of(run, model, weights)}
    options["images"] = _images(run, model, options, dataset)
    if format == "saved_model":
        base = Path(out or SERVED) / name
        return [export_saved_model(model, base, force=force, **options)]
    if "batch_size" in options:
        options["batch_size"] = options["batch_size"] or None
    export = {"litert": export_litert, "onnx": export_onnx, "keras": export_keras}[format]
    return export(model, folder, name, **options)


_FLAGS = {"warm_up": "--batch-sizes"}


def _refuse_foreign(format: str, own: dict[str, dict[str, Any]]) -> None:  # noqa: A002
    """Refuse options of other formats.

    Raises:
        GenzooError: if there is one.
    """
    for other, options in own.items():
        for key, value in options.items():
            if value is not None and other != format:
                flag = _FLAGS.get(key, f"--{key.replace('_', '-')}")
                raise GenzooError(f"{flag} belongs to --format {other}, not to {format}")


def _default_name(run: Run) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", run.path.resolve().name).lstrip("._-")
    if not name:
        raise GenzooError(f"give the exported model a --name; {run.path} has none to take")
    return name


def _files(
    folder: Path,
    name: str,
    format: str,  # noqa: A002
    model: ImageModel,
    options: dict[str, Any],
) -> list[Path]:
    """Return the files that an export writes."""
    suffix = "tflite" if format == "litert" else format
    parts = options.get("types", ("float32",)) if format == "litert" else model.signatures()
    return [folder / f"{name}-{part}.{suffix}" for part in parts]


def refuse_saved_model(path: str | os.PathLike) -> None:
    """Refuse what has been exported already, by us or by others.

    Raises:
        GenzooError: if the folder is a SavedModel, or holds versions of one.
    """
    path = Path(path)
    if (path / "saved_model.pb").exists() or any(path.glob("[0-9]*/saved_model.pb")):
        raise GenzooError(
            f"{path} is a SavedModel, not a run; name a folder that 'genzoo fit' wrote"
        )


def facts_of(run: Run, model: ImageModel, weights: str) -> dict[str, str]:
    """Return what a card says of the origin of a run's model, in words.

    Args:
        run: the run.
        model: its model.
        weights: which weights these are, as ``load_weights`` says.
    """
    settings = run.settings
    known = settings.dataset in DATASETS
    terms = DATASETS[settings.dataset].terms if known else "those of the owner of the images"
    # A path tells more of a person's machine than of the data.
    name = settings.dataset if known else shown(Path(settings.dataset).name)
    data = f"{name}, split {settings.split}, {run.data['num_images']} images"
    recipe = ", ".join(
        f"{name} {value}"
        for name, value in settings.to_dict().items()
        if value is not None and name not in _LEFT_OUT
    )
    facts = {
        "data": data,
        "terms of the data": f"{terms}; they bind the model, too",
        "weights": f"{weights}; {settings.batch_size} images a step",
        "recipe": recipe,
        "versions": ", ".join(f"{k} {v}" for k, v in run.versions.items()),
        "scores": _scores(run, model),
    }
    if run.class_names:
        # By number, since that is what an exported model is given.
        facts["classes"] = ", ".join(f"{n} = {name}" for n, name in enumerate(run.class_names))
    return facts


def _scores(run: Run, model: ImageModel) -> str:
    """Return the scores of a run's model, with what they were measured with."""
    try:
        found = results_of(run.path, weights_digest(model), int(model.step))
        if not found.current:
            others = f" of these weights, but of {found.stale[0].weights}" if found.stale else ""
            return f"none measured{others} ('genzoo evaluate' measures them)"
        result = found.current[0].values
        protocol, scores = result["protocol"], result["scores"]
        flat = {**scores, **scores.get("likelihood", {}), **scores.get("reconstruction", {})}
        listed = [f"{name} {flat[name]:.4g}" for name in SHOWN_SCORES if flat.get(name) is not None]
        features = protocol.get("features", {}).get("name", "no network")
        real = protocol["real"].rpartition("/")[2]
        count = protocol.get("num_fake", protocol["num_real"])
        measured = f"{count:,} images against {real}, features {features}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "evaluation.json of the run cannot be read"
    return f"{', '.join(listed)} ({measured})"


def _images(
    run: Run, model: ImageModel, options: dict[str, Any], dataset: str | os.PathLike | None
) -> np.ndarray | None:
    """Return images of the run's data if the model takes images and something needs them.

    What cannot do without those that cannot be had says so.

    Raises:
        GenzooError: if ``dataset`` names other images, or nothing needs them.
    """
    needed = options["check"] or "int8" in options.get("types", ())
    if not (needed and model.has_encoder):
        if dataset is not None:
            raise GenzooError(
                "--dataset gives the images by which an autoencoder is verified or brought to "
                "int8, and this export takes none; leave it out"
            )
        return None
    count = options.get("calibration", CALIBRATION) + VERIFIED_ROWS
    splits = splits_of(run, dataset)
    try:
        return splits.train.sample(min(count, splits.train.num_images), 0)[0]
    except GenzooError:
        return None
