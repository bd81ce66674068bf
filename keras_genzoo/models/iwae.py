"""The importance-weighted autoencoder (1509.00519)."""

import keras

from keras_genzoo.models.vae import VAE


@keras.saving.register_keras_serializable("keras_genzoo")
class IWAE(VAE):
    """A VAE that maximises the importance-weighted bound of several draws.

    Args:
        *args: as for ``VAE``.
        objective: as for ``VAE``.
        num_samples: draws of z for each image, K of the bound.
        **arguments: as for ``VAE``.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = IWAE((8, 8, 1), latent_dim=2, hidden_units=(16,), gradient="dreg")
    >>> model.generate(4, seed=1).shape
    (4, 8, 8, 1)
    """

    def __init__(self, *args, objective="iwae", num_samples=5, **arguments):
        super().__init__(*args, objective=objective, num_samples=num_samples, **arguments)
