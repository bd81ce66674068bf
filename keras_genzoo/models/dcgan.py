"""DCGAN (1511.06434), chapter 6: the GAN with convolutional networks by the six rules."""

import keras

from keras_genzoo.models.gan import GAN


@keras.saving.register_keras_serializable("keras_genzoo")
class DCGAN(GAN):
    """A GAN of strided convolutions, for square images of 8 pixels or more.

    Args:
        *args: as for ``GAN``.
        architecture: as for ``GAN``, whose arguments all are taken.
        **arguments: as for ``GAN``; ``generator_filters`` and ``discriminator_filters`` are those
            of ``ConvolutionalArchitecture``.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> DCGAN((16, 16, 1), generator_filters=8, discriminator_filters=8).generate(2, seed=0).shape
    (2, 16, 16, 1)
    """

    def __init__(self, *args, architecture="dcgan", **arguments):
        super().__init__(*args, architecture=architecture, **arguments)
