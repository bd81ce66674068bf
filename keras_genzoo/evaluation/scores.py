"""The scores by name: what each needs, and how it is computed from the material at hand."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_genzoo.data import ArraySource
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.cache import (
    cache_folder,
    digest,
    load_arrays,
    said_damaged,
    save_arrays,
)
from keras_genzoo.evaluation.checking import check_features
from keras_genzoo.evaluation.conditional import label_accuracy, wilson_interval
from keras_genzoo.evaluation.features import FeatureNetwork, Features
from keras_genzoo.evaluation.frechet import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
)
from keras_genzoo.evaluation.inception_score import inception_score
from keras_genzoo.evaluation.kernel import kernel_distance
from keras_genzoo.evaluation.manifold import manifold_scores
from keras_genzoo.evaluation.neighbours import nearest_rows
from keras_genzoo.evaluation.parzen import parzen_log_likelihood
from keras_genzoo.registry import Registry

PARZEN_VALIDATION = 1000


@dataclasses.dataclass(frozen=True)
class Material:
    """All that a score may look at; features are computed when first asked for.

    Args:
        real_images: uint8 ``(n, height, width, channels)``.
        fake_images: uint8, of the same shape but for n.
        network: where features come from.
        real_labels: classes of the real images, if they have any.
        fake_labels: classes that the generated images were asked to be, if any.
        train_images: images that the generator was trained on, if known.
        class_names: names of the classes by number, if there are any.
        real_statistics: mean and covariance of Inception's features of the real images, where
            they come with such.
        seed: random seed of all that is drawn.
        echo: called with lines that say how far long work is, and if features cannot be kept.
    """

    real_images: np.ndarray
    fake_images: np.ndarray
    network: FeatureNetwork
    real_labels: np.ndarray | None = None
    fake_labels: np.ndarray | None = None
    train_images: np.ndarray | None = None
    class_names: Sequence[str] | None = None
    real_statistics: tuple[np.ndarray, np.ndarray] | None = None
    seed: int = 0
    echo: Callable[[str], None] = lambda line: None

    @cached_property
    def real(self) -> Features:
        """Features of the real images; kept by content, since they are asked for again."""
        return kept_features(self.network, self.real_images, self.echo)

    @cached_property
    def fake(self) -> Features:
        """Features of the generated images."""
        return self.network.compute(self.fake_images, echo=self.echo)

    @cached_property
    def train(self) -> Features:
        """Features of the training images."""
        return kept_features(self.network, self.train_images, self.echo)

    @property
    def has_statistics(self) -> bool:
        """Whether statistics of this network's features came with the real images."""
        return (
            self.real_statistics is not None
            and self.network.name == "inception"
            and len(self.real_statistics[0]) == self.fake.features.shape[1]
        )

    def facts(self) -> set[str]:
        """Return what scores may need and this material has."""
        return facts_of(
            self.network.name,
            real_labels=self.real_labels is not None,
            fake_labels=self.fake_labels is not None,
            train_images=self.train_images is not None,
        )

    @property
    def num_classes(self) -> int:
        """Number of classes; 0 if there are none."""
        if self.class_names is not None:
            return len(self.class_names)
        labels = [part for part in (self.real_labels, self.fake_labels) if part is not None]
        return 1 + int(max((part.max() for part in labels), default=-1))


def facts_of(network: str, **has: bool) -> set[str]:
    """Return what scores may need and there is: known before a network is trained or images made.

    Args:
        network: name of the feature network, as a person writes it.
        **has: by a name in ``NEEDS``, whether it is there.
    """
    kind = network.partition(":")[0]
    has |= {
        "classifier": kind in ("classifier", "inception"),
        "own_classifier": kind == "classifier",
    }
    return {fact for fact, there in has.items() if there}


def kept_features(
    network: FeatureNetwork, images: np.ndarray, echo: Callable[[str], None] = lambda line: None
) -> Features:
    """Return features from the cache, or compute and keep them; ``echo`` says if it cannot."""
    key = digest(network.name, network.checksum, images)
    path = cache_folder() / "features" / f"{key}.npz"
    arrays = load_arrays(path, echo)
    if arrays is not None:
        if _are_of(arrays, len(images)):
            return Features(arrays["features"], arrays.get("logits"))
        said_damaged(path, "its arrays are computed anew", echo)
    computed = network.compute(images, echo=echo)
    arrays = {k: v for k, v in computed._asdict().items() if v is not None}
    save_arrays(path, echo, **arrays)
    return computed


def _are_of(arrays: dict[str, np.ndarray], count: int) -> bool:
    """Whether arrays are features, and logits if there are any, of so many images."""
    return "features" in arrays and all(
        array.ndim == 2 and len(array) == count and array.dtype.kind == "f"
        for array in arrays.values()
    )


@dataclasses.dataclass(frozen=True)
class Score:
    """A score: its function, what it needs of the material, and whether it is part of the usual.

    Args:
        compute: material -> values ready for JSON.
        needs: facts of the material.
        gives: names of its values in a result.
        usual: whether it is computed when a person names no scores.
    """

    compute: Callable[[Material], dict[str, Any]]
    needs: frozenset[str] = frozenset()
    gives: tuple[str, ...] = ()
    usual: bool = True


NEEDS = {
    "real_labels": "real images with class labels",
    "fake_labels": "generated images with class labels (cgan)",
    "train_images": "a run, and real images that are not those of its training",
    "classifier": "a feature network that classifies (classifier, inception)",
    "own_classifier": "--features classifier",
}
SCORES = Registry("score")


def _score(name: str, *needs: str, gives: str, usual: bool = True):
    def register(function: Callable[[Material], dict[str, Any]]):
        SCORES.register(name, Score(function, frozenset(needs), tuple(gives.split()), usual))
        return function

    return register


def check_needs(name: str, facts: set[str], because: Sequence[str] = ()) -> None:
    """Check that a score can be computed.

    Args:
        name: of the score.
        facts: what there is, as ``facts_of`` says.
        because: why something is not there, in words.

    Raises:
        GenzooError: if something is missing; says what.
    """
    missing = SCORES[name].needs - facts
    if missing:
        words = ", ".join(NEEDS[fact] for fact in sorted(missing))
        raise GenzooError("; ".join([f"the score '{name}' needs {words}", *because]))


@_score("fid", gives="fid")
def _fid(material: Material) -> dict[str, Any]:
    fake = feature_statistics(material.fake.features)
    if not material.has_statistics:
        return {"fid": frechet_distance(feature_statistics(material.real.features), fake)}
    # Of how many images they are is not stored.
    return {"fid": frechet_distance(FeatureStatistics(0, *material.real_statistics), fake)}


@_score("kid", gives="kid kid_std kid_subsets")
def _kid(material: Material) -> dict[str, Any]:
    result = kernel_distance(material.real.features, material.fake.features)
    # One subset has no deviation.
    spread = {"kid_std": result.std} if result.num_subsets > 1 else {}
    subsets = f"{result.num_subsets} of {result.subset_size}"
    return {"kid": result.mean, **spread, "kid_subsets": subsets}


@_score("inception_score", "classifier", gives="inception_score inception_score_std")
def _inception_score(material: Material) -> dict[str, Any]:
    result = inception_score(material.fake.logits)
    return {"inception_score": result.mean, "inception_score_std": result.std}


@_score("prdc", gives="precision recall density coverage")
def _prdc(material: Material) -> dict[str, Any]:
    return manifold_scores(material.real.features, material.fake.features)._asdict()


@_score("class_histogram", "own_classifier", gives="class_histogram class_histogram_distance")
def _class_histogram(material: Material) -> dict[str, Any]:
    """Classes that the classifier sees among generated images, beside those of the real ones."""
    logits = check_features(material.fake.logits, material.real.logits, at_least=1)
    fake, real = (
        np.bincount(part.argmax(axis=1), minlength=part.shape[1]) / len(part) for part in logits
    )
    return {
        "class_histogram": {
            name: round(float(share), 4)
            for name, share in zip(_class_names(material, len(fake)), fake, strict=True)
        },
        "class_histogram_distance": float(abs(fake - real).sum() / 2),
    }


def _class_names(material: Material, count: int) -> Sequence[str]:
    """Return the names of ``count`` classes; the numbers, where there are not as many names."""
    names = material.class_names or ()
    return names if len(names) == count else [str(number) for number in range(count)]


@_score("label_accuracy", "own_classifier", "fake_labels", gives="label_accuracy label_accuracy_95")
def _label_accuracy(material: Material) -> dict[str, Any]:
    """GAN-test (1807.09499): how often a classifier of real images sees the class asked for."""
    result = label_accuracy(material.fake.logits, material.fake_labels)
    interval = [round(limit, 5) for limit in (result.low, result.high)]
    return {"label_accuracy": result.share, "label_accuracy_95": interval}


@_score(
    "fid_per_class",
    "real_labels",
    "fake_labels",
    gives="fid_per_class fid_per_class_fewest_images",
    usual=False,
)
def _fid_per_class(material: Material) -> dict[str, Any]:
    values, counts = {}, []
    for label, name in enumerate(_class_names(material, material.num_classes)):
        real = material.real.features[material.real_labels == label]
        fake = material.fake.features[material.fake_labels == label]
        counts += [len(real), len(fake)]
        if min(len(real), len(fake)) < 2:
            raise GenzooError(
                f"class {name} has {len(real)} real images and {len(fake)} generated ones, "
                "and each needs 2; take more with -n"
            )
        values[name] = frechet_distance(feature_statistics(real), feature_statistics(fake))
    return {"fid_per_class": values, "fid_per_class_fewest_images": min(counts)}


@_score("gan_train", "real_labels", "fake_labels", gives="gan_train gan_train_95", usual=False)
def _gan_train(material: Material) -> dict[str, Any]:
    """GAN-train (1807.09499): what a classifier of generated images knows of real ones."""
    from keras_genzoo.evaluation.classifier import train_classifier

    # The generated images may lack a class, and its number must stay its own.
    names = [str(number) for number in range(material.num_classes)]
    fake = ArraySource(
        material.fake_images, material.fake_labels, class_names=names, name="generated images"
    )
    real = ArraySource(
        material.real_images, material.real_labels, class_names=names, name="real images"
    )
    _, facts = train_classifier(fake, real, material.echo)
    hits = round(facts["test_accuracy"] * real.num_images)
    result = wilson_interval(hits, real.num_images)
    interval = [round(limit, 5) for limit in (result.low, result.high)]
    return {"gan_train": result.share, "gan_train_95": interval}


@_score("memorisation", "train_images", gives="memorised_share nearest_distance_ratio", usual=False)
def _memorisation(material: Material) -> dict[str, Any]:
    """Whether generated images lie nearer to training images than held-out real ones do.

    The share of generated images nearer to their nearest training image than the nearest
    hundredth of real ones: about 0.01 without memorisation, 1 for copies.
    """
    train, real, fake = check_features(
        *(part.features for part in (material.train, material.real, material.fake))
    )
    _, real = nearest_rows(real, train)
    _, fake = nearest_rows(fake, train)
    ratio = float(np.median(fake) / max(np.median(real), np.finfo(float).tiny))
    return {
        "memorised_share": float((fake <= np.quantile(real, 0.01)).mean()),
        "nearest_distance_ratio": ratio,
    }


@_score(
    "parzen",
    "train_images",
    gives="parzen_log_likelihood parzen_standard_error parzen_bandwidth",
    usual=False,
)
def _parzen(material: Material) -> dict[str, Any]:
    """By the old protocol, but that the bandwidth is of images that the generator was trained on.

    The protocol keeps the last 10,000 of MNIST's training images from the generator.
    """
    validation = material.train_images[:PARZEN_VALIDATION]
    flat = [
        images.reshape(len(images), -1) / 255
        for images in (material.fake_images, validation, material.real_images)
    ]
    result = parzen_log_likelihood(*flat)
    return {
        "parzen_log_likelihood": result.mean,
        "parzen_standard_error": result.standard_error,
        "parzen_bandwidth": result.bandwidth,
    }
