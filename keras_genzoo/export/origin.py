"""Where an exported model comes from, in words for its card: data, weights, recipe, scores."""

from pathlib import Path
from typing import Any

from keras_genzoo.data import DATASETS
from keras_genzoo.evaluation import results_of
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown
from keras_genzoo.training import Run
from keras_genzoo.training.build import Generator
from keras_genzoo.training.variables import weights_digest

# The scores that a card names, in this order.
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
# Settings that the recipe in a card leaves out: other lines of the card have them, or they do not
# change the weights.
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


def describe_origin(run: Run, model: Generator, weights: str) -> dict[str, str]:
    """Return what a card says of the origin of a run's model, in words.

    Args:
        run: the run.
        model: its model.
        weights: which weights these are, as ``load_weights`` says.
    """
    settings = run.settings
    known = settings.dataset in DATASETS
    terms = DATASETS[settings.dataset].terms if known else "those of the owner of the images"
    # Of a path only the name: the rest says more of a person's machine than of the data.
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
    if sampling := model.sampling_in_words():
        facts["sampling"] = sampling
    if run.class_names:
        # With their numbers, since those are what an exported model takes.
        facts["classes"] = ", ".join(f"{n} = {name}" for n, name in enumerate(run.class_names))
    return facts


def record_of(run: Run) -> dict[str, Any]:
    """Return the record of a run, without what says more of a person's machine than of it."""
    record = read_json(run.path / "config.json")
    for name in ("preset", "saved_model", "start"):
        record.pop(name, None)
    data = record["settings"].get("data", record["settings"])
    data.update({name: None for name in ("data_dir", "manual_dir") if name in data})
    if run.settings.dataset not in DATASETS:
        data["dataset"] = Path(run.settings.dataset).name
    return record


def _scores(run: Run, model: Generator) -> str:
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
