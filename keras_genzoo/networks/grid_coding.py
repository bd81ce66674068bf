"""Convolutional encoders and decoders between images and grids of features (1711.00937)."""

import sys
from typing import Annotated, Any

import keras

from keras_genzoo.arguments import AT_LEAST_1, NOT_NEGATIVE
from keras_genzoo.errors import GenzooError
from keras_genzoo.networks.architectures import AutoencoderArchitecture, check_at_least_1
from keras_genzoo.networks.convolutional import LAST

Shape = tuple[int, int, int]


class ConvolutionalGrid(AutoencoderArchitecture):
    """Strided convolutions to a grid, residual blocks on it, and transposed convolutions back.

    Args:
        filters: channels of the grid; half as many before the last halving.
        halvings: how often height and width are halved.
        residual_blocks: residual blocks of the encoder, and of the decoder.

    Raises:
        GenzooError: if a number is out of its bound.

    >>> ConvolutionalGrid(8).encoder((28, 28, 1), 4).output_shape
    (None, 7, 7, 4)
    """

    def __init__(
        self,
        filters: Annotated[int, AT_LEAST_1] = 64,
        halvings: Annotated[int, AT_LEAST_1] = 2,
        residual_blocks: Annotated[int, NOT_NEGATIVE] = 2,
    ):
        check_at_least_1(filters=filters, halvings=halvings)
        self.filters, self.halvings = filters, halvings
        self.residual_blocks = residual_blocks

    def widest(self, image_shape, latent_dim):
        """Return the most channels of a layer; very many halvings are measured always."""
        return max(image_shape[-1], latent_dim, self.filters) if self.halvings < 16 else sys.maxsize

    def encoder(self, image_shape, latent_dim, *, gaussian=False, synchronized=False):
        """Build images ``(batch, *image_shape)`` -> ``(batch, rows, columns, latent_dim)``.

        Raises:
            GenzooError: if the images cannot be halved so often.
        """
        check_halvings(image_shape, self.halvings)
        images = keras.Input(image_shape, name="images")
        features = images
        for level in range(self.halvings):
            features = keras.layers.Conv2D(self._width(level + 1), 4, strides=2, **_relu(), **LAST)(
                features
            )
        features = self._residual(_conv(self.filters, 3)(features))
        outputs = _conv(latent_dim, 1, name="features")(features)
        return keras.Model(images, outputs, name="encoder")

    def decoder(self, image_shape, latent_dim, *, synchronized=False):
        """Build ``(batch, rows, columns, latent_dim)`` -> logits ``(batch, *image_shape)``.

        Raises:
            GenzooError: if the images cannot be halved so often.
        """
        rows, columns = check_halvings(image_shape, self.halvings)
        grid = keras.Input((rows, columns, latent_dim), name="vectors")
        features = self._residual(_conv(self.filters, 3)(grid))
        for level in reversed(range(1, self.halvings)):
            features = keras.layers.Conv2DTranspose(
                self._width(level), 4, strides=2, **_relu(), **LAST
            )(features)
        logits = keras.layers.Conv2DTranspose(
            image_shape[-1], 4, strides=2, padding="same", name="logits", **LAST
        )(features)
        return keras.Model(grid, logits, name="decoder")

    def _width(self, level: int) -> int:
        return self.filters if level == self.halvings else max(1, self.filters // 2)

    def _residual(self, features):
        for _ in range(self.residual_blocks):
            branch = _conv(max(1, self.filters // 2), 3)(keras.layers.ReLU()(features))
            branch = _conv(self.filters, 1)(keras.layers.ReLU()(branch))
            features = keras.layers.Add()([features, branch])
        return keras.layers.ReLU()(features)


def check_halvings(image_shape: Shape, halvings: int) -> tuple[int, int]:
    """Return rows and columns of the grid of images that are halved so often.

    Raises:
        GenzooError: if height or width does not divide.

    >>> check_halvings((28, 28, 1), 2)
    (7, 7)
    """
    height, width = image_shape[:2]
    step = 2**halvings
    if height % step or width % step:
        raise GenzooError(
            f"images of {height}x{width} cannot be halved {halvings} times: height and width must "
            f"divide by {step}; take another image_size, or fewer halvings"
        )
    return height // step, width // step


def _conv(filters: int, size: int, **options: Any) -> keras.layers.Layer:
    kernel = keras.initializers.HeNormal()
    return keras.layers.Conv2D(
        filters, size, padding="same", kernel_initializer=kernel, **options, **LAST
    )


def _relu() -> dict:
    # A new initializer for each layer, since one returns the same values at each call.
    kernel = keras.initializers.HeNormal()
    return {"padding": "same", "activation": "relu", "kernel_initializer": kernel}
