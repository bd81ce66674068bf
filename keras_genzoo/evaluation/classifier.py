"""A small convolutional classifier of the data set's own labels: features that need no network.

It is trained once for a data set and image shape and then kept; its accuracy on the test split
goes with every number that it gives.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_genzoo.data import Source, Splits, load_dataset
from keras_genzoo.data.images import fit_all
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.cache import cache_folder
from keras_genzoo.evaluation.features import FeatureNetwork, Features
from keras_genzoo.files import write_json, writing

# Raised whenever the network or its training changes, so that what is kept is not mixed up.
VERSION = 1
IMAGES_SEEN = 300_000
MAX_EPOCHS = 40
BATCH_SIZE = 128
FEATURES = 128


class Classifier(FeatureNetwork):
    """The classifier of one data set; its features are those before the last layer.

    Args:
        model: images float32 0 to 255 -> ``[features, logits]``.
        checksum: sha256 of its file.
        facts: what is known of it: the data it was trained on, its accuracy on the test split.
    """

    name = "classifier"

    def __init__(self, model: keras.Model, checksum: str, facts: dict):
        self.model, self.checksum, self.details = model, checksum, facts
        self.image_shape = tuple(model.input_shape[1:])
        height, width, _ = self.image_shape
        self.resize = f"antialiased to {height}x{width}"

    def of_batch(self, images: np.ndarray) -> Features:
        """Return features ``(n, 128)`` and logits ``(n, classes)``."""
        images = fit_all(images, self.image_shape).astype("float32")
        features, logits = self.model(images, training=False)
        return Features(np.asarray(features), np.asarray(logits))


def open_classifier(
    real: Splits, path: str = "", echo: Callable[[str], None] = lambda line: None
) -> Classifier:
    """Return the classifier of a data set, trained now if none is kept.

    It sees four fifths of the split ``train``: its features of images that it was trained on are
    unlike those of any others, so that the fifth kept back can stand for real images.

    Args:
        real: the data set.
        path: not used.
        echo: told when training begins.

    Raises:
        GenzooError: if the data has no labels.
    """
    train, _ = real.fifths
    if train.num_classes is None:
        raise GenzooError(
            f"{train.name} has no class labels to train a classifier on; "
            "choose --features pixels, model:PATH or inception:PATH"
        )
    shape = "x".join(map(str, train.image_shape))
    key = hashlib.sha256(f"{train.fingerprint} {shape} {VERSION}".encode()).hexdigest()[:16]
    file = cache_folder() / "classifiers" / f"{key}.keras"
    facts_file = file.with_suffix(".json")
    if not (file.exists() and facts_file.exists()):
        echo(f"training a classifier of {train.name} {shape}, once; it is kept in {file}")
        model, facts = train_classifier(train, real.held_out)
        with writing(file) as temporary:
            model.save(temporary)
        # Last: what has facts is whole.
        write_json(facts_file, facts)
    return load_classifier(file)


def load_classifier(file: Path) -> Classifier:
    """Return a kept classifier.

    Raises:
        GenzooError: if it is damaged.
    """
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
        facts = json.loads(file.with_suffix(".json").read_text())
        return Classifier(model, hashlib.sha256(file.read_bytes()).hexdigest(), facts)
    except Exception as error:  # Keras raises whatever its files hold.
        raise GenzooError(f"the kept classifier {file} is damaged; delete it") from error


def train_classifier(train: Source, test: Source | None) -> tuple[keras.Model, dict]:
    """Return a classifier of a source's labels, and the facts that go with its numbers."""
    batch_size = min(BATCH_SIZE, train.num_images)
    steps = train.num_images // batch_size
    epochs = max(1, min(MAX_EPOCHS, round(IMAGES_SEEN / train.num_images)))
    model = build_classifier(train.image_shape, train.num_classes, steps * epochs)
    logits = keras.Model(model.input, model.output[1])
    keras.utils.set_random_seed(0)
    logits.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps * epochs)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    stream = load_dataset(train, batch_size=batch_size, with_labels=True, shuffle=True)
    logits.fit(stream.map(_as_float), epochs=epochs, shuffle=False, verbose=0)
    facts = {"trained_on": f"{train.name}, split {train.split}", "num_images": train.num_images}
    if test is not None:
        stream = load_dataset(test, batch_size=256, with_labels=True, shuffle=False)
        batches = [(np.asarray(logits(x, training=False)), y) for x, y in stream.map(_as_float)]
        hits = sum(int((p.argmax(axis=1) == y.numpy()).sum()) for p, y in batches)
        facts |= {"test_accuracy": hits / test.num_images, "tested_on": test.num_images}
    return model, facts


def _as_float(images, labels):
    return keras.ops.cast(images, "float32"), labels


def build_classifier(
    image_shape: tuple[int, int, int], num_classes: int, seed: int = 0
) -> keras.Model:
    """Build images of 0 to 255 -> ``[features (128), logits]``; any size from 8."""
    images = keras.Input(image_shape, name="images")
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(images)
    size, filters = min(image_shape[:2]), 32
    while True:
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D(2)(x)
        size, filters = size // 2, min(2 * filters, 128)
        if size < 6:
            break
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.3, seed=0)(x)
    features = keras.layers.Dense(FEATURES, activation="relu", name="features")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(features)
    return keras.Model(images, [features, logits], name="classifier")
