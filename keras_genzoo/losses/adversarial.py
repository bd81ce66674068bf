"""Adversarial losses, and their optimum in theory.

D(x) is sigmoid(logit) if the loss is a cross-entropy, and otherwise the logit itself; the ``score``
of a loss computes it. Logits may have any shape, and unless a loss pairs them, real and fake
batches may differ in size. Each loss is a float32 scalar, the mean over all logits. The
cross-entropies use ``log D(x) = -softplus(-logit)`` and ``log(1 - D(x)) = -softplus(logit)``, which
are finite for every finite logit.

The loss of a conditional GAN (1411.1784) is the same function, of logits of a discriminator that
also gets the label.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import ops

from keras_genzoo.losses.divergence import jensen_shannon_divergence
from keras_genzoo.losses.tensors import Tensor, float32, pair

LOG_4 = math.log(4.0)


# Functions are registered with Keras, so that a model compiled with them can be saved and loaded.
_serializable = keras.saving.register_keras_serializable("keras_genzoo")


# Scores -----------------------------------------------------------------------------------------


@_serializable
def probability_score(logits: Tensor) -> Tensor:
    """Return ``D(x) = sigmoid(logit)``, the probability that an image is real (1406.2661).

    Args:
        logits: logits, any shape.

    Returns:
        float32 of the same shape, in [0, 1].

    >>> float(probability_score(0.0))
    0.5
    """
    return ops.sigmoid(float32(logits))


@_serializable
def logit_score(logits: Tensor) -> Tensor:
    """Return ``D(x)`` of losses for which it is the logit itself (1611.04076, 1705.02894).

    Args:
        logits: outputs of the discriminator, any shape.

    Returns:
        float32 of the same shape, unbounded.

    >>> float(logit_score(-3.0))
    -3.0
    """
    return float32(logits)


@_serializable
@dataclass(frozen=True)
class AdversarialLoss:
    """The losses of discriminator and generator, and the meaning of D(x).

    Args:
        discriminator: the discriminator's loss, a function of ``(real_logits, fake_logits)`` that
            returns a scalar.
        generator: the generator's loss, a function of ``(fake_logits)``, or with
            ``generator_needs_real`` of ``(fake_logits, real_logits)``, that returns a scalar.
        score: function of logits that returns D(x); by default the logit itself. ``real_score`` and
            ``fake_score`` in the history are its means over real and over generated images.
        optimum: the value of both scores for a perfect generator and the best discriminator, None
            if the loss has no single such value.
        generator_needs_real: whether the generator's loss depends on the logits of real images.
        needs_lipschitz: whether the loss is meaningful only if the slope of the discriminator is
            bounded, by a gradient penalty or spectral normalisation.
        monitors: further columns of the history by name, each a function of the discriminator's
            loss.
        undecided: the logit above which D takes an image for a real one, None if there is none.

    >>> loss = AdversarialLoss(discriminator_loss, non_saturating_generator_loss)
    >>> round(float(loss.generator_loss([0.0])), 4), float(loss.mean_score([1.0, 2.0]))
    (0.6931, 1.5)
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[..., Tensor]
    score: Callable[[Tensor], Tensor] = logit_score
    optimum: float | None = None
    generator_needs_real: bool = False
    needs_lipschitz: bool = False
    monitors: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict, hash=False)
    undecided: float | None = None

    @property
    def gives_probabilities(self) -> bool:
        """Whether a score is the probability that an image is real."""
        return self.score is probability_score

    def generator_loss(self, fake_logits: Tensor, real_logits: Tensor | None = None) -> Tensor:
        """Return the generator's loss, a float32 scalar.

        Args:
            fake_logits: logits of generated images, any shape.
            real_logits: logits of real images, of the same shape; used only with
                ``generator_needs_real``.
        """
        if self.generator_needs_real:
            return self.generator(fake_logits, real_logits)
        return self.generator(fake_logits)

    def mean_score(self, logits: Tensor) -> Tensor:
        """Return ``E[D(x)]``, a float32 scalar, of logits of any shape."""
        return ops.mean(self.score(logits))

    def get_config(self) -> dict[str, Any]:
        """Return the serialised functions; to load a person's own, register it with Keras."""
        serialize = keras.saving.serialize_keras_object
        return {
            "discriminator": serialize(self.discriminator),
            "generator": serialize(self.generator),
            "score": serialize(self.score),
            "optimum": self.optimum,
            "generator_needs_real": self.generator_needs_real,
            "needs_lipschitz": self.needs_lipschitz,
            "undecided": self.undecided,
            "monitors": {name: serialize(function) for name, function in self.monitors.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "AdversarialLoss":
        """Return the loss of a configuration; files of earlier versions hold fewer entries."""
        return cls(**{k: keras.saving.deserialize_keras_object(v) for k, v in config.items()})


# Cross-entropy: minimax and non-saturating ------------------------------------------------------


@_serializable
def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``-E[log D(x)] - E[log(1 - D(G(z)))]`` (1406.2661, eq. 1).

    Args:
        real_logits: logits of real images, any shape.
        fake_logits: logits of generated images, any shape.

    Returns:
        float32 scalar, at least 0; log 4 = 1.3863 if D is 1/2 everywhere.

    >>> round(float(discriminator_loss([0.0, 0.0], [0.0, 0.0])), 4)
    1.3863
    """
    return ops.mean(ops.softplus(-float32(real_logits))) + ops.mean(
        ops.softplus(float32(fake_logits))
    )


@_serializable
def minimax_generator_loss(fake_logits: Tensor) -> Tensor:
    """Return ``E[log(1 - D(G(z)))]`` (1406.2661, eq. 1), which saturates.

    Its derivative by a logit is -D(G(z)), which vanishes if D is sure that the image is generated.

    Args:
        fake_logits: logits of generated images, any shape.

    Returns:
        float32 scalar, at most 0.

    >>> round(float(minimax_generator_loss([0.0])), 4)
    -0.6931
    """
    return -ops.mean(ops.softplus(float32(fake_logits)))


@_serializable
def non_saturating_generator_loss(fake_logits: Tensor) -> Tensor:
    """Return ``-E[log D(G(z))]`` (1406.2661, section 3; the loss of DCGAN, 1511.06434).

    Its derivative by a logit is D(G(z)) - 1, which is near -1 if D is sure that the image is
    generated.

    Args:
        fake_logits: logits of generated images, any shape.

    Returns:
        float32 scalar, at least 0.

    >>> round(float(non_saturating_generator_loss([0.0])), 4)
    0.6931
    """
    return ops.mean(ops.softplus(-float32(fake_logits)))


# Least squares ----------------------------------------------------------------------------------

# 1611.04076, eq. 2 and 9: a is D's target for generated images, b for real ones, c is G's target.
LEAST_SQUARES_A, LEAST_SQUARES_B, LEAST_SQUARES_C = 0.0, 1.0, 1.0


@_serializable
def least_squares_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``E[(D(x) - b)²] / 2 + E[(D(G(z)) - a)²] / 2``, a = 0, b = 1 (1611.04076, eq. 9).

    Here D is the logit itself, without a sigmoid.

    Args:
        real_logits: outputs for real images, any shape.
        fake_logits: outputs for generated images, any shape.

    Returns:
        float32 scalar, at least 0.

    >>> float(least_squares_discriminator_loss([1.0], [1.0]))
    0.5
    """
    real = ops.square(float32(real_logits) - LEAST_SQUARES_B)
    fake = ops.square(float32(fake_logits) - LEAST_SQUARES_A)
    return (ops.mean(real) + ops.mean(fake)) / 2


@_serializable
def least_squares_generator_loss(fake_logits: Tensor) -> Tensor:
    """Return ``E[(D(G(z)) - c)²] / 2``, c = 1 (1611.04076, eq. 9).

    Args:
        fake_logits: outputs for generated images, any shape.

    Returns:
        float32 scalar, at least 0.

    >>> float(least_squares_generator_loss([0.0]))
    0.5
    """
    return ops.mean(ops.square(float32(fake_logits) - LEAST_SQUARES_C)) / 2


# Hinge ------------------------------------------------------------------------------------------


@_serializable
def hinge_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]`` (1705.02894).

    Here D is the logit itself, without a sigmoid.

    Args:
        real_logits: outputs for real images, any shape.
        fake_logits: outputs for generated images, any shape.

    Returns:
        float32 scalar, at least 0; 0 beyond the margins, real >= 1 and fake <= -1.

    >>> float(hinge_discriminator_loss([0.0, 2.0], [-3.0]))
    0.5
    """
    return ops.mean(ops.relu(1 - float32(real_logits))) + ops.mean(
        ops.relu(1 + float32(fake_logits))
    )


@_serializable
def hinge_generator_loss(fake_logits: Tensor) -> Tensor:
    """Return ``-E[D(G(z))]`` (1705.02894), the generator's loss of 1701.07875 as well.

    Args:
        fake_logits: outputs for generated images, any shape.

    Returns:
        float32 scalar, unbounded.

    >>> float(hinge_generator_loss([1.0, 2.0]))
    -1.5
    """
    return -ops.mean(float32(fake_logits))


# Wasserstein ------------------------------------------------------------------------------------


@_serializable
def wasserstein_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``E[D(G(z))] - E[D(x)]`` (1701.07875, eq. 2, with its sign changed).

    Here D is the logit itself. The loss is unbounded unless the slope of D is bounded.

    Args:
        real_logits: outputs for real images, any shape.
        fake_logits: outputs for generated images, any shape.

    Returns:
        float32 scalar, unbounded.

    >>> float(wasserstein_discriminator_loss([3.0, 1.0], [0.5]))
    -1.5
    """
    return ops.mean(float32(fake_logits)) - ops.mean(float32(real_logits))


@_serializable
def wasserstein_estimate(discriminator_loss: Tensor) -> Tensor:
    """Return ``E[D(x)] - E[D(G(z))]``, an estimate of the Wasserstein-1 distance.

    It is that distance times the Lipschitz constant of D, for the best D of that constant
    (1701.07875, eq. 3).

    Args:
        discriminator_loss: value of ``wasserstein_discriminator_loss``, any shape.

    Returns:
        float32 of the same shape.

    >>> float(wasserstein_estimate(-1.5))
    1.5
    """
    return -float32(discriminator_loss)


# Relativistic pairing ---------------------------------------------------------------------------


@_serializable
def relativistic_discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``E[softplus(D(G(z)) - D(x))]`` over pairs at the same place of their batches.

    This is the relativistic pairing GAN (1807.00734, section 4.2; 2501.05441, eq. 2 with its sign
    changed). D is the logit itself, and the loss depends only on differences of logits.

    Args:
        real_logits: outputs for real images, any shape.
        fake_logits: outputs for generated images, of the same shape.

    Returns:
        float32 scalar, at least 0; log 2 = 0.6931 if all logits are equal.

    Raises:
        GenzooError: if the shapes differ.

    >>> round(float(relativistic_discriminator_loss([2.0], [2.0])), 4)
    0.6931
    """
    real_logits, fake_logits = pair(real_logits=real_logits, fake_logits=fake_logits)
    return ops.mean(ops.softplus(fake_logits - real_logits))


@_serializable
def relativistic_generator_loss(fake_logits: Tensor, real_logits: Tensor) -> Tensor:
    """Return ``E[softplus(D(x) - D(G(z)))]``, the loss of D with real and fake exchanged.

    Args:
        fake_logits: outputs for generated images, any shape.
        real_logits: outputs for real images, of the same shape.

    Returns:
        float32 scalar, at least 0.

    Raises:
        GenzooError: if the shapes differ.

    >>> round(float(relativistic_generator_loss([2.0], [2.0])), 4)
    0.6931
    """
    return relativistic_discriminator_loss(fake_logits, real_logits)


# Theory -----------------------------------------------------------------------------------------


def adversarial_value(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Return ``V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]`` (1406.2661, eq. 1).

    Args:
        real_logits: logits of real images, any shape.
        fake_logits: logits of generated images, any shape.

    Returns:
        float32 scalar, at most 0: the discriminator loss with its sign changed.

    >>> round(float(adversarial_value([0.0], [0.0])), 4)
    -1.3863
    """
    return -discriminator_loss(real_logits, fake_logits)


@_serializable
def jensen_shannon_estimate(discriminator_loss: Tensor) -> Tensor:
    """Return ``(log 4 - discriminator_loss) / 2``, an estimate of JS(p_data ‖ p_generated).

    Its expectation is a lower bound, and exact for the optimal D (1406.2661, theorem 1).

    Args:
        discriminator_loss: value of ``discriminator_loss``, any shape.

    Returns:
        float32 of the same shape, in nats, at most log 2; negative if D is worse than D = 1/2.

    >>> float(jensen_shannon_estimate(0.0))  # D is always right: log 2
    0.6931471824645996
    """
    return (LOG_4 - float32(discriminator_loss)) / 2


def optimal_discriminator(p_data: Tensor, p_generated: Tensor) -> Tensor:
    """Return ``D*(x) = p_data / (p_data + p_generated)`` (1406.2661, proposition 1).

    Args:
        p_data: probabilities or densities of the data, any shape, at least 0.
        p_generated: the same of the generator; the two shapes are broadcast.

    Returns:
        float32 in [0, 1]; 1/2 where both are 0, since every D is optimal there.

    >>> import numpy as np
    >>> np.asarray(optimal_discriminator([0.3, 0.2, 0.0], [0.1, 0.2, 0.0]))
    array([0.75, 0.5 , 0.5 ], dtype=float32)
    """
    p_data, p_generated = float32(p_data), float32(p_generated)
    total = p_data + p_generated
    positive = total > 0
    return ops.where(positive, p_data / ops.where(positive, total, 1.0), 0.5)


def optimal_logits(log_p_data: Tensor, log_p_generated: Tensor) -> Tensor:
    """Return the logits of D*, ``log p_data - log p_generated``.

    Args:
        log_p_data: log-probabilities or log-densities of the data, any shape.
        log_p_generated: the same of the generator; the two shapes are broadcast.

    Returns:
        float32, unbounded; 0 where the two are equal, also where both are -inf.

    >>> float(optimal_logits(-1.0, -3.0))
    2.0
    """
    log_p_data, log_p_generated = float32(log_p_data), float32(log_p_generated)
    return ops.where(log_p_data == log_p_generated, 0.0, log_p_data - log_p_generated)


def optimal_value(p_data: Tensor, p_generated: Tensor) -> Tensor:
    """Return ``V(D*, G) = -log 4 + 2 JS(p_data ‖ p_generated)`` (1406.2661, theorem 1).

    Args:
        p_data: probabilities of the data, shape ``(..., outcomes)``.
        p_generated: the same of the generator.

    Returns:
        float32 of shape ``(...)`` in [-log 4, 0]; -log 4 if and only if the two are equal.

    >>> float(optimal_value([1.0, 0.0], [0.0, 1.0]))
    0.0
    """
    return 2 * jensen_shannon_divergence(p_data, p_generated) - LOG_4


# The losses by name -----------------------------------------------------------------------------

# The optimum of the scores, where p_data = p_generated. The optimal D is p_data / (p_data +
# p_generated) for the cross-entropies (1406.2661, proposition 1) and, with a = 0 and b = 1, for
# least squares (1611.04076, section 3.2): 1/2. The other losses have no single optimum: every D in
# [-1, 1] is optimal for the hinge loss, and every constant for the last two.
NON_SATURATING = AdversarialLoss(
    discriminator_loss, non_saturating_generator_loss, probability_score, optimum=0.5, undecided=0.0
)
MINIMAX = AdversarialLoss(
    discriminator_loss,
    minimax_generator_loss,
    probability_score,
    optimum=0.5,
    monitors={"jensen_shannon_estimate": jensen_shannon_estimate},
    undecided=0.0,
)
LEAST_SQUARES = AdversarialLoss(
    least_squares_discriminator_loss,
    least_squares_generator_loss,
    logit_score,
    optimum=0.5,
    undecided=0.5,
)
HINGE = AdversarialLoss(hinge_discriminator_loss, hinge_generator_loss, undecided=0.0)
WASSERSTEIN = AdversarialLoss(
    wasserstein_discriminator_loss,
    hinge_generator_loss,
    needs_lipschitz=True,
    monitors={"wasserstein_estimate": wasserstein_estimate},
)
RELATIVISTIC = AdversarialLoss(
    relativistic_discriminator_loss, relativistic_generator_loss, generator_needs_real=True
)
