"""Class labels on their way into a model: of a batch, and of a person; and its conditioning."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.checking import assert_labels, names_hint
from keras_genzoo.models.components import component
from keras_genzoo.networks import CONDITIONINGS, Conditioning

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.latents import Latents as Joined
else:
    Joined = object


class Conditioned(Joined):
    """What a model with ``conditioning`` (None without class labels) adds to ``ImageModel``."""

    needs_labels: bool
    # A ``Conditioning`` or None; a class that has another overrides ``num_classes``.
    conditioning: Any

    if TYPE_CHECKING:

        def to_range(self, images: Tensor) -> tf.Tensor:
            """As that of ``ImageModel``."""

    @property
    def num_classes(self) -> int:
        """Number of classes of a conditional model.

        Raises:
            AttributeError: if the model has none.
        """
        if self.conditioning is None:
            raise AttributeError(f"{type(self).__name__} knows no classes")
        return self.conditioning.num_classes

    def unpack(self, data):
        """Return the batch's images in the model's range and its class labels, None without."""
        images, class_labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        if not self.needs_labels:
            return self.to_range(images), None
        return self.to_range(images), self.label_tensor(class_labels)

    def label_tensor(self, class_labels: Tensor | None) -> tf.Tensor:
        """Return labels of a batch as an int32 tensor ``(batch,)``, checked inside the step."""
        class_labels = tf.cast(class_labels, tf.int32)
        assert_labels(self, class_labels)
        return tf.reshape(class_labels, (-1,))

    def checked_labels(self, class_labels: npt.ArrayLike | None, n: int) -> np.ndarray:
        """Return ``n`` labels out of what a person may give.

        Raises:
            GenzooError: if they are no integers, not as many, or not among the classes.
        """
        if class_labels is None:
            return np.arange(n) % self.num_classes
        labels = np.asarray(class_labels)
        if labels.ndim > 1 or labels.dtype.kind not in "iu":
            hint = names_hint(labels.dtype.str)
            raise GenzooError(f"class_labels must be an integer or a list of integers{hint}")
        if labels.ndim == 1 and len(labels) != n:
            raise GenzooError(f"{n} images need {n} class labels, got {len(labels)}")
        wrong = np.unique(labels[(labels < 0) | (labels >= self.num_classes)])
        if wrong.size:
            shown = ", ".join(map(str, wrong[:3])) + (", ..." if wrong.size > 3 else "")
            raise GenzooError(
                f"class labels go from 0 to {self.num_classes - 1}; there is no class {shown}"
            )
        return np.broadcast_to(labels, (n,))


def conditioning_of(choice: Any, num_classes: int | None) -> Conditioning | None:
    """Return the conditioning that a person asks for.

    Raises:
        GenzooError: if the name is unknown, or the number of classes is missing or less than 2.
    """
    if isinstance(choice, str):
        CONDITIONINGS.check(choice)
        if num_classes is None or num_classes < 2:
            raise GenzooError(f"num_classes must be at least 2, not {num_classes}")
    return component(choice, CONDITIONINGS, Conditioning, num_classes)
