"""The losses by name; listing them imports neither Keras nor TensorFlow.

>>> list(ADVERSARIAL_LOSSES)
['non_saturating', 'minimax', 'least_squares', 'hinge']
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
    },
)

# Each entry is a function of (images, logits) with one value an example.
RECONSTRUCTION_LOSSES = Registry(
    "reconstruction loss",
    {
        "bernoulli": "keras_genzoo.losses.reconstruction:bernoulli_loss",
        "squared_error": "keras_genzoo.losses.reconstruction:squared_error_loss",
    },
)
