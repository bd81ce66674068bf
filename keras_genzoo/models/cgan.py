"""The conditional GAN (1411.1784), chapter 7: DCGAN's networks with class labels."""

import keras

from keras_genzoo.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("keras_genzoo")
class CGAN(DCGAN):
    """A DCGAN whose networks see the class: one-hot beside the noise, planes beside the image.

    Args:
        *args: as for ``GAN``.
        conditioning: as for ``GAN``.
        num_classes: number of classes; labels are integers from 0.
        **arguments: as for ``DCGAN``.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> model = CGAN((16, 16, 1), num_classes=3, generator_filters=8, discriminator_filters=8)
    >>> model.generate(2, class_labels=[0, 2], seed=0).shape
    (2, 16, 16, 1)
    """

    needs_labels = True

    def __init__(self, *args, conditioning="concat", num_classes=10, **arguments):
        super().__init__(*args, conditioning=conditioning, num_classes=num_classes, **arguments)
