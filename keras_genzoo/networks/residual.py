"""The residual networks of SNGAN (1802.05957, appendix B.4) for square images.

Up to 32x32 they are those of the paper's table 3 (CIFAR-10), above those of its table for ImageNet,
narrower. Upsampling is nearest-neighbour, downsampling the mean of 2x2 pixels, and the
discriminator sums its features over the image.
"""

from collections.abc import Callable
from typing import Annotated

import keras
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1
from keras_genzoo.errors import GenzooError
from keras_genzoo.networks.architectures import Architecture, check_at_least_1
from keras_genzoo.networks.convolutional import LAST, square_size
from keras_genzoo.networks.normalization import class_batch_normalization
from keras_genzoo.networks.registry import NORMALIZATIONS

Shape = tuple[int, int, int]


class ResidualArchitecture(Architecture):
    """The residual networks of SNGAN (1802.05957), for square images of 4 to 7 pixels doubled.

    The paper's are 256 and 128 channels wide at 32x32 with a growth of 1, and 64 with a growth of 2
    at 64x64 and above; the narrower defaults are for a machine without a GPU.

    Args:
        generator_filters: channels of the generator's last block.
        discriminator_filters: channels of the discriminator's first block.
        channel_growth: factor of the channels from a block to the next smaller one.

    Raises:
        GenzooError: if an argument is less than 1.

    >>> ResidualArchitecture(8, 8).generator((28, 28, 1), 100).output_shape
    (None, 28, 28, 1)
    """

    normalization = "spectral"
    class_normalization = True

    def __init__(
        self,
        generator_filters: Annotated[int, AT_LEAST_1] = 64,
        discriminator_filters: Annotated[int, AT_LEAST_1] = 64,
        channel_growth: Annotated[int, AT_LEAST_1] = 1,
    ):
        self.generator_filters = generator_filters
        self.discriminator_filters = discriminator_filters
        self.channel_growth = channel_growth
        check_at_least_1(**vars(self))

    def widest(self, noise_dim, discriminator_shape):
        """Return the most channels of a layer, inputs and the first dense layer's included."""
        base, count = doublings(max(discriminator_shape[:2]))
        deepest = self.channel_growth**count
        first = base * base * self.generator_filters * deepest
        return max(noise_dim, discriminator_shape[-1], first, self.discriminator_filters * deepest)

    def generator(self, image_shape, noise_dim, *, num_classes=0, synchronized=False):
        """Build the generator."""
        return residual_generator(
            image_shape,
            noise_dim,
            self.generator_filters,
            self.channel_growth,
            num_classes=num_classes,
            synchronized=synchronized,
        )

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        """Build the discriminator."""
        return residual_discriminator(
            image_shape,
            self.discriminator_filters,
            self.channel_growth,
            normalization=normalization,
            synchronized=synchronized,
        )


def doublings(size: int) -> tuple[int, int]:
    """Return the smallest size, from 4 to 7, and how often it doubles to give ``size``.

    Raises:
        GenzooError: if there is none.

    >>> doublings(28), doublings(32), doublings(64)
    ((7, 2), (4, 3), (4, 4))
    """
    base, count = size, 0
    while base > 7 and base % 2 == 0:
        base, count = base // 2, count + 1
    if not count or base > 7:
        raise GenzooError(
            f"these networks double 4, 5, 6 or 7 pixels, which never gives {size}x{size}: take a "
            "size such as 28, 32, 48 or 64"
        )
    return base, count


def residual_generator(
    image_shape: Shape,
    noise_dim: int,
    filters: int = 64,
    growth: int = 1,
    *,
    num_classes: int = 0,
    synchronized: bool = False,
) -> keras.Model:
    """Build noise ``(batch, noise_dim)`` -> images ``(batch, *image_shape)`` in [-1, 1].

    Args:
        image_shape: ``(size, size, channels)``.
        noise_dim: size of the noise, with its condition if it has one.
        filters: channels of the last block.
        growth: factor of the channels at each halving of the size.
        num_classes: if not 0, so many last numbers of the noise are a one-hot class, which all
            batch normalisations but the last follow, and nothing else sees (1802.05637).
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the networks cannot make such images.

    >>> residual_generator((32, 32, 3), 128, 8).output_shape
    (None, 32, 32, 3)
    """
    base, count = doublings(square_size(image_shape))
    noise = keras.Input((noise_dim,), name="z")
    z, normalize = class_batch_normalization(noise, num_classes, synchronized)
    width = filters * growth**count
    features = keras.layers.Dense(base * base * width, kernel_initializer=_xavier(1))(z)
    features = keras.layers.Reshape((base, base, width))(features)
    for level in reversed(range(count)):
        width = filters * growth**level
        branch = keras.layers.ReLU()(normalize(features))
        branch = _upsample(branch)
        branch = _convolution(keras.layers.Conv2D, width)(branch)
        branch = keras.layers.ReLU()(normalize(branch))
        branch = _convolution(keras.layers.Conv2D, width)(branch)
        # A 1x1 convolution before the upsampling gives what it gives after it, four times as fast.
        shortcut = _convolution(keras.layers.Conv2D, width, 1, gain=1)(features)
        features = keras.layers.Add()([branch, _upsample(shortcut)])
    features = keras.layers.ReLU()(normalize(features, last=True))
    images = keras.layers.Conv2D(
        image_shape[-1],
        3,
        padding="same",
        activation="tanh",
        kernel_initializer=_xavier(1),
        name="images",
        **LAST,
    )(features)
    return keras.Model(noise, images, name="generator")


def residual_discriminator(
    image_shape: Shape,
    filters: int = 64,
    growth: int = 1,
    *,
    normalization: str = "spectral",
    synchronized: bool = False,
) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [-1, 1] -> logits ``(batch, 1)``.

    One block more than the size halves: up to 32x32 the first two halve it, above all but the last.

    Args:
        image_shape: ``(size, size, channels)``; the channels of a condition count.
        filters: channels of the first block.
        growth: factor of the channels from a block to the next.
        normalization: a name in ``NORMALIZATIONS``; the paper's is ``"spectral"``, and a layer
            that normalises stands before each ReLU but the first block's.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the networks cannot take such images, or the normalisation is unknown.

    >>> residual_discriminator((32, 32, 3), 8).output_shape
    (None, 1)
    """
    _, count = doublings(square_size(image_shape))
    halvings = count if count > 3 else min(count, 2)
    kind = NORMALIZATIONS[normalization]

    def activated(features):
        if kind.after:
            features = kind.after(synchronized)(features)
        return keras.layers.ReLU()(features)

    images = keras.Input(image_shape, name="images")
    features = images
    for index in range(count + 1):
        width = filters * growth**index
        # ReLU would take the dark half of the image itself.
        branch = activated(features) if index else features
        branch = _convolution(kind.convolution, width)(branch)
        branch = _convolution(kind.convolution, width)(activated(branch))
        shortcut = features
        if index < halvings:
            branch, shortcut = _halve(branch), _halve(shortcut)
        if index < halvings or shortcut.shape[-1] != width:
            # After the mean, where it gives what it gives before it, four times as fast.
            shortcut = _convolution(kind.convolution, width, 1, gain=1)(shortcut)
        features = keras.layers.Add()([branch, shortcut])
    features = ops.sum(activated(features), axis=(1, 2))
    logits = kind.dense(1, kernel_initializer=_xavier(1), name="logits")(features)
    return keras.Model(images, logits, name="discriminator")


def _convolution(kind: Callable, filters: int, size: int = 3, gain: int = 2) -> keras.layers.Layer:
    return kind(filters, size, padding="same", kernel_initializer=_xavier(gain), **LAST)


def _xavier(squared_gain: int) -> keras.initializers.Initializer:
    """Return Xavier's uniform initializer times the root of ``squared_gain``, one for each layer.

    >>> _xavier(2).scale
    2
    """
    return keras.initializers.VarianceScaling(squared_gain, "fan_avg", "uniform")


def _upsample(features):
    return keras.layers.UpSampling2D(2, **LAST)(features)


def _halve(features):
    return keras.layers.AveragePooling2D(2, **LAST)(features)
