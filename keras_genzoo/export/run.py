"""From a run to the files that leave it, with a card that says where they come from."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from keras_genzoo.data import DATASETS
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.export.litert import LEAST_CALIBRATION, export_litert
from keras_genzoo.export.network_files import export_keras, export_onnx
from keras_genzoo.export.saved_model import export_saved_model
from keras_genzoo.models import Autoencoder, ImageModel
from keras_genzoo.training import Run, load_model
from keras_genzoo.training.preparing import open_splits

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
    *("dataset", "split", "steps", "batch_size", "strategy", "data_dir", "manual_dir", "strict"),
    *("checkpoint_every", "sample_every", "keep_checkpoints"),
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def export_run(
    path: Path,
    format: str = "saved_model",  # noqa: A002
    *,
    out: Path | None = None,
    name: str | None = None,
    version: int | None = None,
    warm_up: Sequence[int] = (),
    types: Sequence[str] = ("float32",),
    batch_size: int | None = 1,
    calibration: int = 200,
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
        name: what the model is called there; by default the name of the run folder.
        version: of the SavedModel; by default the next free one.
        warm_up: of the SavedModel, batch sizes of the requests to warm up with.
        types: of LiteRT, names in ``LITERT_TYPES``.
        batch_size: of LiteRT, of every call; None leaves it free.
        calibration: of LiteRT, rows that int8 measures its ranges on.
        check: compare what is written with the model.
        force: replace files of these names; a version is never replaced.
        echo: told when the run is unfinished.

    Raises:
        GenzooError: if a name is unknown, the run has no model, or as the exporter of the format.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    refuse_saved_model(path)
    run = Run.open(path)
    name = name or re.sub(r"[^A-Za-z0-9_.-]", "_", run.path.resolve().name)
    if not _NAME.fullmatch(name):
        raise GenzooError(
            f"'{name}' is no name for a served model: take letters, digits, '.', '_' and '-'"
        )
    model = load_model(run, echo)
    needs = calibration if format == "litert" and "int8" in types else 32
    images = _images(run, model, needs) if isinstance(model, Autoencoder) else None
    common = {"check": check, "images": images, "facts": facts_of(run)}
    if format == "saved_model":
        base = (out or SERVED) / name
        return [export_saved_model(model, base, version=version, warm_up=warm_up, **common)]
    folder = out or run.path / "export"
    _refuse_existing(folder, name, format, model, types, force)
    if format == "litert":
        options = {"batch_size": batch_size, "calibration": calibration}
        return export_litert(model, folder, name, types, **options, **common)
    export = {"onnx": export_onnx, "keras": export_keras}[format]
    return export(model, folder, name, **common)


def refuse_saved_model(path: Path) -> None:
    """Refuse what has been exported already, by us or by others.

    Raises:
        GenzooError: if the folder is a SavedModel, or holds versions of one.
    """
    path = Path(path)
    if (path / "saved_model.pb").exists() or any(path.glob("[0-9]*/saved_model.pb")):
        raise GenzooError(
            f"{path} is a SavedModel, not a run; name a folder that 'genzoo fit' wrote"
        )


def facts_of(run: Run) -> dict[str, str]:
    """Return what a card says of the origin of a run's model, in words."""
    settings = run.settings
    known = settings.dataset in DATASETS
    terms = DATASETS[settings.dataset].terms if known else "those of the owner of the images"
    data = f"{settings.dataset}, split {settings.split}, {run.data['num_images']} images"
    recipe = ", ".join(
        f"{name} {value}"
        for name, value in settings.to_dict().items()
        if value is not None and name not in _LEFT_OUT
    )
    facts = {
        "data": data,
        "terms of the data": f"{terms}; they bind the model, too",
        "trained": f"{settings.steps if run.model_file.exists() else run.last_step()} steps of "
        f"{settings.batch_size} images",
        "recipe": recipe,
        "versions": ", ".join(f"{k} {v}" for k, v in run.versions.items()),
        "scores": _scores(run),
    }
    if run.data["class_names"]:
        facts["classes"] = ", ".join(map(str, run.data["class_names"]))
    return facts


def _scores(run: Run) -> str:
    """Return the scores of the run's last evaluation, with what they were measured with."""
    file = run.path / "evaluation.json"
    try:
        result = json.loads(file.read_text())
        protocol, scores = result["protocol"], result["scores"]
        flat = {**scores, **scores.get("likelihood", {}), **scores.get("reconstruction", {})}
        shown = [f"{name} {flat[name]:.4g}" for name in SHOWN_SCORES if name in flat]
        features = protocol.get("features", {}).get("name", "no network")
        measured = f"{protocol['num_fake']} images against {protocol['real']}, features {features}"
    except FileNotFoundError:
        return "none measured ('genzoo evaluate' measures them)"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{file.name} of the run cannot be read"
    return f"{', '.join(shown)} ({measured})"


def _images(run: Run, model: ImageModel, count: int) -> np.ndarray:
    """Return images of the run's data, as many as there are up to ``count``."""
    source = open_splits(run.settings).train
    images, _ = source.sample(min(max(count, LEAST_CALIBRATION), source.num_images), 0)
    return images


def _refuse_existing(
    folder: Path,
    name: str,
    format: str,  # noqa: A002
    model: ImageModel,
    types: Sequence[str],
    force: bool,
) -> None:
    parts = types if format == "litert" else model.signatures()
    suffix = "tflite" if format == "litert" else format
    for part in parts:
        file = folder / f"{name}-{part}.{suffix}"
        if file.exists() and not force:
            raise GenzooError(f"{file} exists; choose another --out, or --force to replace it")
