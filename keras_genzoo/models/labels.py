"""Class labels on their way into a model: of a batch, and of a person; and its conditioning."""

from collections.abc import Callable
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
            return (np.arange(n) % self.num_classes).astype("int32")
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
        return np.broadcast_to(labels.astype("int32"), (n,))

    def label_rows(self, class_labels: npt.ArrayLike | None, n: int) -> dict[str, np.ndarray]:
        """Return the argument ``class_labels`` of ``n`` images, empty of a model without classes.

        Raises:
            GenzooError: as ``checked_labels`` does, or if there are labels, and the model knows no
                classes.
        """
        if not self.needs_labels:
            return super().label_rows(class_labels, n)
        return {"class_labels": self.checked_labels(class_labels, n)}

    def maker(self, **sampling: Any) -> Callable:
        """Return a function of a batch of latents, and of ``class_labels`` if they are needed.

        It gives images in the model's range.

        Args:
            **sampling: options of a model that has some.
        """
        raise NotImplementedError

    def decode(
        self,
        z: npt.ArrayLike,
        class_labels: npt.ArrayLike | None = None,
        *,
        batch_size: int = 256,
        **sampling: Any,
    ) -> np.ndarray:
        """Return the images of latents ``(n, *latent_shape)``, uint8 ``(n, *image_shape)``.

        Args:
            z: latents.
            class_labels: of a conditional model, one label for all or one for each image; None
                takes the classes in turn. Others know no classes.
            batch_size: images made at a time.
            **sampling: of a model that ``has_solver``, what ``make`` takes for this call.

        Raises:
            GenzooError: if the latents have another shape, a label is not one of the classes, their
                number is another, or there are any and the model knows no classes.
        """
        z = self.checked_latents(z)
        of_class = self.label_rows(class_labels, len(z))
        return self.in_batches(
            self.maker(**sampling), z, batch_size, finish=self.to_uint8, **of_class
        )

    def generate(
        self,
        n: int,
        class_labels: npt.ArrayLike | None = None,
        seed: int | None = None,
        **sampling: Any,
    ) -> np.ndarray:
        """Return ``n`` images of z ~ N(0, I), uint8 ``(n, *image_shape)``.

        Args:
            n: number of images.
            class_labels: as in ``decode``.
            seed: the same seed gives the same images; None gives others each time.
            **sampling: as in ``decode``.

        Raises:
            GenzooError: if ``n`` is less than 1, or as ``decode`` does.
        """
        return super().generate(n, class_labels, seed, **sampling)


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
