"""LSGAN (1611.04076): a DCGAN that is trained by squared errors."""

import keras

from keras_genzoo.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("keras_genzoo")
class LSGAN(DCGAN):
    """A DCGAN with the least-squares loss, whose arguments are those of ``DCGAN``.

    >>> model = LSGAN((16, 16, 1), generator_filters=8, discriminator_filters=8)
    >>> model.compile()
    >>> model.get_compile_config()["loss"]
    'least_squares'
    """

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="least_squares",
        **arguments,
    ):
        """Compile as ``GAN.compile`` does, with another default loss."""
        super().compile(generator_optimizer, discriminator_optimizer, loss, **arguments)
