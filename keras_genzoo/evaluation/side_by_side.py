"""Small GANs of several random seeds, trained side by side as one model.

Each has its own weights and its own rows of the batch. Every loss and penalty is a mean over the
images, and Adam's steps do not depend on the scale of a gradient, so each is trained as if it were
alone, for little more than the time of one.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_genzoo.evaluation.theory import Mixture
from keras_genzoo.losses import Penalty
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models import GAN
from keras_genzoo.models.adam import Adam
from keras_genzoo.networks import Architecture, seeded

# Steps that are compiled as one function.
STEPS_AT_ONCE = 100
LATENT_DIM = 2
# Points of each GAN that are looked at, as many as in 1712.04086.
LOOKED_AT = 2500
_UNITS = (64, 64, 64)


class _Perceptrons(keras.layers.Layer):
    """``count`` perceptrons of the same widths, each with its own rows of the batch.

    Args:
        count: number of perceptrons; the batch is divided among them in order.
        output_shape: shape of an output, without the batch.
        hidden: activation of the hidden layers.
        activation: activation of the last layer.
        scale: factor of the inputs. Points are in [-1, 1]; a network of larger inputs learns
            densities with finer detail.
    """

    def __init__(
        self,
        count: int,
        output_shape: tuple[int, ...],
        hidden: Callable,
        activation: Callable,
        scale: float = 1.0,
    ):
        super().__init__()
        self.count, self.shape, self.scale = count, output_shape, scale
        self.hidden, self.activation = hidden, activation

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Create kernels ``(count, inputs, outputs)`` and biases ``(count, 1, outputs)``."""
        widths = [math.prod(input_shape[1:]), *_UNITS, math.prod(self.shape)]
        normal = keras.initializers.RandomNormal
        self.weights_of_layers = [
            (
                self.add_weight((self.count, a, b), normal(0, math.sqrt(2 / a))),
                self.add_weight((self.count, 1, b), normal(0, 0.3)),
            )
            for a, b in itertools.pairwise(widths)
        ]

    def call(self, inputs: Tensor) -> Tensor:
        """Return outputs ``(batch, *output_shape)``; ``count`` divides the batch."""
        # A row alone, by which a model checks its networks, goes through the first perceptron.
        count = 1 if inputs.shape[0] == 1 else self.count
        x = self.scale * ops.reshape(inputs, (count, -1, math.prod(inputs.shape[1:])))
        for layer, (kernel, bias) in enumerate(self.weights_of_layers, 1):
            last = layer == len(self.weights_of_layers)
            x = ops.matmul(x, kernel[:count]) + bias[:count]
            x = self.activation(x) if last else self.hidden(x)
        return ops.reshape(x, (-1, *self.shape))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the outputs."""
        return (input_shape[0], *self.shape)


class SideBySide(Architecture):
    """The networks of ``count`` GANs, each with its own weights and rows of the batch.

    Args:
        count: number of GANs.
    """

    def __init__(self, count: int):
        self.count = count

    def widest(self, noise_dim: int, discriminator_shape: tuple[int, int, int]) -> int:
        """Return the most units of a layer, those of all GANs together."""
        return self.count * max(_UNITS)

    def generator(
        self, image_shape: tuple[int, int, int], noise_dim: int, *, synchronized: bool = False
    ) -> keras.Model:
        """Build the generators, as one network."""
        activation = keras.activations.tanh
        networks = _Perceptrons(self.count, image_shape, ops.relu, activation)
        return keras.Sequential([keras.Input((noise_dim,)), networks])

    def discriminator(
        self, image_shape: tuple[int, int, int], *, normalization: Any, synchronized: bool = False
    ) -> keras.Model:
        """Build the discriminators, as one network."""
        activation = keras.activations.linear
        networks = _Perceptrons(self.count, (1,), keras.activations.leaky_relu, activation, 5.0)
        return keras.Sequential([keras.Input(image_shape), networks])


def new_gans(
    loss: str,
    penalty: str | Penalty | None,
    count: int,
    steps: int,
    learning_rates: tuple[float, float],
    seed: int = 0,
) -> GAN:
    """Return GANs of points of the plane that are ready to be trained side by side.

    Args:
        loss: a name in ``ADVERSARIAL_LOSSES``.
        penalty: a name in ``PENALTIES``, a penalty, or None.
        count: number of GANs.
        steps: updates of each network, over which the learning rates fall to 0 along a cosine.
        learning_rates: of the generator and of the discriminator at the first step.
        seed: random seed of weights and noise.

    Raises:
        GenzooError: if loss and penalty make no sense together.
    """
    with seeded(seed):
        model = GAN((1, 2, 1), LATENT_DIM, architecture=SideBySide(count), seed=seed)
    rates = [keras.optimizers.schedules.CosineDecay(rate, steps) for rate in learning_rates]
    # The gradient of the mean over all GANs is 1 / count of that of one GAN.
    generator_optimizer, discriminator_optimizer = (
        Adam(rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8 / count) for rate in rates
    )
    model.compile(generator_optimizer, discriminator_optimizer, loss=loss, penalty=penalty)
    return model


def train_gans(
    model: GAN, data: Sequence[Mixture], looks: Sequence[int], batch_size: int, seed: int = 0
) -> list[np.ndarray]:
    """Train GANs side by side; return the points they generate after some steps.

    Args:
        model: what ``new_gans`` returned, untrained.
        data: density of the real points of each GAN.
        looks: steps, in ascending order, after which points are generated; each a multiple of
            ``STEPS_AT_ONCE``. Training ends with the last.
        batch_size: points of each GAN in an update.
        seed: random seed of the points.

    Returns:
        for each of ``looks`` an array ``(count, LOOKED_AT, 2)``, always of the same noise. It
        holds NaN where weights are NaN.
    """
    count, rng = model.architecture.count, np.random.default_rng(seed)

    @tf.function(jit_compile=True)
    def train(batches: Any) -> None:
        for step in tf.range(STEPS_AT_ONCE):
            model.train_step(batches[step])

    z = model.sample_latents(count * LOOKED_AT, seed)
    points = []
    for step in range(0, looks[-1] + 1, STEPS_AT_ONCE):
        if step in looks:
            points.append(np.asarray(model.generator(z)).reshape(count, LOOKED_AT, 2))
        if step < looks[-1]:
            shape = (STEPS_AT_ONCE, batch_size, 1, 2, 1)
            real = [one.sample(STEPS_AT_ONCE * batch_size, rng).reshape(shape) for one in data]
            train(tf.constant(np.concatenate(real, axis=1)))
    return points
