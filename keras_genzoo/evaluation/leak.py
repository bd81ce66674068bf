"""Artefacts of augmentation in generated images (2006.06676, section 2.2).

A discriminator that sees augmented images only may teach the generator to make such images. A
detector is trained on real images with and without artefacts. How often it answers for generated
images is brought to a share by how often it does so for held-out real images, which have none, and
for the same images with the artefact.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.classifier import build_classifier
from keras_genzoo.networks import seeded
from keras_genzoo.networks.augmentation import brightness, cutout, translation
from keras_genzoo.training.waiting import Echo, ShowFit, waiting

# An artefact is a function of images in [-1, 1], a source of random numbers, and the pixel value
# that fills what is left empty.
Artefact = Callable

ARTEFACTS: dict[str, Artefact] = {
    "flip": lambda images, draw, background: images[:, :, ::-1],
    "translation": translation,
    "cutout": cutout,
    "brightness": brightness,
}
# The share of images of the detector's training that each artefact is put into.
PUT_INTO = 0.3
IMAGES_SEEN, BATCH_SIZE = 100_000, 128
# Few images are repeated, up to so many in an epoch, since Keras takes its time to begin one.
MOST_REPEATED = 5_000
HELD_OUT, LEAST_IMAGES = 0.3, 200
# Below this difference of the detector's answers, real images look like the artefact.
LEAST_DIFFERENCE = 0.1


class Leak(NamedTuple):
    """How many generated images show an artefact.

    Args:
        share: of generated images, from 0 to 1.
        standard_error: of the share, from the numbers of images.
        difference: mean answer of the detector, from 0 to 1, for real images with the artefact,
            minus that for the same images without; 1 if it is never wrong.
    """

    share: float
    standard_error: float
    difference: float


def augmentation_leak(
    real_images: np.ndarray,
    fake_images: np.ndarray,
    artefacts: Mapping[str, Artefact] = ARTEFACTS,
    *,
    background: float = -1.0,
    seed: int = 0,
    echo: Echo | None = None,
) -> dict[str, Leak | None]:
    """Return how many of the generated images show each artefact.

    The detector is a small network with an answer for each artefact, trained on 70 % of the real
    images. With its mean answers f for generated images, c for held-out real ones and a for these
    with an artefact, the share is ``(f - c) / (a - c)``, the adjusted count of probabilities
    (Bella et al. 2010); with several artefacts f, c and the shares are vectors, and ``a - c`` a
    matrix. An augmentation that often changes little, such as a shift by 0 pixels, is counted as
    it is applied: the share is 1 if all generated images are augmented.

    Args:
        real_images: uint8 ``(n, height, width, 1 or 3)``, at least 200 images.
        fake_images: uint8 ``(m, height, width, 1 or 3)``.
        artefacts: by name, functions ``(images, draw, background)`` of images in [-1, 1].
        background: pixel value in [-1, 1] that the artefacts fill empty places with, the same as
            that of the augmentation in training.
        seed: random seed of the detector and of the artefacts.
        echo: called with lines that say how far the training is.

    Returns:
        the leak of each artefact; None if real images have it themselves, such as flips of faces,
        so that the detector cannot see it.

    Raises:
        GenzooError: if there are too few images, or they are not uint8 images of one shape.
    """
    _check(real_images, fake_images)
    rng = np.random.default_rng(seed)
    real_images = real_images[rng.permutation(len(real_images))]
    count = int(len(real_images) * HELD_OUT)
    held_out, train = real_images[:count], real_images[count:]
    changes = [_change(artefact, background, rng) for artefact in artefacts.values()]
    detector = _trained(train, changes, rng, seed, echo)
    fake, clean = _answers(detector, fake_images), _answers(detector, held_out)
    changed = [_answers(detector, change(held_out)) for change in changes]
    return dict(zip(artefacts, leaks_of_answers(fake, clean, changed), strict=True))


def _check(real_images: np.ndarray, fake_images: np.ndarray) -> None:
    for kind, images in (("real", real_images), ("generated", fake_images)):
        if images.ndim != 4 or images.dtype != np.uint8 or not len(images):
            raise GenzooError(
                f"{kind} images must be uint8 (n, height, width, channels), not {images.dtype} "
                f"{images.shape}"
            )
    if real_images.shape[1:] != fake_images.shape[1:]:
        raise GenzooError(
            f"real images are {real_images.shape[1:]} and generated ones {fake_images.shape[1:]}; "
            "bring both to one shape"
        )
    if len(real_images) < LEAST_IMAGES:
        raise GenzooError(
            f"artefacts of augmentation are learnt from {LEAST_IMAGES} real images or more, "
            f"not {len(real_images)}"
        )


class _Draw:
    """Random numbers as an augmentation draws them, from a generator of NumPy."""

    def __init__(self, rng: np.random.Generator):
        self._rng = rng

    def uniform(self, batch_size: int, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Return numbers from U(0, 1), ``(batch_size, *shape)``."""
        return self._rng.random((int(batch_size), *shape), "float32")


def _change(
    artefact: Artefact, background: float, rng: np.random.Generator
) -> Callable[[np.ndarray], np.ndarray]:
    """Return an artefact as a function from uint8 images to uint8 images."""

    def change(images: np.ndarray) -> np.ndarray:
        changed = artefact(images.astype("float32") / 127.5 - 1, _Draw(rng), background)
        return np.clip(np.rint((np.asarray(changed) + 1) * 127.5), 0, 255).astype("uint8")

    return change


def _trained(
    images: np.ndarray,
    changes: Sequence[Callable[[np.ndarray], np.ndarray]],
    rng: np.random.Generator,
    seed: int,
    echo: Echo | None,
) -> keras.Model:
    """Return a network from images of 0 to 255 to the probability of each artefact.

    An image may show several artefacts, so that the network learns to distinguish them.
    """
    images = np.repeat(images, max(1, MOST_REPEATED // len(images)), axis=0)
    epochs = max(1, round(IMAGES_SEEN / len(images)))
    steps = epochs * -(-len(images) // BATCH_SIZE)
    with seeded(seed), waiting("leak test", steps * BATCH_SIZE, echo) as show:
        network = build_classifier(images.shape[1:], len(changes))
        detector = keras.Model(network.input, keras.ops.sigmoid(network.output[1]))
        rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
        detector.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        callbacks = [ShowFit(show, BATCH_SIZE)]
        for epoch in range(epochs):
            changed, present = images.copy(), rng.random((len(images), len(changes))) < PUT_INTO
            for column, change in zip(present.T, changes, strict=True):
                if column.any():
                    changed[column] = change(changed[column])
            detector.fit(
                changed.astype("float32"),
                present.astype("float32"),
                BATCH_SIZE,
                initial_epoch=epoch,
                epochs=epoch + 1,
                verbose=0,
                callbacks=callbacks,
            )
    return detector


def _answers(detector: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the detector's probabilities, float64 ``(n, artefacts)``."""
    parts = range(0, len(images), 256)
    answers = [detector(images[i : i + 256].astype("float32"), training=False) for i in parts]
    return np.concatenate([np.asarray(answer, "float64") for answer in answers])


def leaks_of_answers(
    fake: np.ndarray, clean: np.ndarray, changed: Sequence[np.ndarray]
) -> list[Leak | None]:
    """Return the share of each artefact of the detector's answers; None where it cannot see it.

    Args:
        fake: answers for generated images, ``(n, artefacts)``.
        clean: answers for real images.
        changed: answers for these with each of the artefacts.
    """
    # Row i, column j: how much artefact j raises the answer for artefact i.
    raised = np.stack([answers.mean(axis=0) - clean.mean(axis=0) for answers in changed], axis=1)
    seen = np.flatnonzero(raised.diagonal() >= LEAST_DIFFERENCE)
    # Mean answers are those for real images plus ``raised @ shares``, which is solved for the
    # shares: so a cutout that also looks darker to the detector does not count as brightness.
    solve = np.linalg.pinv(raised[np.ix_(seen, seen)]).T
    fake, clean, *changed = (answers[:, seen] @ solve for answers in (fake, clean, *changed))
    shares = fake.mean(axis=0) - clean.mean(axis=0)
    # To first order the shares are a sum of the means of all answers, whose variances add.
    parts = [(fake, 1), (clean, 1 - shares.sum())]
    parts += [(changed[column], share) for column, share in zip(seen, shares, strict=True)]
    variances = sum(weight**2 * part.var(axis=0) / len(part) for part, weight in parts)
    leaks: list[Leak | None] = [None] * len(raised)
    for column, share, variance in zip(seen, shares, variances, strict=True):
        share = float(np.clip(share, 0, 1))
        leaks[column] = Leak(share, float(np.sqrt(variance)), float(raised[column, column]))
    return leaks
