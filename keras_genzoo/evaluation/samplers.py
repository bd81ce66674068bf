"""Distributions fitted to an autoencoder's codes, to draw new codes from (1903.12436, section 4).

A plain autoencoder's codes do not follow N(0, I); a fitted distribution lies where they do.
"""

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.checking import check_features
from keras_genzoo.registry import Registry


class MixtureSampler:
    """A mixture of Gaussians with full covariances, fitted by expectation maximisation.

    Args:
        codes: the codes of training images, ``(n, *latent_shape)``.
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

        codes = np.asarray(codes)
        self.latent_shape = codes.shape[1:]
        [flat] = check_features(codes.reshape(len(codes), -1), at_least=max(2, components))
        self.mixture = GaussianMixture(components, random_state=seed).fit(flat)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """Return ``n`` codes in random order, float32 ``(n, *latent_shape)``."""
        if n < 1:
            raise GenzooError(f"the number of images must be at least 1, not {n}")
        flat, _ = self.mixture.set_params(random_state=seed).sample(n)
        # scikit-learn returns them component by component.
        flat = np.random.default_rng(seed).permutation(flat)
        return flat.astype("float32").reshape(n, *self.latent_shape)


class GaussianSampler(MixtureSampler):
    """One Gaussian with the mean and the covariance of the codes."""

    def __init__(self, codes: np.ndarray, seed: int = 0):
        super().__init__(codes, seed, components=1)


SAMPLERS = Registry("sampler", {"gaussian": GaussianSampler, "mixture": MixtureSampler})
