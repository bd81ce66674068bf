"""``genzoo umap``: writes a UMAP study of a run's generated images into one folder."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_genzoo.data import Source, Splits
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.evaluation import find_network
from keras_genzoo.evaluation.cache import load_arrays
from keras_genzoo.evaluation.conditional import classes_to_make
from keras_genzoo.evaluation.features import FeatureNetwork
from keras_genzoo.evaluation.similarity import WINDOW
from keras_genzoo.files import new_folder, write_json, writing_folder
from keras_genzoo.models import ImageModel
from keras_genzoo.reading import read_json
from keras_genzoo.text import encodable
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.contents import UMAP
from keras_genzoo.training.preparing import splits_of
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization.figures import figure_title
from keras_genzoo.visualization.interactive import map_page
from keras_genzoo.visualization.study import DISTANCES, NEIGHBOURS, Study, study, where_sparse
from keras_genzoo.visualization.study_figures import galleries, magnified, maps
from keras_genzoo.visualization.style import head, save_figure

Echo = Callable[[str], None]
NUM_REAL = 1000


def draw_umap(
    path: str | os.PathLike,
    distances: Sequence[str] | None = None,
    num_real: int | None = None,
    num_generated: int = 64,
    *,
    split: str | None = None,
    dataset: str | os.PathLike | None = None,
    features: str | None = None,
    num_neighbours: int = 15,
    min_dist: float = 0.1,
    seed: int = 0,
    out: str | os.PathLike | None = None,
    force: bool = False,
    echo: Echo = lambda line: None,
) -> dict[str, Any]:
    """Fit a map for each distance on real images, place generated ones, and write the study.

    The folder is written completely or not at all. It holds ``maps``, ``galleries-D`` and
    ``magnified-D`` for each distance D (PNG and SVG), ``map.html``, ``umap.json`` with the
    measurements, and ``umap.npz`` with the points and images. UMAP's fitted objects are not saved,
    since other versions of UMAP cannot read them.

    Args:
        path: the run folder.
        distances: some of ``DISTANCES``; by default all, without ``ssim`` for images smaller than
            its window of 11 pixels.
        num_real: real images to fit on, more than 15; by default 1,000, or all if there are fewer.
        num_generated: generated images to place.
        split: part of the data; by default the held-out one, or ``train`` if the held-out one has
            fewer than ``num_real`` images and ``train`` has more.
        dataset: where the run's images lie now, if they have moved.
        features: the feature network of the distance ``features``, as for ``find_network``.
        num_neighbours: UMAP's ``n_neighbors``.
        min_dist: UMAP's ``min_dist``.
        seed: random seed of the noise, the choice of real images and the layout.
        out: the folder; by default ``umap`` in the run.
        force: replace the folder of a study; a folder with other files is never replaced.
        echo: called with a line before each part that takes long.

    Returns:
        the content of ``umap.json``.

    Raises:
        GenzooError: if a name is unknown, the run has no model, or there are too few images.
    """
    for distance in distances or ():
        if distance not in DISTANCES:
            raise unknown("distance", distance, DISTANCES)
    if num_generated < 1:
        raise GenzooError(f"the number of generated images must be at least 1, not {num_generated}")
    run = Run.open(path)
    out = new_folder(out or run.path / "umap", force, *UMAP)
    splits = splits_of(run, dataset)
    source = _source(splits, split, num_real or NUM_REAL)
    num_real = num_real or min(NUM_REAL, source.num_images)
    _check_enough(source, num_real, num_neighbours)
    real, labels = source.sample(num_real, seed)
    if distances is None:
        fits = min(real.shape[1:3]) >= WINDOW
        distances = [name for name in DISTANCES if fits or name != "ssim"]
    model, weights = load_weights(run, echo)
    if reason := model.why_no_samples():
        raise GenzooError(f"{reason}; go on with genzoo fit --resume {run.path}")
    network = find_network(features, splits, echo) if "features" in distances else None
    classes = None
    if model.needs_labels:
        # Generate the classes in the shares of the real images: other shares would lie elsewhere on
        # the map.
        classes, _ = classes_to_make(labels, splits, num_generated, seed)
    generated = model.generate(num_generated, class_labels=classes, seed=seed)
    options: dict[str, Any] = {
        "num_neighbours": num_neighbours,
        "min_dist": min_dist,
        "seed": seed,
        "echo": echo,
    }
    studies = [study(real, generated, name, network, **options) for name in distances]
    numbers = {
        "run": str(run.path),
        "weights": weights,
        "weights_digest": weights_digest(model),
        "step": int(model.step),
        "real": f"{source.name}, split {source.split}",
        "on_training_images": source is splits.train,
        "seed": seed,
        "umap": {"n_neighbors": num_neighbours, "min_dist": min_dist, "version": _umap_version()},
        "features": network.describe() if network else None,
        "warnings": _warnings(source is splits.train, network),
        "maps": {name: one.numbers() for name, one in zip(distances, studies, strict=True)},
    }
    with writing_folder(out, replace=force) as folder:
        title = figure_title(run, model)
        named = dict(zip(distances, studies, strict=True))
        _write(folder, title, named, real, generated, numbers)
        # Check again: files may have been added since the first check.
        new_folder(out, force, *UMAP)
    return numbers


def _source(splits: Splits, split: str | None, count: int) -> Source:
    """Return the named split, or by default the held-out one unless ``train`` has more images."""
    source = splits.to_look_at(split)
    if split is None and source.num_images < count:
        return max(source, splits.train, key=lambda part: min(part.num_images, count))
    return source


def _check_enough(source: Source, count: int, num_neighbours: int) -> None:
    """Check that there are enough images to fit UMAP.

    Raises:
        GenzooError: if not.
    """
    least = max(NEIGHBOURS, num_neighbours) + 1
    if source.num_images < least:
        raise GenzooError(
            f"a map needs {least} real images or more, and {source.name}, split {source.split}, "
            f"has {source.num_images}"
        )
    if count < least:
        raise GenzooError(
            f"a map needs {least} real images or more, not {count}; give -n {least} or more"
        )


def _warnings(on_training_images: bool, network: FeatureNetwork | None) -> list[str]:
    if network is not None and network.warnings:
        return network.warnings
    if not on_training_images or network is None or not network.trained_on_data:
        return []
    return [
        f"the feature network '{network.name}' was trained on many of these real images, and fits "
        "them better than new ones; take fewer images, from a held-out split, to avoid this"
    ]


def image_notes(numbers: dict[str, Any]) -> list[str]:
    """Return lines that say where the images of the maps come from.

    Args:
        numbers: the content of ``umap.json``; files of earlier versions may lack some entries.
    """
    one: dict[str, Any] = next(iter(numbers["maps"].values()), {})
    real, generated = one.get("num_real"), one.get("num_generated")
    lines = []
    if real and "real" in numbers:
        lines.append(f"Real: {real:,} images of {numbers['real']}.")
    if generated and "weights" in numbers:
        lines.append(f"Generated: {generated:,} images, by {numbers['weights']}.")
    if numbers.get("on_training_images"):
        lines.append(
            "The real images of these maps are training images; scores compare with held-out "
            "images, if there are any."
        )
    return lines


def _write(
    out: Path,
    title: str,
    studies: dict[str, Study],
    real: np.ndarray,
    generated: np.ndarray,
    numbers: dict,
) -> None:
    notes = image_notes(numbers)
    figures = {"maps": maps(list(studies.values()), notes)}
    for name, one in studies.items():
        figures[f"galleries-{name}"] = galleries(one, generated)
        figures[f"magnified-{name}"] = magnified(one, real, generated)
    for name, figure in figures.items():
        head(figure, title)
        save_figure(figure, out / name)
    points: dict[str, Any] = {f"{name}_real": one.real for name, one in studies.items()}
    points |= {f"{name}_generated": one.generated for name, one in studies.items()}
    images: dict[str, Any] = {"real_images": real, "generated_images": generated}
    np.savez_compressed(out / "umap.npz", **points, **images)
    page = map_page(
        f"Real and generated images: {title}", list(studies.values()), real, generated, notes
    )
    (out / "map.html").write_text(encodable(page), encoding="utf-8")
    write_json(out / "umap.json", numbers)


def why_stale(folder: str | os.PathLike, model: ImageModel) -> str | None:
    """Return why the maps in a folder do not belong to a model's weights, None if they do.

    Args:
        folder: a folder that ``draw_umap`` wrote.
        model: the model that the run has now.

    Raises:
        GenzooError: if ``umap.json`` is missing or damaged.
    """
    numbers = _read_numbers(Path(folder))
    digest = numbers.get("weights_digest")
    if digest is None:
        return "the maps do not record their weights, since an earlier version drew them"
    if digest == weights_digest(model):
        return None
    drawn, now = numbers.get("step"), int(model.step)
    if isinstance(drawn, int) and drawn != now:
        return f"the maps are of step {drawn:,}, and the model is of step {now:,}"
    return f"the maps are of other weights than those of the model, also of step {now:,}"


def load_studies(folder: str | os.PathLike) -> tuple[list[Study], np.ndarray, np.ndarray]:
    """Read what ``draw_umap`` wrote: the studies, the real images and the generated ones.

    Raises:
        GenzooError: if a file is missing or damaged.
    """
    folder = Path(folder)
    arrays = load_arrays(folder / "umap.npz") or {}
    numbers = _read_numbers(folder)["maps"]
    try:
        real, generated = arrays["real_images"], arrays["generated_images"]
        studies = [
            Study(
                str(one["distance"]),
                _points(arrays[f"{name}_real"], len(real)),
                _points(arrays[f"{name}_generated"], len(generated)),
                where_sparse(arrays[f"{name}_real"], arrays[f"{name}_generated"]),
                float(one["follows_background"]),
            )
            for name, one in numbers.items()
        ]
        if real.dtype != np.uint8 or real.shape[1:] != generated.shape[1:]:
            raise ValueError("the images are not of one shape")
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged(folder) from error
    return studies, real, generated


def _read_numbers(folder: Path) -> dict[str, Any]:
    """Return the content of ``umap.json``.

    Raises:
        GenzooError: if it is missing or damaged.
    """
    try:
        numbers = read_json(folder / "umap.json")
        if not (isinstance(numbers, dict) and isinstance(numbers.get("maps"), dict)):
            raise ValueError("no maps")
    except (OSError, ValueError) as error:
        raise _damaged(folder) from error
    return numbers


def _damaged(folder: Path) -> GenzooError:
    return GenzooError(f"{folder} holds no complete study; draw it anew: genzoo umap --force")


def _points(points: np.ndarray, count: int) -> np.ndarray:
    """Return points after checking that they are finite and one for each image.

    Raises:
        ValueError: if not.
    """
    if points.shape != (count, 2) or not np.isfinite(points).all():
        raise ValueError(f"not {count} finite points")
    return points


def _umap_version() -> str:
    from importlib.metadata import version

    return version("umap-learn")
