"""The scores of generated images: how each is computed from images and their features."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_genzoo.data import ArraySource
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_features, given
from keras_genzoo.evaluation.conditional import Proportion, label_accuracy, wilson_interval
from keras_genzoo.evaluation.frechet import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
)
from keras_genzoo.evaluation.inception_score import inception_score
from keras_genzoo.evaluation.inputs import ScoreInputs
from keras_genzoo.evaluation.kernel import kernel_distance
from keras_genzoo.evaluation.leak import ARTEFACTS, augmentation_leak
from keras_genzoo.evaluation.manifold import manifold_scores
from keras_genzoo.evaluation.neighbours import nearest_rows
from keras_genzoo.evaluation.parzen import parzen_log_likelihood
from keras_genzoo.evaluation.score import DOWN, UP, Display, Score

PARZEN_VALIDATION = 1000


def _share(label: str, better: str, interval: str = "") -> Display:
    return Display(label, better, "%", 100, interval=interval)


def _fid(inputs: ScoreInputs) -> dict[str, Any]:
    fake = feature_statistics(inputs.fake.features)
    if not inputs.has_statistics:
        return {"fid": frechet_distance(feature_statistics(inputs.real.features), fake)}
    # The file does not say of how many images the statistics are.
    return {"fid": frechet_distance(FeatureStatistics(0, *given(inputs.real_statistics)), fake)}


FID = Score(_fid, gives={"fid": Display("FID", DOWN)})


def _kid(inputs: ScoreInputs) -> dict[str, Any]:
    result = kernel_distance(inputs.real.features, inputs.fake.features)
    # A single subset has no standard deviation.
    spread = {"kid_std": result.std} if result.num_subsets > 1 else {}
    subsets = f"{result.num_subsets} of {result.subset_size}"
    return {"kid": result.mean, **spread, "kid_subsets": subsets}


KID = Score(
    _kid,
    gives={
        "kid": Display("KID", DOWN, scale=1000, spread="kid_std"),
        "kid_subsets": Display("KID: subsets of images", of_protocol=True),
    },
)


def _inception_score(inputs: ScoreInputs) -> dict[str, Any]:
    result = inception_score(given(inputs.fake.logits))
    return {"inception_score": result.mean, "inception_score_std": result.std}


INCEPTION_SCORE = Score(
    _inception_score,
    needs=["classifier"],
    gives={"inception_score": Display("Inception Score", UP, spread="inception_score_std")},
)


def _prdc(inputs: ScoreInputs) -> dict[str, Any]:
    return manifold_scores(inputs.real.features, inputs.fake.features)._asdict()


PRDC = Score(
    _prdc,
    gives={name: Display(name, UP) for name in ("precision", "recall", "density", "coverage")},
)


def _class_histogram(inputs: ScoreInputs) -> dict[str, Any]:
    """Classes that the classifier sees among generated images, beside those of the real ones."""
    logits = check_features(given(inputs.fake.logits), given(inputs.real.logits), at_least=1)
    fake, real = (
        np.bincount(part.argmax(axis=1), minlength=part.shape[1]) / len(part) for part in logits
    )
    return {
        "class_histogram": {
            name: round(float(share), 4)
            for name, share in zip(_class_names(inputs, len(fake)), fake, strict=True)
        },
        "class_histogram_distance": float(abs(fake - real).sum() / 2),
    }


CLASS_HISTOGRAM = Score(
    _class_histogram,
    needs=["own_classifier"],
    gives={
        "class_histogram": None,
        "class_histogram_distance": _share("images in another class than real ones would be", DOWN),
    },
)


def _class_names(inputs: ScoreInputs, count: int) -> Sequence[str]:
    """Return the names of ``count`` classes; their numbers if there are not as many names."""
    names = inputs.class_names or ()
    return names if len(names) == count else [str(number) for number in range(count)]


def _with_interval(name: str, result: Proportion) -> dict[str, Any]:
    """Return a share by its name, with its 95 % interval."""
    interval = [round(limit, 5) for limit in (result.low, result.high)]
    return {name: result.share, f"{name}_95": interval}


def _label_accuracy(inputs: ScoreInputs) -> dict[str, Any]:
    """GAN-test (1807.09499): how often a classifier of real images sees the class asked for."""
    hits = label_accuracy(given(inputs.fake.logits), given(inputs.fake_labels))
    return _with_interval("label_accuracy", hits)


LABEL_ACCURACY = Score(
    _label_accuracy,
    needs=["own_classifier", "fake_labels"],
    gives={"label_accuracy": _share("label accuracy", UP, "label_accuracy_95")},
)


def _fid_per_class(inputs: ScoreInputs) -> dict[str, Any]:
    values, counts = {}, []
    for label, name in enumerate(_class_names(inputs, inputs.num_classes)):
        real = inputs.real.features[inputs.real_labels == label]
        fake = inputs.fake.features[inputs.fake_labels == label]
        counts += [len(real), len(fake)]
        if min(len(real), len(fake)) < 2:
            raise GenzooError(
                f"class {name} has {len(real)} real images and {len(fake)} generated ones, "
                "and each needs 2; take more with -n"
            )
        values[name] = frechet_distance(feature_statistics(real), feature_statistics(fake))
    return {"fid_per_class": values, "fid_per_class_fewest_images": min(counts)}


FID_PER_CLASS = Score(
    _fid_per_class,
    needs=["real_labels", "fake_labels"],
    gives={
        "fid_per_class": Display("FID of class {}", DOWN),
        "fid_per_class_fewest_images": Display("FID by class: fewest images of a class"),
    },
    usual=False,
)


def _gan_train(inputs: ScoreInputs) -> dict[str, Any]:
    """GAN-train (1807.09499): what a classifier of generated images knows of real ones."""
    from keras_genzoo.evaluation.classifier import train_classifier

    # All classes are named, so that one without generated images keeps its number.
    names = [str(number) for number in range(inputs.num_classes)]
    fake = ArraySource(
        inputs.fake_images, inputs.fake_labels, class_names=names, name="generated images"
    )
    real = ArraySource(
        inputs.real_images, inputs.real_labels, class_names=names, name="real images"
    )
    _, details = train_classifier(fake, real, inputs.echo)
    hits = round(details["test_accuracy"] * real.num_images)
    return _with_interval("gan_train", wilson_interval(hits, real.num_images))


GAN_TRAIN = Score(
    _gan_train,
    needs=["real_labels", "fake_labels"],
    gives={"gan_train": _share("GAN-train accuracy", UP, "gan_train_95")},
    usual=False,
    takes_minutes=True,
)


def _memorisation(inputs: ScoreInputs) -> dict[str, Any]:
    """Whether generated images lie nearer to training images than held-out real ones do.

    The share of generated images nearer to their nearest training image than the nearest
    hundredth of real ones: about 0.01 without memorisation, 1 for copies.
    """
    train, real, fake = check_features(
        *(part.features for part in (inputs.train, inputs.real, inputs.fake))
    )
    _, real = nearest_rows(real, train)
    _, fake = nearest_rows(fake, train)
    ratio = float(np.median(fake) / max(np.median(real), np.finfo(float).tiny))
    return {
        "memorised_share": float((fake <= np.quantile(real, 0.01)).mean()),
        "nearest_distance_ratio": ratio,
    }


MEMORISATION = Score(
    _memorisation,
    needs=["train_images"],
    gives={
        "memorised_share": _share("memorised images", DOWN),
        "nearest_distance_ratio": Display("distance to training images, 1 for real images"),
    },
    usual=False,
    takes_minutes=True,
)


def _parzen(inputs: ScoreInputs) -> dict[str, Any]:
    """The Parzen-window log-likelihood, with a bandwidth chosen on training images.

    The old protocol chooses it on the last 10,000 of MNIST's training images, which it keeps from
    the generator.
    """
    validation = given(inputs.train_images)[:PARZEN_VALIDATION]
    flat = [
        images.reshape(len(images), -1) / 255
        for images in (inputs.fake_images, validation, inputs.real_images)
    ]
    result = parzen_log_likelihood(*flat)
    return {
        "parzen_log_likelihood": result.mean,
        "parzen_standard_error": result.standard_error,
        "parzen_bandwidth": result.bandwidth,
    }


PARZEN = Score(
    _parzen,
    needs=["train_images"],
    gives={
        "parzen_log_likelihood": Display(
            "Parzen log-likelihood", UP, "nats", spread="parzen_standard_error"
        ),
        "parzen_bandwidth": Display("Parzen bandwidth"),
    },
    usual=False,
    takes_minutes=True,
)


def _augmentation_leak(inputs: ScoreInputs) -> dict[str, Any]:
    """How many generated images show each artefact, and the standard error of each share."""
    leaks = augmentation_leak(
        inputs.real_images, inputs.fake_images, seed=inputs.seed, echo=inputs.echo
    )
    shares = {name: leak.share for name, leak in leaks.items() if leak}
    errors = {f"{name}_error": leak.standard_error for name, leak in leaks.items() if leak}
    unseen = ", ".join(name for name, leak in leaks.items() if leak is None)
    return {"augmentation_leak": shares | errors | ({"not_measurable": unseen} if unseen else {})}


AUGMENTATION_LEAK = Score(
    _augmentation_leak,
    gives={
        f"augmentation_leak.{name}": Display(
            f"images with the artefact '{name}' of augmentation",
            DOWN,
            "%",
            100,
            spread=f"augmentation_leak.{name}_error",
        )
        for name in ARTEFACTS
    }
    | {"augmentation_leak.not_measurable": Display("artefacts that real images show as well")},
    usual=False,
    takes_minutes=True,
)
