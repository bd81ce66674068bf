"""The U-Net of a flow, which gives the velocity of a noisy image at a time.

It halves the image from level to level and doubles it again, and hands the features of each level
across (1505.04597); the residual blocks and the embedding of time are those of 2006.11239.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.conditioning import one_hot
from keras_genzoo.networks.convolutional import LAST
from keras_genzoo.networks.group_normalization import GroupNormalization

Shape = tuple[int, int, int]
# The sinusoids were made for steps 0 to 1,000; a time in [0, 1] would hardly move them.
TIME_SCALE = 1000.0
LONGEST_PERIOD = 10_000.0
MOST_GROUPS = 8


def velocity_unet(
    image_shape: Shape,
    filters: Sequence[int] = (32, 64, 64),
    *,
    blocks: int = 1,
    num_classes: int = 0,
) -> keras.Model:
    """Build images and times (and class labels) -> velocities, of the shape of the images.

    Inputs are images ``(batch, *image_shape)``, times ``(batch,)`` in [0, 1], and with classes
    int32 labels ``(batch,)``; a label that is none of them, such as -1, stands for no class.
    An untrained U-Net gives 0, and its times enter in float32 whatever the policy.

    Args:
        image_shape: ``(height, width, channels)``.
        filters: channels of each level; the image is halved from one to the next.
        blocks: residual blocks of each level on the way down, and one more on the way up each.
        num_classes: number of classes; 0 for a network without labels.

    Raises:
        GenzooError: if the image cannot be halved so often.

    >>> velocity_unet((28, 28, 1), (8, 16)).output_shape
    (None, 28, 28, 1)
    """
    check_halvings(image_shape, len(filters))
    images = keras.Input(image_shape, name="images")
    times = keras.Input((), name="times")
    inputs, width = [images, times], 4 * filters[0]
    embedding = _dense(width)(time_embedding(times, max(32, filters[0])))
    embedding = _dense(width)(ops.silu(embedding))
    if num_classes:
        labels = keras.Input((), dtype="int32", name="class_labels")
        inputs.append(labels)
        # The zeros of no class leave the embedding of time alone.
        classes = one_hot(labels, num_classes, "float32")
        embedding = embedding + _dense(width, use_bias=False, name="classes")(classes)
    embedding = ops.silu(embedding)
    features, skips = _convolution(filters[0])(images), []
    for level, channels in enumerate(filters):
        for _ in range(blocks):
            features = _residual(features, embedding, channels)
        skips.append(features)
        if level < len(filters) - 1:
            features = _convolution(channels, strides=2)(features)
    features = _residual(features, embedding, filters[-1])
    for level in reversed(range(len(filters))):
        if level < len(filters) - 1:
            features = keras.layers.UpSampling2D(2, **LAST)(features)
        features = keras.layers.Concatenate()([features, skips[level]])
        for _ in range(blocks):
            features = _residual(features, embedding, filters[level])
    velocities = _convolution(image_shape[-1], zero=True, name="velocities")(_activated(features))
    return keras.Model(inputs, velocities, name="unet")


def check_halvings(image_shape: Shape, levels: int) -> None:
    """Check that an image can be halved from each level to the next.

    Raises:
        GenzooError: if it cannot; names sizes that can be.
    """
    height, width, _ = image_shape
    factor = 2 ** (levels - 1)
    if height % factor or width % factor:
        below = min(height, width) // factor * factor
        sizes = " or ".join(str(size) for size in (below, below + factor) if size)
        raise GenzooError(
            f"a U-Net of {levels} levels halves images {levels - 1} times, and {height}x{width} "
            f"pixels do not divide by {factor}; take an image size of {sizes}, or fewer levels"
        )


def time_embedding(times: Tensor, size: int) -> Tensor:
    """Return sines and cosines of times in [0, 1], float32 ``(batch, size)``.

    >>> embeddings = time_embedding(np.array([0.0, 0.1], "float32"), 8)
    >>> embeddings.shape, bool(ops.any(ops.abs(embeddings[0] - embeddings[1]) > 1))
    (TensorShape([2, 8]), True)
    """
    half = size // 2
    periods = LONGEST_PERIOD ** (np.arange(half) / half)
    # Plain arrays: the ONNX exporter would turn tensors into inputs of the model.
    angles = times[:, None] * (TIME_SCALE / periods).astype("float32")
    return ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1)


def groups_for(channels: int) -> int:
    """Return how many groups channels are normalised in: at most 8, of 4 channels or more.

    >>> [groups_for(channels) for channels in (64, 20, 6, 7)]
    [8, 5, 1, 1]
    """
    most = min(MOST_GROUPS, channels // 4)
    return max(g for g in range(1, max(1, most) + 1) if channels % g == 0)


def _residual(features: Tensor, embedding: Tensor, channels: int) -> Tensor:
    """Return features of so many channels, by a block that begins as its shortcut."""
    branch = _convolution(channels)(_activated(features))
    shift = _dense(channels)(embedding)
    branch = branch + keras.layers.Reshape((1, 1, channels))(shift)
    branch = _convolution(channels, zero=True)(_activated(branch))
    if features.shape[-1] != channels:
        features = _convolution(channels, 1)(features)
    return keras.layers.Add()([features, branch])


def _activated(features):
    groups = groups_for(features.shape[-1])
    normalized = GroupNormalization(groups, epsilon=1e-5)(features)
    return keras.layers.Activation("silu")(normalized)


def _convolution(
    filters: int, size: int = 3, *, zero: bool = False, **options: Any
) -> keras.layers.Layer:
    # A new initializer for each layer, since one returns the same values at each call.
    start = keras.initializers.Zeros() if zero else keras.initializers.HeNormal()
    return keras.layers.Conv2D(
        filters, size, padding="same", kernel_initializer=start, **LAST, **options
    )


def _dense(units: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.Dense(units, **options)
