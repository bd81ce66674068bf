"""SNGAN (1802.05957): residual networks, spectral normalisation and the hinge loss."""

from typing import ClassVar

import keras

from keras_genzoo.models.base import OptimizerDefaults
from keras_genzoo.models.gan import GAN


@keras.saving.register_keras_serializable("keras_genzoo")
class SNGAN(GAN):
    """A GAN of residual networks whose discriminator is normalised by its spectral norms.

    Args:
        *args: as for ``GAN``.
        architecture: as for ``GAN``, whose arguments all are taken.
        **arguments: as for ``GAN``; ``generator_filters``, ``discriminator_filters`` and
            ``channel_growth`` are those of ``ResidualArchitecture``.

    Raises:
        GenzooError: if the networks cannot make such images, or an argument is not usable.

    >>> model = SNGAN((16, 16, 1), generator_filters=8, discriminator_filters=8)
    >>> model.compile()
    >>> model.get_compile_config()["loss"], model.discriminator_steps
    ('hinge', 5)
    """

    optimizer_defaults: ClassVar[OptimizerDefaults] = {
        "generator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9},
        "discriminator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.9},
    }

    def __init__(self, *args, architecture="residual", **arguments):
        super().__init__(*args, architecture=architecture, **arguments)

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="hinge",
        discriminator_steps=5,
        **arguments,
    ):
        """Compile as ``GAN.compile`` does, with the paper's defaults."""
        super().compile(
            *(generator_optimizer, discriminator_optimizer, loss, discriminator_steps),
            **arguments,
        )
