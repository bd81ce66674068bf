"""The named points: their defaults, and what each refuses or says before it trains."""

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import MODELS
from keras_genzoo.training import Settings, make_strategy
from keras_genzoo.training.preparing import prepare
from tests.models.cases import GANS, build

CONDITIONAL = [name for name in GANS if MODELS[name].needs_labels]
# Loss, penalty, updates of D in a step, normalisation of D, and Adam's betas, as in the papers.
PAPERS = {
    "lsgan": ("least_squares", None, 1, None, (0.5, 0.999)),
    "wgan_gp": ("wasserstein", "wgan_gp", 5, "layer", (0.0, 0.9)),
    "sngan": ("hinge", None, 5, None, (0.0, 0.9)),
    "r3gan": ("relativistic", "r1+r2", 1, None, (0.0, 0.99)),
    "acgan": ("non_saturating", None, 1, None, (0.5, 0.999)),
}


@pytest.mark.parametrize("name", PAPERS)
def test_a_point_has_the_settings_of_its_paper(name):
    settings = Settings(model=name)
    found = settings.loss, settings.penalty, settings.discriminator_steps
    assert (*found, settings.discriminator_normalization) == PAPERS[name][:4]
    assert (settings.beta_1, settings.beta_2) == PAPERS[name][4]


@pytest.mark.parametrize("name", PAPERS)
def test_a_default_of_a_point_gives_way(name):
    model = build(name, discriminator_normalization="none")
    model.compile(loss="hinge", penalty="r1", discriminator_steps=2)
    config = model.get_compile_config()
    assert (config["loss"], config["discriminator_steps"]) == ("hinge", 2)
    assert type(model.penalty).__name__ == "R1"
    with pytest.raises(GenzooError, match="did you mean 'penalty'"):
        model.compile(penaltyy="r1")


@pytest.fixture
def data(tmp_path):
    """A function that writes a file of random images, with labels if there are classes."""

    def write(count, classes=0):
        rng = np.random.default_rng(0)
        arrays = {"images": rng.integers(0, 256, (count, 16, 16), "uint8")}
        if classes:
            arrays["labels"] = np.linspace(0, classes - 1, count).astype(int)
        np.savez(tmp_path / "data.npz", **arrays)
        return str(tmp_path / "data.npz")

    return write


def prepared(model, dataset, **settings):
    """Prepare a small run; return the lines that it says."""
    lines = []
    small = {"batch_size": 8, "generator_filters": 2, "discriminator_filters": 2, "latent_dim": 3}
    settings = Settings(model=model, dataset=dataset, **(small | settings))
    prepare(settings, make_strategy("one"), echo=lines.append)
    return lines


@pytest.mark.parametrize(
    ("model", "settings"),
    [
        *((name, {}) for name in CONDITIONAL),
        *(
            (name, {"conditioning": kind})
            for name, kind in (("dcgan", "projection"), ("sngan", "embedding"))
        ),
    ],
)
def test_a_conditional_point_needs_labels(data, model, settings):
    with pytest.raises(GenzooError, match=f"{model} needs class labels, of 2 classes") as caught:
        prepared(model, data(8), **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        ("dcgan", {"packing": 3}, "a batch of 8 images does not divide by packing=3"),
        ("dcgan", {"packing": 16}, "a batch of 8 images does not divide by packing=16"),
        ("wgan_gp", {"discriminator_normalization": "batch"}, "mixes the images of a batch"),
        ("sngan", {"discriminator_normalization": "batch", "penalty": "r1"}, "mixes the images"),
        ("acgan", {"packing": 2}, "packing 2 images into one leaves .* no single class"),
        ("r3gan", {"augmentation": "ada"}, "an adaptive augmentation follows the sign"),
    ],
)
def test_what_has_no_meaning_together_is_refused_before_training(data, model, settings, words):
    if model == "r3gan":
        settings = {"generator_filters": None, "discriminator_filters": None} | settings
    with pytest.raises(GenzooError, match=words) as caught:
        prepared(model, data(8, 2), **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan")])
@pytest.mark.parametrize("name", ["augmentation_probability", "penalty_end"])
def test_shares_lie_between_0_and_1(name, share):
    parts = {"augmentation": "ada", "penalty": "r1"}
    with pytest.raises(GenzooError, match=f"{name} must be at least 0 and at most 1, not"):
        Settings("sngan", **parts, **{name: share})


def test_more_classes_than_images_are_refused(tmp_path):
    # Classes are those of the training images, also of another split.
    images, labels = np.zeros((42, 16, 16), "uint8"), np.arange(42) % 21
    parts = {"x_train": images, "y_train": labels, "x_test": images[:8], "y_test": labels[:8]}
    np.savez(tmp_path / "data.npz", **parts)
    file = str(tmp_path / "data.npz")
    with pytest.raises(GenzooError, match="8 images cannot show 21 classes") as caught:
        prepared("acgan", file, split="test")
    assert "\n" not in str(caught.value)
    assert prepared("dcgan", file, split="test")


def test_an_augmentation_that_turns_digits_is_taken_and_said(data):
    ada = {"augmentation": "ada", "augmentation_operations": ("flip", "shift", "rotation")}
    lines = prepared("dcgan", data(8), **ada)
    assert sum("turns or mirrors images (flip, rotation)" in line for line in lines) == 1
    ada["augmentation_operations"] = ("shift", "scale")
    assert not any("mirrors" in line for line in prepared("dcgan", data(8), **ada))
