"""Reconstruction losses J_REC: one value an example, summed over its pixels.

Images lie in [0, 1]; the decoder gives logits, so that y = sigmoid(logit).
"""

import keras
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor, pair, sum_per_example


@keras.saving.register_keras_serializable("keras_genzoo")
def bernoulli_loss(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``-Σ_i (x_i log y_i + (1 - x_i) log(1 - y_i))`` (1312.6114, appendix C.1).

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.

    Returns:
        float32, shape ``(batch,)``, in nats, at least 0: the negative log-likelihood under
        independent Bernoulli pixels.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> import numpy as np
    >>> np.asarray(bernoulli_loss([[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [99.0, -99.0]]))
    array([ 1.3862944, 99.       ], dtype=float32)
    """
    images, logits = _checked(images, logits)
    # Not ops.binary_crossentropy: it looks behind a sigmoid for logits that it was not given.
    return sum_per_example(images * ops.softplus(-logits) + (1 - images) * ops.softplus(logits))


@keras.saving.register_keras_serializable("keras_genzoo")
def squared_error_loss(images: Tensor, logits: Tensor) -> Tensor:
    """Return ``Σ_i (x_i - y_i)²``.

    Twice the negative log-likelihood under Gaussian pixels of variance 1, up to a constant.

    Args:
        images: floats in [0, 1], shape ``(batch, ...)``.
        logits: of the same shape.

    Returns:
        float32, shape ``(batch,)``, at least 0 and at most the number of pixels.

    Raises:
        GenzooError: if the shapes differ or the images are uint8.

    >>> import numpy as np
    >>> np.asarray(squared_error_loss([[0.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [99.0, -99.0]]))
    array([0.5, 1. ], dtype=float32)
    """
    images, logits = _checked(images, logits)
    return sum_per_example(ops.square(images - ops.sigmoid(logits)))


def _checked(images: Tensor, logits: Tensor) -> list[Tensor]:
    """Return both in float32."""
    images = ops.convert_to_tensor(images)
    if keras.backend.standardize_dtype(images.dtype) == "uint8":
        raise GenzooError("a reconstruction loss takes images in [0, 1], not uint8; divide by 255")
    return pair(images=images, logits=logits)
