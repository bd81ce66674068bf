"""The conditional VAE: a VAE whose encoder and decoder see class labels."""

import keras

from keras_genzoo.models.vae import VAE


@keras.saving.register_keras_serializable("keras_genzoo")
class CVAE(VAE):
    """A VAE of p(x|y), with the class y shown to its encoder and its decoder.

    It is M2 of 1406.5298 where all images have labels, and the conditional VAE of Sohn et al.
    (NIPS 2015) with the prior N(0, I) for each class.

    Args:
        *args: as for ``VAE``.
        conditioning: as for ``VAE``.
        num_classes: number of classes; labels are integers from 0.
        **arguments: as for ``VAE``.

    Raises:
        GenzooError: if an argument is not usable.

    >>> model = CVAE((8, 8, 1), latent_dim=2, num_classes=3, hidden_units=(16,))
    >>> model.generate(2, class_labels=[0, 2], seed=0).shape
    (2, 8, 8, 1)
    """

    needs_labels = True

    def __init__(self, *args, conditioning="concat", num_classes=10, **arguments):
        super().__init__(*args, conditioning=conditioning, num_classes=num_classes, **arguments)
