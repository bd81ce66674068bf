"""WGAN-GP (1704.00028): a DCGAN that is trained by the Wasserstein distance."""

from typing import ClassVar

import keras

from keras_genzoo.models.base import OptimizerDefaults
from keras_genzoo.models.dcgan import DCGAN


@keras.saving.register_keras_serializable("keras_genzoo")
class WGANGP(DCGAN):
    """A DCGAN with the Wasserstein loss, the gradient penalty and 5 updates of D in a step.

    Args:
        *args: as for ``GAN``.
        discriminator_normalization: as for ``GAN``; the paper recommends ``"layer"`` in place of
            batch normalisation, which the penalty excludes.
        **arguments: as for ``DCGAN``.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> model = WGANGP((16, 16, 1), generator_filters=8, discriminator_filters=8)
    >>> model.compile()
    >>> model.discriminator_steps, model.penalty.weight
    (5, 10.0)
    """

    optimizer_defaults: ClassVar[OptimizerDefaults] = {
        "generator_optimizer": {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
        "discriminator_optimizer": {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
    }

    def __init__(self, *args, discriminator_normalization="layer", **arguments):
        super().__init__(
            *args, discriminator_normalization=discriminator_normalization, **arguments
        )

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="wasserstein",
        discriminator_steps=5,
        penalty="wgan_gp",
        **arguments,
    ):
        """Compile as ``GAN.compile`` does, with the paper's defaults."""
        super().compile(
            *(generator_optimizer, discriminator_optimizer, loss, discriminator_steps, penalty),
            **arguments,
        )
