"""A score while ``fit`` runs: the Fréchet distance over time, and the best model kept."""

import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_at_least_1
from keras_genzoo.evaluation.conditional import labels_in_shares
from keras_genzoo.evaluation.features import FeatureNetwork, Pixels
from keras_genzoo.evaluation.frechet import feature_statistics, frechet_distance
from keras_genzoo.files import writing


class FrechetCallback(keras.callbacks.Callback):
    """Measures the Fréchet distance at the end of epochs, as ``fid`` in the history.

    Epochs without a measurement repeat the last one, since Keras wants a value for each.

    Args:
        real_images: uint8 ``(n, height, width, channels)``, best of images held out.
        network: where features come from; by default the pixels.
        real_labels: for a model with classes, those of the real images: it makes classes in their
            shares.
        num_images: generated images to measure; by default as many as real ones.
        every: epochs from one measurement to the next; the first is measured.
        best: a ``.keras`` file for the model with the smallest distance so far.
        seed: random seed of the noise, the same each time.

    Raises:
        GenzooError: if a number is below 1, or the images are not such.

    >>> from keras_genzoo.models import GAN
    >>> images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), "uint8")
    >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    >>> model.compile()
    >>> history = model.fit(images, epochs=2, callbacks=[FrechetCallback(images)], verbose=0)
    >>> len(history.history["fid"])
    2
    """

    def __init__(
        self,
        real_images: np.ndarray,
        network: FeatureNetwork | None = None,
        *,
        real_labels: np.ndarray | None = None,
        num_images: int | None = None,
        every: int = 1,
        best: str | os.PathLike | None = None,
        seed: int = 0,
    ):
        super().__init__()
        check_at_least_1(every=every, num_images=1 if num_images is None else num_images)
        self.network = network or Pixels()
        self.real = feature_statistics(self.network.compute(np.asarray(real_images)).features)
        self.num_images = num_images or self.real.num_images
        self.asked: dict[str, np.ndarray] = {}
        if real_labels is not None:
            self.asked["class_labels"] = labels_in_shares(real_labels, self.num_images, seed)
        self.every, self.seed = every, seed
        self.best = None if best is None else Path(best)
        if self.best is not None and self.best.suffix != ".keras":
            raise GenzooError(f"the best model is kept as a .keras file, not as {self.best}")
        self.distance = self.smallest = float("inf")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure, and keep the model if it is the best so far."""
        if epoch % self.every == 0 or not np.isfinite(self.distance):
            images = self.model.generate(self.num_images, seed=self.seed, **self.asked)
            fake = feature_statistics(self.network.compute(images).features)
            self.distance = frechet_distance(self.real, fake)
            if self.distance < self.smallest:
                self.smallest = self.distance
                if self.best is not None:
                    with writing(self.best) as temporary:
                        self.model.save(temporary)
        if logs is not None:
            logs["fid"] = self.distance
