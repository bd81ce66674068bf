"""From a run to the files that leave it, with a card that says where they come from."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.export.formats import (
    CALIBRATION,
    EXPORT_FORMATS,
    ExportFormat,
    options_of_formats,
)
from keras_genzoo.export.inputs import VERIFIED_ROWS
from keras_genzoo.export.networks import check_name
from keras_genzoo.export.origin import describe_origin
from keras_genzoo.export.placing import refuse_existing
from keras_genzoo.models import ImageModel
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import splits_of


def export_run(
    path: str | os.PathLike,
    format: str = "saved_model",  # noqa: A002
    *,
    out: str | os.PathLike | None = None,
    dataset: str | os.PathLike | None = None,
    name: str | None = None,
    solver: str | None = None,
    solver_steps: int | None = None,
    guidance: float | None = None,
    check: bool = False,
    force: bool = False,
    echo: Callable[[str], None] = lambda line: None,
    **options: Any,
) -> list[Path]:
    """Export the model of a run, and return the files, or the folder of the new version.

    Args:
        path: the run folder.
        format: a name in ``EXPORT_FORMATS``.
        out: where: the folder of all served models (by default ``savedmodels``), of presets (by
            default ``presets``), or that of the files (by default ``export`` in the run).
        dataset: where the run's images lie now, if they have moved; an autoencoder's export takes
            them to be verified, and for int8.
        name: what the model is called there; by default the name of the run folder.
        solver: of a model with a solver, the one that the files have; by default the run's.
        solver_steps: of such a model, the number of steps, which are written out in the files.
        guidance: of such a model with classes, the strength of guidance.
        check: compare what is written with the model.
        force: replace files of these names, and the settings of the server; a version is never
            replaced.
        echo: called with a line when the run is unfinished.
        **options: those that the format declares; None is as if not given. ``saved_model`` has
            ``version`` and ``warm_up``, ``litert`` has ``types``, ``batch_size`` (0 leaves it
            free) and ``calibration``: see ``export_saved_model`` and ``export_litert``.

    Raises:
        GenzooError: if a name is unknown, an option belongs to another format, the run has no
            model, or as the exporter of the format.
    """
    target: ExportFormat = EXPORT_FORMATS[format]
    options = {key: value for key, value in options.items() if value is not None}
    _check_options(format, options)
    run = Run.open(path)
    name = _default_name(run) if name is None else check_name(name)
    model, weights = load_weights(run, echo)
    model.set_sampling(solver=solver, solver_steps=solver_steps, guidance=guidance)
    folder = Path(out or target.folder or run.path / "export")
    more: dict[str, Any] = {}
    if target.files is None:
        more["force"] = force
    else:
        if not force:
            refuse_existing([folder / file for file in target.files(model, name, options)])
    if target.takes_run:
        more["run"] = run
    more |= {"check": check, "facts": describe_origin(run, model, weights)}
    more["images"] = _images(run, model, target.images(options), check, dataset)
    return target.export(model, folder, name, **options, **more)


def _check_options(format: str, given: dict[str, Any]) -> None:  # noqa: A002
    """Check that a format has the options that are given.

    Raises:
        GenzooError: if it has not.
    """
    known = options_of_formats()
    for name in given:
        if name not in known:
            raise unknown("option of an export", name, known)
        option, formats = known[name]
        if format not in formats:
            raise GenzooError(
                f"{option.flag} belongs to --format {' and '.join(formats)}, not to {format}"
            )


def _default_name(run: Run) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", run.path.resolve().name).lstrip("._-")
    if not name:
        raise GenzooError(f"give the exported model a --name; {run.path} has none to take")
    return name


def _images(
    run: Run,
    model: ImageModel,
    count: int,
    check: bool,
    dataset: str | os.PathLike | None,
) -> np.ndarray | None:
    """Return images of the run's data if the model takes images and something needs them.

    An exporter that cannot do without images that cannot be had says so itself.

    Args:
        run: the run.
        model: its model.
        count: images that the format measures the model on.
        check: whether files are compared with the model.
        dataset: where the images lie now, if they have moved.

    Raises:
        GenzooError: if ``dataset`` names other images, or nothing needs them.
    """
    if not ((count or check) and model.has_encoder):
        if dataset is not None:
            raise GenzooError(
                "--dataset gives the images by which an autoencoder is verified or brought to "
                "int8, and this export takes none; leave it out"
            )
        return None
    count = (count or CALIBRATION) + VERIFIED_ROWS
    splits = splits_of(run, dataset)
    try:
        return splits.train.sample(min(count, splits.train.num_images), 0)[0]
    except GenzooError:
        return None
