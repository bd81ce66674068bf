"""A small convolutional classifier of the data set's own labels: features that need no download.

It is trained once for a data set and image shape and then kept; its accuracy on held-out images
goes with every number that it gives, and one that has learnt nothing gives none.
"""

import contextlib
import hashlib
import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.data import Source, Splits, load_dataset
from keras_genzoo.data.images import BadImageError, fit_all
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.cache import cache_folder, digest, keep, say_damaged
from keras_genzoo.evaluation.conditional import wilson_interval
from keras_genzoo.evaluation.features import (
    FeatureNetwork,
    Features,
    NothingLearntError,
    accuracy_in_words,
)
from keras_genzoo.files import json_text
from keras_genzoo.models.loading import check_model_file
from keras_genzoo.networks import layers_under, randomness_kept, seeded
from keras_genzoo.networks.convolutional import LAST
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown
from keras_genzoo.training.waiting import Echo, ShowFit, waiting

# Raise it whenever the network or its training changes: kept networks of before are then not used.
VERSION = 3
IMAGES_SEEN = 300_000
MAX_EPOCHS = 40
BATCH_SIZE = 128
FEATURES = 128
# Bytes of images in memory, as floats, while attributes are learnt.
ATTRIBUTE_BYTES = 2**30


class Classifier(FeatureNetwork):
    """A classifier of one data set; its features are those before the last layer.

    Args:
        name: ``classifier`` or ``attributes``.
        model: images float32 0 to 255 -> ``[features, logits]``.
        checksum: sha256 of its file.
        details: what is known of it: the data it was trained on, its accuracy on held-out images,
            beside that of always naming what is commonest there.
    """

    trained_on_data = True

    def __init__(self, name: str, model: keras.Model, checksum: str, details: dict):
        self.name, self.model, self.checksum, self.details = name, model, checksum, details
        self.image_shape = tuple(model.input_shape[1:])
        height, width, _ = self.image_shape
        self.resize = f"antialiased to {height}x{width}"

    @property
    def has_learnt(self) -> bool:
        """Whether it is better on held-out images than always naming the commonest class.

        The lower end of the accuracy's one-sided 95 % interval, which is that of the two-sided
        90 % interval, lies above the share of the commonest.
        """
        details = self.details
        answers = details["tested_on"] * details.get("answers_each", 1)
        right = round(details["test_accuracy"] * answers)
        low = wilson_interval(right, answers, confidence=0.9).low
        return low > details["accuracy_of_the_commoner"]

    def compute_batch(self, images: np.ndarray) -> Features:
        """Return features ``(n, 128)`` and logits, one for each class or attribute."""
        images = fit_all(images, self.image_shape).astype("float32")
        features, logits = self.model(images, training=False)
        return Features(np.asarray(features), np.asarray(logits))


def open_classifier(
    real: Splits, path: str = "", echo: Callable[[str], None] = lambda line: None
) -> Classifier:
    """Return the classifier of a data set's classes, trained now if none is kept.

    It is trained on four fifths of the split ``train``. Its features of those images are unlike
    its features of any others, so only the fifth kept back is compared with.

    Args:
        real: the data set.
        path: not used.
        echo: called with a line when training begins.

    Raises:
        GenzooError: if the data has no labels, or of one class only.
        NothingLearntError: if it is no better than to name always what is commonest.
    """
    train = real.train
    if train.num_classes is None or train.num_classes < 2:
        has = "has no class labels" if train.num_classes is None else "has one class only"
        raise GenzooError(
            f"{train.name} {has} to train a classifier on; "
            "choose --features pixels, model:PATH or inception"
        )
    known = operator.attrgetter("num_classes")
    return _kept("classifier", train_classifier, known, real, echo)


def open_attributes(
    real: Splits, path: str = "", echo: Callable[[str], None] = lambda line: None
) -> Classifier:
    """Return the classifier of a data set's attributes, as ``open_classifier`` does of classes.

    CelebA has forty, such as hair, glasses and smile, and no classes: what tells them apart is in
    the face and not in its background.

    Raises:
        GenzooError: if the data has no attributes.
        NothingLearntError: as ``open_classifier``.
    """
    train = real.train
    if train.attribute_names is None:
        raise GenzooError(
            f"{train.name} has no attributes to train on; choose --features classifier, pixels, "
            "model:PATH or inception"
        )
    known = operator.attrgetter("attribute_names")
    return _kept("attributes", train_attributes, known, real, echo)


def _kept(
    name: str,
    train_on: Callable,
    known: Callable[[Source], Any],
    real: Splits,
    echo: Callable[[str], None],
) -> Classifier:
    """Return the kept network of a data set, trained and kept now if there is none.

    Raises:
        NothingLearntError: if it has learnt nothing.
    """
    if real.train.num_images < 2:
        raise NothingLearntError(f"{real.train.name} has one image, too few to learn from")
    train, kept_back = real.fifths
    test = real.held_out
    # Test on the fifth kept back if the run was trained on the split test, or that has no labels.
    if test is None or test.fingerprint == real.train.fingerprint or not known(test):
        test = kept_back
    shape = "x".join(map(str, train.image_shape))
    text = f"{train.fingerprint} {shape} {name} {VERSION}"
    key = hashlib.sha256(text.encode()).hexdigest()[:16]
    file = cache_folder() / "classifiers" / f"{key}.keras"
    kept = _read(name, file, echo)
    if kept is None:
        of = "attributes of " if name == "attributes" else ""
        echo(
            f"training a classifier of {of}{shown(train.name)} {shape}, once; "
            f"it is kept in {shown(file)}"
        )
        model, details = train_on(train, test, echo)
        kept = _keep(name, file, model, details, echo)
    if not kept.has_learnt:
        words = accuracy_in_words(kept.details)
        raise NothingLearntError(
            f"the network '{name}' of {train.name} has learnt nothing: {words}; "
            "others are --features pixels, model:PATH and inception"
        )
    return kept


def _read(name: str, file: Path, echo: Callable[[str], None]) -> Classifier | None:
    """Return a kept network; None if there is none, or it is damaged."""
    details_file = file.with_suffix(".json")
    # os.path.exists says False in a folder without permission, where Path.exists raises.
    if not (os.path.exists(file) and os.path.exists(details_file)):  # noqa: PTH110
        return None
    try:
        with randomness_kept():
            check_model_file(file)
            model = keras.saving.load_model(file, compile=False, safe_mode=True)
        details = read_json(details_file)
        network = Classifier(name, model, hashlib.sha256(file.read_bytes()).hexdigest(), details)
        if len(model.outputs) != 2 or model.outputs[0].shape != (None, FEATURES):
            raise ValueError("it gives something else")
        # Both raise if something is missing in the details.
        _ = accuracy_in_words(details), network.has_learnt
    except Exception:  # Keras raises whatever its files hold.
        say_damaged(file, "it is trained anew", echo)
        return None
    return network


def _keep(
    name: str, file: Path, model: keras.Model, details: dict, echo: Callable[[str], None]
) -> Classifier:
    """Write a network to the cache and return it; without a checksum of the file if that fails."""
    # The details are removed first and written last: a network with details is a whole one.
    details_file = file.with_suffix(".json")
    with contextlib.suppress(OSError):
        details_file.unlink(missing_ok=True)
    text = json_text(details, indent=2) + "\n"
    if keep(file, model.save, echo) and keep(
        details_file, lambda temporary: temporary.write_text(text), echo
    ):
        return Classifier(name, model, hashlib.sha256(file.read_bytes()).hexdigest(), details)
    weights = [f"{weight.path} {weight.shape}" for weight in model.weights]
    return Classifier(name, model, digest(*weights, *model.get_weights()), details)


def train_classifier(
    train: Source, test: Source, echo: Echo | None = None
) -> tuple[keras.Model, dict]:
    """Return a classifier of a source's labels, and the details that go with its numbers.

    Its accuracy is on ``test``, beside the share of the commonest class there; ``echo`` is called
    with lines that say how far the training is.
    """
    assert train.num_classes is not None  # The labels are what it learns.
    batch_size = min(BATCH_SIZE, train.num_images)
    steps = train.num_images // batch_size
    epochs = max(1, min(MAX_EPOCHS, round(IMAGES_SEEN / train.num_images)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float32")
    stream = load_dataset(train, batch_size=batch_size, with_labels=True, shuffle=True)
    with seeded(0), waiting("classifier", steps * epochs * batch_size, echo) as show:
        model, logits = _compiled(train.image_shape, train.num_classes, loss, steps * epochs)
        callbacks = [ShowFit(show, batch_size)]
        stream = stream.map(_as_float)
        logits.fit(stream, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    stream = load_dataset(test, batch_size=256, with_labels=True, shuffle=False)
    batches = [(np.asarray(logits(x, training=False)), y) for x, y in stream.map(_as_float)]
    hits = sum(int((p.argmax(axis=1) == y.numpy()).sum()) for p, y in batches)
    _, counts = np.unique(np.concatenate([y.numpy() for _, y in batches]), return_counts=True)
    return model, _details(train, train.num_images) | {
        "test_accuracy": hits / test.num_images,
        "accuracy_of_the_commoner": float(counts.max() / test.num_images),
        "tested_on": test.num_images,
        "held_out": test.split,
    }


def train_attributes(
    train: Source, test: Source, echo: Echo | None = None
) -> tuple[keras.Model, dict]:
    """Return a classifier of a source's attributes, and the details that go with its numbers.

    Its accuracy is the mean over the attributes, beside that of always saying what is commoner;
    ``echo`` is called with lines that say how far the training is.
    """
    images, attributes = _with_attributes(train)
    batch_size = min(BATCH_SIZE, len(images))
    epochs = max(1, min(MAX_EPOCHS, round(IMAGES_SEEN / 3 / len(images))))
    loss = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float32")
    steps = epochs * -(-len(images) // batch_size)
    with seeded(0), waiting("attributes", steps * batch_size, echo) as show:
        model, logits = _compiled(train.image_shape, attributes.shape[1], loss, steps)
        callbacks = [ShowFit(show, batch_size)]
        logits.fit(images, attributes, batch_size, epochs, verbose=0, callbacks=callbacks)
    details = _details(train, len(images))
    images, known = _with_attributes(test)
    parts = range(0, len(images), 256)
    answers = [np.asarray(logits(images[i : i + 256], training=False)) > 0 for i in parts]
    commoner = attributes.mean(axis=0) > 0.5
    return model, details | {
        "test_accuracy": float((np.concatenate(answers) == known).mean()),
        "accuracy_of_the_commoner": float((commoner == known).mean()),
        "tested_on": len(images),
        "answers_each": known.shape[1],
        "held_out": test.split,
    }


def _compiled(
    image_shape: tuple[int, int, int], outputs: int, loss: keras.losses.Loss, steps: int
) -> tuple[keras.Model, keras.Model]:
    """Return the network with both outputs, and with its logits alone, ready to be trained."""
    model = build_classifier(image_shape, outputs)
    logits = keras.Model(model.input, model.output[1])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    logits.compile(keras.optimizers.Adam(rate), loss)
    return model, logits


def _details(train: Source, num_images: int) -> dict:
    return {"trained_on": f"{train.name}, {train.split}", "num_images": num_images}


def _with_attributes(source: Source) -> tuple[np.ndarray, np.ndarray]:
    """Return the first images of a source that can be read, as floats, and their attributes."""
    images, attributes = [], []
    most = max(1, ATTRIBUTE_BYTES // (4 * int(np.prod(source.image_shape))))
    for index in range(min(source.num_images, most)):
        with contextlib.suppress(BadImageError):
            images.append(source.read(index)[0])
            attributes.append(source.read_attributes(index))
    return np.stack(images).astype("float32"), np.stack(attributes).astype("float32")


def _as_float(images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    return keras.ops.cast(images, "float32"), labels


@layers_under("float32")
def build_classifier(image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Build images of 0 to 255 -> ``[features (128), logits]``; any size from 8.

    It is the same whatever Keras's ``floatx`` and ``image_data_format`` are.
    """
    images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    size, filters = min(image_shape[:2]), 32
    while True:
        strides = 2 if size > 32 else 1
        x = keras.layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, **LAST)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D(2, **LAST)(x)
        size, filters = size // (2 * strides), min(2 * filters, 128)
        if size < 6:
            break
    x = keras.layers.Flatten(**LAST)(x)
    x = keras.layers.Dropout(0.3, seed=0)(x)
    features = keras.layers.Dense(FEATURES, activation="relu", name="features")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(features)
    return keras.Model(images, [features, logits], name="classifier")
