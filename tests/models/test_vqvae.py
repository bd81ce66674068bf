"""The VQ-VAE: its losses, its two stages, its bound, and what it refuses."""

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import model_likelihood
from keras_genzoo.models import VQVAE
from keras_genzoo.training import make_strategy
from keras_genzoo.training.variables import variables_by_path
from tests.models.cases import images, train, weights

TINY = {"latent_dim": 3, "num_codes": 6, "filters": 4, "residual_blocks": 1}
PRIOR = {"prior_width": 8, "prior_blocks": 1, "prior_heads": 2}


def build(shape=(16, 16, 1), graph=False, loss="bernoulli", **arguments):
    keras.utils.set_random_seed(7)
    model = VQVAE(shape, **({"seed": 11} | TINY | PRIOR | arguments))
    model.compile(
        keras.optimizers.SGD(1e-3), keras.optimizers.SGD(1e-2), loss, run_eagerly=not graph
    )
    return model


def step(model, seed=0, times=1):
    for index in range(times):
        logs = train(model, images(8, seed + index))
    return logs


def in_prior_stage(**arguments):
    model = build(**arguments)
    step(model, times=2)
    model.stage = "prior"
    return model


def test_the_loss_is_reconstruction_and_commitment_of_the_nearest_codes():
    model, x = build(commitment=0.5), images(8)
    scaled = model.to_range(x)
    z = np.asarray(model.encoder(scaled))
    e = model.codebook.vectors.numpy()
    nearest = ((z[..., None, :] - e) ** 2).sum(axis=-1).argmin(axis=-1)
    commitment = ((z - e[nearest]) ** 2).sum(axis=(1, 2, 3)).mean()
    reconstruction = np.asarray(model.loss_of_each(scaled, model.decoder(e[nearest]))).mean()
    logs = step(model)
    assert logs["commitment_loss"] == pytest.approx(commitment, rel=1e-4)
    assert logs["reconstruction_loss"] == pytest.approx(reconstruction, rel=1e-4)
    assert logs["loss"] == pytest.approx(reconstruction + 0.5 * commitment, rel=1e-4)
    counts = np.bincount(nearest.ravel(), minlength=6)
    shares = counts[counts > 0] / counts.sum()
    assert logs["codes_in_use"] == (counts > 0).sum()
    assert logs["perplexity"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-4)


def test_codes_in_use_are_those_of_the_epoch():
    model = build()
    model.fit(images(32), batch_size=8, epochs=1, verbose=0)
    counted = [metric.counts.numpy() for metric in model.metrics if hasattr(metric, "counts")]
    assert [counts.sum() for counts in counted] == [32 * 16] * 2


def test_another_seed_restarts_codes_at_other_features():
    first, second, other = (build(seed=seed) for seed in (11, 11, 12))
    for model in (first, second, other):
        step(model)
    same, changed = (
        (model.codebook.vectors.numpy() == first.codebook.vectors.numpy()).all()
        for model in (second, other)
    )
    assert (same, changed) == (True, False)


def test_each_stage_moves_its_own_variables_alone():
    model = build(ema_decay=0.6)
    before = {path: v.numpy() for path, v in variables_by_path(model).items()}

    def moved():
        now = {path: v.numpy() for path, v in variables_by_path(model).items()}
        changed = {path for path, value in now.items() if (value != before[path]).any()}
        before.update(now)
        return {path for path in changed if not path.startswith("metrics")}

    def of(stage):
        own = {id(variable) for variable in model.stage_variables(stage)}
        return {path for path, v in variables_by_path(model).items() if id(v) in own}

    step(model, times=2)
    first = moved()
    assert first <= of("autoencoder") | {"model/step"}
    assert {"codebook/codebook/vectors", "model/step", "encoder/conv2d/kernel"} <= first
    model.stage = "prior"
    step(model, times=2)
    second = moved()
    assert second <= of("prior") | {"model/step"}
    trained = {path for path, v in variables_by_path(model).items() if v.trainable}
    assert {path for path in trained if path.startswith("prior/")} <= second
    assert not of("prior") & of("autoencoder")


def test_prior_loss_is_that_of_the_codes_in_nats_and_bits():
    model = in_prior_stage(prior_dropout=0.0)
    codes = model.encode(images(8))
    logits = np.asarray(model.prior(codes.reshape(8, -1)), "float64")
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    own = np.take_along_axis(shares, codes.reshape(8, -1, 1), axis=-1)
    expected = -np.log(own).sum(axis=(1, 2)).mean()
    logs = step(model)
    assert set(logs) == {"prior_loss", "code_bits"}
    assert logs["prior_loss"] == pytest.approx(expected, rel=1e-4)
    assert logs["code_bits"] == pytest.approx(expected / np.log(2), rel=1e-4)
    again = model.evaluate(images(8), return_dict=True, verbose=0)
    assert set(again) == set(logs)


@pytest.mark.slow
def test_samples_need_a_trained_prior():
    model = build()
    step(model)
    assert not model.has_prior
    assert "generate" not in model.signatures()
    with pytest.raises(GenzooError, match="the stage 'prior' has not been trained"):
        model.generate(2)
    model.stage = "prior"
    step(model)
    assert model.has_prior
    assert "generate" in model.signatures()
    assert model.generate(2, seed=0).shape == (2, 16, 16, 1)


@pytest.mark.slow
def test_the_second_stage_is_saved_and_goes_on_the_same(tmp_path):
    model = in_prior_stage(ema_decay=0.6, prior_dropout=0.2)
    step(model, times=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.stage == "prior"
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    assert step(loaded, seed=9, times=2) == step(model, seed=9, times=2)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_a_preset_draws_the_same_samples_and_is_of_the_second_stage(tmp_path):
    model = in_prior_stage(prior_dropout=0.2)
    step(model, times=2)
    model.save_to_preset(tmp_path / "codes", dtype="float32")
    loaded = VQVAE.from_preset(tmp_path / "codes")
    assert (loaded.stage, loaded.optimizers) == ("prior", [])
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    images = model.generate(4, seed=2)
    assert loaded.describe_codes(images) == model.describe_codes(images)


@pytest.mark.slow
def test_two_replicas_train_both_stages_like_one():
    one = build(prior_dropout=0.2)
    with make_strategy("mirrored").scope():
        two = build(graph=True, prior_dropout=0.2)
    for stage in ("autoencoder", "prior"):
        one.stage = two.stage = stage
        assert step(two, times=3) == pytest.approx(step(one, times=3), rel=1e-4, abs=1e-4)
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)


def test_the_bound_is_below_the_likelihood_that_a_sum_over_all_grids_gives():
    rng = np.random.default_rng(0)
    model = build((8, 8, 1), num_codes=3, prior_dropout=0.0)
    model.codebook.vectors.assign(rng.normal(0, 1, (3, 3)))
    model.prior_step.assign(1)
    x = (rng.random((6, 8, 8, 1)) < 0.5).astype("float32")
    places = np.meshgrid(*[np.arange(3)] * 4, indexing="ij")
    grids = np.stack(places, axis=-1).reshape(-1, 2, 2)
    prior = np.asarray(model.prior.log_probability(grids.reshape(-1, 4)), "float64")
    logits = model.decoder(model.code(grids))
    joint = np.stack(
        [
            log_prior - np.asarray(model.loss_of_each(x, np.stack([logits[i]] * 6)))
            for i, log_prior in enumerate(prior)
        ]
    )
    exact = np.logaddexp.reduce(joint, axis=0)
    bound = np.asarray(model.estimate_log_likelihood(x))
    assert (bound < exact).all()
    # Of all grids, the bound is the term of the encoder's.
    numbers = model.encode(x).reshape(6, 4) @ [27, 9, 3, 1]
    np.testing.assert_allclose(bound, joint[numbers, np.arange(6)], rtol=1e-5)
    # Nothing is drawn, however many draws are asked for.
    found = model_likelihood(model, (255 * x).astype("uint8"), num_samples=9)
    assert (found.num_samples, found.log_likelihood) == (1, None)
    assert found.elbo == pytest.approx(bound.mean(), rel=1e-5)


@pytest.mark.slow
def test_latents_are_noise_and_temperature_makes_codes_likelier():
    model = in_prior_stage()
    step(model, times=2)
    z = model.sample_latents(64, seed=0)
    assert z.shape == (64, 4, 4)
    np.testing.assert_array_equal(model.decode(z[:4]), model.generate(64, seed=0)[:4])

    def likelihood(temperature):
        codes = model.sample_codes(z, temperature).reshape(64, -1)
        return float(np.mean(model.prior.log_probability(codes)))

    assert likelihood(0.3) > likelihood(1.0)
    with pytest.raises(GenzooError, match="temperature must be positive, not 0"):
        model.decode(z, temperature=0)


def test_interpolations_are_images_of_codes():
    model = build()
    step(model, times=2)
    a, b = images(2)
    path = model.interpolate(a, b, 5)
    ends = model.reconstruct(np.stack([a, b]))
    np.testing.assert_array_equal(path[[0, -1]], ends)
    codes = model.encode(images(3))
    np.testing.assert_array_equal(model.decode_codes(codes), model.reconstruct(images(3)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"num_codes": 0}, "num_codes must be at least 1"),
        ({"prior_heads": 3}, "8 does not divide by 3"),
        ({"codebook_decay": 1.0}, "codebook_decay must be at least 0 and below 1"),
        ({"shape": (10, 10, 1)}, "10x10 cannot be halved 2 times"),
        ({"commitment": -1.0}, "commitment must be 0 or more"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(arguments, words):
    with pytest.raises(GenzooError, match=words) as caught:
        build(**arguments)
    assert "\n" not in str(caught.value)


def test_a_batch_too_small_to_restart_the_codebook_is_refused():
    model = build(num_codes=200)
    with pytest.raises(GenzooError, match="a batch of 8 images has 16 codes each, fewer in all"):
        model.check_batch_size(8)
    with pytest.raises(GenzooError, match=r"take a batch of 13 or more, or fewer num_codes"):
        step(model)


def test_other_stages_and_other_codes_are_refused():
    model = build()
    with pytest.raises(GenzooError, match="unknown stage 'priors'"):
        model.stage = "priors"
    with pytest.raises(GenzooError, match="codes must be from 0 to 5"):
        model.decode_codes(np.full((1, 4, 4), 6))
    with pytest.raises(GenzooError, match=r"codes must be integers of shape \(n, 4, 4\)"):
        model.decode_codes(np.zeros((1, 4, 4)))
