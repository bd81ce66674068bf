"""Distributions fitted to an autoencoder's codes, to draw new codes from (1903.12436, section 4).

They are what N(0, I) is not for a plain autoencoder: where its codes really lie.
"""

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_features
from keras_genzoo.registry import Registry


class MixtureSampler:
    """A mixture of Gaussians with full covariances, fitted by expectation maximisation.

    Args:
        codes: ``(n, latent_dim)``, the codes of training images.
        seed: random seed of the start of the fit.
        components: number of Gaussians.

    Raises:
        GenzooError: if there are fewer codes than components, or not all are finite.

    >>> codes = np.random.default_rng(0).normal(5, 1, (100, 2))
    >>> MixtureSampler(codes, components=1).sample(1000, seed=0).mean().round()
    np.float32(5.0)
    """

    def __init__(self, codes: np.ndarray, seed: int = 0, components: int = 10):
        from sklearn.mixture import GaussianMixture

        [codes] = check_features(codes, at_least=max(2, components))
        self.mixture = GaussianMixture(components, random_state=seed).fit(codes)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """Return ``n`` codes in random order, float32 ``(n, latent_dim)``."""
        if n < 1:
            raise GenzooError(f"the number of images must be at least 1, not {n}")
        rng = np.random.default_rng(seed)
        mixture = self.mixture
        component = rng.choice(len(mixture.weights_), n, p=mixture.weights_)
        noise = rng.standard_normal((n, mixture.means_.shape[1]))
        roots = np.linalg.cholesky(mixture.covariances_)
        codes = mixture.means_[component] + np.einsum("nij,nj->ni", roots[component], noise)
        return codes.astype("float32")


class GaussianSampler(MixtureSampler):
    """One Gaussian with the mean and the covariance of the codes."""

    def __init__(self, codes: np.ndarray, seed: int = 0):
        super().__init__(codes, seed, components=1)


SAMPLERS = Registry("sampler", {"gaussian": GaussianSampler, "mixture": MixtureSampler})
