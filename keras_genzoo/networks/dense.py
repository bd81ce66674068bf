"""Fully connected networks for small images: those of autoencoders, VAEs and the original GAN."""

import math
from collections.abc import Sequence

import keras

from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.randomness import Dropout
from keras_genzoo.networks.registry import NORMALIZATIONS

Shape = tuple[int, int, int]


def dense_encoder(
    image_shape: Shape,
    latent_dim: int,
    hidden_units: Sequence[int] = (512, 256),
    activation: str = "relu",
) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [0, 1] -> codes ``(batch, latent_dim)``.

    >>> dense_encoder((28, 28, 1), 2).output_shape
    (None, 2)
    """
    images = keras.Input(image_shape, name="images")
    z = keras.layers.Dense(latent_dim, name="z")(dense_layers(images, hidden_units, activation))
    return keras.Model(images, z, name="encoder")


def dense_gaussian_encoder(
    image_shape: Shape,
    latent_dim: int,
    hidden_units: Sequence[int] = (512, 256),
    activation: str = "relu",
    num_classes: int = 0,
) -> keras.Model:
    """Build images -> the posterior's ``[z_mean, z_log_var]``, each ``(batch, latent_dim)``.

    Args:
        image_shape: ``(height, width, channels)``; the channels of label planes count.
        latent_dim: size of the latent vector.
        hidden_units: widths of the hidden layers.
        activation: that of the hidden layers; ``"gated"`` is as in ``dense_layers``.
        num_classes: so many last channels are label planes, each of which is one number: only its
            first pixel is read.

    >>> dense_gaussian_encoder((28, 28, 1), 2).output_shape
    [(None, 2), (None, 2)]
    """
    images = keras.Input(image_shape, name="images")
    features = dense_layers(without_planes(images, num_classes), hidden_units, activation)
    z_mean = keras.layers.Dense(latent_dim, name="z_mean")(features)
    z_log_var = keras.layers.Dense(latent_dim, name="z_log_var")(features)
    return keras.Model(images, [z_mean, z_log_var], name="encoder")


def dense_decoder(
    image_shape: Shape,
    latent_dim: int,
    hidden_units: Sequence[int] = (256, 512),
    activation: str = "relu",
) -> keras.Model:
    """Build codes ``(batch, latent_dim)`` -> logits ``(batch, *image_shape)``.

    >>> dense_decoder((28, 28, 1), 2).output_shape
    (None, 28, 28, 1)
    """
    z = keras.Input((latent_dim,), name="z")
    features = dense_layers(z, hidden_units, activation)
    logits = keras.layers.Dense(math.prod(image_shape), name="logits")(features)
    return keras.Model(z, keras.layers.Reshape(image_shape)(logits), name="decoder")


def dense_generator(
    image_shape: Shape, latent_dim: int, hidden_units: Sequence[int] = (256, 512, 1024)
) -> keras.Model:
    """Build noise ``(batch, latent_dim)`` -> images ``(batch, *image_shape)`` in [-1, 1].

    >>> dense_generator((28, 28, 1), 100).output_shape
    (None, 28, 28, 1)
    """
    z = keras.Input((latent_dim,), name="z")
    features = dense_layers(z, hidden_units, "leaky_relu")
    images = keras.layers.Dense(math.prod(image_shape), activation="tanh", name="images")(features)
    return keras.Model(z, keras.layers.Reshape(image_shape)(images), name="generator")


def dense_discriminator(
    image_shape: Shape,
    hidden_units: Sequence[int] = (512, 256),
    dropout: float = 0.3,
    *,
    normalization: str = "none",
    synchronized: bool = False,
) -> keras.Model:
    """Build images ``(batch, *image_shape)`` in [-1, 1] -> logits ``(batch, 1)``.

    Dropout keeps the discriminator from becoming perfect early in training (1406.2661, section 5).

    Args:
        image_shape: ``(height, width, channels)``; the channels of a condition count.
        hidden_units: widths of the hidden layers.
        dropout: share of the features that dropout sets to 0 in training.
        normalization: a name in ``NORMALIZATIONS``.
        synchronized: take batch statistics over all replicas.

    Raises:
        GenzooError: if the normalisation is unknown.

    >>> dense_discriminator((28, 28, 1)).output_shape
    (None, 1)
    """
    images = keras.Input(image_shape, name="images")
    features = keras.layers.Flatten(data_format="channels_last")(images)
    kind = NORMALIZATIONS[normalization]
    for units in hidden_units:
        features = kind.dense(units, use_bias=not kind.replaces_bias)(features)
        if kind.after:
            features = kind.after(synchronized)(features)
        features = keras.layers.LeakyReLU(0.2)(features)
        features = Dropout(dropout)(features)
    return keras.Model(images, kind.dense(1, name="logits")(features), name="discriminator")


def dense_layers(features: Tensor, hidden_units: Sequence[int], activation: str) -> Tensor:
    """Return what hidden layers make of features, which are flattened first.

    Args:
        features: a Keras tensor.
        hidden_units: widths of the layers.
        activation: name of a Keras activation; or ``"gated"``: two layers of that width, one
            multiplied by the sigmoid of the other (1612.08083), as one layer of twice the width.
    """
    features = keras.layers.Flatten(data_format="channels_last")(features)
    for units in hidden_units:
        if activation == "gated":
            # Not activation="glu": Keras 3.15 takes its width to be that of the layer.
            values, gates = keras.ops.split(keras.layers.Dense(2 * units)(features), 2, axis=-1)
            features = values * keras.ops.sigmoid(gates)
        else:
            features = keras.layers.Dense(units, activation=activation)(features)
    return features


def without_planes(images: Tensor, num_classes: int) -> Tensor:
    """Return the pixels of images, flat, and one number of each label plane behind them."""
    if not num_classes:
        return images
    channels = images.shape[-1] - num_classes
    pixels = keras.layers.Flatten(data_format="channels_last")(images[..., :channels])
    return keras.ops.concatenate([pixels, images[:, 0, 0, channels:]], axis=-1)
