"""Training that begins with the weights of another run, or of a preset."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown
from keras_genzoo.training.build import load_model
from keras_genzoo.training.run import Run
from keras_genzoo.training.settings import Settings, laid_over
from keras_genzoo.training.variables import variables_by_path, weights_digest

Echo = Callable[[str], None]
# A smaller share of the weights says that the two are different models.
LEAST_KEPT = 0.25


def settings_to_begin(path: str | os.PathLike, overrides: dict[str, Any] | None = None) -> Settings:
    """Return the settings of a run or a preset with a person's own laid over them.

    Images get the size and the channels that the weights were trained with. The split, the labels
    and the size of another data set are not those of the first.

    Args:
        path: the run folder, or the name or folder of a preset.
        overrides: a person's own settings.

    Raises:
        GenzooError: if there is no such run, or an override asks for images of another shape.
    """
    run, overrides = Run.open(path), overrides or {}
    run.check_whole()
    values = run.settings.to_dict()
    if overrides.get("dataset", run.settings.dataset) != run.settings.dataset:
        for name in ("split", "labels"):
            values.pop(name, None)
    height, width, channels = run.data["image_shape"]
    for name, value in {"image_size": height, "channels": channels}.items():
        asked = overrides.get(name)
        if asked not in (None, value):
            raise GenzooError(
                f"{shown(path)} was trained on images of {height} x {width} pixels and {channels} "
                f"channel{'s' * (channels > 1)}, and its networks take no others; leave "
                f"--{name.replace('_', '-')} {asked} out: images are brought to that shape"
            )
        values[name] = value
    if height != width:
        del values["image_size"]
    return Settings.from_dict(laid_over(values, overrides))


def begin_from(
    path: str | os.PathLike,
    model: ImageModel,
    echo: Echo,
    class_names: Sequence[str] | None = None,
) -> dict[str, str]:
    """Give a new model the weights of a run or a preset; return the record of where it began.

    Weights of the same name and shape are kept, also those of the averaged networks, which begin at
    the kept weights where the other model has none. Others, such as what knows another number of
    classes, begin anew, and ``echo`` is called with their names. Optimizers begin anew, and steps
    are counted from 0.

    Args:
        path: the run folder, or the name or folder of a preset.
        model: the compiled model.
        echo: called with lines that say what is kept, and whether classes are others.
        class_names: the names of the classes of the new data.

    Raises:
        GenzooError: if there is no such run, or less than a quarter of the weights would be kept.
    """
    run = Run.open(path)
    source = load_model(run, echo)
    old, new = _weights(source), _weights(model)
    # An average that began at random weights would need thousands of steps to forget them.
    old = {name: old.get(name.removeprefix("average_")) for name in new} | old
    old = {name: weight for name, weight in old.items() if weight is not None}
    kept = {name for name in new if name in old and old[name].shape == new[name].shape}
    total, size = (sum(new[n].numpy().size for n in names) for names in (new, kept))
    if size < LEAST_KEPT * total:
        raise GenzooError(
            f"{shown(path)}, {run.subject}, has {size / max(total, 1):.0%} of the weights of this "
            "model; take the same model and settings that change no network"
        )
    for name in kept:
        new[name].assign(old[name])
    name = run.preset["name"] if run.preset else str(path)
    echo(f"beginning with the weights of {shown(name)}: {_in_words(kept, new, size / total)}")
    before, now = run.class_names, [shown(str(each)) for each in class_names or ()]
    if model.needs_labels and len(before) == len(now) and before != now:
        number = next(n for n, pair in enumerate(zip(before, now, strict=True)) if len({*pair}) > 1)
        echo(
            "what the weights know of the classes is kept, by their numbers, and the names are "
            f"others: class {number} was '{before[number]}' and is '{now[number]}'"
        )
    return {"name": str(path), "weights_digest": weights_digest(source)}


def begin_from_again(start: dict[str, str], model: ImageModel, echo: Echo) -> None:
    """Repeat ``begin_from`` for a run that was killed before its first checkpoint.

    Raises:
        GenzooError: as ``begin_from`` does, and if the weights are no longer the same.
    """
    found = begin_from(start["name"], model, echo)
    if found != start:
        raise GenzooError(
            f"this run began with weights of {shown(start['name'])} that are no longer there; "
            "start a new run: genzoo fit --from"
        )


def _weights(model: ImageModel) -> dict[str, keras.Variable]:
    """Return the variables of a model's networks by path, without its counters."""
    counters = {id(counter) for counter in model.counters}
    networks = {id(weight) for weight in model.weights} - counters
    return {
        path: variable
        for path, variable in variables_by_path(model).items()
        if id(variable) in networks and "seed_generator" not in path
    }


def _in_words(kept: set[str], new: dict[str, keras.Variable], share: float) -> str:
    anew = sorted({name.rpartition("/")[0] for name in new if name not in kept})
    if not anew:
        return "all of them"
    listed = ", ".join(anew[:4]) + (", ..." if len(anew) > 4 else "")
    return f"{share:.1%} of them; {listed} begin anew"
