"""What a GAN asks its discriminator: logits and classes of images, and the penalty on its slope."""

from typing import TYPE_CHECKING

import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.critic import Critic, Draw
from keras_genzoo.models.packing import packed, unpacked
from keras_genzoo.models.schedules import between

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.base import ImageModel as Joined
else:
    Joined = object


class Judging(Joined):
    """What ``GAN`` adds around its discriminator.

    The class has ``discriminator``, ``conditioning``, ``packing``, ``penalty``, ``step`` and
    ``augmented``.
    """

    def condition_images(self, images, class_labels):
        """Return the discriminator's input."""
        if self.conditioning is None:
            return images
        return self.conditioning.images(images, class_labels)

    def discriminate(self, images: Tensor, class_labels: Tensor | None, training: bool) -> Tensor:
        """Return the logits of images, float32 ``(batch, 1)``, or one for each pack of them."""
        return self.logits(self.judge(images, class_labels, training), class_labels)

    def judge(self, images: Tensor, class_labels: Tensor | None, training: bool) -> Tensor:
        """Return what the discriminator gives for images, float32 ``(packs, outputs)``."""
        inputs = self.condition_images(tf.cast(images, tf.float32), class_labels)
        inputs = packed(inputs, self.packing)
        return tf.cast(self.discriminator(inputs, training=training), tf.float32)

    def logits(self, outputs, class_labels):
        """Return the logits ``(batch, 1)`` of what the discriminator gives."""
        if self.conditioning is None:
            return outputs
        return self.conditioning.logits(outputs, class_labels)

    def class_losses(
        self, real_outputs: Tensor, fake_outputs: Tensor, class_labels: Tensor | None
    ) -> dict[str, tf.Tensor]:
        """Return how badly the discriminator names classes, by name; empty if it does not."""
        if not getattr(self.conditioning, "classifies", False):
            return {}
        return {
            "class_loss": self.conditioning.class_loss(real_outputs, class_labels),
            "fake_class_loss": self.conditioning.class_loss(fake_outputs, class_labels),
        }

    def critic(self, class_labels: Tensor | None, draw: Draw) -> Critic:
        """Return the discriminator in training as a function of images, which it augments.

        The images are packed: what the discriminator judges as one is one of them.
        """

        def outputs(packs):
            images = unpacked(packs, self.packing)
            return self.judge(self.augmented(images, draw), class_labels, training=True)

        return Critic(outputs, lambda outputs: self.logits(outputs, class_labels))

    def penalty_term(
        self, critic: Critic, real_packs: Tensor, fake_packs: Tensor, draw: Draw
    ) -> Tensor:
        """Return the penalty of images as the critic takes them."""
        term = self.penalty(critic, real_packs, fake_packs, draw)
        if self.penalty.steps:
            term *= between(1.0, self.penalty.end, self.step, self.penalty.steps)
        return term
