"""The networks of DCGAN (1511.06434) for every size that strided convolutions can make.

The six rules: strided convolutions in place of pooling, no dense layers, batch normalisation
except at the generator's output and the discriminator's input, ReLU and a final tanh in the
generator, LeakyReLU in the discriminator, images in [-1, 1].
"""

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks.normalization import BatchNormalization

Shape = tuple[int, int, int]


def upsampling_plan(size: int) -> tuple[int, int]:
    """Return ``(base, doublings)`` with ``base * 2**doublings == size`` and ``base`` from 4 to 7.

    Raises:
        GenzooError: if no such pair exists with at least one doubling; names the nearest sizes.

    >>> upsampling_plan(28), upsampling_plan(64), upsampling_plan(128)
    ((7, 2), (4, 4), (4, 5))
    """
    base, doublings = size, 0
    while base > 7 and base % 2 == 0:
        base, doublings = base // 2, doublings + 1
    if not 4 <= base <= 7 or doublings == 0:
        sizes = sorted(b * 2**k for b in (4, 5, 6, 7) for k in range(1, 9))
        below = [s for s in sizes if s < size][-1:]
        above = [s for s in sizes if s > size][:1]
        nearest = " or ".join(str(s) for s in below + above)
        raise GenzooError(
            f"the convolutional networks cannot make {size}x{size} images: the size must be 4, 5, "
            f"6 or 7 times a power of two; take {nearest}"
        )
    return base, doublings


def convolutional_generator(
    image_shape: Shape,
    latent_dim: int,
    filters: int | None = None,
    *,
    synchronized: bool = False,
) -> keras.Model:
    """Build noise ``(batch, latent_dim)`` -> images ``(batch, *image_shape)`` in [-1, 1].

    Args:
        image_shape: ``(size, size, channels)``, with a size that ``upsampling_plan`` knows.
        latent_dim: size of the noise (with its condition, if it has one).
        filters: channels of the last hidden layer, doubled towards the input; by default 64, and
            128 below 64 pixels.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the images are not square or of a size that cannot be made.

    >>> convolutional_generator((64, 64, 3), 100).output_shape
    (None, 64, 64, 3)
    """
    base, doublings = upsampling_plan(_square(image_shape))
    filters = filters or (64 if image_shape[0] >= 64 else 128)
    z = keras.Input((latent_dim,), name="z")
    features = keras.layers.Reshape((1, 1, latent_dim))(z)
    features = keras.layers.Conv2DTranspose(
        filters * 2 ** (doublings - 1), base, use_bias=False, kernel_initializer=_normal()
    )(features)
    features = _normalised_relu(features, synchronized)
    for level in reversed(range(doublings - 1)):
        features = keras.layers.Conv2DTranspose(
            filters * 2**level,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=_normal(),
        )(features)
        features = _normalised_relu(features, synchronized)
    images = keras.layers.Conv2DTranspose(
        image_shape[-1],
        4,
        strides=2,
        padding="same",
        activation="tanh",
        name="images",
        kernel_initializer=_normal(),
    )(features)
    return keras.Model(z, images, name="generator")


def convolutional_discriminator(
    image_shape: Shape, filters: int = 64, *, synchronized: bool = False
) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [-1, 1] -> logits ``(batch, 1)``.

    Args:
        image_shape: ``(size, size, channels)``; the channels of a condition count.
        filters: channels of the first layer, doubled at each halving of the size.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the images are not square or of a size that cannot be halved down to 4-7.

    >>> convolutional_discriminator((28, 28, 1)).output_shape
    (None, 1)
    """
    base, halvings = upsampling_plan(_square(image_shape))
    images = keras.Input(image_shape, name="images")
    features = images
    for level in range(halvings):
        features = keras.layers.Conv2D(
            filters * 2**level,
            4,
            strides=2,
            padding="same",
            use_bias=level == 0,
            kernel_initializer=_normal(),
        )(features)
        if level > 0:
            features = _normalisation(synchronized)(features)
        features = keras.layers.LeakyReLU(0.2)(features)
    logits = keras.layers.Conv2D(1, base, name="logits", kernel_initializer=_normal())(features)
    return keras.Model(images, keras.layers.Flatten()(logits), name="discriminator")


def _normal() -> keras.initializers.Initializer:
    # One for each layer: an initializer draws the same values every time it is called.
    return keras.initializers.RandomNormal(stddev=0.02)


def _square(image_shape: Shape) -> int:
    height, width, _ = image_shape
    if height != width:
        raise GenzooError(
            f"the convolutional networks make square images, not {height}x{width}; "
            "crop the images or bring your own networks"
        )
    return height


def _normalisation(synchronized: bool) -> keras.layers.Layer:
    # A momentum of 0.99 lags hundreds of steps behind a generator that changes every step.
    return BatchNormalization(momentum=0.9, epsilon=1e-5, synchronized=synchronized)


def _normalised_relu(features, synchronized: bool):
    return keras.layers.ReLU()(_normalisation(synchronized)(features))
