"""The networks of DCGAN (1511.06434) for square images of any size from 8.

The six rules: strided convolutions in place of pooling, no dense layers, batch normalisation
except at the generator's output and the discriminator's input, ReLU and a final tanh in the
generator, LeakyReLU in the discriminator, images in [-1, 1].
"""

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks.convolutions import Conv2DTranspose
from keras_genzoo.networks.normalization import class_batch_normalization
from keras_genzoo.networks.registry import NORMALIZATIONS

Shape = tuple[int, int, int]

# Images are that in all of the zoo, whatever ``keras.config.image_data_format`` says.
LAST = {"data_format": "channels_last"}


def resolutions(size: int) -> list[int]:
    """Return the sizes that an image goes through, halved (rounded up) down to 3 or 4.

    Raises:
        GenzooError: if the size is below 8.

    >>> resolutions(28), resolutions(64)
    ([28, 14, 7, 4], [64, 32, 16, 8, 4])
    """
    if size < 8:
        raise GenzooError(
            f"the convolutional networks cannot make {size}x{size} images: take a size of 8 or more"
        )
    sizes = [size]
    while sizes[-1] > 4:
        sizes.append((sizes[-1] + 1) // 2)
    return sizes


def convolutional_generator(
    image_shape: Shape,
    latent_dim: int,
    filters: int = 64,
    *,
    num_classes: int = 0,
    synchronized: bool = False,
) -> keras.Model:
    """Build noise ``(batch, latent_dim)`` -> images ``(batch, *image_shape)`` in [-1, 1].

    Args:
        image_shape: ``(size, size, channels)``, with a size of 8 or more.
        latent_dim: size of the noise (with its condition, if it has one).
        filters: channels of the last hidden layer, doubled towards the input.
        num_classes: if not 0, so many last numbers of the noise are a one-hot class, which the
            batch normalisations follow, and nothing else sees.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the images are not square, or smaller than 8.

    >>> convolutional_generator((64, 64, 3), 100).output_shape
    (None, 64, 64, 3)
    """
    *sizes, base = resolutions(square_size(image_shape))
    noise = keras.Input((latent_dim,), name="z")
    z, normalize = class_batch_normalization(noise, num_classes, synchronized)
    features = keras.layers.Reshape((1, 1, z.shape[-1]))(z)
    features = Conv2DTranspose(
        filters * 2 ** (len(sizes) - 1), base, use_bias=False, kernel_initializer=_normal(), **LAST
    )(features)
    features = keras.layers.ReLU()(normalize(features))
    for level in reversed(range(1, len(sizes))):
        features = Conv2DTranspose(
            filters * 2 ** (level - 1),
            4,
            strides=2,
            padding="same",
            # From 4 to 7, where the discriminator goes from 7 to 4.
            output_padding=sizes[level] % 2 or None,
            use_bias=False,
            kernel_initializer=_normal(),
            **LAST,
        )(features)
        features = keras.layers.ReLU()(normalize(features))
    images = Conv2DTranspose(
        image_shape[-1],
        4,
        strides=2,
        padding="same",
        output_padding=sizes[0] % 2 or None,
        activation="tanh",
        name="images",
        kernel_initializer=_normal(),
        **LAST,
    )(features)
    return keras.Model(noise, images, name="generator")


def convolutional_discriminator(
    image_shape: Shape,
    filters: int = 64,
    *,
    normalization: str = "batch",
    synchronized: bool = False,
) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [-1, 1] -> logits ``(batch, 1)``.

    Args:
        image_shape: ``(size, size, channels)``; the channels of a condition count.
        filters: channels of the first layer, doubled at each halving of the size.
        normalization: a name in ``NORMALIZATIONS``; the paper's is ``"batch"``.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the images are not square, or smaller than 8, or the normalisation is
            unknown.

    >>> convolutional_discriminator((28, 28, 1)).output_shape
    (None, 1)
    """
    *sizes, base = resolutions(square_size(image_shape))
    kind = NORMALIZATIONS[normalization]
    images = keras.Input(image_shape, name="images")
    features = images
    for level in range(len(sizes)):
        features = kind.convolution(
            filters * 2**level,
            4,
            strides=2,
            padding="same",
            use_bias=level == 0 or not kind.replaces_bias,
            kernel_initializer=_normal(),
            **LAST,
        )(features)
        if level > 0 and kind.after:
            features = kind.after(synchronized)(features)
        features = keras.layers.LeakyReLU(0.2)(features)
    logits = kind.convolution(1, base, name="logits", kernel_initializer=_normal(), **LAST)(
        features
    )
    return keras.Model(images, keras.layers.Flatten(**LAST)(logits), name="discriminator")


def _normal() -> keras.initializers.Initializer:
    # One for each layer: an initializer draws the same values every time it is called.
    return keras.initializers.RandomNormal(stddev=0.02)


def square_size(image_shape: Shape) -> int:
    """Return the height and width of square images.

    Raises:
        GenzooError: if the images are not square.

    >>> square_size((28, 28, 1))
    28
    """
    height, width, _ = image_shape
    if height != width:
        raise GenzooError(
            f"the convolutional networks make square images, not {height}x{width}; "
            "crop the images or bring your own networks"
        )
    return height
