"""The scores of a model itself: reconstruction, modes of stacked images, likelihood."""

from typing import Any

import numpy as np

from keras_genzoo.data import DATASETS
from keras_genzoo.evaluation.classifier import open_classifier
from keras_genzoo.evaluation.collapse import (
    STACKED_SAMPLES,
    covered_modes,
    mode_counts,
    stacked_labels,
)
from keras_genzoo.evaluation.inputs import ModelInputs
from keras_genzoo.evaluation.likelihood import model_likelihood
from keras_genzoo.evaluation.options import DEFAULT_COUNT
from keras_genzoo.evaluation.reconstruction import reconstruction_bce, reconstruction_quality
from keras_genzoo.evaluation.score import DOWN, UP, Display, Score
from keras_genzoo.training.preparing import open_splits


def _reconstruction(inputs: ModelInputs) -> dict[str, Any]:
    model, images = inputs.model, inputs.real_images
    quality = reconstruction_quality(images, inputs.reconstructions)._asdict()
    quality["bce"] = reconstruction_bce(model, images, **inputs.of_class)
    return {"reconstruction": _without_none(quality)}


RECONSTRUCTION = Score(
    _reconstruction,
    of="model",
    needs=["encoder"],
    gives={
        "reconstruction.mse": Display("reconstruction MSE", DOWN),
        "reconstruction.psnr": Display("reconstruction PSNR", UP, "dB"),
        "reconstruction.ssim": Display("reconstruction SSIM", UP),
        "reconstruction.bce": Display("reconstruction BCE", DOWN, "nats"),
    },
)


def _codes(inputs: ModelInputs) -> dict[str, Any]:
    return {"codes": _without_none(inputs.model.describe_codes(inputs.real_images))}


CODES = Score(
    _codes,
    of="model",
    needs=["codes"],
    gives={
        "codes.in_use": Display("codes in use", UP),
        "codes.num_codes": Display("codes of the codebook"),
        "codes.perplexity": Display("perplexity of the codes", UP),
        "codes.bits": Display("codes under the prior", DOWN, "bits an image"),
        "codes.reconstruction_bits": Display("reconstruction given the codes", DOWN, "bits"),
    },
)


def _modes(inputs: ModelInputs) -> dict[str, Any]:
    """Count the modes of a model of stacked images, with a classifier of single ones."""
    settings, seed = inputs.run.settings, inputs.options.seed
    single_images = DATASETS[settings.dataset].made_of
    single = settings.replace(dataset=single_images, channels=1, image_size=None)
    splits = open_splits(single)
    classifier = open_classifier(splits, echo=inputs.echo)
    images = inputs.model.generate(STACKED_SAMPLES, seed=seed)
    num_modes = inputs.data.train.num_classes
    assert num_modes is not None  # Stacked images have labels.
    counts = mode_counts(stacked_labels(images, classifier), num_modes)
    _, labels = splits.train.sample(min(splits.train.num_images, DEFAULT_COUNT), seed)
    digits = np.bincount(labels, minlength=10)
    real_counts = np.einsum("a,b,c->abc", digits, digits, digits).ravel()
    modes = covered_modes(counts, real_counts)._asdict()
    return {"modes": modes | {"num_images": STACKED_SAMPLES}}


MODES = Score(
    _modes,
    of="model",
    needs=["stacked_images"],
    gives={
        "modes.covered": Display("modes covered", UP),
        "modes.num_modes": Display("modes of the data", of_protocol=True),
        "modes.reverse_kl": Display("KL(generated || real)", DOWN, "nats"),
        "modes.num_images": Display("images that modes are counted in", of_protocol=True),
    },
    takes_minutes=True,
)


def _likelihood(inputs: ModelInputs) -> dict[str, Any]:
    options = inputs.options
    result = model_likelihood(
        inputs.model,
        inputs.real_images,
        options.num_samples,
        options.binarization,
        options.seed,
        inputs.echo,
        inputs.real_labels,
    )
    return {"likelihood": _without_none(result._asdict())}


LIKELIHOOD = Score(
    _likelihood,
    of="model",
    needs=["likelihood"],
    gives={
        "likelihood.log_likelihood": Display("log-likelihood", UP, "nats"),
        "likelihood.bits_per_dim": Display("bits per dimension", DOWN),
        "likelihood.elbo": Display("ELBO", UP, "nats"),
        "likelihood.reconstruction": Display("ELBO: reconstruction term", unit="nats"),
        "likelihood.kl": Display("ELBO: KL term", unit="nats"),
        "likelihood.active_units": Display("active latent units"),
        "likelihood.latent_dim": Display("latent units"),
        "likelihood.num_samples": Display("likelihood: draws of z for an image", of_protocol=True),
        "likelihood.binarization": Display("likelihood: binarization", of_protocol=True),
        "likelihood.num_images": Display("likelihood: images", of_protocol=True),
        "likelihood.given": Display("likelihood: of an image given", of_protocol=True),
    },
    takes_minutes=True,
)


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
