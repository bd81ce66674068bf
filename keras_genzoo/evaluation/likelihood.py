"""Likelihoods: a model's own estimate, or ELBO, importance-weighted bound and active units.

An ELBO is not a log-likelihood, and numbers under two binarisations cannot be compared: each
result names its own.
"""

import hashlib
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.evaluation.checking import check_at_least_1
from keras_genzoo.losses import RECONSTRUCTION_LOSSES
from keras_genzoo.models import ImageModel
from keras_genzoo.training.waiting import Echo, waiting

# Decode 80 images times 50 draws at a time, so that memory does not grow with n and K.
_IMAGES, _DRAWS = 80, 50
# Units whose mean moves less than this over the data carry nothing (1509.00519, section 5.2).
ACTIVE_VARIANCE = 0.01

BINARIZATIONS = ("grey", "dynamic", "fixed", "threshold")


class Likelihood(NamedTuple):
    """Means over the images in nats, and what they were measured with.

    ``elbo = reconstruction - kl`` with the reconstruction term ``E_q[log p(x|z)]`` estimated by
    ``num_samples`` draws; ``log_likelihood`` is the importance-weighted bound of as many, which
    approaches log p(x) from below. Under a density of grey values, such as a Gaussian, all three
    are of log-densities, which may be positive. A model with an estimate of its own has the
    log-likelihood alone, or the ELBO alone if its estimate is a bound; what it lacks is None.
    ``bits_per_dim`` is of models of the probability of 8-bit images: minus the log-likelihood over
    the number of pixels and colours, in bits. ``given`` says what the likelihood is conditional on:
    ``"classes"`` where a model takes class labels.
    """

    log_likelihood: float | None
    elbo: float | None
    reconstruction: float | None
    kl: float | None
    active_units: int | None
    latent_dim: int | None
    num_samples: int
    binarization: str
    num_images: int
    bits_per_dim: float | None = None
    given: str | None = None


class Bounds(NamedTuple):
    """Bounds of each image, float64 ``(n,)``; ``z_mean`` is ``(n, latent_dim)``, flattened."""

    log_likelihood: np.ndarray
    reconstruction: np.ndarray
    kl: np.ndarray
    z_mean: np.ndarray


def model_likelihood(
    model: ImageModel,
    images: np.ndarray,
    num_samples: int = 500,
    binarization: str | None = None,
    seed: int = 0,
    echo: Echo | None = None,
    class_labels: np.ndarray | None = None,
) -> Likelihood:
    """Return the log-likelihood of uint8 images under a model, and its ELBO if that is the bound.

    Args:
        model: a model that ``has_likelihood``. Its own ``estimate_log_likelihood`` is taken if it
            gives one; otherwise the bounds come from its ``posterior`` and ``log_probability``.
        images: uint8 ``(n, height, width, channels)``; of a model with ``likelihood_images`` no
            more than those are measured.
        num_samples: draws of z for each image (K), of a model without ``likelihood_draws``.
        binarization: how pixels become 0 or 1, as for ``binarized``; by default as in training, or
            else ``"dynamic"`` if the likelihood is of such pixels, ``"grey"`` if it is a density
            of grey values.
        seed: random seed of the draws and of the binarisation.
        echo: called with lines that say how far it is, since it may take minutes.
        class_labels: classes of the images, for a model that needs them: its likelihood is
            ``p(x|y)``.

    Raises:
        GenzooError: if the model has no likelihood, needs the classes of images that have none,
            pixels would become 0 or 1 under a density of grey values, or an argument is not usable.

    >>> from keras_genzoo.models import VAE
    >>> model = VAE((8, 8, 1), latent_dim=2, hidden_units=(16,))
    >>> model.compile()
    >>> result = model_likelihood(model, np.zeros((3, 8, 8, 1), "uint8"), num_samples=10)
    >>> result.elbo <= result.log_likelihood
    True
    """
    if not model.has_likelihood:
        raise GenzooError(
            f"this {type(model).__name__} has no likelihood; it needs {likelihood_needs()}"
        )
    check_at_least_1(num_samples=num_samples, images=len(images))
    is_binary = model.has_binary_likelihood
    binarization = choose_binarization(is_binary, binarization, model.binarize)
    if model.likelihood_images is not None:
        images = images[: model.likelihood_images]
    x = binarized(images, binarization, seed)
    draws = model.likelihood_draws or num_samples
    own = _own_estimate(model, x, draws, seed, echo)
    if own is not None:
        value = float(own.mean())
        if model.estimates_bound:
            return Likelihood(*(None, value, None, None, None, None), draws, binarization, len(x))
        bits = -value / (x[0].size * math.log(2)) if model.has_discrete_likelihood else None
        return Likelihood(*(value, None, None, None, None, None), draws, binarization, len(x), bits)
    given = _given_classes(model, class_labels, len(x))

    def of_rows(method: Callable) -> Callable:
        """Return a method of the model as a function of row numbers, and what else it takes."""

        def at(rows: np.ndarray, *others: Any) -> Any:
            of_class = {} if given is None else {"class_labels": given[rows]}
            return method(x[rows], *others, **of_class)

        return at

    bounds = likelihood_bounds(
        np.arange(len(x)),
        of_rows(model.posterior),
        of_rows(model.log_probability),
        num_samples,
        seed,
        echo,
        None if model.has_gaussian_posterior else of_rows(model.posterior_draws),
    )
    return Likelihood(
        log_likelihood=float(bounds.log_likelihood.mean()),
        elbo=float((bounds.reconstruction - bounds.kl).mean()),
        reconstruction=float(bounds.reconstruction.mean()),
        kl=float(bounds.kl.mean()),
        active_units=active_units(bounds.z_mean),
        latent_dim=bounds.z_mean.shape[1],
        num_samples=num_samples,
        binarization=binarization,
        num_images=len(x),
        given=None if given is None else "classes",
    )


def _given_classes(model: ImageModel, labels: np.ndarray | None, count: int) -> np.ndarray | None:
    """Return the classes that a model's likelihood is conditional on, None if it is not.

    Raises:
        GenzooError: if the model needs classes and the images have none.
    """
    if not model.needs_labels:
        return None
    if labels is None:
        raise GenzooError(
            f"the likelihood of a {type(model).__name__} is that of images given their classes, "
            "and these images have none; measure against images with class labels"
        )
    return model.checked_labels(labels, count)


# The earlier name, from when VAEs were the only models with a likelihood.
vae_likelihood = model_likelihood


def likelihood_needs() -> str:
    """Return in words what gives a model a likelihood."""
    losses = [name for name in RECONSTRUCTION_LOSSES if _is_likelihood(name)]
    return (
        "an estimate of log p(x) of its own, or a posterior and a loss that is a log-likelihood "
        f"({', '.join(losses)})"
    )


def _is_likelihood(name: str) -> bool:
    return RECONSTRUCTION_LOSSES[name].is_log_likelihood


def _own_estimate(
    model: ImageModel, x: np.ndarray, num_samples: int, seed: int, echo: Echo | None
) -> np.ndarray | None:
    """Return the model's own estimate for each image, float64 ``(n,)``; None if it has none."""
    parts = []
    with waiting("log-likelihood", len(x), echo) as show:
        for first in range(0, len(x), _IMAGES):
            rows = x[first : first + _IMAGES]
            estimate = model.estimate_log_likelihood(rows, num_samples, (seed + first) % 2**32)
            if estimate is None:
                return None
            parts.append(np.asarray(keras.ops.convert_to_numpy(estimate), np.float64))
            if parts[-1].shape != (len(rows),):
                raise GenzooError(
                    f"{type(model).__name__}.estimate_log_likelihood gives one number for each "
                    f"image, shape ({len(rows)},), not {parts[-1].shape}"
                )
            show(first + len(rows))
    return np.concatenate(parts)


def choose_binarization(is_binary: bool, asked: str | None, trained: str | None = None) -> str:
    """Return the binarisation asked for, or the one that a likelihood is measured with.

    Args:
        is_binary: whether pixels are 0 or 1 under the likelihood.
        asked: what a person asked for, if anything.
        trained: how pixels became 0 or 1 in training, if they did.

    Raises:
        GenzooError: if pixels would become 0 or 1 under a density of grey values.

    >>> choose_binarization(True, None), choose_binarization(False, None)
    ('dynamic', 'grey')
    """
    if is_binary:
        return asked or trained or "dynamic"
    if asked not in (None, "grey"):
        raise GenzooError(
            "the model's likelihood is a density of grey values, and the binarisation "
            f"'{asked}' leaves only 0 and 1; take 'grey'"
        )
    return "grey"


def likelihood_bounds(
    x: np.ndarray,
    posterior: Callable,
    log_probability: Callable,
    num_samples: int,
    seed: int = 0,
    echo: Echo | None = None,
    draws: Callable | None = None,
) -> Bounds:
    """Return the bounds of each row of x under ``p(x|z) N(z; 0, I)`` with a Gaussian ``q(z|x)``.

    ``log 1/K sum_k p(x|z_k) p(z_k) / q(z_k|x)``, z_k ~ q (1509.00519, equation 8). The draws are
    a function of (seed, number of the row), so batches change nothing.

    Args:
        x: rows of data, ``(n, ...)``.
        posterior: rows -> mean and log-variance of q, each of the shape of a batch of z.
        log_probability: (rows, z) -> log p(x|z), shape ``(batch,)``.
        num_samples: K.
        seed: random seed of the draws.
        echo: called with lines that say how far it is.
        draws: of a q(z|x) that is not that Gaussian, (rows, noise ``(batch, draws, ...)``) -> z and
            ``log p(z) - log q(z|x)``; the divergence is then the mean of the latter, negated.

    Raises:
        GenzooError: if there are no rows, or ``num_samples`` is below 1.
    """
    check_at_least_1(num_samples=num_samples, rows=len(x))
    parts = []
    with waiting("log-likelihood", len(x), echo) as show:
        for first in range(0, len(x), _IMAGES):
            rows = x[first : first + _IMAGES]
            parts.append(
                _bounds_of_batch(rows, first, posterior, log_probability, num_samples, seed, draws)
            )
            show(first + len(rows))
    return Bounds(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _bounds_of_batch(
    x: np.ndarray,
    first: int,
    posterior: Callable,
    log_probability: Callable,
    num_samples: int,
    seed: int,
    draws: Callable | None,
) -> Bounds:
    z_mean, z_log_var = (np.asarray(part, np.float64) for part in posterior(x))
    z_shape = z_mean.shape[1:]
    z_mean, z_log_var = (part.reshape(len(x), -1) for part in (z_mean, z_log_var))
    noise = [_generator(seed, row) for row in range(first, first + len(x))]
    log_sum, log_x_sum, log_ratio_sum = np.full(len(x), -np.inf), np.zeros(len(x)), 0.0
    for drawn in range(0, num_samples, _DRAWS):
        shape = (min(_DRAWS, num_samples - drawn), z_mean.shape[1])
        epsilon = np.stack([generator.standard_normal(shape) for generator in noise])
        if draws is None:
            z = z_mean[:, None] + np.exp(z_log_var / 2)[:, None] * epsilon
            # log p(z) - log q(z|x), in which the constants of the two Gaussians cancel.
            log_ratio = ((epsilon**2 - z**2).sum(axis=2) + z_log_var.sum(axis=1)[:, None]) / 2
            z = z.reshape(*z.shape[:2], *z_shape)
        else:
            noise_of_z = epsilon.reshape(*epsilon.shape[:2], *z_shape).astype("float32")
            z, log_ratio = (
                np.asarray(keras.ops.convert_to_numpy(part), np.float64)
                for part in draws(x, noise_of_z)
            )
        log_x = _decoded(x, z, log_probability)
        log_sum = np.logaddexp(log_sum, np.logaddexp.reduce(log_x + log_ratio, axis=1))
        log_x_sum += log_x.sum(axis=1)
        log_ratio_sum = log_ratio_sum + log_ratio.sum(axis=1)
    kl = (np.exp(z_log_var) + z_mean**2 - 1 - z_log_var).sum(axis=1) / 2
    if draws is not None:
        kl = -log_ratio_sum / num_samples
    return Bounds(log_sum - np.log(num_samples), log_x_sum / num_samples, kl, z_mean)


def _generator(seed: int, row: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=seed % 2**64 << 64 | row))


def _decoded(x: np.ndarray, z: np.ndarray, log_probability: Callable) -> np.ndarray:
    """Return log p(x|z) for each image and each of its draws, float64 ``(images, draws)``."""
    images, draws, *z_shape = z.shape
    rows = np.repeat(x, draws, axis=0)
    values = log_probability(rows, z.reshape(-1, *z_shape).astype("float32"))
    return np.asarray(keras.ops.convert_to_numpy(values), np.float64).reshape(images, draws)


def binarized(images: np.ndarray, binarization: str, seed: int = 0) -> np.ndarray:
    """Return uint8 images as float32 in [0, 1].

    Args:
        images: uint8 ``(n, height, width, channels)``.
        binarization: ``"grey"`` keeps grey values; ``"threshold"`` makes those from 128 on 1;
            ``"dynamic"`` draws 0 or 1 with the grey value as probability, by ``seed``; ``"fixed"``
            draws once and for all: an image is the same whatever the seed and its place
            (Larochelle's own draw of MNIST is another of the kind; it comes as a file).
        seed: random seed of the draws.

    Raises:
        GenzooError: if there is no such binarisation, or the images are not uint8.

    >>> binarized(np.array([[0, 127, 128, 255]], "uint8"), "threshold").tolist()
    [[0.0, 0.0, 1.0, 1.0]]
    """
    if binarization not in BINARIZATIONS:
        raise unknown("binarisation", binarization, BINARIZATIONS)
    if images.dtype != np.uint8:
        raise GenzooError(f"images must be uint8, not {images.dtype}")
    if binarization == "grey":
        return images.astype("float32") / 255
    if binarization == "threshold":
        return (images >= 128).astype("float32")
    if binarization == "fixed":
        return np.stack([_drawn(image, _seed_from_pixels(image)) for image in images])
    return _drawn(images, [seed, 1])


def _drawn(images: np.ndarray, key: int | list[int]) -> np.ndarray:
    uniform = np.random.default_rng(key).random(images.shape, "float32")
    return (uniform * 255 < images).astype("float32")


def _seed_from_pixels(image: np.ndarray) -> int:
    """Return a random seed made of the pixels alone, whatever the image's place."""
    return int.from_bytes(hashlib.sha256(np.ascontiguousarray(image).data).digest()[:8], "little")


def active_units(z_mean: np.ndarray) -> int:
    """Return how many latent units have a mean that varies over the data by more than 0.01.

    >>> active_units(np.array([[0.0, 1.0], [0.0, -1.0]]))
    1
    """
    return int((np.asarray(z_mean).var(axis=0) > ACTIVE_VARIANCE).sum())
