"""AC-GAN (1610.09585): a conditional DCGAN whose discriminator also names the class."""

import keras

from keras_genzoo.models.cgan import CGAN


@keras.saving.register_keras_serializable("keras_genzoo")
class ACGAN(CGAN):
    """A conditional DCGAN with an auxiliary classifier.

    Args:
        *args: as for ``GAN``.
        conditioning: as for ``GAN``.
        **arguments: as for ``CGAN``.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> model = ACGAN((16, 16, 1), num_classes=3, generator_filters=8, discriminator_filters=8)
    >>> model.discriminator.output_shape
    (None, 4)
    """

    def __init__(self, *args, conditioning="auxiliary_classifier", **arguments):
        super().__init__(*args, conditioning=conditioning, **arguments)
