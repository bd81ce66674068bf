"""The Inception Score (1606.03498, section 4), for the logits of any classifier."""

import itertools
from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_at_least_1, check_features


class InceptionScore(NamedTuple):
    """Mean and standard deviation over the splits."""

    mean: float
    std: float


def inception_score(logits: np.ndarray, splits: int = 10, seed: int = 2020) -> InceptionScore:
    """Return ``exp(mean_x KL(p(y|x) || p(y)))``: from 1 to the number of classes.

    It knows nothing of real images: a generator of one perfect image of each class gets the best
    score. Images are shuffled as torch-fidelity does, so that no split holds one class alone.

    Args:
        logits: ``(n, classes)`` of generated images.
        splits: parts that are scored by themselves; the score is their mean.
        seed: random seed of the shuffling.

    Raises:
        GenzooError: if there are fewer images than splits, or not all logits are finite.

    >>> inception_score(np.eye(4).repeat(10, axis=0) * 100, splits=1).mean
    4.0
    """
    check_at_least_1(splits=splits)
    [logits] = check_features(logits, at_least=splits)
    if logits.shape[1] < 2:
        raise GenzooError("the Inception Score needs logits of at least two classes")
    rng = np.random.RandomState(seed)
    logits = logits[rng.permutation(len(logits))]
    log_p = logits - logits.max(axis=1, keepdims=True)
    log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    bounds = [part * len(logits) // splits for part in range(splits + 1)]
    scores = [_score(log_p[a:b]) for a, b in itertools.pairwise(bounds)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _score(log_p: np.ndarray) -> float:
    p = np.exp(log_p)
    marginal = p.mean(axis=0)
    # A class that no image has any probability of adds nothing to the sum.
    log_marginal = np.log(np.where(marginal > 0, marginal, 1))
    return float(np.exp((p * (log_p - log_marginal)).sum(axis=1).mean()))
