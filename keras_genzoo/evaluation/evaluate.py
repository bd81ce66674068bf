"""From a run, or two sets of images, to a result: scores, those of real images, the protocol."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_genzoo.data import Source, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.evaluated_run import EvaluatedRun, count_images
from keras_genzoo.evaluation.features import find_network, usual_network
from keras_genzoo.evaluation.inputs import Echo, ScoreInputs, available
from keras_genzoo.evaluation.measurement import Measurement, Save
from keras_genzoo.evaluation.options import Options
from keras_genzoo.evaluation.other_images import other_images
from keras_genzoo.evaluation.score import SCORES

# Shares of classes further apart than this, and than chance explains, are warned of.
SHARES_APART = 0.1
_NOT_HELD_OUT = "the real images are those of training: none are held out"
_NETWORK_SAW_THEM = (
    "the classifier was trained on many of these real images, which lets distances grow; "
    "measure against a split held out"
)


def evaluate_run(
    path: str | os.PathLike, options: Options | None = None, echo: Echo = lambda line: None
) -> dict[str, Any]:
    """Return the scores of a run's model: ``protocol``, ``scores``, ``floor``, ``warnings``.

    A model with classes makes them in the shares of the real images that it is measured against.
    Nothing is kept; ``update_results`` keeps them in the run.

    Raises:
        GenzooError: if the run has no model, the data cannot be had or are fewer than asked for,
            or a score needs what is not there.
    """
    evaluated = EvaluatedRun.open(path, options or Options(), echo)
    return measure(evaluated, evaluated.names)


def measure(
    evaluated: EvaluatedRun, names: Sequence[str], save: Save = lambda result: None
) -> dict[str, Any]:
    """Return scores of a run's model.

    Args:
        evaluated: the run.
        names: of the scores.
        save: called with the result so far before a score that takes minutes, and at Ctrl-C.

    Raises:
        GenzooError: if a score that a person named cannot be computed, or none can.
        KeyboardInterrupt: at Ctrl-C.
    """
    measurement = Measurement(evaluated.protocol, evaluated.options.names_scores, save)
    of_images = [name for name in names if SCORES[name].of == "images"]
    of_model = [name for name in SCORES if name in names and SCORES[name].of == "model"]
    with measurement.saved_at_ctrl_c():
        # Too few real images are refused here, before a network is trained.
        _ = evaluated.real_images
        if of_images:
            _measure_images(measurement, evaluated, of_images)
        if of_model:
            measurement.add_model(of_model, evaluated.model_inputs())
    return measurement.finished()


def _measure_images(measurement: Measurement, evaluated: EvaluatedRun, names: list[str]) -> None:
    """Measure scores of a model's images, and of other real images."""
    inputs, protocol = evaluated.score_inputs(names)
    measurement.protocol |= protocol
    measurement.add_images(names, inputs)
    if evaluated.trained_on:
        saw_them = inputs.network.trained_on_data
        measurement.warnings.append(_NETWORK_SAW_THEM if saw_them else _NOT_HELD_OUT)
    if evaluated.options.floor:
        measurement.add_other_images(evaluated.other_images(), inputs)


def evaluate_images(
    real: Splits,
    fake: Source,
    options: Options | None = None,
    echo: Echo = lambda line: None,
) -> dict[str, Any]:
    """Return the scores of generated images of any origin, as ``evaluate_run`` does.

    Raises:
        GenzooError: if the images differ in shape, are fewer than asked for, or a score needs
            what is not there.
    """
    options = options or Options()
    source = real.to_look_at(options.split)
    if source.image_shape != fake.image_shape:
        raise GenzooError(
            f"real images are {source.image_shape} and generated ones {fake.image_shape}; "
            "bring both to one size with --image-size and --channels"
        )
    count = count_images(options, source, fake)
    names = _scores_of_images(real, source, fake, options)
    inputs = _inputs_of_images(real, source, fake, count, options, echo)
    protocol = {
        "real": f"{source.name}, split {source.split}",
        "fake": f"{fake.name}, split {fake.split}",
        "num_real": count,
        "num_fake": count,
        "image_shape": list(source.image_shape),
        "seed": options.seed,
    }
    measurement = Measurement(protocol, options.names_scores)
    if inputs.fake_labels is not None and inputs.real_labels is not None:
        measurement.warnings += _shares_apart(inputs.real_labels, inputs.fake_labels)
    measurement.add_images(names, inputs)
    if inputs.network.trained_on_data and source.fingerprint == real.train.fingerprint:
        measurement.warnings.append(_NETWORK_SAW_THEM)
    if options.floor:
        others = other_images(real, source, count, options.seed)
        measurement.add_other_images(others, inputs)
    return measurement.finished()


def _scores_of_images(real: Splits, source: Source, fake: Source, options: Options) -> list[str]:
    """Return the scores asked for, or the usual ones, of images without their model.

    Raises:
        GenzooError: if a score needs a model, or what the images do not have.
    """
    for name in options.scores or ():
        if SCORES[name].of == "model":
            raise GenzooError(f"the score '{name}' needs a model; evaluate a run")
    there = available(
        options.features or usual_network(real),
        real_labels=bool(source.num_classes),
        fake_labels=bool(source.num_classes and fake.num_classes),
    )
    return [name for name in options.chosen_scores(there) if SCORES[name].of == "images"]


def _inputs_of_images(
    real: Splits, source: Source, fake: Source, count: int, options: Options, echo: Echo
) -> ScoreInputs:
    """Return what the scores are computed from: as many images of each source."""
    real_images, real_labels = source.sample(count, options.seed)
    fake_images, fake_labels = fake.sample(count, options.seed)
    labelled = bool(source.num_classes and fake.num_classes)
    return ScoreInputs(
        real_images,
        fake_images,
        real_labels=real_labels if source.num_classes else None,
        fake_labels=_same_classes(fake, fake_labels, source) if labelled else None,
        # Opened last, since it may be trained for minutes and the images may be refused.
        network=find_network(options.features, real, echo),
        class_names=source.class_names,
        real_statistics=source.statistics,
        seed=options.seed,
        echo=echo,
    )


def _same_classes(fake: Source, labels: np.ndarray, real: Source) -> np.ndarray:
    """Return labels of generated images as the real ones number their classes.

    Raises:
        GenzooError: if generated images are of a class that the real ones do not have.
    """
    assert real.class_names is not None  # Both have classes.
    assert fake.class_names is not None
    numbers = {name: number for number, name in enumerate(real.class_names)}
    for name in fake.class_names:
        if name not in numbers:
            raise GenzooError(
                f"{fake.name} has the class '{name}', which {real.name} does not have; "
                "name the classes of both alike, or give images without classes"
            )
    return np.array([numbers[name] for name in fake.class_names])[labels]


def _shares_apart(real_labels: np.ndarray, fake_labels: np.ndarray) -> list[str]:
    """Return the warning that classes have other shares among generated images than real ones."""
    classes = 1 + max(real_labels.max(), fake_labels.max())
    counts = [np.bincount(labels, minlength=classes) for labels in (real_labels, fake_labels)]
    apart = abs(counts[0] / len(real_labels) - counts[1] / len(fake_labels)).sum() / 2
    # About the distance of two samples of the same shares.
    chance = np.sqrt(classes / (np.pi * len(real_labels)))
    if apart <= SHARES_APART + chance:
        return []
    return [
        f"{apart:.0%} of the generated images would have to change their class for the shares of "
        "the real ones: distances grow by that, however good the images are"
    ]
