"""Losses on held-out images, measured at every checkpoint.

Measuring changes nothing that training depends on: no weight, no running mean, no random state.
"""

import dataclasses
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from keras_genzoo.data import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import ImageModel
from keras_genzoo.text import shown

if TYPE_CHECKING:
    from keras_genzoo.data import Source

# Enough images for a mean with little noise, and few enough to cost little time and memory.
MOST_IMAGES = 1000
MOST_BYTES = 64 * 2**20
# Images measured at once. The noise of a VAE depends on it: another value gives other losses.
BATCH = 250


@dataclasses.dataclass(frozen=True)
class HeldOutImages:
    """The first images of a held-out split, in the data set's order.

    Args:
        split: the name of the split.
        images: uint8 ``(n, height, width, channels)``.
        labels: their classes, int32 ``(n,)``, for a model that needs them.
    """

    split: str
    images: np.ndarray
    labels: np.ndarray | None = None

    @property
    def record(self) -> dict[str, Any]:
        """What ``config.json`` records about them."""
        return {"split": self.split, "num_images": len(self.images)}

    @property
    def in_words(self) -> str:
        """Which images these are, in a line."""
        return f"held-out loss: of the first {len(self.images):,} images of {self.split}"


def open_held_out(
    model: ImageModel,
    splits: Splits,
    trained_on: str,
    recorded: dict[str, Any] | None = None,
    echo: Callable[[str], None] = lambda line: None,
) -> HeldOutImages | None:
    """Return the held-out images of a run; None if there are none, or the model cannot use them.

    Args:
        model: the model that is trained.
        splits: the splits of the data set.
        trained_on: the split that is trained on.
        recorded: the ``record`` of the images that a resumed run began with.
        echo: called with a line that says why there are none, if the model could use them.
    """
    if not model.has_held_out_loss:
        return None
    if model.on_several_machines:
        echo("no held-out loss: it is measured on one machine only")
        return None
    try:
        source = _find_held_out(splits, trained_on, recorded)
        if source is None:
            echo("no held-out loss: the data have no other split test or validation")
            return None
        if source.image_shape != model.image_shape:
            raise GenzooError(f"the images of {source.split} have the shape {source.image_shape}")
        most = recorded["num_images"] if recorded else MOST_IMAGES
        fitting = max(1, MOST_BYTES // math.prod(model.image_shape))
        images, labels = source.fetch(np.arange(min(most, fitting, source.num_images)))
        for which, reason in source.skipped:
            echo(shown(f"skipped: {which} ({reason})"))
        if model.needs_labels and (not source.num_classes or labels.min(initial=0) < 0):
            raise GenzooError(f"not all images of {source.split} have a class")
    except (GenzooError, OSError) as error:
        # Training does not need the held-out loss, so a failure here does not stop it.
        echo(shown(f"no held-out loss: {error}"))
        return None
    return HeldOutImages(
        source.split, images, labels.astype("int32") if model.needs_labels else None
    )


def _find_held_out(
    splits: Splits, trained_on: str, recorded: dict[str, Any] | None
) -> "Source | None":
    names = [recorded["split"]] if recorded else ["test", "validation"]
    # The trained split may combine several, such as train[:50%]+test.
    trained = re.split(r"\W+", trained_on)
    return next((s for name in names if name not in trained and (s := splits.find(name))), None)


class HeldOutLosses:
    """Measures the losses of held-out images by a model's ``test_step``.

    Args:
        model: the compiled model; it measures those of the stage that it is in now.
        images: uint8 ``(n, height, width, channels)``.
        labels: their classes, int32 ``(n,)``, for a model that needs them.
    """

    def __init__(self, model: ImageModel, images: np.ndarray, labels: np.ndarray | None = None):
        self.model, self.stage = model, model.stage
        self.parts = (images,) if labels is None else (images, labels)
        # Not model.evaluate: it shares steps_per_execution with training, and builds a data set at
        # each call. Every replica measures all images.
        specs = [tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in self.parts]
        self._measure = tf.function(
            lambda *batch: model.distribute_strategy.run(
                model.test_step, args=(batch if len(batch) > 1 else batch[0],)
            ),
            input_signature=specs,
            autograph=False,
        )

    def measure(self) -> dict[str, float]:
        """Return the mean losses as ``val_<name>``; the model's metrics are restored afterwards."""
        variables = [variable for metric in self.model.metrics for variable in metric.variables]
        kept = [variable.numpy() for variable in variables]
        self.model.reset_metrics()
        for first in range(0, len(self.parts[0]), BATCH):
            self._measure(*(part[first : first + BATCH] for part in self.parts))
        results = self.model.get_metrics_result()
        losses = {f"val_{name}": float(value) for name, value in results.items()}
        for variable, value in zip(variables, kept, strict=True):
            variable.assign(value)
        return losses
