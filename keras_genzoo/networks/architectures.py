"""Architectures: pairs of networks with their options.

An ``Architecture`` builds the generator and discriminator of a GAN, an ``AutoencoderArchitecture``
the encoder and decoder of an autoencoder.
"""

import math
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import keras

from keras_genzoo.arguments import AT_LEAST_1
from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.networks.convolutional import convolutional_discriminator, convolutional_generator
from keras_genzoo.networks.convolutional_coding import (
    convolutional_decoder,
    convolutional_encoder,
    convolutional_gaussian_encoder,
)
from keras_genzoo.networks.dense import (
    dense_decoder,
    dense_discriminator,
    dense_encoder,
    dense_gaussian_encoder,
    dense_generator,
)
from keras_genzoo.networks.hierarchy import Hierarchy, dense_hierarchy

Shape = tuple[int, int, int]

# Of hidden layers; "gated" multiplies a layer by the sigmoid of another.
ACTIVATIONS = ("relu", "tanh", "gated")


def check_at_least_1(**arguments: int) -> None:
    """Check that arguments are at least 1.

    Raises:
        GenzooError: if one is not, by its name.
    """
    for argument, value in arguments.items():
        if value < 1:
            raise GenzooError(f"{argument} must be at least 1, not {value}")


class Configured:
    """Base class for objects that store each constructor argument in an attribute of its name."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in vars(self).items()
        }


class Architecture(Configured):
    """The networks of a GAN; subclasses implement ``generator`` and ``discriminator``.

    A subclass is declared by the arguments of its constructor, which are those of the models that
    take it, each kept as an attribute of the same name.
    """

    # The default normalisation of the discriminator.
    normalization = "none"
    # Whether ``generator`` takes ``num_classes``, and has batch normalisations that follow the
    # class: so many last numbers of the noise are then a one-hot class.
    class_normalization = False

    def generator(
        self, image_shape: Shape, noise_dim: int, *, synchronized: bool = False
    ) -> keras.Model:
        """Build noise ``(batch, noise_dim)`` -> images ``(batch, *image_shape)`` in [-1, 1].

        Args:
            image_shape: ``(height, width, channels)``.
            noise_dim: size of the noise, including a condition that is joined to it.
            synchronized: take batch statistics over all replicas.
        """
        raise NotImplementedError

    def discriminator(
        self, image_shape: Shape, *, normalization: str, synchronized: bool = False
    ) -> keras.Model:
        """Build images ``(batch, *image_shape)`` in [-1, 1] -> logits ``(batch, 1)``.

        The last layer with weights, a dense one or a convolution, is named ``"logits"``: a
        condition may put another one beside it.

        Args:
            image_shape: ``(height, width, channels)``; the channels of a condition count.
            normalization: a name in ``NORMALIZATIONS``.
            synchronized: take batch statistics over all replicas.
        """
        raise NotImplementedError

    def widest(self, noise_dim: int, discriminator_shape: Shape) -> int:
        """Return the most units or channels of a layer, inputs included.

        If it is large, the memory that the networks need is measured before they are built. The
        default is to measure always.
        """
        return sys.maxsize


class DenseArchitecture(Architecture):
    """Fully connected networks, those of 1406.2661.

    Args:
        generator_units: widths of the generator's hidden layers.
        discriminator_units: widths of the discriminator's hidden layers.

    >>> DenseArchitecture().generator((28, 28, 1), 100).output_shape
    (None, 28, 28, 1)
    """

    def __init__(
        self,
        generator_units: Annotated[Sequence[int], AT_LEAST_1] = (256, 512, 1024),
        discriminator_units: Annotated[Sequence[int], AT_LEAST_1] = (512, 256),
    ):
        self.generator_units = tuple(generator_units)
        self.discriminator_units = tuple(discriminator_units)

    def widest(self, noise_dim, discriminator_shape):
        """Return the most units of a layer, inputs included."""
        inputs = noise_dim, math.prod(discriminator_shape)
        return max(*inputs, *self.generator_units, *self.discriminator_units)

    def generator(self, image_shape, noise_dim, *, synchronized=False):
        """Build the generator, which has no batch normalisation."""
        return dense_generator(image_shape, noise_dim, self.generator_units)

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        """Build the discriminator."""
        return dense_discriminator(
            image_shape,
            self.discriminator_units,
            normalization=normalization,
            synchronized=synchronized,
        )


class ConvolutionalArchitecture(Architecture):
    """The strided convolutions of DCGAN (1511.06434), for square images of 8 pixels or more.

    Args:
        generator_filters: channels of the generator's last hidden layer, doubled towards its
            input.
        discriminator_filters: channels of the discriminator's first layer, doubled at each layer.

    Raises:
        GenzooError: if a number of channels is less than 1.

    >>> ConvolutionalArchitecture(8, 8).generator((16, 16, 1), 100).output_shape
    (None, 16, 16, 1)
    """

    normalization = "batch"
    class_normalization = True

    def __init__(
        self,
        generator_filters: Annotated[int, AT_LEAST_1] = 64,
        discriminator_filters: Annotated[int, AT_LEAST_1] = 64,
    ):
        self.generator_filters = generator_filters
        self.discriminator_filters = discriminator_filters
        check_at_least_1(**vars(self))

    def widest(self, noise_dim, discriminator_shape):
        """Return the most channels of a layer, inputs included."""
        halvings = max(discriminator_shape[:2]) // 4
        deepest = halvings * max(self.generator_filters, self.discriminator_filters)
        return max(noise_dim, discriminator_shape[-1], deepest)

    def generator(self, image_shape, noise_dim, *, num_classes=0, synchronized=False):
        """Build the generator."""
        return convolutional_generator(
            image_shape,
            noise_dim,
            self.generator_filters,
            num_classes=num_classes,
            synchronized=synchronized,
        )

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        """Build the discriminator."""
        return convolutional_discriminator(
            image_shape,
            self.discriminator_filters,
            normalization=normalization,
            synchronized=synchronized,
        )


class AutoencoderArchitecture(Configured):
    """The networks of an autoencoder; subclasses implement ``encoder`` and ``decoder``.

    A subclass is declared by the arguments of its constructor, as an ``Architecture`` is.
    """

    # Whether ``encoder`` takes ``num_classes``: so many last channels of its input are then planes
    # of a one-hot label.
    reads_label_planes = False

    def widest(self, image_shape: Shape, latent_dim: int) -> int:
        """Return the most units or channels of a layer, as ``Architecture.widest`` does."""
        return sys.maxsize

    def encoder(
        self,
        image_shape: Shape,
        latent_dim: int,
        *,
        gaussian: bool = False,
        synchronized: bool = False,
    ) -> keras.Model:
        """Build images ``(batch, *image_shape)`` in [0, 1] -> codes ``(batch, latent_dim)``.

        Args:
            image_shape: ``(height, width, channels)``.
            latent_dim: size of the code.
            gaussian: return ``[z_mean, z_log_var]`` of a Gaussian posterior in place of the code.
            synchronized: take batch statistics, if there are any, over all replicas.
        """
        raise NotImplementedError

    def decoder(
        self, image_shape: Shape, latent_dim: int, *, synchronized: bool = False
    ) -> keras.Model:
        """Build codes ``(batch, latent_dim)`` -> logits ``(batch, *image_shape)``.

        Args:
            image_shape: ``(height, width, channels)``.
            latent_dim: size of the code.
            synchronized: take batch statistics, if there are any, over all replicas.
        """
        raise NotImplementedError

    def hierarchy(
        self, image_shape: Shape, top_dim: int, lower_dim: int, *, num_classes: int = 0
    ) -> Hierarchy:
        """Build what a second level of latents needs: see ``Hierarchy``.

        Args:
            image_shape: ``(height, width, channels)`` of the images alone.
            top_dim: size of the upper code.
            lower_dim: size of the lower code.
            num_classes: label planes behind the images, and one-hot labels behind the codes.

        Raises:
            GenzooError: if the architecture has no such networks, which is the default.
        """
        raise GenzooError(
            f"the architecture {type(self).__name__} has no networks for two levels of latents; "
            "take architecture='gated' or 'dense'"
        )


class DenseAutoencoder(AutoencoderArchitecture):
    """Fully connected networks, those of 1312.6114.

    Args:
        hidden_units: widths of the encoder's hidden layers; the decoder mirrors them.
        activation: activation of the hidden layers.

    Raises:
        GenzooError: if there is no such activation.

    >>> DenseAutoencoder((16,)).decoder((8, 8, 1), 2).output_shape
    (None, 8, 8, 1)
    """

    reads_label_planes = True

    def __init__(
        self,
        hidden_units: Annotated[Sequence[int], AT_LEAST_1] = (512, 256),
        activation: Annotated[str, ACTIVATIONS] = "relu",
    ):
        if activation not in ACTIVATIONS:
            raise unknown("activation", activation, ACTIVATIONS)
        self.hidden_units, self.activation = tuple(hidden_units), activation

    def widest(self, image_shape, latent_dim):
        """Return the most units of a layer, inputs and outputs included."""
        return max(math.prod(image_shape), latent_dim, *self.hidden_units)

    def encoder(
        self, image_shape, latent_dim, *, gaussian=False, num_classes=0, synchronized=False
    ):
        """Build the encoder."""
        layers = self.hidden_units, self.activation
        if not gaussian:
            return dense_encoder(image_shape, latent_dim, *layers)
        return dense_gaussian_encoder(image_shape, latent_dim, *layers, num_classes)

    def decoder(self, image_shape, latent_dim, *, synchronized=False):
        """Build the decoder."""
        return dense_decoder(image_shape, latent_dim, self.hidden_units[::-1], self.activation)

    def hierarchy(self, image_shape, top_dim, lower_dim, *, num_classes=0):
        """Build the networks of the lower level, and the decoder."""
        return dense_hierarchy(
            image_shape, top_dim, lower_dim, self.hidden_units, self.activation, num_classes
        )


class GatedAutoencoder(DenseAutoencoder):
    """Fully connected networks of gated layers, those of VampPrior (1705.07120).

    Args:
        hidden_units: widths of the encoder's hidden layers; the decoder mirrors them.
        activation: activation of the hidden layers.

    >>> GatedAutoencoder((16,)).encoder((8, 8, 1), 2).count_params()
    2114
    """

    def __init__(
        self,
        hidden_units: Annotated[Sequence[int], AT_LEAST_1] = (300, 300),
        activation: Annotated[str, ACTIVATIONS] = "gated",
    ):
        super().__init__(hidden_units, activation)


class ConvolutionalAutoencoder(AutoencoderArchitecture):
    """Strided convolutions, for square images of 8 pixels or more.

    Args:
        filters: channels of the encoder's first layer, doubled at each halving of the size; the
            decoder mirrors them.

    Raises:
        GenzooError: if the number of channels is less than 1.

    >>> ConvolutionalAutoencoder(4).decoder((16, 16, 3), 2).output_shape
    (None, 16, 16, 3)
    """

    def __init__(self, filters: Annotated[int, AT_LEAST_1] = 32):
        check_at_least_1(filters=filters)
        self.filters = filters

    def widest(self, image_shape, latent_dim):
        """Return the most channels of a layer, inputs and codes included."""
        return max(image_shape[-1], latent_dim, max(image_shape[:2]) // 4 * self.filters)

    def encoder(self, image_shape, latent_dim, *, gaussian=False, synchronized=False):
        """Build the encoder."""
        build = convolutional_gaussian_encoder if gaussian else convolutional_encoder
        return build(image_shape, latent_dim, self.filters)

    def decoder(self, image_shape, latent_dim, *, synchronized=False):
        """Build the decoder."""
        return convolutional_decoder(image_shape, latent_dim, self.filters)
