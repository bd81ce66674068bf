"""The importance-weighted bound of a log-likelihood (1509.00519) and the weights of its draws."""

import math

from keras import ops

from keras_genzoo.losses.tensors import Tensor, float32


def importance_weighted_bound(log_weights: Tensor) -> Tensor:
    """Return ``L_K = log (1/K) sum_k w_k``, at most log p(x) in expectation (1509.00519, eq. 8).

    With one draw it is the ELBO's estimate, and it grows with the number of draws.

    Args:
        log_weights: ``log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x)``, ``(..., K)``.

    Returns:
        float32 ``(...)``, in nats.

    >>> round(float(importance_weighted_bound([-100.0, -100.0])), 4)
    -100.0
    """
    log_weights = float32(log_weights)
    return ops.logsumexp(log_weights, axis=-1) - math.log(log_weights.shape[-1])


def normalized_weights(log_weights: Tensor) -> Tensor:
    """Return ``w_k / sum_j w_j`` along the last axis, float32 of the same shape.

    >>> import numpy as np
    >>> np.asarray(normalized_weights([0.0, 0.0])).tolist()
    [0.5, 0.5]
    """
    log_weights = float32(log_weights)
    # Not softmax, at which Keras warns of a single draw.
    return ops.exp(log_weights - ops.logsumexp(log_weights, axis=-1, keepdims=True))
