"""Recipes: named settings for a model on a data set. The thesis' own are among them."""

import os
from typing import Any

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.models.registry import MODELS
from keras_genzoo.registry import Registry
from keras_genzoo.text import shown
from keras_genzoo.training.settings import Settings, laid_over


def _check_recipe(name: str, values: Any) -> None:
    if not isinstance(values, dict) or not {"model", "dataset"} <= set(values):
        raise GenzooError(
            f"the recipe '{name}' must be a dictionary of settings, with model and dataset among "
            "them"
        )


RECIPES = Registry("recipe", check=_check_recipe)


def _recipe(name: str, model: str, dataset: str, **settings: Any) -> None:
    RECIPES.register(name, {"model": model, "dataset": dataset, **settings})


# The settings of the thesis: chapters 3 and 4 train in epochs of 60,000 images and 500 steps,
# chapters 6 and 7 for 12,000 steps of 50 images, chapter 8 for 50,000 steps of 100. One addition:
# GANs generate from an average of about the last thousand steps' weights (1806.04498).
_AVERAGED = {"ema_decay": 0.999}
_DENSE = {"batch_size": 120, "checkpoint_every": 500, "sample_every": 2500}
_recipe("ae-mnist", "ae", "mnist", latent_dim=2, steps=15000, **_DENSE)
_recipe("vae-mnist", "vae", "mnist", latent_dim=2, steps=15000, **_DENSE)
_recipe("vae-mnist-10d", "vae", "mnist", latent_dim=10, steps=15000, **_DENSE)
_recipe("gan-mnist", "gan", "mnist", latent_dim=100, steps=30000, **_AVERAGED, **_DENSE)
_MNIST = {"latent_dim": 100, "steps": 12000, "batch_size": 50, "checkpoint_every": 200} | _AVERAGED
_recipe("dcgan-mnist", "dcgan", "mnist", image_size=28, sample_every=1000, **_MNIST)
_recipe("cgan-mnist", "cgan", "mnist", image_size=28, sample_every=1000, **_MNIST)
_recipe(
    "dcgan-celeb_a",
    "dcgan",
    "celeb_a",
    image_size=64,
    latent_dim=100,
    steps=50000,
    batch_size=100,
    checkpoint_every=100,
    sample_every=500,
    **_AVERAGED,
)
# Convolutional VAEs, which the thesis does not have. The variance of the faces is fixed and wide: a
# narrow one, or a learnt one, gives sharper reconstructions, and codes so far from the prior that
# generated images are no faces.
_CONVOLUTIONAL = {"architecture": "convolutional", "ema_decay": 0.999}
_recipe(
    "vae-mnist-convolutional",
    "vae",
    "mnist",
    latent_dim=10,
    steps=10000,
    **_CONVOLUTIONAL,
    **_DENSE,
)
_recipe(
    "vae-celeb_a",
    "vae",
    "celeb_a",
    image_size=64,
    latent_dim=64,
    loss="gaussian",
    variance=0.2,
    start_at_mean=True,
    learning_rate=5e-4,
    steps=20000,
    batch_size=64,
    checkpoint_every=100,
    sample_every=1000,
    **_CONVOLUTIONAL,
)
# VAEs whose numbers stand beside published ones: MNIST, binarised anew in each step. The networks
# are those of 1804.00891 (table 1) and 1509.00519 (one stochastic layer). In place of hundreds of
# epochs with a constant rate, or one that falls over 3,280 epochs, the rate falls by a cosine over
# 200; the last bias begins at the mean of the data. The bound is measured with test images that
# are binarised once: genzoo evaluate RUN --scores likelihood --num-samples 500 (or 5000).
_BOUND = {
    "image_size": 28,
    "binarize": "dynamic",
    "start_at_mean": True,
    "schedule": "cosine",
    "steps_per_execution": 20,
    "checkpoint_every": 1000,
    "sample_every": 20000,
}
_SVAE = {
    "hidden_units": (256, 128),
    "batch_size": 64,
    "steps": 190000,
    "beta_warmup": 10000,
    **_BOUND,
}
_recipe("vae-mnist-svae-2d", "vae", "mnist", latent_dim=2, **_SVAE)
_recipe("vae-mnist-svae-10d", "vae", "mnist", latent_dim=10, **_SVAE)
_recipe(
    "iwae-mnist",
    "iwae",
    "mnist",
    latent_dim=50,
    hidden_units=(200, 200),
    activation="tanh",
    num_samples=50,
    gradient="dreg",
    batch_size=60,
    steps=200000,
    **_BOUND,
)
# Two levels of latents, as ``hvae_2level`` of 1705.07120: warm-up over 100 epochs.
_recipe(
    "hvae-mnist",
    "hvae",
    "mnist",
    latent_dim=80,
    batch_size=100,
    steps=120000,
    beta_warmup=60000,
    **_BOUND,
)
_recipe("cvae-mnist", "cvae", "mnist", latent_dim=10, steps=15000, **_AVERAGED, **_DENSE)
# The embedded data set: minutes on two cores.
_DIGITS = {"image_size": 16, "batch_size": 64, "checkpoint_every": 250, "sample_every": 500}
_recipe("ae-digits", "ae", "digits", latent_dim=2, steps=2000, **_DIGITS)
_recipe("vae-digits", "vae", "digits", latent_dim=2, steps=2000, **_DIGITS)
_recipe("cvae-digits", "cvae", "digits", latent_dim=8, steps=4000, ema_decay=0.995, **_DIGITS)
_recipe(
    "iwae-digits",
    "iwae",
    "digits",
    latent_dim=8,
    hidden_units=(200, 200),
    activation="tanh",
    num_samples=5,
    gradient="dreg",
    binarize="dynamic",
    start_at_mean=True,
    steps=4000,
    **_DIGITS,
)
_recipe(
    "hvae-digits",
    "hvae",
    "digits",
    latent_dim=16,
    hidden_units=(128, 128),
    beta_warmup=1000,
    steps=4000,
    ema_decay=0.995,
    **_DIGITS,
)
# Grids of codes, and the prior of the codes as a second stage.
_recipe(
    "vqvae-digits",
    "vqvae",
    "digits",
    latent_dim=8,
    num_codes=32,
    filters=32,
    steps=1500,
    prior_steps=1500,
    prior_dropout=0.3,
    ema_decay=0.995,
    schedule="cosine",
    schedule_end=0.1,
    **_DIGITS,
)
_CODES = {
    "image_size": 28,
    "num_codes": 64,
    "filters": 64,
    "prior_width": 128,
    "prior_blocks": 3,
    "steps": 5000,
    "prior_steps": 7000,
    "batch_size": 64,
    "checkpoint_every": 250,
    "sample_every": 1000,
    "schedule": "cosine",
    "schedule_end": 0.05,
} | _AVERAGED
_recipe("vqvae-mnist", "vqvae", "mnist", **_CODES)
_recipe("vqvae-fashion_mnist", "vqvae", "fashion_mnist", **_CODES)
_recipe("gan-digits", "gan", "digits", latent_dim=32, steps=4000, **_DIGITS)
_CGAN_FILTERS = {"generator_filters": 64, "discriminator_filters": 32}
_recipe("cgan-digits", "cgan", "digits", latent_dim=32, steps=1500, **_CGAN_FILTERS, **_DIGITS)
# At 20 pixels a feature of the discriminator sees the whole digit (at 16, ten pixels of it), and a
# small latent space leaves little room between the digits.
_SMALL_DIGITS = {
    **(_DIGITS | {"image_size": 20}),
    "latent_dim": 6,
    "generator_filters": 32,
    "discriminator_filters": 32,
    "ema_decay": 0.995,
    "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 5e-4,
}
# A classifier of real digits is sure of 95 in 100 images (of 85 real ones, which vary more);
# without labels, by ``--conditioning none``, of 48.
_recipe("dcgan-digits", "dcgan", "digits", conditioning="projection", steps=2000, **_SMALL_DIGITS)
# Other points of the same networks, the first three without labels.
_recipe("dcgan-hinge-digits", "dcgan", "digits", loss="hinge", steps=2000, **_SMALL_DIGITS)
_recipe("dcgan-packed-digits", "dcgan", "digits", packing=2, steps=2000, **_SMALL_DIGITS)
_recipe("lsgan-digits", "lsgan", "digits", steps=2000, **_SMALL_DIGITS)
_recipe("acgan-digits", "acgan", "digits", steps=2000, **_SMALL_DIGITS)
# Adam's settings of the papers, with learning rates for thousands of steps, not for 100,000.
_FAST = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3, "ema_decay": 0.995}
_recipe(
    "wgan_gp-digits",
    "wgan_gp",
    "digits",
    steps=1500,
    discriminator_steps=2,
    **(_SMALL_DIGITS | _FAST),
)
_recipe(
    "sngan-digits",
    "sngan",
    "digits",
    latent_dim=32,
    steps=1000,
    generator_filters=32,
    discriminator_filters=32,
    discriminator_steps=2,
    schedule="linear",
    **_FAST,
    **_DIGITS,
)
# Learning rate, weight of the penalty, beta_2 and half-life move by half a cosine in the first
# fifth to half of the steps, as in the paper.
_recipe(
    "r3gan-digits",
    "r3gan",
    "digits",
    latent_dim=32,
    steps=1500,
    stage_filters=(64, 48, 32),
    penalty_weight=0.1,
    penalty_end=0.1,
    penalty_steps=750,
    schedule="cosine",
    schedule_end=0.25,
    beta_2=0.9,
    beta_2_end=0.99,
    beta_2_steps=750,
    ema_half_life=10000,
    ema_rise_steps=750,
    generator_learning_rate=1e-3,
    discriminator_learning_rate=1e-3,
    **_DIGITS,
)
# MNIST; without a recipe of their own, other data start from these.
_MNIST_28 = {"image_size": 28, "sample_every": 1000} | _MNIST
_recipe("dcgan-hinge-mnist", "dcgan", "mnist", loss="hinge", **_MNIST_28)
_recipe("dcgan-packed-mnist", "dcgan", "mnist", packing=2, **_MNIST_28)
_recipe("lsgan-mnist", "lsgan", "mnist", **_MNIST_28)
_recipe("cgan-projection-mnist", "cgan", "mnist", conditioning="projection", **_MNIST_28)
_recipe("acgan-mnist", "acgan", "mnist", **_MNIST_28)
# The loss and the penalty of R3GAN on smaller networks of DCGAN, with five times its learning rate:
# in the same steps, a third of the FID.
_RELATIVISTIC = {
    "loss": "relativistic",
    "penalty": "r1+r2",
    "penalty_weight": 0.1,
    "discriminator_normalization": "none",
    "generator_learning_rate": 1e-3,
    "discriminator_learning_rate": 1e-3,
}
_recipe(
    "dcgan-relativistic-mnist",
    "dcgan",
    "mnist",
    **_RELATIVISTIC,
    **_MNIST_28 | {"latent_dim": 32, "discriminator_filters": 32, "ema_decay": 0.9995},
)
_POINTS = {"image_size": 28, "checkpoint_every": 200, "sample_every": 1000} | _AVERAGED
_recipe(
    "wgan_gp-mnist",
    "wgan_gp",
    "mnist",
    latent_dim=64,
    steps=4000,
    batch_size=64,
    generator_filters=32,
    discriminator_filters=32,
    discriminator_steps=2,
    generator_learning_rate=1e-3,
    discriminator_learning_rate=1e-3,
    **_POINTS,
)
_recipe(
    "sngan-mnist",
    "sngan",
    "mnist",
    latent_dim=128,
    steps=4000,
    batch_size=64,
    generator_filters=32,
    discriminator_filters=64,
    generator_learning_rate=5e-4,
    discriminator_learning_rate=1e-3,
    **_POINTS,
)
_R3GAN = {
    "latent_dim": 64,
    "batch_size": 64,
    "penalty_weight": 1.0,
    "penalty_end": 0.1,
    "beta_2": 0.9,
    "beta_2_end": 0.99,
    "ema_half_life": 50000,
    "checkpoint_every": 200,
    "sample_every": 1000,
}
_recipe(
    "r3gan-mnist",
    "r3gan",
    "mnist",
    image_size=28,
    steps=4000,
    stage_filters=(96, 64, 32),
    penalty_steps=1000,
    schedule="cosine",
    schedule_end=0.25,
    beta_2_steps=1000,
    ema_rise_steps=1000,
    **_R3GAN,
)
# Three digits to an image, one in each colour: the learning rate stays, as in the paper.
_recipe(
    "r3gan-stacked_mnist",
    "r3gan",
    "stacked_mnist",
    image_size=32,
    steps=8000,
    stage_filters=(96, 96, 64, 32),
    penalty_steps=1600,
    beta_2_steps=1600,
    ema_rise_steps=1600,
    **_R3GAN,
)
_STACKED = {"sample_every": 1000} | _MNIST
_recipe("dcgan-stacked_mnist", "dcgan", "stacked_mnist", **_STACKED)
_recipe("dcgan-packed-stacked_mnist", "dcgan", "stacked_mnist", packing=2, **_STACKED)
# All 1,000 modes at a divergence of 0.025, where R3GAN itself has 0.029 (2501.05441).
_recipe(
    "dcgan-relativistic-stacked_mnist",
    "dcgan",
    "stacked_mnist",
    **_RELATIVISTIC,
    **_STACKED
    | {
        "image_size": 28,
        "latent_dim": 64,
        "discriminator_filters": 48,
        "steps": 60000,
        "checkpoint_every": 1000,
        "sample_every": 5000,
        "ema_decay": 0.9998,
    },
)
# Faces.
_FACES = {"image_size": 64, "checkpoint_every": 100, "sample_every": 500}
_recipe(
    "sngan-celeb_a",
    "sngan",
    "celeb_a",
    latent_dim=128,
    steps=20000,
    batch_size=32,
    generator_filters=32,
    discriminator_filters=32,
    channel_growth=2,
    discriminator_steps=1,
    schedule="linear",
    **_FACES,
    **_AVERAGED,
)
_recipe(
    "r3gan-celeb_a",
    "r3gan",
    "celeb_a",
    steps=20000,
    stage_filters=(128, 128, 96, 64, 32),
    penalty_steps=4000,
    schedule="cosine",
    schedule_end=0.25,
    beta_2_steps=4000,
    ema_rise_steps=4000,
    **(_R3GAN | {"batch_size": 32, "penalty_weight": 2.0} | _FACES),
)


# Flows: an hour on two cores, minutes for the digits. The learning rate falls to 0, so that the
# average of the last steps is near to one good point.
_FLOW = {"schedule": "cosine", "ema_decay": 0.999}
_FLOW_DIGITS = {"steps": 2000, **_FLOW, **_DIGITS, "ema_decay": 0.995}
_FLOW_28 = {
    "image_size": 28,
    "steps": 7500,
    "batch_size": 128,
    "checkpoint_every": 250,
    "sample_every": 1000,
    **_FLOW,
}
_CONDITIONAL = {"conditioning": "embedding", "guidance": 2.0}
_recipe("flow-digits", "flow", "digits", **_FLOW_DIGITS)
_recipe("flow-conditional-digits", "flow", "digits", **_CONDITIONAL, **_FLOW_DIGITS)
_recipe("flow-mnist", "flow", "mnist", **_FLOW_28)
_recipe("flow-conditional-mnist", "flow", "mnist", **_CONDITIONAL, **_FLOW_28)
_recipe("flow-fashion_mnist", "flow", "fashion_mnist", **_FLOW_28)
_recipe("flow-conditional-fashion_mnist", "flow", "fashion_mnist", **_CONDITIONAL, **_FLOW_28)


def find_recipe(
    model: str | None, dataset: str | os.PathLike | None, name: str | None = None
) -> tuple[str | None, dict[str, Any]]:
    """Return the name of a recipe and the settings to start from; None if it is no recipe.

    A person's own settings are laid over them.

    Args:
        model: the model asked for, if any.
        dataset: the data set asked for, if any; by default ``digits``.
        name: the recipe asked for, if any; else the first for (model, dataset), else the model's
            settings for MNIST at the size that the images have, else its own defaults.

    Raises:
        GenzooError: if a name is unknown, or the recipe is another model's.
    """
    dataset = os.fspath(dataset) if dataset else None
    if name is not None:
        recipe = RECIPES[name]
        if model not in (None, recipe["model"]):
            raise GenzooError(
                f"recipe '{name}' is for the model '{recipe['model']}', not '{model}'; "
                f"leave one of the two out"
            )
        return name, recipe | ({"dataset": dataset} if dataset else {})
    if model is None:
        raise GenzooError(f"which model? name one of: {', '.join(MODELS)}")
    if model not in MODELS:
        raise unknown("model", model, MODELS)
    dataset = dataset or "digits"
    own = {name: RECIPES[name] for name in RECIPES if RECIPES[name]["model"] == model}
    for name, recipe in own.items():
        if recipe["dataset"] == dataset:
            return name, recipe
    for name, recipe in own.items():
        if recipe["dataset"] == "mnist":
            other = recipe | {"dataset": dataset}
            other.pop("image_size", None)
            return name, other
    return None, {"model": model, "dataset": dataset}


def settings_for(
    model: str | None,
    dataset: str | os.PathLike | None = None,
    recipe: str | None = None,
    **overrides: Any,
) -> Settings:
    """Return the recipe's settings with a person's own laid over them.

    Raises:
        GenzooError: if a name is unknown, or the model does not know a setting.

    >>> settings_for("dcgan", "mnist", steps=10).batch_size
    50
    """
    _, values = find_recipe(model, dataset, recipe)
    return Settings.from_dict(laid_over(values, overrides))


def borrowed_in_words(name: str | None, settings: Settings) -> str | None:
    """Return a line that says that a recipe is of another data set than a run; None if it is not.

    Args:
        name: the recipe that ``find_recipe`` chose.
        settings: those of the run.

    >>> borrowed_in_words("gan-mnist", settings_for("gan", "faces")).split("; ")[0]
    'gan has no recipe for faces: it takes the settings of gan-mnist where no flag says another'
    """
    if name is None or RECIPES[name]["dataset"] == settings.dataset:
        return None
    return (
        f"{settings.model} has no recipe for {shown(settings.dataset)}: it takes the settings of "
        f"{name} where no flag says another; 'genzoo list recipes {name}' shows them"
    )


def recipe_in_words(name: str, settings: Settings) -> str:
    """Return a recipe's name, and which of its settings a run has changed.

    >>> recipe_in_words("vae-mnist", settings_for("vae", "mnist", latent_dim=10))
    'vae-mnist, with latent_dim 10'
    """
    if name not in RECIPES:
        return name
    recipe = Settings.from_dict(RECIPES[name])
    changed = [
        f"{key} {value}"
        for key, value in settings.to_dict().items()
        if key in RECIPES[name] and getattr(recipe, key) != getattr(settings, key)
    ]
    return f"{name}, with {', '.join(changed)}" if changed else name
