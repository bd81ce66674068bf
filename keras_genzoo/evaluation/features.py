"""Feature networks: images in, features (and logits, if it classifies) out.

A score belongs to the network that its features come from, so each knows its name, its checksum
and how it resizes; ``find_network`` finds one by name.
"""

import abc
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_genzoo.data import Splits
from keras_genzoo.data.images import fit_all
from keras_genzoo.errors import GenzooError
from keras_genzoo.registry import Registry
from keras_genzoo.training.waiting import Echo, waiting

PIXELS_SIDE = 16


class Features(NamedTuple):
    """Features float32 ``(n, d)``; logits float32 ``(n, classes)``, None without classes."""

    features: np.ndarray
    logits: np.ndarray | None


class NothingLearntError(GenzooError):
    """A network trained on the data is no better than always naming the commonest class."""


class FeatureNetwork(abc.ABC):
    """A function from uint8 images to features.

    Attributes:
        name: what a person chooses it by.
        checksum: sha256 of its weights, in hexadecimal; changes when its features would.
        resize: how images come to its size, in words.
        details: what else a reader of its numbers should know, such as its accuracy.
    """

    name: str
    checksum: str
    resize: str
    details: dict[str, Any]
    # Whether it was trained on images of the data set, which it then knows better than others.
    trained_on_data = False

    @abc.abstractmethod
    def compute_batch(self, images: np.ndarray) -> Features:
        """Return the features of uint8 images ``(n, height, width, 1 or 3)``."""

    def compute(
        self, images: np.ndarray, batch_size: int = 256, echo: Echo | None = None
    ) -> Features:
        """Return the features of any number of images; batches change nothing but rounding.

        Args:
            images: uint8 ``(n, height, width, 1 or 3)``.
            batch_size: images that are looked at at a time.
            echo: called with lines that say how far it is, since large networks take minutes.

        Raises:
            GenzooError: if they are not uint8 images, there is none, or the network refuses them.
        """
        if images.ndim != 4 or images.dtype != np.uint8 or not len(images):
            raise GenzooError(
                "a feature network takes uint8 images (n, height, width, channels), "
                f"not {images.dtype} {images.shape}"
            )
        parts = []
        with waiting(f"features '{self.name}'", len(images), echo) as show:
            for first in range(0, len(images), batch_size):
                parts.append(self.compute_batch(images[first : first + batch_size]))
                show(min(first + batch_size, len(images)))
        features = np.concatenate([part.features for part in parts])
        if parts[0].logits is None:
            return Features(features, None)
        return Features(features, np.concatenate([part.logits for part in parts]))

    @property
    def warnings(self) -> list[str]:
        """A warning that belongs to each number if the network is taken in place of another."""
        reason = self.details.get("instead_of")
        return [f"features are those of '{self.name}': {reason}"] if reason else []

    def describe(self) -> dict[str, Any]:
        """Return what belongs beside each number, ready for JSON."""
        return {
            "name": self.name,
            "checksum": self.checksum,
            "resize": self.resize,
            **self.details,
        }


class Pixels(FeatureNetwork):
    """The pixels themselves, in [0, 1], of images brought to 16x16 or less.

    Needs neither labels nor weights; says little about what a person sees.

    Args:
        instead_of: why another network is not taken, in words, if these are taken in its place.

    >>> Pixels().compute(np.zeros((2, 28, 28, 1), "uint8")).features.shape
    (2, 256)
    """

    name = "pixels"
    checksum = hashlib.sha256(b"pixels 16").hexdigest()
    resize = f"antialiased to {PIXELS_SIDE}x{PIXELS_SIDE} if larger"

    def __init__(self, instead_of: str | None = None):
        self.details = {"instead_of": instead_of} if instead_of else {}

    def compute_batch(self, images: np.ndarray) -> Features:
        """Return pixels as float32 ``(n, side * side * channels)``."""
        side = min(PIXELS_SIDE, *images.shape[1:3])
        small = fit_all(images, (side, side, images.shape[-1]))
        return Features(small.reshape(len(small), -1).astype("float32") / 255, None)


class KerasNetwork(FeatureNetwork):
    """A person's own Keras model, from a ``.keras`` file, on images of 0 to 255.

    Images are brought to the model's size (antialiased) and channels; as those of
    ``keras.applications`` that hold their preprocessing, the model takes floats from 0 to 255.

    Args:
        path: the file.

    Raises:
        GenzooError: if it cannot be loaded safely, or takes no images of one size.
    """

    def __init__(self, path: str):
        import keras

        from keras_genzoo.models.loading import check_model_file
        from keras_genzoo.networks import randomness_kept

        self.name, file = f"model:{path}", Path(path).expanduser()
        if not file.is_file():
            raise GenzooError(f"there is no feature network {file}; name a .keras file")
        try:
            with randomness_kept():
                check_model_file(file)
                self.model = keras.saving.load_model(file, compile=False, safe_mode=True)
            shape = tuple(self.model.input_shape)
        except GenzooError:
            raise
        except Exception as error:  # Keras raises whatever its files hold.
            reason = " ".join(str(error).split())
            raise GenzooError(f"{file} cannot be loaded as a Keras model: {reason}") from error
        if len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3):
            raise GenzooError(
                f"{file} takes inputs of shape {shape}; a feature network takes images of one "
                "size, (batch, height, width, 1 or 3)"
            )
        self.image_shape = shape[1:]
        self.checksum = hashlib.sha256(file.read_bytes()).hexdigest()
        self.resize = f"antialiased to {shape[1]}x{shape[2]}"
        self.details = {}

    def compute_batch(self, images: np.ndarray) -> Features:
        """Return the model's output, flattened."""
        outputs = self.model(fit_all(images, self.image_shape).astype("float32"), training=False)
        if isinstance(outputs, list | tuple | dict):
            raise GenzooError(f"{self.name} has several outputs; a feature network has one")
        return Features(np.asarray(outputs, "float32").reshape(len(images), -1), None)


# Each entry is a function (data, the path behind the colon, echo) -> network.
FEATURE_NETWORKS = Registry(
    "feature network",
    {
        "attributes": "keras_genzoo.evaluation.classifier:open_attributes",
        "classifier": "keras_genzoo.evaluation.classifier:open_classifier",
        "inception": "keras_genzoo.evaluation.inception:open_inception",
        "model": lambda real, path, echo: KerasNetwork(path),
        "pixels": lambda real, path, echo: Pixels(),
    },
)
# Whether a name takes a path behind a colon; Inception does with or without one.
_PATHS = {"model": (True,), "inception": (False, True)}


def accuracy_in_words(details: dict[str, Any]) -> str:
    """Return how good a network trained on the data is on held-out images, in words.

    >>> details = {"test_accuracy": 0.9, "tested_on": 100, "accuracy_of_the_commoner": 0.5}
    >>> accuracy_in_words(details)
    'held-out accuracy 0.9000 on 100 images, 0.5000 for always naming the commonest'
    """
    words = f"held-out accuracy {details['test_accuracy']:.4f} on {details['tested_on']} images"
    # Older results have no such number.
    commoner = details.get("accuracy_of_the_commoner")
    if commoner is None:
        return words
    return f"{words}, {commoner:.4f} for always naming the commonest"


def usual_network(real: Splits) -> str:
    """Return the name of the feature network that is taken where a person names none."""
    if real.train.num_classes:
        return "classifier"
    return "attributes" if real.train.attribute_names else "pixels"


def find_network(
    name: str | None, real: Splits, echo: Callable[[str], None] = lambda line: None
) -> FeatureNetwork:
    """Return the feature network that a person names.

    Args:
        name: a name in ``FEATURE_NETWORKS``, with ``:PATH`` behind ``model``, and behind
            ``inception`` unless it is to be fetched; None takes ``classifier`` for data with
            labels, ``attributes`` for data with those, and ``pixels`` for others, and in place of
            a network that has learnt nothing: its ``warnings`` say so.
        real: the data set; the classifier is trained on it.
        echo: called with a line when that takes place.

    Raises:
        GenzooError: if the name is unknown, the network cannot be had, or it is named and has
            learnt nothing.
    """
    if name is None:
        name = usual_network(real)
        try:
            return FEATURE_NETWORKS[name](real, "", echo)
        except NothingLearntError as error:
            return Pixels(instead_of=str(error))
    check_name(name)
    kind, _, path = name.partition(":")
    return FEATURE_NETWORKS[kind](real, path, echo)


def check_name(name: str) -> None:
    """Check the name of a feature network, and that a path follows only where it may.

    Raises:
        GenzooError: if it is not, or there is none of that name.
    """
    kind, _, path = name.partition(":")
    accepted = _PATHS.get(FEATURE_NETWORKS.check(kind), (False,))
    if bool(path) not in accepted or name.endswith(":"):
        right = f"{kind}:PATH" if accepted[0] else kind
        raise GenzooError(f"write the feature network as {right}, not {name}")
