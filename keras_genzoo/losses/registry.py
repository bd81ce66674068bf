"""The losses by name; listing them imports neither Keras nor TensorFlow.

>>> list(ADVERSARIAL_LOSSES)
['non_saturating', 'minimax', 'least_squares', 'hinge', 'wasserstein', 'relativistic']
"""

from keras_genzoo.registry import Registry

# Each entry is an ``AdversarialLoss``.
ADVERSARIAL_LOSSES = Registry(
    "adversarial loss",
    {
        "non_saturating": "keras_genzoo.losses.adversarial:NON_SATURATING",
        "minimax": "keras_genzoo.losses.adversarial:MINIMAX",
        "least_squares": "keras_genzoo.losses.adversarial:LEAST_SQUARES",
        "hinge": "keras_genzoo.losses.adversarial:HINGE",
        "wasserstein": "keras_genzoo.losses.adversarial:WASSERSTEIN",
        "relativistic": "keras_genzoo.losses.adversarial:RELATIVISTIC",
    },
)

# Each entry is a class whose objects are ``Penalty``.
PENALTIES = Registry(
    "penalty",
    {
        "wgan_gp": "keras_genzoo.losses.penalties:GradientPenalty",
        "r1": "keras_genzoo.losses.penalties:R1",
        "r2": "keras_genzoo.losses.penalties:R2",
        "r1+r2": "keras_genzoo.losses.penalties:R1R2",
    },
    prefix="penalty_",
)

# Each entry is a ``ReconstructionLoss``.
RECONSTRUCTION_LOSSES = Registry(
    "reconstruction loss",
    {
        "bernoulli": "keras_genzoo.losses.likelihoods:BERNOULLI",
        "squared_error": "keras_genzoo.losses.likelihoods:SQUARED_ERROR",
        "gaussian": "keras_genzoo.losses.likelihoods:GAUSSIAN",
        "continuous_bernoulli": "keras_genzoo.losses.likelihoods:CONTINUOUS_BERNOULLI",
    },
)
