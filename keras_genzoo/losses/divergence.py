"""Divergences between distributions, in nats, and the evidence lower bound.

Probabilities must be at least 0; they are not normalised here.
"""

from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor, float32, pair, sum_per_example

# Discrete distributions -------------------------------------------------------------------------


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return ``KL(p ‖ q) = Σ_i p_i log(p_i / q_i)`` along the last axis, with 0 log 0 = 0.

    Args:
        p: probabilities, shape ``(..., outcomes)``.
        q: probabilities; the two shapes are broadcast.

    Returns:
        float32 of shape ``(...)``, at least 0 (up to rounding); inf if some q_i = 0 < p_i.

    >>> round(float(kl_divergence([0.5, 0.5, 0.0], [0.25, 0.25, 0.5])), 4)
    0.6931
    """
    p, q = float32(p), float32(q)
    # Outside the support of p take log 1, so that neither the value nor the gradient is NaN.
    support = p > 0
    log_ratio = ops.log(ops.where(support, p, 1.0)) - ops.log(ops.where(support, q, 1.0))
    return ops.sum(p * log_ratio, axis=-1)


def jensen_shannon_divergence(p: Tensor, q: Tensor) -> Tensor:
    """Return ``JS(p ‖ q) = KL(p ‖ m) / 2 + KL(q ‖ m) / 2``, m = (p + q) / 2, along the last axis.

    Args:
        p: probabilities, shape ``(..., outcomes)``.
        q: probabilities; the two shapes are broadcast.

    Returns:
        float32 of shape ``(...)`` in [0, log 2] (up to rounding), symmetric in p and q; log 2 if
        no outcome is possible under both.

    >>> round(float(jensen_shannon_divergence([1.0, 0.0], [0.0, 1.0])), 4)
    0.6931
    """
    p, q = float32(p), float32(q)
    m = (p + q) / 2
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


# Estimates from samples -------------------------------------------------------------------------


def mean_log_likelihood(log_p: Tensor) -> Tensor:
    """Return ``(1/L) Σ_l log p_θ(x_l)`` over samples x_l of the data.

    KL(p_data ‖ p_θ) is the expectation of this with its sign changed, plus a constant: maximising
    the likelihood minimises the divergence.

    Args:
        log_p: log p_θ of each sample, any shape.

    Returns:
        float32 scalar.

    >>> float(mean_log_likelihood([-1.0, -2.0]))
    -1.5
    """
    return ops.mean(float32(log_p))


def monte_carlo_kl(log_p: Tensor, log_q: Tensor) -> Tensor:
    """Return ``(1/L) Σ_l (log p(x_l) - log q(x_l))`` over samples x_l of p, unbiased for KL(p ‖ q).

    Args:
        log_p: log p of each sample, any shape.
        log_q: log q of the same samples, same shape.

    Returns:
        float32 scalar; an estimate may be negative.

    Raises:
        GenzooError: if the shapes differ.

    >>> float(monte_carlo_kl([-1.0, -2.0], [-2.0, -4.0]))
    1.5
    """
    log_p, log_q = pair(log_p=log_p, log_q=log_q)
    return ops.mean(log_p - log_q)


# Gaussians --------------------------------------------------------------------------------------


def gaussian_kl(
    mean_1: Tensor, covariance_1: Tensor, mean_2: Tensor, covariance_2: Tensor
) -> Tensor:
    """Return KL(N(μ₁, Σ₁) ‖ N(μ₂, Σ₂)) for full covariances, from their Cholesky factors.

    ``½ (log(|Σ₂| / |Σ₁|) - d + tr(Σ₂⁻¹ Σ₁) + (μ₁ - μ₂)ᵀ Σ₂⁻¹ (μ₁ - μ₂))``

    Args:
        mean_1: μ₁, shape ``(..., d)``.
        covariance_1: Σ₁, shape ``(..., d, d)``, symmetric, positive definite.
        mean_2: μ₂, shape ``(..., d)``.
        covariance_2: Σ₂, shape ``(..., d, d)``, symmetric, positive definite.

    Returns:
        float32, at least 0 (up to rounding), of the shape ``(...)`` to which the four broadcast.

    Raises:
        GenzooError: if a covariance is not ``(..., d, d)``.
        ValueError: from Keras, if a covariance is not positive definite.

    >>> float(gaussian_kl([1.0], [[1.0]], [0.0], [[1.0]]))
    0.5
    """
    difference = float32(mean_1) - float32(mean_2)
    d = difference.shape[-1]
    covariance_1, covariance_2 = float32(covariance_1), float32(covariance_2)
    for covariance in (covariance_1, covariance_2):
        if tuple(covariance.shape[-2:]) != (d, d):
            raise GenzooError(
                f"a covariance of {d} components has the shape (..., {d}, {d}), "
                f"not {tuple(covariance.shape)}; pass a diagonal covariance as a full matrix"
            )
    factor_1, factor_2 = ops.cholesky(covariance_1), ops.cholesky(covariance_2)
    # The triangular solver does not broadcast its arguments, so add zeros of the common shape.
    zero = ops.zeros_like(factor_1 + factor_2 + difference[..., None])
    trace = _squared_norm(ops.solve_triangular(factor_2 + zero, factor_1 + zero, lower=True))
    distance = _squared_norm(
        ops.solve_triangular(factor_2 + zero, difference[..., None] + zero[..., :1], lower=True)
    )
    return (_log_determinant(factor_2) - _log_determinant(factor_1) - d + trace + distance) / 2


def _squared_norm(matrix: Tensor) -> Tensor:
    return ops.sum(ops.square(matrix), axis=(-2, -1))


def _log_determinant(factor: Tensor) -> Tensor:
    """Return log |Σ| of the Cholesky factor of Σ."""
    return 2 * ops.sum(ops.log(ops.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)


def diagonal_gaussian_kl(z_mean: Tensor, z_log_var: Tensor) -> Tensor:
    """Return ``KL(N(μ, diag σ²) ‖ N(0, I)) = -½ Σ (1 + log σ² - μ² - σ²)`` (1312.6114, eq. 10).

    Args:
        z_mean: μ, shape ``(batch, ...)``.
        z_log_var: log σ², same shape.

    Returns:
        float32, shape ``(batch,)``, at least 0; inf if σ² overflows float32 (log σ² > 88).

    Raises:
        GenzooError: if the shapes differ.

    >>> import numpy as np
    >>> np.asarray(diagonal_gaussian_kl([[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]))
    array([0. , 2.5], dtype=float32)
    """
    return sum_per_example(diagonal_gaussian_kl_terms(z_mean, z_log_var))


def diagonal_gaussian_kl_terms(z_mean: Tensor, z_log_var: Tensor) -> Tensor:
    """Return the terms that ``diagonal_gaussian_kl`` sums, one for each latent unit.

    Args:
        z_mean: μ, shape ``(batch, ...)``.
        z_log_var: log σ², same shape.

    Returns:
        float32 of the same shape, each at least 0.

    Raises:
        GenzooError: if the shapes differ.

    >>> import numpy as np
    >>> np.asarray(diagonal_gaussian_kl_terms([[1.0, 2.0]], [[0.0, 0.0]]))
    array([[0.5, 2. ]], dtype=float32)
    """
    z_mean, z_log_var = pair(z_mean=z_mean, z_log_var=z_log_var)
    # Near the prior, σ² - 1 loses digits that expm1(log σ²) keeps.
    return (ops.square(z_mean) + (ops.expm1(z_log_var) - z_log_var)) / 2


# Variational autoencoder ------------------------------------------------------------------------


def reparameterize(z_mean: Tensor, z_log_var: Tensor, epsilon: Tensor) -> Tensor:
    """Return ``z = μ + σ ε``, which is N(μ, diag σ²) if ε is N(0, I) (1312.6114, section 2.4).

    Args:
        z_mean: μ, shape ``(batch, ...)``.
        z_log_var: log σ², same shape.
        epsilon: ε, the same shape, or ``(samples, batch, ...)`` for several samples.

    Returns:
        float32 of the shape to which the three broadcast.

    >>> import numpy as np
    >>> np.asarray(reparameterize([[1.0]], [[0.0]], [[-0.5]]))
    array([[0.5]], dtype=float32)
    """
    return float32(z_mean) + ops.exp(float32(z_log_var) / 2) * float32(epsilon)


def elbo(reconstruction_loss: Tensor, kl_loss: Tensor) -> Tensor:
    """Return the evidence lower bound (1312.6114, eq. 3) of each example.

    ``E_q[log p(x|z)] - KL(q(z|x) ‖ N(0, I)) = -J_REC - J_REG``

    Args:
        reconstruction_loss: J_REC = -log p(x|z), shape ``(batch,)``, or ``(samples, batch)`` for
            several samples of z.
        kl_loss: J_REG = KL(q(z|x) ‖ N(0, I)), shape ``(batch,)``.

    Returns:
        float32, shape of ``reconstruction_loss``, at most log p(x) in expectation over z.

    >>> float(elbo(80.0, 20.0))
    -100.0
    """
    return -float32(reconstruction_loss) - float32(kl_loss)
