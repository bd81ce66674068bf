"""From a run, or two sets of images, to a result: scores, the floor, and their protocol."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_genzoo.data import DATASETS, Source, Splits
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.evaluation.classifier import open_classifier
from keras_genzoo.evaluation.collapse import (
    STACKED_SAMPLES,
    covered_modes,
    mode_counts,
    stacked_labels,
)
from keras_genzoo.evaluation.conditional import classes_to_make
from keras_genzoo.evaluation.features import FeatureNetwork, find_network, usual_network
from keras_genzoo.evaluation.likelihood import BINARIZATIONS, vae_likelihood
from keras_genzoo.evaluation.reconstruction import reconstruction_bce, reconstruction_quality
from keras_genzoo.evaluation.samplers import SAMPLERS
from keras_genzoo.evaluation.scores import SCORES, Material, check_needs, facts_of
from keras_genzoo.evaluation.scoring import (
    add_floor,
    add_scores,
    check_any,
    other_images,
    rest_of,
    score_images,
    unseen_by_networks,
)
from keras_genzoo.models import CGAN, Autoencoder, ImageModel
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import open_splits, splits_of

Echo = Callable[[str], None]

STACKED = "stacked_mnist"
_NEEDED = {
    "likelihood": "a vae with a loss that is a likelihood, such as 'bernoulli'",
    "reconstruction": "an ae or a vae",
    "modes": f"a model of {STACKED}",
}
# Scores of the model itself; all others are of images.
MODEL_SCORES = ("likelihood", "reconstruction", "modes")
DEFAULT_COUNT = 10_000
# Of classes among generated images, from those among real ones: more than chance would.
SHARES_APART = 0.1
# Enough to find what has been memorised; all of MNIST.
TRAIN_IMAGES = 60_000
# Networks that have seen four fifths of the training images.
TRAINED = ("classifier", "attributes")
_NOT_HELD_OUT = {
    False: "the real images are those of training: none are held out",
    True: "the classifier was trained on many of these real images, which lets distances grow; "
    "measure against a split held out",
}


@dataclasses.dataclass(frozen=True)
class Options:
    """What a person may ask of an evaluation.

    Args:
        scores: names in ``SCORES`` and ``MODEL_SCORES``; None takes the usual ones that fit.
        features: the feature network, as for ``find_network``.
        count: images of each kind; None takes all real ones, up to 10,000.
        split: real images to measure against; None takes ``test``, else ``validation``, else
            ``train``.
        sampler: law of the codes of an autoencoder: ``normal``, or a name in ``SAMPLERS``.
        num_samples: draws of z for each image in the likelihood.
        binarization: how pixels become 0 or 1 in the likelihood; by default as for
            ``vae_likelihood``.
        floor: also score other real images, as the best that a generator can reach.
        seed: key of all that is drawn.
        dataset: of a run whose images have moved, where they lie now.
    """

    scores: Sequence[str] | None = None
    features: str | None = None
    count: int | None = None
    split: str | None = None
    sampler: str = "normal"
    num_samples: int = 500
    binarization: str | None = None
    floor: bool = True
    seed: int = 0
    dataset: str | os.PathLike | None = None

    def __post_init__(self):
        names = [*SCORES, *MODEL_SCORES]
        for kind, name, known in (
            *(("score", name, names) for name in self.scores or ()),
            ("sampler", self.sampler, ["normal", *SAMPLERS]),
            ("binarisation", self.binarization, BINARIZATIONS),
        ):
            if name is not None and name not in known:
                raise unknown(kind, name, known)


def evaluate_run(
    path: str | os.PathLike, options: Options = Options(), echo: Echo = lambda line: None
) -> dict[str, Any]:
    """Return the scores of a run's model: ``protocol``, ``scores``, ``floor``, ``warnings``.

    A model with classes makes them in the shares of the real images that it is measured against.

    Raises:
        GenzooError: if the run has no model, the data cannot be had or are fewer than asked for,
            or a score needs what is not there.
    """
    run = Run.open(path)
    model, weights = load_weights(run, echo)
    real = splits_of(run, options.dataset)
    source = real.to_look_at(options.split)
    count = _count(options, source)
    names = _names(options.scores, model, run.settings.dataset)
    _check_sampler(model, options)
    trained_on = source.fingerprint == real.train.fingerprint
    _check_known(
        options,
        real,
        real_labels=bool(source.num_classes),
        fake_labels=isinstance(model, CGAN),
        train_images=not trained_on,
    )
    real_images, real_labels = source.sample(count, options.seed)
    of_images = [name for name in names if name not in MODEL_SCORES]
    protocol = {
        "run": str(run.path),
        "model": run.settings.model,
        "steps": int(model.step),
        "weights": f"{weights}; the last, not the best",
        "real": f"{source.name}, split {source.split}",
        "num_real": count,
        "num_fake": count,
        "image_shape": list(source.image_shape),
        "seed": options.seed,
    }
    result: dict[str, Any] = {"protocol": protocol, "scores": {}, "warnings": []}
    if of_images:
        network = find_network(options.features, real, echo)
        images = real_images, real_labels if source.num_classes else None
        _score_generated(result, model, network, real, source, images, of_images, options, echo)
    asked = options.scores is not None
    for name, compute in _of_model(run, model, real, real_images, options, echo).items():
        if name in names:
            add_scores(result, "scores", f"the score '{name}'", compute, asked)
    return check_any(result)


def _of_model(
    run: Run,
    model: ImageModel,
    real: Splits,
    images: np.ndarray,
    options: Options,
    echo: Echo,
) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return how each of ``MODEL_SCORES`` is computed."""

    def reconstruction():
        quality = reconstruction_quality(images, model.reconstruct(images))._asdict()
        quality["bce"] = reconstruction_bce(model, images)
        return {"reconstruction": _without_none(quality)}

    def likelihood():
        protocol = options.num_samples, options.binarization, options.seed
        return {"likelihood": vae_likelihood(model, images, *protocol)._asdict()}

    def modes():
        return {"modes": _modes(run, model, real, options, echo)}

    return {"reconstruction": reconstruction, "modes": modes, "likelihood": likelihood}


def _score_generated(
    result: dict[str, Any],
    model: ImageModel,
    network: FeatureNetwork,
    real: Splits,
    source: Source,
    images: tuple[np.ndarray, np.ndarray | None],
    names: Sequence[str],
    options: Options,
    echo: Echo,
) -> None:
    """Add the scores of a model's images, and the floor, to a result."""
    protocol, count = result["protocol"], len(images[0])
    fake_images, fake_labels = _generate(model, real, images[1], count, options, protocol)
    if isinstance(model, Autoencoder):
        protocol["sampler"] = options.sampler
    trained_on = source.fingerprint == real.train.fingerprint
    train_images = None
    if not trained_on and any("train_images" in SCORES[name].needs for name in names):
        number = min(real.train.num_images, TRAIN_IMAGES)
        train_images, _ = real.train.sample(number, options.seed + 1)
        protocol["num_train"] = number
    material = Material(
        images[0],
        fake_images,
        network,
        real_labels=images[1],
        fake_labels=fake_labels,
        train_images=train_images,
        class_names=source.class_names,
        seed=options.seed,
        echo=echo,
    )
    asked = options.scores is not None
    computed = score_images(result, material, names, asked)
    if trained_on:
        result["warnings"].append(_NOT_HELD_OUT[network.name in TRAINED])
    if options.floor:
        # What a perfect generator has learnt is the law of the training images.
        others = (
            rest_of(source, count, options.seed)
            if trained_on
            else unseen_by_networks(real, count, options.seed)
        )
        add_floor(result, material, others, computed, asked)


def evaluate_images(
    real: Splits,
    fake: Source,
    options: Options = Options(),
    echo: Echo = lambda line: None,
) -> dict[str, Any]:
    """Return the scores of generated images of any origin, as ``evaluate_run`` does.

    Raises:
        GenzooError: if the images differ in shape, are fewer than asked for, or a score needs
            what is not there.
    """
    source = real.to_look_at(options.split)
    if source.image_shape != fake.image_shape:
        raise GenzooError(
            f"real images are {source.image_shape} and generated ones {fake.image_shape}; "
            "bring both to one size with --image-size and --channels"
        )
    count = _count(options, source, fake)
    names = _names(options.scores, None, None)
    for name in names:
        if name in MODEL_SCORES:
            raise GenzooError(f"the score '{name}' needs a model; evaluate a run")
    labelled = bool(source.num_classes and fake.num_classes)
    _check_known(options, real, real_labels=bool(source.num_classes), fake_labels=labelled)
    real_images, real_labels = source.sample(count, options.seed)
    fake_images, fake_labels = fake.sample(count, options.seed)
    if labelled:
        fake_labels = _same_classes(fake, fake_labels, source)
    network = find_network(options.features, real, echo)
    material = Material(
        real_images,
        fake_images,
        network,
        real_labels=real_labels if source.num_classes else None,
        fake_labels=fake_labels if labelled else None,
        class_names=source.class_names,
        real_statistics=source.statistics,
        seed=options.seed,
        echo=echo,
    )
    protocol = {
        "real": f"{source.name}, split {source.split}",
        "fake": f"{fake.name}, split {fake.split}",
        "num_real": count,
        "num_fake": count,
        "image_shape": list(source.image_shape),
        "seed": options.seed,
    }
    result: dict[str, Any] = {"protocol": protocol, "scores": {}, "warnings": []}
    if labelled:
        result["warnings"] += _shares_apart(real_labels, fake_labels)
    asked = options.scores is not None
    computed = score_images(result, material, names, asked)
    if network.name in TRAINED and source.fingerprint == real.train.fingerprint:
        result["warnings"].append(_NOT_HELD_OUT[True])
    if options.floor:
        others = other_images(real, source, count, options.seed)
        add_floor(result, material, others, computed, asked)
    return check_any(result)


def _same_classes(fake: Source, labels: np.ndarray, real: Source) -> np.ndarray:
    """Return labels of generated images as the real ones number their classes.

    Raises:
        GenzooError: if generated images are of a class that the real ones do not have.
    """
    numbers = {name: number for number, name in enumerate(real.class_names)}
    for name in fake.class_names:
        if name not in numbers:
            raise GenzooError(
                f"{fake.name} has the class '{name}', which {real.name} does not have; "
                "name the classes of both alike, or give images without classes"
            )
    return np.array([numbers[name] for name in fake.class_names])[labels]


def _names(asked: Sequence[str] | None, model: ImageModel | None, dataset: str | None) -> list[str]:
    """Return the scores asked for, or the usual ones.

    Raises:
        GenzooError: if a score is asked for that the model cannot have.
    """
    fits = {
        "likelihood": model is not None and model.has_likelihood,
        "reconstruction": isinstance(model, Autoencoder),
        "modes": dataset == STACKED,
    }
    if asked is None:
        usual = [name for name in SCORES if SCORES[name].usual]
        return usual + [name for name in MODEL_SCORES if fits[name]]
    for name in asked:
        if model is not None and not fits.get(name, True):
            raise GenzooError(
                f"the score '{name}' needs {_NEEDED[name]}, not a {type(model).__name__} "
                f"on {dataset}"
            )
    return list(asked)


def _generate(
    model: ImageModel,
    real: Splits,
    real_labels: np.ndarray | None,
    count: int,
    options: Options,
    protocol: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return generated images, and the classes that they were asked to be, if any."""
    if isinstance(model, CGAN):
        labels, protocol["classes"] = classes_to_make(real_labels, real, count, options.seed)
        return model.generate(count, class_labels=labels, seed=options.seed), labels
    if options.sampler == "normal":
        return model.generate(count, seed=options.seed), None
    train, _ = real.train.sample(min(real.train.num_images, DEFAULT_COUNT), options.seed)
    codes = model.code(model.encode(train))
    sampler = SAMPLERS[options.sampler](codes, options.seed)
    return model.decode(sampler.sample(count, options.seed)), None


def _check_sampler(model: ImageModel, options: Options) -> None:
    """Check that a model has codes if a sampler of codes is asked for.

    Raises:
        GenzooError: if it has none.
    """
    if options.sampler != "normal" and not isinstance(model, Autoencoder):
        name = type(model).__name__
        raise GenzooError(f"a {name} draws its own noise; --sampler is for ae and vae")


def _check_known(options: Options, real: Splits, **has: bool) -> None:
    """Check the needs of the scores asked for by what is known before anything is computed.

    Raises:
        GenzooError: if a score cannot be had, whatever is computed.
    """
    facts = facts_of(options.features or usual_network(real), **has)
    for name in options.scores or ():
        if name in SCORES:
            check_needs(name, facts)


def _count(options: Options, *sources: Source) -> int:
    """Return how many images of each source are measured.

    Raises:
        GenzooError: if there are fewer than asked for, or than two, which no score can do with.
    """
    for source in sources:
        if source.num_images < 2:
            raise GenzooError(
                f"{source.name}, split {source.split}, has 1 image, and scores compare 2 or more "
                "of each kind; measure against more images"
            )
    return options.count or min(DEFAULT_COUNT, *(source.num_images for source in sources))


def _shares_apart(real_labels: np.ndarray, fake_labels: np.ndarray) -> list[str]:
    """Return the warning that classes have other shares among generated images than real ones."""
    classes = 1 + max(real_labels.max(), fake_labels.max())
    counts = [np.bincount(labels, minlength=classes) for labels in (real_labels, fake_labels)]
    apart = abs(counts[0] / len(real_labels) - counts[1] / len(fake_labels)).sum() / 2
    # The distance of two samples of the same shares, about.
    chance = np.sqrt(classes / (np.pi * len(real_labels)))
    if apart <= SHARES_APART + chance:
        return []
    return [
        f"{apart:.0%} of the generated images would have to change their class for the shares of "
        "the real ones: distances grow by that, however good the images are"
    ]


def _modes(
    run: Run, model: ImageModel, real: Splits, options: Options, echo: Echo
) -> dict[str, Any]:
    """Count the modes of a model of StackedMNIST, with a classifier of single digits."""
    single = dataclasses.replace(
        run.settings, dataset=DATASETS[STACKED].made_of, channels=1, image_size=None
    )
    splits = open_splits(single)
    classifier = open_classifier(splits, echo=echo)
    images = model.generate(STACKED_SAMPLES, seed=options.seed)
    counts = mode_counts(stacked_labels(images, classifier), real.train.num_classes)
    _, labels = splits.train.sample(min(splits.train.num_images, DEFAULT_COUNT), options.seed)
    digits = np.bincount(labels, minlength=10)
    real_counts = np.einsum("a,b,c->abc", digits, digits, digits).ravel()
    return covered_modes(counts, real_counts)._asdict() | {"num_images": STACKED_SAMPLES}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) for name, value in values.items() if value is not None}
