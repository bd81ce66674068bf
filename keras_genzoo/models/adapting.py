"""The probability of an augmentation, which follows the discriminator or a ramp (2006.06676)."""

from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.schedules import between

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.base import ImageModel as Joined
else:
    Joined = object

INTERVAL = 4  # steps between two moves of an adaptive probability


class Adapting(Joined):
    """What ``GAN`` adds to augment images with a probability that changes in training.

    The class has ``augmentation``, ``adversarial_loss`` and ``step``. The probability is a weight
    of the model, the same on all replicas: it is saved with it, and goes on from there.
    """

    # Weights of the model, None where no augmentation needs them.
    augmentation_probability: keras.Variable | None = None
    real_signs: keras.Variable | None

    def keep_probability(self) -> None:
        """Make the weights that the augmentation needs, or drop those that no one needs now."""
        needed = getattr(self.augmentation, "has_probability", False)
        if needed and self.augmentation_probability is None:
            start = 0.0 if self.augmentation.ramp_steps else self.augmentation.probability
            for name, value in (("augmentation_probability", start), ("real_signs", 0.0)):
                weight = self.add_weight(
                    name=name,
                    shape=(),
                    dtype="float32",
                    initializer=lambda shape, dtype, value=value: tf.fill(shape, value),
                    trainable=False,
                    # Every replica computes the same.
                    aggregation="only_first_replica",
                )
                setattr(self, name, weight)
        elif not needed and self.augmentation_probability is not None:
            del self.augmentation_probability, self.real_signs

    def augmented(self, images, draw):
        """Return images as the discriminator sees them in training, float32."""
        if self.augmentation is None:
            return images
        images = tf.cast(images, tf.float32)
        if self.augmentation_probability is None:
            return self.augmentation(images, draw)
        return self.augmentation(images, draw, tf.convert_to_tensor(self.augmentation_probability))

    def mean_sign(self, real_logits: Tensor) -> tf.Tensor:
        """Return the mean, over all replicas, of which side D takes for real images: 1 or -1."""
        sign = tf.reduce_mean(tf.sign(real_logits - (self.adversarial_loss.undecided or 0.0)))
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.MEAN, sign)

    def adapt(self, real_sign: Tensor, batch_size: int | Tensor) -> None:
        """Move the probability after a step, which is counted already.

        Args:
            real_sign: the step's ``mean_sign``.
            batch_size: images of this replica.
        """
        augmentation, probability = self.augmentation, self.augmentation_probability
        # Asked for only where there is an augmentation that needs them.
        assert probability is not None
        assert self.real_signs is not None
        if augmentation.ramp_steps:
            probability.assign(
                between(0.0, augmentation.probability, self.step, augmentation.ramp_steps)
            )
            return
        signs, moves = self.real_signs + real_sign, self.step % INTERVAL == 0
        images = tf.cast(batch_size * self.num_replicas * INTERVAL, tf.float32)
        change = tf.sign(signs / INTERVAL - augmentation.target)
        moved = tf.clip_by_value(
            probability + change * images / augmentation.adaptation_images, 0.0, 1.0
        )
        probability.assign(tf.where(moves, moved, probability))
        self.real_signs.assign(tf.where(moves, 0.0, signs))
