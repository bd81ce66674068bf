"""Chapter 5 put to the test: what theory says of the optimum, against networks that are trained.

The densities are known, so that D*, the value and the divergence are, too. Points stand for
images: a point of d numbers is an image of 1 x d pixels in [-1, 1], trained on by the ``GAN`` that
trains on images.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.losses import (
    ADVERSARIAL_LOSSES,
    adversarial_value,
    optimal_discriminator,
    optimal_value,
)
from keras_genzoo.models import GAN
from keras_genzoo.networks import seeded

GRID = {1: 4001, 2: 301}
FRESH = 100_000
# How many generated points are kept of a step during training.
COUNTED = 2000


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians of one deviation and equal weights, inside [-1, 1]^d.

    Args:
        means: ``(components, d)``.
        deviation: standard deviation in every direction.
    """

    means: np.ndarray
    deviation: float

    @property
    def dimensions(self) -> int:
        """The number d."""
        return self.means.shape[1]

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` points, float32 ``(n, 1, d, 1)``; clipped to [-1, 1]."""
        chosen = self.means[rng.integers(len(self.means), size=n)]
        points = chosen + self.deviation * rng.standard_normal(chosen.shape)
        return np.clip(points, -1, 1).astype("float32")[:, None, :, None]

    def density(self, points: np.ndarray) -> np.ndarray:
        """Return the density at points ``(n, d)``, float64 ``(n,)``."""
        squared = ((points[:, None] - self.means) ** 2).sum(axis=2)
        constant = (2 * np.pi * self.deviation**2) ** (self.dimensions / 2)
        return np.exp(-squared / (2 * self.deviation**2)).mean(axis=1) / constant

    def covered(self, points: np.ndarray) -> int:
        """Return how many components have points ``(n, d)``: a fifth of their share, or more.

        A point counts for the nearest component, if it lies within three deviations of it.
        """
        distances = np.linalg.norm(points[:, None] - self.means, axis=2)
        near = distances.argmin(axis=1)[distances.min(axis=1) < 3 * self.deviation]
        components = len(self.means)
        counts = np.bincount(near, minlength=components)
        return int((counts >= len(points) / components / 5).sum())


def two_bumps() -> Mixture:
    """Two narrow bumps on the line, the data of one dimension."""
    return Mixture(np.array([[-0.45], [0.45]]), 0.12)


def ring() -> Mixture:
    """Eight Gaussians on a circle, the data of two dimensions."""
    angle = np.arange(8) * np.pi / 4
    return Mixture(0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1), 0.09)


def broad(dimensions: int) -> Mixture:
    """One broad Gaussian, what a generator that has learnt little makes."""
    return Mixture(np.zeros((1, dimensions)), 0.3)


@dataclasses.dataclass(frozen=True)
class OptimalDiscriminator:
    """A discriminator trained against a fixed generator, beside D*.

    Args:
        points: the grid, ``(n, d)``.
        learnt: D(x) on it, ``(n,)``.
        optimal: ``p_d / (p_d + p_g)`` on it.
        value: V(D, G) on fresh points.
        optimal_value: ``-log 4 + 2 JS(p_d || p_g)``, integrated on the grid.
        mean_error: mean distance of D from D* over real and generated points.
        values: (step, V) during training.
    """

    points: np.ndarray
    learnt: np.ndarray
    optimal: np.ndarray
    value: float
    optimal_value: float
    mean_error: float
    values: list[tuple[int, float]]


def grid(dimensions: int) -> np.ndarray:
    """Return the points of a regular grid over [-1, 1]^d, ``(n, d)``; the first axis is slowest."""
    axis = np.linspace(-1, 1, GRID[dimensions])
    return np.stack(np.meshgrid(*[axis] * dimensions, indexing="ij"), axis=-1).reshape(
        -1, dimensions
    )


def train_discriminator(
    data: Mixture, generated: Mixture, steps: int = 3000, batch_size: int = 1024, seed: int = 0
) -> OptimalDiscriminator:
    """Train D against a fixed generator (1406.2661, proposition 1).

    Args:
        data: p_d.
        generated: p_g.
        steps: updates of D.
        batch_size: points of each kind in an update.
        seed: random seed of weights and points.
    """
    rng = np.random.default_rng(seed)
    with seeded(seed):
        model = _gan(data.dimensions, seed)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(discriminator_optimizer=keras.optimizers.Adam(rate))
    update = tf.function(lambda real, fake: model.update_discriminator(real, fake, None))
    values = []
    for step in range(1, steps + 1):
        parts = update(*(tf.constant(p.sample(batch_size, rng)) for p in (data, generated)))
        if step % 50 == 0 or step == 1:
            values.append((step, -float(parts["discriminator_loss"])))
    points = grid(data.dimensions)
    densities = [p.density(points) for p in (data, generated)]
    logits = _logits(model, points)
    optimal = np.asarray(optimal_discriminator(*densities))
    learnt = np.asarray(keras.ops.sigmoid(logits))
    both = densities[0] + densities[1]
    weights = both / both.sum()
    fresh = [_logits(model, p.sample(FRESH, rng)[:, 0, :, 0]) for p in (data, generated)]
    cells = [density / density.sum() for density in densities]
    return OptimalDiscriminator(
        points,
        learnt,
        optimal,
        float(adversarial_value(*fresh)),
        float(optimal_value(*cells)),
        float((abs(learnt - optimal) * weights).sum()),
        values,
    )


def _gan(dimensions: int, seed: int) -> GAN:
    image_shape = (1, dimensions, 1)
    layers = [keras.layers.Dense(64, activation="tanh") for _ in range(3)]
    discriminator = keras.Sequential(
        [keras.Input(image_shape), keras.layers.Flatten(), *layers, keras.layers.Dense(1)]
    )
    layers = [keras.layers.Dense(64, activation="relu") for _ in range(3)]
    generator = keras.Sequential(
        [
            keras.Input((8,)),
            *layers,
            keras.layers.Dense(dimensions, activation="tanh"),
            keras.layers.Reshape(image_shape),
        ]
    )
    return GAN(image_shape, 8, generator=generator, discriminator=discriminator, seed=seed)


def _logits(model: GAN, points: np.ndarray) -> np.ndarray:
    images = points.astype("float32")[:, None, :, None]
    return np.asarray(model.discriminator(images, training=False))[:, 0]


@dataclasses.dataclass(frozen=True)
class TrainedGAN:
    """A GAN trained to its end on known data.

    Args:
        generated: points of the trained generator, ``(n, d)``.
        values: (step, V(D, G)) during training, means over 100 steps; -log 4 at the optimum.
        divergence: JS(p_d || p_g) between histograms of data and generated points, in nats.
        divergence_before: the same before training.
        covered: components of the data that the generator makes, as ``Mixture.covered`` counts.
        snapshots: (step, generated points of the same noise) before training, and every 100 steps.
    """

    generated: np.ndarray
    values: list[tuple[int, float]]
    divergence: float
    divergence_before: float
    covered: int
    snapshots: list[tuple[int, np.ndarray]]

    def coverage(self, data: Mixture) -> list[tuple[int, int]]:
        """Return (step, components of the data covered) during training, every 100 steps."""
        return [(step, data.covered(points)) for step, points in self.snapshots if step]


# Learning rates of the generator and the discriminator at which a GAN finds all components, and
# those at which it drops some, because the discriminator learns too slowly to correct it.
LEARNS, COLLAPSES = (5e-4, 2e-3), (2e-3, 5e-4)


def train_gan(
    data: Mixture,
    steps: int = 4000,
    batch_size: int = 256,
    seed: int = 0,
    *,
    learning_rates: tuple[float, float] = LEARNS,
) -> TrainedGAN:
    """Train both networks by ``fit`` on points of known density.

    Args:
        data: p_d.
        steps: updates of each network, at least 100.
        batch_size: points in an update.
        seed: random seed of weights and points.
        learning_rates: of the generator and of the discriminator at the first step; they fall to
            0 along a cosine. Under ``COLLAPSES`` the generator drops components of the data.
    """
    rng = np.random.default_rng(seed)
    with seeded(seed):
        model = _gan(data.dimensions, seed)
    rates = [keras.optimizers.schedules.CosineDecay(rate, steps) for rate in learning_rates]
    model.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates))
    before = _histogram_divergence(model, data, rng)
    points = tf.data.Dataset.from_tensor_slices(data.sample(200 * batch_size, rng)).repeat()
    with seeded(seed):
        # The order also depends on TensorFlow's global seed.
        points = points.shuffle(4096, seed).batch(batch_size)
    snapshots = [(0, _generated(model, COUNTED, seed))]

    def look(epoch: int, logs: object) -> None:
        snapshots.append((100 * (epoch + 1), _generated(model, COUNTED, seed)))

    history = model.fit(
        points,
        steps_per_epoch=100,
        epochs=steps // 100,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=look)],
    )
    losses = history.history["discriminator_loss"]
    values = [(100 * (i + 1), -float(loss)) for i, loss in enumerate(losses)]
    generated = _generated(model, 20_000, seed)
    after = _histogram_divergence(model, data, rng)
    covered = data.covered(generated)
    return TrainedGAN(generated, values, after, before, covered, snapshots)


def _generated(model: GAN, n: int, seed: int) -> np.ndarray:
    z = model.sample_latents(n, seed)
    return np.asarray(model(z))[:, 0, :, 0]


def _histogram_divergence(model: GAN, data: Mixture, rng: np.random.Generator) -> float:
    from keras_genzoo.losses import jensen_shannon_divergence

    edges = [np.linspace(-1, 1, {1: 41, 2: 21}[data.dimensions])] * data.dimensions
    both = data.sample(FRESH, rng)[:, 0, :, 0], _generated(model, FRESH, 1)
    shares = [np.histogramdd(points, edges)[0].ravel() / FRESH for points in both]
    return float(jensen_shannon_divergence(*shares))


def generator_gradients(
    scores: np.ndarray, losses: tuple[str, ...] = ("minimax", "non_saturating")
) -> dict[str, np.ndarray]:
    """Return the size of each loss' gradient by the logit of an image that D gives a score.

    ``|dL/dlogit|`` is D for the minimax loss, which vanishes where D is sure that an image
    is generated, and 1 - D for the non-saturating one (1406.2661, section 3).

    Args:
        scores: D(G(z)), in (0, 1), ``(n,)``.
        losses: names in ``ADVERSARIAL_LOSSES``.

    >>> pulls = generator_gradients(np.array([0.001]))
    >>> {name: round(float(pull[0]), 3) for name, pull in pulls.items()}
    {'minimax': 0.001, 'non_saturating': 0.999}
    """
    logits = tf.constant(np.log(scores) - np.log1p(-scores), tf.float32)
    return {name: _gradient(ADVERSARIAL_LOSSES[name].generator, logits) for name in losses}


def _gradient(loss: Callable, logits: tf.Tensor) -> np.ndarray:
    with tf.GradientTape() as tape:
        tape.watch(logits)
        # The loss is a mean over the images, so the gradient is multiplied by their number.
        value = loss(logits) * len(logits)
    return abs(tape.gradient(value, logits).numpy())
