"""DCGAN (1511.06434), chapter 6: the GAN with convolutional networks by the six rules."""

from typing import Any

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.base import ImageShape
from keras_genzoo.models.gan import GAN
from keras_genzoo.networks import convolutional_discriminator, convolutional_generator


@keras.saving.register_keras_serializable("keras_genzoo")
class DCGAN(GAN):
    """A GAN of strided convolutions, for square images of 8 pixels or more.

    Args:
        image_shape: ``(size, size, channels)``: 28, 32, 64, 128, or any other size from 8.
        latent_dim: size of the noise z ~ N(0, I).
        generator_filters: channels of the generator's last hidden layer, doubled towards its
            input.
        discriminator_filters: channels of the discriminator's first layer, doubled at each layer.
        generator: a person's own network, ``(batch, latent_dim)`` -> images in [-1, 1].
        discriminator: a person's own network, images in [-1, 1] -> logits ``(batch, 1)``.
        ema_decay: as in ``GAN``.
        seed: key of the training noise.
        name: name of the Keras model.

    Raises:
        GenzooError: if the images are not square or too small, or an argument is not usable.

    >>> DCGAN((16, 16, 1), generator_filters=8, discriminator_filters=8).generate(2, seed=0).shape
    (2, 16, 16, 1)
    """

    def __init__(
        self,
        image_shape: ImageShape = (28, 28, 1),
        latent_dim: int = 100,
        *,
        generator_filters: int = 64,
        discriminator_filters: int = 64,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        ema_decay: float = 0.0,
        seed: int = 0,
        name: str | None = None,
        **kwargs,
    ):
        self._filters = {
            "generator_filters": generator_filters,
            "discriminator_filters": discriminator_filters,
        }
        for argument, filters in self._filters.items():
            if filters < 1:
                raise GenzooError(f"{argument} must be at least 1, not {filters}")
        super().__init__(
            image_shape,
            latent_dim,
            generator=generator,
            discriminator=discriminator,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
            **kwargs,
        )

    @property
    def widest(self) -> int:
        """The most channels of a layer of the default networks, inputs included."""
        halvings = max(self.image_shape[:2]) // 4
        deepest = halvings * max(self._filters.values())
        return max(self.noise_dim, self.discriminator_shape[-1], deepest)

    def default_generator(self) -> keras.Model:
        """Build the generator that is taken when a person brings none."""
        return convolutional_generator(
            self.image_shape,
            self.noise_dim,
            self._filters["generator_filters"],
            synchronized=self.num_replicas > 1,
        )

    def default_discriminator(self) -> keras.Model:
        """Build the discriminator that is taken when a person brings none."""
        return convolutional_discriminator(
            self.discriminator_shape,
            self._filters["discriminator_filters"],
            synchronized=self.num_replicas > 1,
        )

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument; own networks are serialised with it."""
        config = super().get_config()
        del config["generator_units"], config["discriminator_units"]
        return {**config, **self._filters}
