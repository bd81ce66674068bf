"""Convolutional encoders and decoders for square images of any size from 8.

They use strided convolutions as DCGAN does, but no batch normalisation, so that the code of an
image does not depend on the other images of its batch.
"""

import keras

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.convolutional import LAST, resolutions, square_size
from keras_genzoo.networks.convolutions import Conv2D, Conv2DTranspose
from keras_genzoo.networks.dense import Shape


def convolutional_encoder(image_shape: Shape, latent_dim: int, filters: int = 32) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [0, 1] -> codes ``(batch, latent_dim)``.

    Args:
        image_shape: ``(size, size, channels)``, with a size of 8 or more.
        latent_dim: size of the code.
        filters: channels of the first layer, doubled at each halving of the size.

    Raises:
        GenzooError: if the images are not square, or smaller than 8.

    >>> convolutional_encoder((28, 28, 1), 2, filters=4).output_shape
    (None, 2)
    """
    images = keras.Input(image_shape, name="images")
    z = keras.layers.Dense(latent_dim, name="z")(_features(images, filters))
    return keras.Model(images, z, name="encoder")


def convolutional_gaussian_encoder(
    image_shape: Shape, latent_dim: int, filters: int = 32
) -> keras.Model:
    """Build images -> the posterior's ``[z_mean, z_log_var]``, each ``(batch, latent_dim)``.

    Args:
        image_shape: as for ``convolutional_encoder``.
        latent_dim: size of the latent vector.
        filters: as for ``convolutional_encoder``.

    Raises:
        GenzooError: if the images are not square, or smaller than 8.

    >>> convolutional_gaussian_encoder((28, 28, 1), 2, filters=4).output_shape
    [(None, 2), (None, 2)]
    """
    images = keras.Input(image_shape, name="images")
    features = _features(images, filters)
    z_mean = keras.layers.Dense(latent_dim, name="z_mean")(features)
    z_log_var = keras.layers.Dense(latent_dim, name="z_log_var")(features)
    return keras.Model(images, [z_mean, z_log_var], name="encoder")


def convolutional_decoder(image_shape: Shape, latent_dim: int, filters: int = 32) -> keras.Model:
    """Build codes ``(batch, latent_dim)`` -> logits ``(batch, *image_shape)``.

    Args:
        image_shape: as for ``convolutional_encoder``.
        latent_dim: size of the code.
        filters: channels of the last hidden layer, doubled towards the input.

    Raises:
        GenzooError: if the images are not square, or smaller than 8.

    >>> convolutional_decoder((64, 64, 3), 10, filters=4).output_shape
    (None, 64, 64, 3)
    """
    *sizes, base = resolutions(square_size(image_shape))
    z = keras.Input((latent_dim,), name="z")
    width = filters * 2 ** (len(sizes) - 1)
    features = keras.layers.Dense(
        base * base * width, activation="relu", kernel_initializer=_he_normal()
    )(z)
    features = keras.layers.Reshape((base, base, width))(features)
    for level in reversed(range(1, len(sizes))):
        features = Conv2DTranspose(
            filters * 2 ** (level - 1),
            activation="relu",
            kernel_initializer=_he_normal(),
            **_doubling(sizes[level]),
        )(features)
    logits = Conv2DTranspose(image_shape[-1], name="logits", **_doubling(sizes[0]))(features)
    return keras.Model(z, logits, name="decoder")


def _features(images: Tensor, filters: int) -> Tensor:
    *sizes, _ = resolutions(square_size(images.shape[1:]))
    features = images
    for level in range(len(sizes)):
        features = Conv2D(
            filters * 2**level,
            4,
            strides=2,
            padding="same",
            activation="relu",
            kernel_initializer=_he_normal(),
            **LAST,
        )(features)
    return keras.layers.Flatten(**LAST)(features)


def _doubling(size: int) -> dict:
    """Return the arguments of the transposed convolution whose output has this size."""
    # An odd size, such as 7, is reached from 4 with output padding; the encoder goes from 7 to 4.
    return {
        "kernel_size": 4,
        "strides": 2,
        "padding": "same",
        "output_padding": size % 2 or None,
        **LAST,
    }


def _he_normal() -> keras.initializers.Initializer:
    # A new one for each layer, since an initializer returns the same values at each call.
    return keras.initializers.HeNormal()
