"""The networks of R3GAN (2501.05441, section 3): residual blocks of grouped convolutions.

They have no normalisation, and the generator ends without an activation: nothing keeps its images
in [-1, 1] but the discriminator, and what lies beyond is clipped where images leave the model.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any

import keras

from keras_genzoo.arguments import AT_LEAST_1
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.architectures import Architecture, check_at_least_1
from keras_genzoo.networks.convolutional import LAST, square_size
from keras_genzoo.networks.grouped import GroupedConv2D
from keras_genzoo.networks.residual import doublings

SLOPE = 0.2  # of LeakyReLU below 0
# Keeps the size of features that pass a LeakyReLU (1502.01852).
GAIN = math.sqrt(2 / (1 + SLOPE**2))


class R3GANArchitecture(Architecture):
    """The networks of R3GAN (2501.05441), for square images of 4 to 7 pixels doubled.

    The paper's are 768 channels wide at each size up to 32x32, in 2 blocks of groups of 16; the
    narrower defaults are for a machine without a GPU.

    Args:
        stage_filters: channels of the stages, the last one at the full size of the images. Where
            images have more stages the first stands for the missing ones; where they have fewer
            the first are left out.
        stage_blocks: residual blocks of each stage.
        group_filters: channels of a group in the blocks, whose inner width is twice that of the
            stage.

    Raises:
        GenzooError: if an argument is less than 1, or groups do not divide a width.

    >>> R3GANArchitecture((32, 16)).generator((28, 28, 1), 64).output_shape
    (None, 28, 28, 1)
    """

    def __init__(
        self,
        stage_filters: Annotated[Sequence[int], AT_LEAST_1] = (96, 96, 64, 32),
        stage_blocks: Annotated[int, AT_LEAST_1] = 1,
        group_filters: Annotated[int, AT_LEAST_1] = 16,
    ):
        self.stage_filters = tuple(stage_filters)
        self.stage_blocks = stage_blocks
        self.group_filters = group_filters
        least = min(self.stage_filters, default=0)
        check_at_least_1(
            stage_filters=least, stage_blocks=stage_blocks, group_filters=group_filters
        )
        for width in self.stage_filters:
            if 2 * width % group_filters:
                raise GenzooError(
                    f"groups of {group_filters} channels do not divide the {2 * width} inside a "
                    f"block of stage_filters {width}; take another group_filters"
                )

    def widest(self, noise_dim, discriminator_shape):
        """Return the most channels of a layer, inputs included."""
        return max(noise_dim, discriminator_shape[-1], 2 * max(self.stage_filters))

    def widths(self, size: int) -> list[int]:
        """Return the channels of each stage of images of a size, from the smallest.

        >>> R3GANArchitecture((96, 64, 32)).widths(64), R3GANArchitecture((96, 64)).widths(8)
        ([96, 96, 96, 64, 32], [96, 64])
        """
        _, count = doublings(size)
        missing = count + 1 - len(self.stage_filters)
        return [self.stage_filters[0]] * missing + list(self.stage_filters[-(count + 1) :])

    def generator(self, image_shape, noise_dim, *, synchronized=False):
        """Build the generator; no layer of it takes batch statistics, nor bounds the images."""
        size = square_size(image_shape)
        widths, (base, _) = self.widths(size), doublings(size)
        z = keras.Input((noise_dim,), name="z")
        features = _dense(widths[0])(z)
        # A learnt map times each channel's number: the convolution of one pixel amid zeros.
        features = keras.layers.Reshape((1, 1, widths[0]))(features)
        features = keras.layers.ZeroPadding2D(base - 1, **LAST)(features)
        features = keras.layers.DepthwiseConv2D(
            base,
            use_bias=False,
            depthwise_initializer=keras.initializers.RandomNormal(stddev=1.0),
            **LAST,
        )(features)
        for index, width in enumerate(widths):
            if index:
                if width != features.shape[-1]:
                    features = _convolution(width)(features)
                features = upsample(features)
            features = self._blocks(features, len(widths))
        images = _convolution(image_shape[-1], name="images")(features)
        return keras.Model(z, images, name="generator")

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        """Build the discriminator.

        Raises:
            GenzooError: if the images do not fit, or a normalisation is asked for.
        """
        if normalization != "none":
            raise GenzooError(
                f"the r3gan networks have no normalisation, so that {normalization} has no place "
                "in them; take discriminator_normalization='none', or architecture='residual'"
            )
        size = square_size(image_shape)
        widths, (base, _) = self.widths(size)[::-1], doublings(size)
        images = keras.Input(image_shape, name="images")
        features = _convolution(widths[0])(images)
        for index, width in enumerate(widths):
            if index:
                features = downsample(features)
                if width != features.shape[-1]:
                    features = _convolution(width)(features)
            features = self._blocks(features, len(widths))
        # Keras would count the channels into the numbers that flow into one.
        initializer = keras.initializers.RandomNormal(stddev=1 / base)
        features = keras.layers.DepthwiseConv2D(
            base, use_bias=False, depthwise_initializer=initializer, **LAST
        )(features)
        features = keras.layers.Flatten(**LAST)(features)
        logits = _dense(1, name="logits")(features)
        return keras.Model(images, logits, name="discriminator")

    def _blocks(self, features: Tensor, stages: int) -> Tensor:
        for _ in range(self.stage_blocks):
            features = residual_block(features, self.group_filters, stages * self.stage_blocks)
        return features


def residual_block(features: Tensor, group_filters: int, blocks: int) -> Tensor:
    """Return features plus 1x1, grouped 3x3 and 1x1 convolutions of them; at first plus nothing.

    Args:
        features: ``(batch, h, w, channels)``.
        group_filters: channels of a group.
        blocks: number of blocks in the network, of which the sum must not grow (1901.09321).
    """
    width = features.shape[-1]
    gain = GAIN * blocks**-0.25
    branch = _convolution(2 * width, gain, use_bias=True)(features)
    branch = keras.layers.LeakyReLU(SLOPE)(branch)
    branch = GroupedConv2D(
        2 * width,
        3,
        padding="same",
        groups=2 * width // group_filters,
        kernel_initializer=_normal(gain),
        **LAST,
    )(branch)
    branch = keras.layers.LeakyReLU(SLOPE)(branch)
    branch = _convolution(width, 0.0)(branch)
    return keras.layers.Add()([features, branch])


def downsample(features):
    """Return features of half the size, blurred by [1, 3, 3, 1] / 8 in both directions.

    Means of 2 pixels after each other give that blur, and have fast gradients.
    """
    features = keras.layers.ZeroPadding2D(1, **LAST)(features)
    for stride in (1, 1, 2):
        features = keras.layers.AveragePooling2D(2, stride, **LAST)(features)
    return features


def upsample(features):
    """Return features of twice the size, interpolated by [1, 3, 3, 1] / 4 in both directions."""
    features = keras.layers.UpSampling2D(2, **LAST)(features)
    features = keras.layers.ZeroPadding2D(1, **LAST)(features)
    for _ in range(2):
        features = keras.layers.AveragePooling2D(2, 1, **LAST)(features)
    return features


def _dense(units: int, **options: Any) -> keras.layers.Layer:
    return keras.layers.Dense(units, use_bias=False, kernel_initializer=_normal(1.0), **options)


def _convolution(
    filters: int, gain: float = 1.0, use_bias: bool = False, **options: Any
) -> keras.layers.Layer:
    return keras.layers.Conv2D(
        filters, 1, use_bias=use_bias, kernel_initializer=_normal(gain), **LAST, **options
    )


def _normal(gain: float) -> keras.initializers.Initializer:
    """Return N(0, gain / sqrt(fan_in)), one for each layer."""
    if not gain:
        return keras.initializers.Zeros()
    return keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal")
