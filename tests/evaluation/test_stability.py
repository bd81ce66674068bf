"""GANs of several seeds side by side, and the study of which losses and penalties end well."""

import json
import re

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.side_by_side import LOOKED_AT, new_gans, train_gans
from keras_genzoo.evaluation.stability import (
    eight_gaussians,
    outcome,
    study_stability,
    twenty_five_gaussians,
)
from keras_genzoo.losses import PENALTIES
from keras_genzoo.visualization.stability import draw_stability


@pytest.mark.parametrize("data", [eight_gaussians(), twenty_five_gaussians()])
def test_a_perfect_generator_ends_well(data):
    points = data.sample(LOOKED_AT, np.random.default_rng(0))[:, 0, :, 0]
    result = outcome(data, points)
    assert result.modes == result.num_modes == len(data.means)
    # A point of the plane lies within three deviations with probability 1 - exp(-9 / 2).
    assert result.quality == pytest.approx(1 - np.exp(-4.5), abs=0.01)
    # KL of n perfect samples is about (modes - 1) / (2 n).
    assert result.reverse_kl < 3 * len(data.means) / (2 * LOOKED_AT)
    assert result.ends_well


def test_lost_modes_and_bad_points_do_not_end_well():
    data = eight_gaussians()
    half = np.repeat(data.means[:4], 100, axis=0)
    collapsed = outcome(data, half)
    assert (collapsed.modes, collapsed.quality) == (4, 1)
    assert collapsed.reverse_kl == pytest.approx(np.log(2))
    assert not collapsed.ends_well
    everywhere = np.random.default_rng(0).uniform(-1, 1, (LOOKED_AT, 2))
    scattered = outcome(data, everywhere)
    assert scattered.quality < 0.1
    assert not scattered.ends_well
    diverged = outcome(data, np.full((10, 2), np.nan))
    assert (diverged.modes, diverged.quality, diverged.reverse_kl) == (0, 0, None)
    assert not diverged.ends_well


@pytest.mark.slow
def test_a_gan_beside_others_trains_as_it_does_alone():
    data, rates = eight_gaussians(), (1e-3, 1e-3)
    both = new_gans("relativistic", PENALTIES["r1+r2"](0.01), 2, 100, rates)
    alone = new_gans("relativistic", PENALTIES["r1+r2"](0.01), 1, 100, rates)
    for network in ("generator", "discriminator"):
        weights = [weight[:1] for weight in getattr(both, network).get_weights()]
        getattr(alone, network).set_weights(weights)
    # The first of both sees the noise and the points that the one alone sees.
    before, after = train_gans(both, [data, twenty_five_gaussians()], [0, 100], 16)
    _, expected = train_gans(alone, [data], [0, 100], 16)
    np.testing.assert_allclose(after[0], expected[0], atol=1e-3)
    assert abs(after - before).mean() > 0.01


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A study of one seed and few steps: the cases, the files, and the lines on the way."""
    lines = []
    out = tmp_path_factory.mktemp("drawn") / "stability"
    losses, penalties = ["hinge", "wasserstein"], ["none", "r1"]
    cases, files = draw_stability(
        out, 1, 100, echo=lines.append, losses=losses, penalties=penalties
    )
    return cases, files, lines


@pytest.mark.slow
def test_combinations_without_a_meaning_are_left_out_and_named(drawn):
    cases, _, lines = drawn
    expected = [("hinge", "none"), ("hinge", "r1"), ("wasserstein", "r1")]
    assert [(case.loss, case.penalty) for case in cases[::2]] == expected
    assert [case.data for case in cases] == ["8 Gaussians", "25 Gaussians"] * 3
    [left_out] = [line for line in lines if "left out" in line]
    assert left_out.startswith("wasserstein, none: left out, this loss needs")


@pytest.mark.slow
def test_figure_table_and_numbers_hold_the_cases(drawn):
    cases, files, _ = drawn
    assert [file.name for file in files] == [f"stability.{x}" for x in ("png", "svg", "md", "json")]
    rows = files[2].read_text().splitlines()[2:]
    numbers = json.loads(files[3].read_text())
    assert numbers["protocol"]["steps"] == 100
    assert numbers["protocol"]["penalty_weights"] == {"r1": 0.01}
    for case, row, kept in zip(cases, rows, numbers["cases"], strict=True):
        assert row.startswith(
            f"| {case.data} | `{case.loss}` | `{case.penalty}` | {case.well} of 1"
        )
        assert kept["share_that_ends_well"] == case.well
        assert kept["modes"] == case.outcomes[0].modes == kept["seeds"][0]["modes"]
    assert len(re.findall(r"[0-9] modes, [0-9]+%<", files[1].read_text())) == len(cases)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 150}, "a multiple of 100 steps"),
        ({"seeds": 0}, "at least 1 seed"),
        ({"losses": ["hing"]}, "hinge"),
        ({"penalties": ["r3"]}, "r1"),
    ],
)
def test_what_cannot_be_studied_is_refused(arguments, message):
    with pytest.raises(GenzooError, match=message):
        study_stability(**arguments)
