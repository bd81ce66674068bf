"""Scores put into a result one by one, and those of real images beside them."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_genzoo.data import Source, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.features import FeatureNetwork
from keras_genzoo.evaluation.scores import SCORES, Material, check_needs

# Real images apart from those measured: what they are, images, labels.
Others = tuple[str, np.ndarray, np.ndarray]

# Scores that take minutes: what is measured before them is kept first.
LONG = ("gan_train", "memorisation", "parzen", "modes", "likelihood")

# Below this a Fréchet distance says more of N than of the images.
FEW_IMAGES = 2_000


def score_images(
    result: dict[str, Any],
    material: Material,
    names: Sequence[str],
    asked: bool,
    keep: Callable[[dict[str, Any]], None] = lambda result: None,
) -> list[str]:
    """Add the scores of images, the feature network and its warnings; return those computed.

    ``keep`` is given the result so far before a score that takes minutes.
    """
    network: FeatureNetwork = material.network
    result["protocol"]["features"] = network.describe()
    result["warnings"] += network.warnings
    count, width = len(material.fake_images), material.real.features.shape[1]
    if count < max(FEW_IMAGES, width):
        result["warnings"].append(
            f"{count:,} images are few for {width:,} features: distances come out too large; "
            "compare only numbers of one N"
        )
    if "fid" in names and material.has_statistics:
        result["protocol"]["fid_real"] = "mu and sigma as stored with the real images"
    computed = []
    for name in sorted(names, key=LONG.__contains__):
        if not asked and SCORES[name].needs - material.facts():
            continue
        if name in LONG:
            keep(result)
        check_needs(name, material.facts(), network.warnings)
        compute = functools.partial(SCORES[name].compute, material)
        if add_scores(result, "scores", f"the score '{name}'", compute, asked):
            computed.append(name)
    return computed


def add_floor(
    result: dict[str, Any],
    material: Material,
    others: Others | None,
    names: Sequence[str],
    asked: bool,
) -> None:
    """Score other real images as if they were generated: the best that can be reached."""
    protocol, count = result["protocol"], len(material.fake_images)
    if others is None:
        protocol["floor"] = "none: not as many other real images are left; fewer (-n) leave more"
        return
    where, images, labels = others
    protocol["floor"] = f"{where}, {len(images):,} images"
    if len(images) < count:
        result["warnings"].append(
            f"the column of real images is of {len(images):,} images and the scores of {count:,}: "
            "its distances come out larger than those of a perfect generator"
        )
    labels = None if material.fake_labels is None else labels
    material = dataclasses.replace(material, fake_images=images, fake_labels=labels)
    result["floor"] = {}
    for name in names:
        needs = SCORES[name].needs
        if not needs - material.facts() and "train_images" not in needs:
            compute = functools.partial(SCORES[name].compute, material)
            add_scores(result, "floor", f"the floor of the score '{name}'", compute, asked)


def add_scores(
    result: dict[str, Any],
    part: str,
    what: str,
    compute: Callable[[], dict[str, Any]],
    asked: bool,
) -> bool:
    """Add values to a part of a result; return whether they could be computed.

    A usual score that cannot be had costs none of the others: it becomes a warning.

    Raises:
        GenzooError: if they cannot be computed, and a person asked for them by name.
    """
    try:
        result[part].update(compute())
    except GenzooError as error:
        words = f"{what} cannot be computed: {error}"
        if asked:
            hint = "; --no-floor leaves it out" if part == "floor" else ""
            raise GenzooError(words + hint) from error
        result["warnings"].append(words)
        return False
    return True


def check_any(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result that has a score.

    Raises:
        GenzooError: if it has none; says why.
    """
    if not result["scores"]:
        raise GenzooError(f"no score can be computed; {result['warnings'][-1]}")
    return result


def rest_of(source: Source, count: int, seed: int) -> Others | None:
    """Return as many images as are measured, of the same split; None if there are not as many."""
    if source.num_images < 2 * count:
        return None
    where = f"{source.name}, the rest of split {source.split}"
    return where, *source.sample(count, seed, skip=count)


def unseen_by_networks(real: Splits, count: int, seed: int) -> Others:
    """Return training images that no feature network has seen, as many as measured if possible."""
    _, unseen = real.fifths
    images = unseen.sample(min(count, unseen.num_images), seed)
    return f"{unseen.name}, {unseen.split}", *images


def other_images(real: Splits, source: Source, count: int, seed: int) -> Others | None:
    """Return real images that are not measured, as many; None if there are not as many.

    The same split comes first: its distribution is that of the images measured.
    """
    others = rest_of(source, count, seed)
    if others is not None:
        return others
    train, test = real.find("train"), real.held_out
    if train is not None and source.fingerprint != train.fingerprint:
        others = unseen_by_networks(real, count, seed)
        return others if len(others[1]) == count else None
    if test is None or source.fingerprint == test.fingerprint or test.num_images < count:
        return None
    return f"{test.name}, split {test.split}", *test.sample(count, seed)
