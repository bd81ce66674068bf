"""The codebook beside its equations in NumPy, and the causal prior of codes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import (
    Codebook,
    CodePrior,
    CodeSampler,
    ConvolutionalGrid,
    plain_lookup,
    plain_nearest,
    standard_normal_cdf,
)
from keras_genzoo.training import make_strategy

K, DIM = 5, 3


def features(seed, count=16):
    return np.random.default_rng(seed).normal(0, 1, (count, DIM)).astype("float32")


def order(seed, count=16):
    return np.random.default_rng(100 + seed).random(count).astype("float32")


def test_updates_are_those_of_a_loop_over_codes_and_features():
    codebook = Codebook(K, DIM, decay=0.9, restart_below=0.7)
    vectors = codebook.vectors.numpy().astype("float64")
    counts, sums, restarts = np.zeros(K), np.zeros((K, DIM)), 0
    for t in range(1, 7):
        z = features(t)
        nearest = [int(((x - vectors) ** 2).sum(axis=1).argmin()) for x in z]
        np.testing.assert_array_equal(codebook.nearest(z), nearest)
        codebook.update(z, codebook.nearest(z), order(t))
        places = order(t).argsort()
        n, m = np.zeros(K), np.zeros((K, DIM))
        for code, x in zip(nearest, z, strict=True):
            n[code] += 1
            m[code] += x
        counts, sums = 0.9 * counts + 0.1 * n, 0.9 * sums + 0.1 * m
        debias = 1 - 0.9**t
        number = counts / debias
        smooth = (number + 1e-5) / (number.sum() + K * 1e-5) * number.sum()
        for k in range(K):
            if number[k] < 0.7 * number.sum() / K:
                restarts += 1
                vectors[k] = z[places[k]]
                counts[k] = debias * number.sum() / K
                sums[k] = counts[k] * vectors[k]
            else:
                vectors[k] = sums[k] / debias / smooth[k]
        np.testing.assert_allclose(codebook.vectors.numpy(), vectors, atol=1e-5)
        np.testing.assert_allclose(codebook.counts.numpy(), counts, atol=1e-5)
        np.testing.assert_allclose(codebook.sums.numpy(), sums, atol=1e-5)
    assert restarts >= 3


def test_the_first_update_is_the_mean_of_the_features():
    codebook = Codebook(1, DIM, decay=0.99)
    z = features(0)
    codebook.update(z, codebook.nearest(z), order(0))
    np.testing.assert_allclose(codebook.vectors.numpy()[0], z.mean(axis=0), atol=1e-5)


def test_without_restarts_a_code_that_stands_for_nothing_stays():
    codebook = Codebook(3, DIM, restart_below=0.0)
    codebook.vectors.assign([[0.0] * DIM, [1e3] * DIM, [-1e3] * DIM])
    for seed in range(3):
        z = features(seed)
        codebook.update(z, codebook.nearest(z), order(seed))
    np.testing.assert_array_equal(codebook.vectors.numpy()[1:], [[1e3] * DIM, [-1e3] * DIM])


def test_the_gradient_goes_straight_through():
    codebook = Codebook(K, DIM)
    z, direction = tf.constant(features(0)), tf.constant(features(1))
    with tf.GradientTape() as tape:
        tape.watch(z)
        quantised = codebook(z)
        loss = tf.reduce_sum(quantised * direction)
    np.testing.assert_allclose(tape.gradient(loss, z), direction)
    np.testing.assert_allclose(quantised, codebook.lookup(codebook.nearest(z)), atol=1e-6)
    assert not codebook.trainable_variables


@pytest.mark.slow
def test_two_replicas_move_the_codes_as_one():
    one = Codebook(K, DIM, restart_below=0.3)
    strategy = make_strategy("mirrored")
    with strategy.scope():
        two = Codebook(K, DIM, restart_below=0.3)
    two.set_weights(one.get_weights())

    @tf.function
    def step(z, order):
        def update(context):
            own = z[context.replica_id_in_sync_group * 8 :][:8]
            two.update(own, two.nearest(own), order)

        strategy.run(lambda: update(tf.distribute.get_replica_context()))

    for seed in range(4):
        z = features(seed)
        one.update(z, one.nearest(z), order(seed))
        step(tf.constant(z), tf.constant(order(seed)))
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), atol=1e-5)


def test_layers_of_keras_give_the_same_codes_and_vectors():
    codebook = Codebook(K, DIM)
    codebook.vectors.assign(features(3, K))
    grid = keras.Input((2, 2, DIM))
    codes = plain_nearest(codebook, grid)
    plain = keras.Model(grid, [codes, plain_lookup(codebook, codes)])
    z = features(4, 40).reshape(10, 2, 2, DIM)
    np.testing.assert_array_equal(plain(z)[0], codebook.nearest(z))
    np.testing.assert_array_equal(plain(z)[1], codebook.lookup(codebook.nearest(z)))


def prior(kind=CodePrior, **arguments):
    keras.utils.set_random_seed(3)
    sizes = {"num_codes": 4, "length": 3, "width": 8, "blocks": 2, "heads": 2}
    return kind(**(sizes | arguments))


def grids(length=3, num_codes=4):
    axes = [np.arange(num_codes)] * length
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, length)


def test_logits_depend_on_the_codes_before_and_on_no_others():
    network = prior(length=5)
    before = np.array([[0, 1, 2, 3, 0]])
    expected = np.asarray(network(before))
    for place in range(5):
        changed = before.copy()
        changed[0, place] = (changed[0, place] + 1) % 4
        given = np.asarray(network(changed))
        np.testing.assert_array_equal(given[:, : place + 1], expected[:, : place + 1])
        if place < 4:
            assert (abs(given - expected)[0, place + 1 :].max(axis=-1) > 1e-6).all()


def test_probabilities_of_all_grids_sum_to_one():
    log_probabilities = np.asarray(prior().log_probability(grids()), "float64")
    assert np.exp(log_probabilities).sum() == pytest.approx(1, abs=1e-5)


def test_draws_of_normal_noise_follow_the_prior():
    network = prior()
    network.head.bias.assign([1.0, -1.0, 0.5, 0.0])
    count = 4000
    z = np.random.default_rng(0).standard_normal((count, 3)).astype("float32")
    drawn = np.asarray(network.sample(z))
    numbers = drawn @ [16, 4, 1]
    expected = np.exp(np.asarray(network.log_probability(grids()), "float64"))
    observed = np.bincount(numbers, minlength=64)
    assert stats.chisquare(observed, count * expected / expected.sum()).pvalue > 1e-3
    coldest = np.asarray(network.sample(z, temperature=1e-3))
    assert (coldest == coldest[0]).all()
    likeliest = np.asarray(network(coldest[:1]))[0].argmax(axis=-1)
    np.testing.assert_array_equal(coldest[0], likeliest)


def test_a_sampler_has_the_weights_of_a_prior():
    network = prior(dropout=0.0)
    sampler = CodeSampler.from_config(network.get_config())
    sampler.set_weights(network.get_weights())
    z = np.random.default_rng(1).standard_normal((20, 3)).astype("float32")
    np.testing.assert_array_equal(sampler(z), network.sample(z))
    with pytest.raises(GenzooError, match="8 does not divide by 3"):
        prior(heads=3)


def test_the_distribution_function_is_that_of_the_normal_distribution():
    z = np.linspace(-6, 6, 101).astype("float32")
    np.testing.assert_allclose(standard_normal_cdf(z), stats.norm.cdf(z), atol=3e-7)


def test_images_that_cannot_be_halved_are_refused():
    assert ConvolutionalGrid(4, halvings=1).encoder((6, 10, 1), 2).output_shape == (None, 3, 5, 2)
    assert ConvolutionalGrid(4).decoder((8, 12, 3), 2).output_shape == (None, 8, 12, 3)
    with pytest.raises(GenzooError, match=r"10x12 cannot be halved 2 times.* divide by 4"):
        ConvolutionalGrid(4).encoder((10, 12, 1), 2)
