"""Label accuracy, modes, and distributions fitted to codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_genzoo.data import DATASETS, DataSet
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    SAMPLERS,
    SCORES,
    Options,
    ScoreInputs,
    classifier,
    covered_modes,
    evaluate_run,
    label_accuracy,
    mode_counts,
    model_scores,
    wilson_interval,
)
from keras_genzoo.evaluation.collapse import stacked_labels
from keras_genzoo.evaluation.features import Features, Pixels
from keras_genzoo.training import fit, settings_for


def test_wilson_interval_is_that_of_the_textbook():
    # 8 of 10 (Agresti and Coull 1998): 0.490 to 0.943.
    result = wilson_interval(8, 10)
    assert (result.low, result.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_share_and_is_no_point(numbers):
    result = wilson_interval(*numbers)
    assert 0 <= result.low <= result.share <= result.high <= 1
    assert result.low < result.high


def test_label_accuracy_counts_the_largest_logit():
    logits = np.eye(3).repeat(4, axis=0)
    labels = np.arange(3).repeat(4)
    assert label_accuracy(logits, labels).share == 1
    labels[0] = 2
    assert label_accuracy(logits, labels).share == pytest.approx(11 / 12)
    with pytest.raises(GenzooError, match="do not go together"):
        label_accuracy(logits, labels[1:])


def test_a_perfect_sampler_of_1000_modes_has_the_known_floor():
    labels = np.random.default_rng(0).integers(0, 1000, 26_000)
    modes = covered_modes(mode_counts(labels, 1000), np.ones(1000))
    assert modes.covered == 1000
    assert modes.reverse_kl == pytest.approx(999 / 52_000, rel=0.1)


@given(st.integers(1, 50), st.integers(50, 100))
def test_collapse_to_some_of_the_modes_has_the_logarithm_of_their_share(some, all_modes):
    counts = np.where(np.arange(all_modes) < some, 7, 0)
    modes = covered_modes(counts, np.full(all_modes, 3))
    assert modes.covered == some
    assert modes.reverse_kl == pytest.approx(np.log(all_modes / some))


def test_modes_that_are_none_are_refused():
    with pytest.raises(GenzooError, match="from 0 to 3"):
        mode_counts(np.array([4]), 4)
    with pytest.raises(GenzooError, match="that the data do not have"):
        covered_modes(np.array([1, 1]), np.array([1, 0]))


def test_a_gaussian_sampler_has_the_moments_of_the_codes():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(5000, 3)) @ rng.normal(size=(3, 3)) + [1, 2, 3]
    drawn = SAMPLERS["gaussian"](codes).sample(50_000, seed=1)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(codes.T), atol=0.15)


def test_a_mixture_sampler_draws_from_each_cluster_and_not_between():
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    rng = np.random.default_rng(0)
    codes = np.concatenate([rng.normal(c, 0.1, (200, 2)) for c in centres])
    drawn = SAMPLERS["mixture"](codes, components=3).sample(900, seed=1)
    distances = np.linalg.norm(drawn[:, None] - centres, axis=2)
    assert distances.min(axis=1).max() < 1
    assert np.bincount(distances.argmin(axis=1)).min() > 200


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_sampler_draws_the_same_for_the_same_seed(name):
    sampler = SAMPLERS[name](np.random.default_rng(0).normal(size=(50, 2)), 0)
    assert sampler.sample(7, seed=3).dtype == np.float32
    np.testing.assert_array_equal(sampler.sample(7, seed=3), sampler.sample(7, seed=3))
    assert (sampler.sample(7, seed=3) != sampler.sample(7, seed=4)).any()


@pytest.mark.parametrize("name", list(SAMPLERS))
def test_a_sampler_draws_codes_of_the_shape_that_it_was_fitted_to(name):
    codes = np.random.default_rng(0).normal(3, 1, size=(60, 2, 2, 3))
    drawn = SAMPLERS[name](codes).sample(500, seed=1)
    assert drawn.shape == (500, 2, 2, 3)
    np.testing.assert_allclose(drawn.mean(axis=0), codes.mean(axis=0), atol=0.4)


def test_codes_of_a_mixture_come_in_random_order():
    codes = np.concatenate([np.zeros((50, 1)), np.full((50, 1), 10.0)])
    codes += np.random.default_rng(0).normal(0, 0.1, codes.shape)
    high = SAMPLERS["mixture"](codes, components=2).sample(200, seed=0)[:, 0] > 5
    assert 50 < np.count_nonzero(high[1:] != high[:-1]) < 150


def test_stacked_labels_are_the_digits_of_the_channels():
    class Brightness(Pixels):
        """Calls an image by its grey value."""

        def compute_batch(self, images):
            return Features(images[:, 0, 0, :], np.eye(10)[images[:, 0, 0, 0]])

    images = np.zeros((2, 4, 4, 3), "uint8")
    images[0] += np.array([1, 2, 3], "uint8")
    images[1] += np.array([9, 0, 4], "uint8")
    assert stacked_labels(images, Brightness()).tolist() == [123, 904]


@pytest.mark.slow
def test_a_class_that_is_not_generated_keeps_its_number():
    labels = np.arange(90) % 3
    images = np.repeat((100 * labels).astype(np.uint8), 64).reshape(90, 8, 8, 1)
    generated = labels > 0
    inputs = ScoreInputs(
        images,
        images[generated],
        Pixels(),
        real_labels=labels,
        fake_labels=labels[generated],
        class_names=["0", "1", "2"],
    )
    # All but the images of the class that the classifier has never seen.
    assert SCORES["gan_train"].measure(inputs)["gan_train"] == pytest.approx(2 / 3)


@pytest.mark.slow
def test_modes_of_a_model_of_stacked_images_are_counted(tmp_path, monkeypatch):
    # The digits of scikit-learn, which are soon told apart, in the place of those of MNIST.
    stacked = DataSet((8, 8, 3), 1500, 1000, "three digits as channels", made_of="digits")
    monkeypatch.setitem(DATASETS._entries, "stacked_digits", stacked)
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 10)
    monkeypatch.setattr(model_scores, "STACKED_SAMPLES", 60)
    small = {"image_size": 8, "generator_units": [8], "discriminator_units": [8], "latent_dim": 2}
    settings = settings_for("gan", "stacked_digits", steps=1, batch_size=8, **small)
    run = fit(settings, tmp_path / "run").run
    modes = evaluate_run(run.path, Options(scores=["modes"], count=20))["scores"]["modes"]
    assert modes["num_modes"] == 1000
    assert 1 <= modes["covered"] <= modes["num_images"] == 60
    # Noise is of few modes.
    assert modes["reverse_kl"] > 1
