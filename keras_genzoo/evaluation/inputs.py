"""What a score is computed from: images and their features, or a model and its data."""

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from keras_genzoo.data import Splits
from keras_genzoo.evaluation.cache import (
    cache_folder,
    digest,
    load_arrays,
    save_arrays,
    say_damaged,
)
from keras_genzoo.evaluation.checking import given
from keras_genzoo.evaluation.features import FeatureNetwork, Features
from keras_genzoo.evaluation.options import Options
from keras_genzoo.training import Run
from keras_genzoo.training.build import Generator

Echo = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class ModelInputs:
    """What a score of a model is computed from.

    Args:
        model: the model.
        real_images: the real images to measure against, uint8 ``(n, height, width, channels)``.
        run: the run that trained it.
        data: the splits of its data.
        options: what a person asked for, such as the random seed.
        echo: called with lines that say how far long work is.
        real_labels: classes of the real images, if they have any.
    """

    model: Generator
    real_images: np.ndarray
    run: Run
    data: Splits
    options: Options
    echo: Echo = lambda line: None
    real_labels: np.ndarray | None = None

    @property
    def of_class(self) -> dict[str, np.ndarray | None]:
        """The argument ``class_labels`` of a model that takes labels; empty for others."""
        return {"class_labels": self.real_labels} if self.model.needs_labels else {}

    @cached_property
    def reconstructions(self) -> np.ndarray:
        """The real images sent through the model and back, of a model with an encoder."""
        return self.model.reconstruct(self.real_images, **self.of_class)


@dataclasses.dataclass(frozen=True)
class ScoreInputs:
    """What a score of images is computed from; features are computed when first asked for.

    Args:
        real_images: uint8 ``(n, height, width, channels)``.
        fake_images: uint8 ``(m, height, width, channels)``.
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
    echo: Echo = lambda line: None

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
        return kept_features(self.network, given(self.train_images), self.echo)

    @property
    def has_statistics(self) -> bool:
        """Whether statistics of this network's features came with the real images."""
        return (
            self.real_statistics is not None
            and self.network.name == "inception"
            and len(self.real_statistics[0]) == self.fake.features.shape[1]
        )

    @property
    def available(self) -> set[str]:
        """Names in ``NEEDS`` of what is there."""
        return available(
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


def available(network: str, **others: bool) -> set[str]:
    """Return names in ``NEEDS`` of what is there, known before anything is computed.

    Args:
        network: name of the feature network, as a person writes it.
        **others: whether the other needs are met.

    >>> sorted(available("inception:graph.pb", real_labels=True, fake_labels=False))
    ['classifier', 'real_labels']
    """
    kind = network.partition(":")[0]
    others["classifier"] = kind in ("classifier", "inception")
    others["own_classifier"] = kind == "classifier"
    return {need for need, is_there in others.items() if is_there}


def kept_features(
    network: FeatureNetwork, images: np.ndarray, echo: Echo = lambda line: None
) -> Features:
    """Return features from the cache, or compute and keep them; ``echo`` says if it cannot."""
    key = digest(network.name, network.checksum, images)
    path = cache_folder() / "features" / f"{key}.npz"
    arrays = load_arrays(path, echo)
    if arrays is not None:
        if _are_features(arrays, len(images)):
            return Features(arrays["features"], arrays.get("logits"))
        say_damaged(path, "its arrays are computed anew", echo)
    computed = network.compute(images, echo=echo)
    arrays = {k: v for k, v in computed._asdict().items() if v is not None}
    save_arrays(path, echo, **arrays)
    return computed


def _are_features(arrays: dict[str, np.ndarray], count: int) -> bool:
    """Whether arrays are features, and logits if there are any, of so many images."""
    return "features" in arrays and all(
        array.ndim == 2 and len(array) == count and array.dtype.kind == "f"
        for array in arrays.values()
    )
