"""Which losses, penalties and discriminators make sense together."""

import keras

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import AdversarialLoss, Penalty
from keras_genzoo.networks import Augmentation, SpectralConv2D, SpectralDense


def check_combination(
    loss: AdversarialLoss,
    penalty: Penalty | None,
    discriminator: keras.Model,
    augmentation: Augmentation | None = None,
    *,
    own: bool,
) -> None:
    """Check that a loss, a penalty, an augmentation and a discriminator have a meaning together.

    Args:
        loss: the adversarial loss.
        penalty: the penalty, if there is one.
        discriminator: the discriminator.
        augmentation: the augmentation, if there is one.
        own: whether it is a person's own, whose slope may be bounded in another way.

    Raises:
        GenzooError: if batch normalisation makes the logit of an image depend on the others where
            the penalty is each image's own, or nothing bounds the slope that the loss needs
            bounded, or the augmentation follows the sign of logits, which means nothing here.
    """
    adaptive = (
        augmentation is not None
        and getattr(augmentation, "has_probability", False)
        and not augmentation.ramp_steps
    )
    if adaptive and loss.undecided is None:
        raise GenzooError(
            "an adaptive augmentation follows the sign of the logits of real images, and this loss "
            "takes no side by it; take the loss non_saturating, hinge or least_squares, or "
            "ADA(probability=0.3, ramp_steps=10000)"
        )
    layers = list(discriminator._flatten_layers())
    batch = [x.name for x in layers if isinstance(x, keras.layers.BatchNormalization)]
    if penalty is not None and penalty.per_image and batch:
        raise GenzooError(
            f"the penalty {type(penalty).__name__} is of each image alone, and batch normalisation "
            f"(layer '{batch[0]}') mixes the images of a batch in the discriminator; take "
            "discriminator_normalization='layer', 'spectral' or 'none'"
        )
    spectral = any(isinstance(layer, (SpectralConv2D, SpectralDense)) for layer in layers)
    if loss.needs_lipschitz and penalty is None and not spectral and not own:
        raise GenzooError(
            "this loss needs a discriminator of bounded slope; take penalty='wgan_gp' (and "
            "discriminator_normalization='layer' or 'none'), or "
            "discriminator_normalization='spectral' with an architecture that has it"
        )
