"""From a run, or two sets of images, to a result: scores, those of real images, the protocol."""

import dataclasses
import functools
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
from keras_genzoo.evaluation.features import (
    FeatureNetwork,
    check_name,
    find_network,
    usual_network,
)
from keras_genzoo.evaluation.likelihood import BINARIZATIONS, vae_likelihood
from keras_genzoo.evaluation.reconstruction import reconstruction_bce, reconstruction_quality
from keras_genzoo.evaluation.samplers import SAMPLERS
from keras_genzoo.evaluation.scores import SCORES, Material, check_needs, facts_of
from keras_genzoo.evaluation.scoring import (
    LONG,
    add_floor,
    add_scores,
    check_any,
    other_images,
    rest_of,
    score_images,
    unseen_by_networks,
)
from keras_genzoo.models import ImageModel
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_weights
from keras_genzoo.training.preparing import open_splits, splits_of
from keras_genzoo.training.variables import weights_digest

Echo = Callable[[str], None]

STACKED = "stacked_mnist"
_NEEDED = {
    "likelihood": "a vae with a loss that is a likelihood, such as 'bernoulli'",
    "reconstruction": "an ae or a vae",
    "modes": f"a model of {STACKED}",
}
# Scores of the model itself; all others are of images.
MODEL_SCORES = ("reconstruction", "modes", "likelihood")
DEFAULT_COUNT = 10_000
# Of classes among generated images, from those among real ones: more than chance would.
SHARES_APART = 0.1
# Enough to find what has been memorised; all of MNIST.
TRAIN_IMAGES = 60_000
# Networks that have seen four fifths of the training images.
TRAINED = ("classifier", "attributes")
HELD_OUT = "held out, not trained on"
TRAINED_ON = "those of training"
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
        sampler: distribution of the codes of an autoencoder: ``normal``, or a name in ``SAMPLERS``.
        num_samples: draws of z for each image in the likelihood.
        binarization: how pixels become 0 or 1 in the likelihood; by default as for
            ``vae_likelihood``.
        floor: also score other real images, as the best that a generator can reach.
        seed: random seed of all that is drawn.
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
        if self.features is not None:
            check_name(self.features)


def evaluate_run(
    path: str | os.PathLike, options: Options = Options(), echo: Echo = lambda line: None
) -> dict[str, Any]:
    """Return the scores of a run's model: ``protocol``, ``scores``, ``floor``, ``warnings``.

    A model with classes makes them in the shares of the real images that it is measured against.
    Nothing is kept; ``update_results`` keeps them in the run.

    Raises:
        GenzooError: if the run has no model, the data cannot be had or are fewer than asked for,
            or a score needs what is not there.
    """
    subject = open_subject(path, options, echo)
    return measure(subject, subject.names)


@dataclasses.dataclass(frozen=True)
class Subject:
    """A run's model and the data that it is measured against, before anything is measured.

    Args:
        run: the run.
        model: its model.
        real: the splits of its data.
        source: the real images to measure against.
        names: the scores asked for, or the usual ones.
        options: what a person asked for.
        echo: called with lines that say what takes long.
        protocol: what is known of the measurement.
    """

    run: Run
    model: ImageModel
    real: Splits
    source: Source
    names: list[str]
    options: Options
    echo: Echo
    protocol: dict[str, Any]

    @property
    def asked(self) -> bool:
        """Whether a person named the scores."""
        return self.options.scores is not None

    @property
    def trained_on(self) -> bool:
        """Whether the real images are those of training."""
        return self.source.fingerprint == self.real.train.fingerprint

    @functools.cached_property
    def network(self) -> FeatureNetwork:
        """The feature network; trained now, if it is a classifier that is not kept."""
        return find_network(self.options.features, self.real, self.echo)

    @functools.cached_property
    def images(self) -> tuple[np.ndarray, np.ndarray | None]:
        """The real images, and their classes if they have any."""
        images, labels = self.source.sample(self.protocol["num_real"], self.options.seed)
        return images, labels if self.source.num_classes else None

    def facts(self, features: str | None = None) -> set[str]:
        """Return what scores may need and there is, by the name of a feature network."""
        return facts_of(
            features or self.options.features or usual_network(self.real),
            real_labels=bool(self.source.num_classes),
            fake_labels=self.model.needs_labels,
            train_images=not self.trained_on,
        )


def open_subject(path: str | os.PathLike, options: Options, echo: Echo) -> Subject:
    """Open a run's model and data for an evaluation.

    Raises:
        GenzooError: as ``evaluate_run`` does, where that is known before anything is measured.
    """
    run = Run.open(path)
    model, weights = load_weights(run, echo)
    real = splits_of(run, options.dataset)
    source = real.to_look_at(options.split)
    count = _count(options, source)
    names = _names(options.scores, model, run.settings.dataset)
    _check_sampler(model, options)
    protocol = {
        "run": str(run.path),
        "model": run.settings.model,
        "steps": int(model.step),
        "weights": f"{weights}; the last step, not one chosen by its score",
        "weights_digest": weights_digest(model),
        "real": f"{source.name}, split {source.split}",
        "num_real": count,
        "image_shape": list(source.image_shape),
        "seed": options.seed,
    }
    subject = Subject(run, model, real, source, names, options, echo, protocol)
    protocol["real_images_are"] = TRAINED_ON if subject.trained_on else HELD_OUT
    if any(name in SCORES for name in names) and model.has_encoder:
        protocol["sampler"] = options.sampler
    check_known(options.scores, subject.facts())
    return subject


def measure(
    subject: Subject,
    names: Sequence[str],
    keep: Callable[[dict[str, Any]], None] = lambda result: None,
) -> dict[str, Any]:
    """Return the scores of a subject.

    Args:
        subject: what is measured.
        names: of the scores.
        keep: given the result so far before a score that takes minutes, and at Ctrl-C.

    Raises:
        GenzooError: if a score that a person named cannot be computed, or none can.
        KeyboardInterrupt: at Ctrl-C.
    """
    result: dict[str, Any] = {"protocol": dict(subject.protocol), "scores": {}, "warnings": []}
    of_images = [name for name in names if name in SCORES]
    try:
        subject.images  # noqa: B018 - too few of them are refused before a network is trained.
        if of_images:
            _score_generated(result, subject, of_images, keep)
        for name, compute in _of_model(subject).items():
            if name in names:
                if name in LONG:
                    keep(result)
                add_scores(result, "scores", f"the score '{name}'", compute, subject.asked)
    except KeyboardInterrupt:
        keep(result)
        raise
    return check_any(result)


def _of_model(subject: Subject) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return how each of ``MODEL_SCORES`` is computed, what takes longest last."""
    model, options, (images, _) = subject.model, subject.options, subject.images

    def reconstruction():
        quality = reconstruction_quality(images, model.reconstruct(images))._asdict()
        quality["bce"] = reconstruction_bce(model, images)
        return {"reconstruction": _without_none(quality)}

    def likelihood():
        draws = options.num_samples, options.binarization, options.seed, subject.echo
        return {"likelihood": vae_likelihood(model, images, *draws)._asdict()}

    def modes():
        return {"modes": _modes(subject)}

    return {"reconstruction": reconstruction, "modes": modes, "likelihood": likelihood}


def _score_generated(
    result: dict[str, Any],
    subject: Subject,
    names: Sequence[str],
    keep: Callable[[dict[str, Any]], None],
) -> None:
    """Add the scores of a model's images, and those of other real images, to a result."""
    options, real, source = subject.options, subject.real, subject.source
    protocol, (images, labels), network = result["protocol"], subject.images, subject.network
    fake_images, fake_labels = _generate(subject, protocol)
    protocol["num_fake"] = len(fake_images)
    train_images = None
    if not subject.trained_on and any("train_images" in SCORES[name].needs for name in names):
        number = min(real.train.num_images, TRAIN_IMAGES)
        train_images, _ = real.train.sample(number, options.seed + 1)
        protocol["num_train"] = number
    material = Material(
        images,
        fake_images,
        network,
        real_labels=labels,
        fake_labels=fake_labels,
        train_images=train_images,
        class_names=source.class_names,
        seed=options.seed,
        echo=subject.echo,
    )
    computed = score_images(result, material, names, subject.asked, keep)
    if subject.trained_on:
        result["warnings"].append(_NOT_HELD_OUT[network.name in TRAINED])
    if options.floor:
        # What a perfect generator has learnt is the distribution of the training images.
        choose = rest_of if subject.trained_on else unseen_by_networks
        others = choose(source if subject.trained_on else real, len(images), options.seed)
        add_floor(result, material, others, computed, subject.asked)


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
    features = options.features or usual_network(real)
    known = {"real_labels": bool(source.num_classes), "fake_labels": labelled}
    check_known(options.scores, facts_of(features, **known))
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
        "reconstruction": model is not None and model.has_encoder,
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


def _generate(subject: Subject, protocol: dict[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return generated images, and the classes that they were asked to be, if any."""
    model, real, options = subject.model, subject.real, subject.options
    images, labels = subject.images
    count = len(images)
    if model.needs_labels:
        labels, protocol["classes"] = classes_to_make(labels, real, count, options.seed)
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
    if options.sampler != "normal" and not model.has_encoder:
        name = type(model).__name__
        raise GenzooError(f"a {name} draws its own noise; --sampler is for ae and vae")


def check_known(names: Sequence[str] | None, facts: set[str]) -> None:
    """Check the needs of the scores asked for by what is known before anything is computed.

    Raises:
        GenzooError: if a score cannot be had, whatever is computed.
    """
    for name in names or ():
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


def _modes(subject: Subject) -> dict[str, Any]:
    """Count the modes of a model of StackedMNIST, with a classifier of single digits."""
    run, real, seed = subject.run, subject.real, subject.options.seed
    single = run.settings.replace(dataset=DATASETS[STACKED].made_of, channels=1, image_size=None)
    splits = open_splits(single)
    classifier = open_classifier(splits, echo=subject.echo)
    images = subject.model.generate(STACKED_SAMPLES, seed=seed)
    counts = mode_counts(stacked_labels(images, classifier), real.train.num_classes)
    _, labels = splits.train.sample(min(splits.train.num_images, DEFAULT_COUNT), seed)
    digits = np.bincount(labels, minlength=10)
    real_counts = np.einsum("a,b,c->abc", digits, digits, digits).ravel()
    return covered_modes(counts, real_counts)._asdict() | {"num_images": STACKED_SAMPLES}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: float(value) for name, value in values.items() if value is not None}
