"""Classes of generated images: which to ask for, and whether they are those asked for."""

from typing import NamedTuple

import numpy as np

from keras_genzoo.data import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_features


class Proportion(NamedTuple):
    """A share, the limits of its Wilson interval, and the number of images it was counted on."""

    share: float
    low: float
    high: float
    num_images: int


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Proportion:
    """Return the share ``successes / n`` with its score interval (Wilson 1927).

    Unlike ``p +- z sqrt(p (1 - p) / n)`` it stays in [0, 1] and has a width when all succeed.

    Raises:
        GenzooError: if n is below 1, or there are more successes than that.

    >>> [round(part, 4) for part in wilson_interval(10, 10)[:3]]
    [1.0, 0.7225, 1.0]
    """
    if n < 1 or not 0 <= successes <= n:
        raise GenzooError(
            f"{successes} of {n} is not a share: take 0 to n successes of n, at least 1"
        )
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(confidence, method="wilson")
    return Proportion(successes / n, float(interval.low), float(interval.high), n)


def labels_in_shares(labels: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Return ``count`` labels in random order, with the shares that classes have in ``labels``.

    If ``count`` is the number of labels, they are returned as they are. A generator with classes
    is measured on such labels: with other shares of classes than the real images have, it would
    be far from them however good its images are.

    Args:
        labels: classes of real images, integers ``(n,)``.
        count: labels to return.
        seed: random seed of their order.

    Raises:
        GenzooError: if there are no labels.

    >>> np.bincount(labels_in_shares(np.array([0, 0, 0, 1]), 8)).tolist()
    [6, 2]
    """
    labels = np.asarray(labels)
    if not len(labels):
        raise GenzooError("classes in the shares of real images need the labels of some")
    if count == len(labels):
        return labels
    # Take sorted labels at equal distances: no class differs from its share by more than one.
    positions = ((np.arange(count) + 0.5) * len(labels) / count).astype(int)
    return np.random.default_rng(seed).permutation(np.sort(labels)[positions])


def classes_to_make(
    labels: np.ndarray | None, real: Splits, count: int, seed: int = 0
) -> tuple[np.ndarray, str]:
    """Return the classes of ``count`` images to generate, and in words whose shares they have.

    Args:
        labels: those of the real images that the generated ones are compared with.
        real: the data, whose training images count where the real ones have no labels.
        count: images to generate.
        seed: random seed of the order.
    """
    if labels is not None and labels.min(initial=0) >= 0:
        return labels_in_shares(labels, count, seed), "in the shares of the real images"
    _, labels = real.train.sample(min(real.train.num_images, count), seed)
    words = "in the shares of the training images: the real images have no labels"
    return labels_in_shares(labels, count, seed), words


def label_accuracy(logits: np.ndarray, labels: np.ndarray) -> Proportion:
    """Return the share of images whose largest logit is that of their label.

    Args:
        logits: ``(n, classes)``.
        labels: integers ``(n,)``.

    Raises:
        GenzooError: if the lengths differ, or not all logits are finite.

    >>> label_accuracy(np.eye(4), np.array([0, 1, 2, 0])).share
    0.75
    """
    logits, labels = np.asarray(logits), np.asarray(labels)
    if logits.ndim != 2 or labels.shape != logits.shape[:1]:
        raise GenzooError(f"{logits.shape} logits and {labels.shape} labels do not go together")
    [logits] = check_features(logits, at_least=1)
    return wilson_interval(int((logits.argmax(axis=1) == labels).sum()), len(labels))
