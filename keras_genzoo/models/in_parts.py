"""Gradient and losses of a batch with many draws an image, for some images at a time."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import keras
import tensorflow as tf

from keras_genzoo.errors import GenzooError

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras_genzoo.models.autoencoder import Autoencoder as Joined
else:
    Joined = object

# Numbers that the decoder's layers give for the draws decoded at a time, at most: a GiB of float32
# in training, which keeps each of them, its gradient and a copy.
MOST_NUMBERS = 2**28 // 3


class InParts(Joined):
    """What ``VAE`` adds to ``Autoencoder``: a step whose draws would not fit into memory at once.

    The bound of an image needs all of its draws, and that of a batch is the mean over its images:
    so the batch is split by images, and the gradients of the parts add up to that of the whole.
    """

    def gradients(self, images, class_labels):
        """Return the gradient of a batch's loss in each weight, and the parts of the loss."""
        at_once = self.images_at_once(images.shape[0])
        if at_once is None:
            return super().gradients(images, class_labels)
        variables = self.trainable_variables

        def of_part(part, noise, share, **of_class):
            with tf.GradientTape() as tape:
                loss, parts = self.losses_of_draws(part, noise, True, **of_class)
                loss = share * self.loss_of_replica(tf.reduce_mean(loss))
            more = tape.gradient(loss, variables, unconnected_gradients="zero")
            return more, {name: share * tf.reduce_mean(parts[name]) for name in self._trackers}

        zeros = [tf.zeros(variable.shape, variable.dtype) for variable in variables]
        sums = zeros, {name: tf.zeros(()) for name in self._trackers}
        return self._summed(of_part, sums, at_once, images, class_labels, training=True)

    def test_step(self, data):
        """Measure the losses of a batch, in the parts that training takes."""
        images, class_labels = self.unpack(data)
        # The last batch may be smaller: XLA takes it whole.
        of_any_size = images.shape[0] is None and self.jit_compile
        at_once = None if of_any_size else self.images_at_once(images.shape[0])
        if at_once is None:
            return super().test_step(data)

        def of_part(part, noise, share, **of_class):
            _, parts = self.losses_of_draws(part, noise, False, **of_class)
            return {name: share * tf.reduce_mean(parts[name]) for name in self._trackers}

        zeros = {name: tf.zeros(()) for name in self._trackers}
        means = self._summed(of_part, zeros, at_once, images, class_labels, training=False)
        return self.track(tf.shape(images)[0], **means)

    def _summed(self, of_part, sums, at_once, images, class_labels, training):
        """Return the sum over the parts of a batch of what a function gives for each.

        Args:
            of_part: takes images, noise, their share of the batch, and class labels if there are
                any; returns tensors as nested as ``sums``.
            sums: zeros, to which they are added.
            at_once: images of a part.
            images: those of the batch.
            class_labels: of the batch, None without.
            training: whether the noise is that of a training step.
        """
        # All noise is drawn as for the whole batch.
        images, epsilon = self.randomized(images, training)
        batch = tf.shape(images)[0]
        divides = images.shape[0] is not None and images.shape[0] % at_once == 0

        def rows(values, first):
            if not divides:
                return values[first : first + at_once]
            # Of a size that XLA knows.
            starts = [first, *[0] * (len(values.shape) - 1)]
            return tf.slice(values, starts, [at_once, *values.shape[1:]])

        def with_next(first, sums):
            of_class = {} if class_labels is None else {"class_labels": rows(class_labels, first)}
            part = rows(images, first)
            share = tf.cast(tf.shape(part)[0], tf.float32) / tf.cast(batch, tf.float32)
            more = of_part(part, rows(epsilon, first), share, **of_class)
            return first + at_once, tf.nest.map_structure(tf.add, sums, more)

        start = (0, sums)
        _, sums = tf.while_loop(
            lambda first, _: first < batch, with_next, start, parallel_iterations=1
        )
        return sums

    def images_at_once(self, batch_size: int | None) -> int | None:
        """Return how many images of a step are taken at a time, None for all.

        The mean of free bits is that of the whole batch, and layers with batch statistics or masks
        of their own would give other numbers for a part: their batches stay whole.

        Args:
            batch_size: images of the step, None if that is not known beforehand.

        Raises:
            GenzooError: if a person asks for parts where XLA cannot have them.
        """
        if self.free_bits or self.num_samples == 1 or _depends_on_batch(self._flatten_layers()):
            return None
        if batch_size is None and self.jit_compile:
            if self.draws_at_once:
                raise GenzooError(
                    "XLA takes parts of batches of one size only; batch with drop_remainder=True, "
                    "or compile with jit_compile=False"
                )
            return None
        draws = self.draws_at_once or MOST_NUMBERS // numbers_of(self.decoder)
        images = max(1, draws // self.num_samples)
        if batch_size is None:
            return images
        if images >= batch_size:
            return None
        # Parts of one size, if they are not much smaller.
        divisor = next(size for size in range(images, 0, -1) if batch_size % size == 0)
        return divisor if 2 * divisor > images else images


def numbers_of(network: keras.Model) -> int:
    """Return how many numbers the layers of a network give for one input, at least.

    >>> numbers_of(keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)]))
    5
    """
    shapes = [getattr(layer, "output", None) for layer in network.layers]
    sizes = [
        math.prod(size or 1 for size in tensor.shape[1:])
        for tensor in keras.tree.flatten(shapes)
        if tensor is not None
    ]
    return max(1, sum(sizes))


def _depends_on_batch(layers: Iterable[keras.layers.Layer]) -> bool:
    kinds = (keras.layers.BatchNormalization, keras.layers.Dropout, keras.layers.GaussianNoise)
    return any(isinstance(layer, kinds) for layer in layers)
