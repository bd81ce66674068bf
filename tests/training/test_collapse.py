"""When training counts as collapsed, and when it must not."""

import numpy as np
import pytest

from keras_genzoo.training.collapse import FROZEN_ROWS, FROZEN_STEPS, CollapseWatch

GAN = {"discriminator_loss": 1.3, "generator_loss": 0.7, "real_score": 0.5, "fake_score": 0.5}
WON = GAN | {"real_score": 0.99999, "fake_score": 1e-6}


def moving(index):
    return {"generator": [np.full((2, 2), index)], "discriminator": [np.full(3, index)]}


def watched(rows, every=100, weights=moving, probabilities=True):
    """Return a watch that has seen rows; by default all weights move."""
    watch = CollapseWatch(0, probabilities)
    for index, row in enumerate(rows):
        watch.update((index + 1) * every, row, weights(index))
    return watch


def noisy(row, index, size):
    return {name: value * (1 + size * (-1) ** index) for name, value in row.items()}


def test_losses_that_stand_still():
    watch = watched([GAN] * (FROZEN_ROWS + 1))
    assert watch.verdict == "the losses do not change"
    assert watch.good_step == 100
    assert watched([GAN] * FROZEN_ROWS).verdict is None


def test_losses_that_hardly_move():
    rows = [noisy(GAN, index, 1e-5) for index in range(200)]
    watch = watched(rows)
    assert watch.verdict is None
    assert watch.good_step == 20000


def test_one_loss_that_moves_is_life():
    rows = [GAN | {"generator_loss": 0.7 + index} for index in range(100)]
    assert watched(rows).verdict is None


def test_a_discriminator_that_is_always_certain():
    rows = [GAN, *(noisy(WON, index, 1e-6) for index in range(60))]
    rows = [row | {"generator_loss": 9.0 + index} for index, row in enumerate(rows)]
    watch = watched(rows)
    assert watch.verdict == "the discriminator is always certain"
    assert watch.good_step == 100


def test_scores_that_are_no_probabilities_win_nothing():
    """A Wasserstein or hinge run is sound with D(x) = 40 and D(G(z)) = -30."""
    row = GAN | {"real_score": 40.0, "fake_score": -30.0}
    rows = [noisy(row, index, 1e-3) for index in range(60)]
    assert watched(rows, probabilities=True).verdict == "the discriminator is always certain"
    assert watched(rows, probabilities=False).verdict is None


def test_a_discriminator_that_loses_now_and_then():
    rows = [WON if index % FROZEN_ROWS else GAN for index in range(200)]
    rows = [row | {"generator_loss": 9.0 + index} for index, row in enumerate(rows)]
    assert watched(rows).verdict is None


@pytest.mark.parametrize("network", ["generator", "discriminator"])
def test_a_network_that_does_not_move(network):
    rows = [noisy(GAN, index, 0.1) for index in range(FROZEN_ROWS + 1)]

    def weights(index):
        return moving(index) | {
            network: [np.ones(4, "float32"), np.full(2, index * 1e-12, "float32")]
        }

    assert watched(rows, weights=weights).verdict == f"the weights of the {network} do not change"


def test_short_intervals_take_as_many_steps():
    rows = [GAN] * 1000
    assert watched(rows[: FROZEN_STEPS // 10], every=10).verdict is None
    assert watched(rows[: FROZEN_STEPS // 10 + 1], every=10).verdict


def test_life_after_a_standstill_counts_anew():
    rows = [GAN] * FROZEN_ROWS + [noisy(GAN, 1, 0.1)] + [GAN] * FROZEN_ROWS
    watch = watched(rows)
    assert watch.verdict is None
    assert watch.good_step == (FROZEN_ROWS + 2) * 100
