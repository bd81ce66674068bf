"""R3GAN (2501.05441): the relativistic GAN with both zero-centred penalties."""

from typing import ClassVar

import keras

from keras_genzoo.models.base import OptimizerDefaults
from keras_genzoo.models.gan import GAN


@keras.saving.register_keras_serializable("keras_genzoo")
class R3GAN(GAN):
    """A GAN of residual networks without normalisation, whose loss pairs real and fake images.

    Args:
        image_shape: as for ``GAN``.
        latent_dim: size of the latent vector, the noise z ~ N(0, I).
        architecture: as for ``GAN``, whose arguments all are taken.
        **arguments: as for ``GAN``; ``stage_filters``, ``stage_blocks`` and ``group_filters`` are
            those of ``R3GANArchitecture``.

    Raises:
        GenzooError: if the networks cannot make such images, or an argument is not usable.

    >>> model = R3GAN((8, 8, 1), stage_filters=(8,), group_filters=4)
    >>> model.compile()
    >>> model.get_compile_config()["loss"], type(model.penalty).__name__
    ('relativistic', 'R1R2')
    """

    optimizer_defaults: ClassVar[OptimizerDefaults] = {
        "generator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.99},
        "discriminator_optimizer": {"learning_rate": 2e-4, "beta_1": 0.0, "beta_2": 0.99},
    }

    def __init__(
        self, image_shape=(28, 28, 1), latent_dim=64, *, architecture="r3gan", **arguments
    ):
        super().__init__(image_shape, latent_dim, architecture=architecture, **arguments)

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="relativistic",
        discriminator_steps=1,
        penalty="r1+r2",
        **arguments,
    ):
        """Compile as ``GAN.compile`` does, with the paper's loss and penalty."""
        super().compile(
            *(generator_optimizer, discriminator_optimizer, loss, discriminator_steps, penalty),
            **arguments,
        )
