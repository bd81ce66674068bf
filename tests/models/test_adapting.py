"""The probability of an augmentation in training: its rule, its ramp, and that it goes on."""

import math

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN
from keras_genzoo.networks import ADA
from keras_genzoo.training import make_strategy
from tests.models.cases import images, weights
from tests.models.test_combinations import SHAPE, check_on_two_replicas, step

OPERATIONS = ["shift", "brightness"]


def made(augmentation, loss="non_saturating", **arguments):
    keras.utils.set_random_seed(7)
    model = GAN(SHAPE, 4, generator_units=(8,), discriminator_units=(8,), **arguments)
    compile_with(model, augmentation, loss)
    return model


def compile_with(model, augmentation, loss="non_saturating"):
    rates = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01)
    model.compile(*rates, loss=loss, augmentation=augmentation, run_eagerly=True)


def shifted_logits(model, value):
    """Let the discriminator give one logit for every image, whatever the weights."""
    network = model.discriminator
    network.layers[-1].kernel.assign(0 * network.layers[-1].kernel)
    network.layers[-1].bias.assign([value])


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "undecided"), [("hinge", 0.0), ("least_squares", 0.5)])
def test_every_fourth_step_it_moves_up_where_the_discriminator_is_sure_and_down_where_not(
    loss, undecided
):
    model = made(ADA(OPERATIONS, adaptation_images=160), loss)
    seen = []
    for index in range(20):
        # Sure for 8 steps, unsure from then on.
        shifted_logits(model, undecided + (0.4 if index < 8 else -0.4))
        seen.append(step(model)["augmentation_probability"])
    # Each step shows what it was made with: 4 steps of 8 images are a fifth of 160.
    expected = [0.0] * 4 + [0.2] * 4 + [0.4] * 4 + [0.2] * 4 + [0.0] * 4
    assert seen == pytest.approx(expected, abs=1e-6)
    assert float(model.augmentation_probability) == 0.0  # clipped


def test_the_target_is_a_mean_over_four_steps():
    # Three steps of sign 1 and one of -1 have the mean 0.5.
    for target, expected in ((0.4, 0.2), (0.6, 0.0)):
        model = made(ADA(OPERATIONS, target=target, adaptation_images=160))
        for value in (1.0, 1.0, -1.0, 1.0):
            shifted_logits(model, value)
            step(model)
        assert float(model.augmentation_probability) == pytest.approx(expected)


def test_a_ramp_is_half_a_cosine_and_needs_no_side():
    model = made(ADA(OPERATIONS, probability=0.6, ramp_steps=4), "relativistic")
    seen = [step(model)["augmentation_probability"] for _ in range(6)]
    expected = [0.6 * (1 - math.cos(math.pi * min(t / 4, 1))) / 2 for t in range(6)]
    assert seen == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("loss", ["relativistic", "wasserstein"])
def test_the_sign_of_logits_that_mean_nothing_is_refused(loss):
    words = r"follows the sign of the logits.*hinge or least_squares, or ADA\(probability=0.3"
    with pytest.raises(GenzooError, match=words):
        made(ADA(), loss)


@pytest.mark.slow
def test_it_is_saved_with_the_model_and_goes_on(tmp_path):
    model = made(ADA(OPERATIONS, adaptation_images=100, probability=0.3), "hinge")
    for _ in range(6):
        step(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.augmentation.get_config() == model.augmentation.get_config()
    # Two steps into the next four.
    assert float(loaded.real_signs) == float(model.real_signs)
    for _ in range(3):
        assert step(loaded) == step(model)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_compiled_again_it_stays_and_without_it_goes():
    model = made(ADA(OPERATIONS, probability=0.3))
    count = len(model.variables)
    model.augmentation_probability.assign(0.7)
    compile_with(model, "ada")
    assert float(model.augmentation_probability) == pytest.approx(0.7)
    compile_with(model, None)
    assert model.augmentation_probability is None
    names = [variable.name for variable in model.variables]
    assert "augmentation_probability" not in names
    assert len(names) < count
    assert "augmentation_probability" not in step(model)


def test_evaluation_is_without_it():
    model = made(ADA(OPERATIONS, probability=1.0))
    plain = made(None)
    results = [m.evaluate(images(8), verbose=0, return_dict=True) for m in (model, plain)]
    assert results[0].pop("augmentation_probability") == 0
    assert results[0] == results[1]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_replicas_augment_as_one(policy):
    parts = "hinge", "r1", ADA(probability=0.5, adaptation_images=64), "none"
    check_on_two_replicas(*parts, policy=policy, kind=GAN, graph=False)


@pytest.mark.slow
def test_replicas_adapt_as_one():
    augmentation = ADA(OPERATIONS, probability=0.5, adaptation_images=64)
    one = made(augmentation, "hinge")
    with make_strategy("mirrored").scope():
        two = made(augmentation, "hinge")
    two.run_eagerly = False
    for model in (one, two):
        for seed in range(5):
            model.fit(images(8, seed), batch_size=8, shuffle=False, verbose=0)
    # 4 steps of 8 images are half of the 64.
    assert one.augmentation_probability.numpy() in (0.0, 1.0)
    for name in ("augmentation_probability", "real_signs"):
        assert getattr(two, name).numpy() == getattr(one, name).numpy()
