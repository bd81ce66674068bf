"""Losses and divergences: pure functions of logits and parameters, computed in float32.

They use only ``keras.ops`` and do not depend on TensorFlow. When a loss is applied, and which
network it trains, is decided in ``models``. Importing this package does not import Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "adversarial": [
            "LOG_4",
            "AdversarialLoss",
            "adversarial_value",
            "discriminator_loss",
            "hinge_discriminator_loss",
            "hinge_generator_loss",
            "jensen_shannon_estimate",
            "least_squares_discriminator_loss",
            "least_squares_generator_loss",
            "logit_score",
            "minimax_generator_loss",
            "non_saturating_generator_loss",
            "optimal_discriminator",
            "optimal_logits",
            "optimal_value",
            "probability_score",
            "relativistic_discriminator_loss",
            "relativistic_generator_loss",
            "wasserstein_discriminator_loss",
            "wasserstein_estimate",
        ],
        "divergence": [
            "diagonal_gaussian_kl",
            "diagonal_gaussian_kl_terms",
            "elbo",
            "gaussian_kl",
            "jensen_shannon_divergence",
            "kl_divergence",
            "mean_log_likelihood",
            "monte_carlo_kl",
            "reparameterize",
        ],
        "importance": ["importance_weighted_bound", "normalized_weights"],
        "likelihoods": [
            "LEAST_LOG_SIGMA",
            "Bernoulli",
            "ContinuousBernoulli",
            "Gaussian",
            "ReconstructionLoss",
            "SquaredError",
            "least_log_sigma",
        ],
        "penalties": [
            "Critic",
            "Draw",
            "GradientPenalty",
            "Penalty",
            "R1",
            "R1R2",
            "R2",
            "ZeroCentredPenalty",
            "squared_norms",
        ],
        "reconstruction": [
            "bernoulli_loss",
            "continuous_bernoulli_loss",
            "continuous_bernoulli_mean",
            "gaussian_loss",
            "squared_error_loss",
        ],
        "registry": ["ADVERSARIAL_LOSSES", "PENALTIES", "RECONSTRUCTION_LOSSES"],
    },
)
