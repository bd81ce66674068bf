"""What theory says of the optimum, found again by training."""

import json
import re

import numpy as np
import pytest
from scipy import stats

from keras_genzoo.evaluation.theory import (
    COLLAPSES,
    Mixture,
    broad,
    generator_gradients,
    grid,
    ring,
    train_discriminator,
    train_gan,
    two_bumps,
)
from keras_genzoo.losses import LOG_4
from keras_genzoo.visualization.theory import draw_theory


@pytest.mark.parametrize("mixture", [two_bumps(), ring(), broad(1), broad(2)])
def test_densities_are_those_of_the_samples(mixture):
    points = grid(mixture.dimensions)
    density = mixture.density(points)
    expected = np.mean(
        [stats.multivariate_normal(m, mixture.deviation**2).pdf(points) for m in mixture.means],
        axis=0,
    )
    np.testing.assert_allclose(density, expected, rtol=1e-9, atol=1e-12)
    cell = (points[-1, -1] - points[-2, -1]) ** mixture.dimensions
    assert density.sum() * cell == pytest.approx(1, abs=3e-3)
    drawn = mixture.sample(20_000, np.random.default_rng(0))
    assert drawn.shape == (20_000, 1, mixture.dimensions, 1)
    means = (points * density[:, None]).sum(axis=0) / density.sum()
    np.testing.assert_allclose(drawn[:, 0, :, 0].mean(axis=0), means, atol=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("data", "generated"), [(two_bumps(), broad(1)), (ring(), broad(2))])
def test_a_trained_discriminator_is_the_optimal_one(data, generated):
    result = train_discriminator(data, generated, steps=1500)
    assert result.mean_error < 0.03
    # Theorem 1: no discriminator does better, and a good one nearly as well.
    assert result.value == pytest.approx(result.optimal_value, abs=0.02)
    assert result.values[0][1] < result.optimal_value - 0.05


@pytest.mark.slow
def test_where_the_densities_are_equal_the_value_is_minus_log_4():
    result = train_discriminator(broad(1), broad(1), steps=300)
    assert result.optimal_value == pytest.approx(-LOG_4, abs=1e-6)
    assert result.value == pytest.approx(-LOG_4, abs=0.01)
    assert result.mean_error < 0.05


@pytest.mark.slow
def test_far_apart_the_divergence_is_log_2():
    left, right = (Mixture(np.array([[middle]]), 0.05) for middle in (-0.6, 0.6))
    result = train_discriminator(left, right, steps=100)
    assert result.optimal_value == pytest.approx(0, abs=1e-6)
    assert result.value == pytest.approx(0, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("data", "divergence"), [(two_bumps(), 0.1), (ring(), 0.25)])
def test_a_gan_on_known_data_comes_near_to_it(data, divergence):
    result = train_gan(data, steps=3000)
    assert result.divergence < min(divergence, result.divergence_before / 2)
    assert result.values[-1][1] == pytest.approx(-LOG_4, abs=0.15)
    coverage = result.coverage(data)
    assert result.covered == len(data.means) == coverage[-1][1]
    assert [step for step, _ in coverage] == [step for step, _ in result.values]
    [(first, before), *_] = result.snapshots
    assert (first, before.shape) == (0, (2000, data.dimensions))


@pytest.mark.slow
def test_a_generator_that_learns_faster_than_its_discriminator_drops_modes():
    data = ring()
    result = train_gan(data, steps=1500, learning_rates=COLLAPSES)
    assert result.covered <= 4
    assert result.divergence > 0.3
    assert max(modes for _, modes in result.coverage(data)) < len(data.means)
    assert result.values[-1][1] == pytest.approx(-LOG_4, abs=0.2)


def test_components_are_covered_where_there_are_points():
    data = ring()
    points = data.sample(2000, np.random.default_rng(0))[:, 0, :, 0]
    assert data.covered(points) == 8
    right = points[points[:, 0] > 0.2]
    assert data.covered(right) == 3
    # Points between the components are of none.
    assert data.covered(np.zeros((100, 2))) == 0


# The figure --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What was measured, and the files of a figure with its panels."""
    return draw_theory(tmp_path_factory.mktemp("drawn") / "theory", steps=(50, 100), panels=True)


@pytest.mark.slow
def test_the_figure_shows_what_was_measured(drawn):
    measured, files = drawn
    text = files[1].read_text()
    for name, numbers in measured.items():
        if "modes" in numbers:
            shown = f"{numbers['JS_before']:.2f} → {numbers['JS_after']:.2f}"
            assert f"{numbers['modes']} modes, JS {shown}" in text, name


@pytest.mark.slow
def test_each_panel_is_in_the_figure_and_a_file_of_its_own(drawn):
    _, files = drawn
    names = ["theory", "theory-cure", *(f"theory-{letter}" for letter in "abcdefghijkl")]
    expected = [f"{name}.{suffix}" for name in names for suffix in ("png", "svg")]
    assert [file.name for file in files] == [*expected, "theory.json"]
    whole = files[1].read_text()
    for file in files[5:-1:2]:
        title = f"({file.stem[-1]}) "
        assert whole.count(f">{title}") == file.read_text().count(f">{title}") == 1


@pytest.mark.slow
def test_collapse_and_cure_are_shown_at_the_same_steps(drawn):
    _, files = drawn
    text = files[3].read_text()
    assert ">G faster than D (panel k): " in text
    assert ">D faster than G (panel j): " in text
    for step in (0, 100):
        assert len(re.findall(f">step {step}: [0-8] modes<", text)) == 2


@pytest.mark.slow
def test_letters_in_the_text_are_those_of_panels_and_a_minus_is_no_hyphen(drawn):
    measured, files = drawn
    text = files[1].read_text()
    words = re.findall(r"<text[^>]*>([^<]*)</text>", text)
    assert words
    assert not [word for word in words if re.search(r"-(?=\d|log)", word)]
    assert any("\N{MINUS SIGN}log 4" in word for word in words)
    named = "".join(re.findall(r"\(([a-l, to]+)\)", " ".join([*words, *measured])))
    assert set("abcdefghijkl") <= set(named)


@pytest.mark.slow
def test_the_numbers_of_the_figure_stand_beside_it(drawn):
    measured, files = drawn
    numbers = json.loads(files[-1].read_text())
    assert numbers["measured"] == measured
    assert numbers["steps"] == {"D": 50, "GAN": 100}
    curves = numbers["curves"]
    assert list(curves) == ["a", "b", "c", "d", "l"]
    assert len(curves["a"]["x"]) == len(curves["a"]["D"]) == len(curves["a"]["D*"])
    assert (curves["a"]["x"][0], curves["a"]["x"][-1]) == (-1, 1)
    [_, value] = curves["d"]["j"][-1]
    assert value == measured["GAN 2-D (d, j, l)"]["value"]


def test_gradients_are_those_of_the_formulas():
    scores = np.linspace(0.01, 0.99, 25)
    gradients = generator_gradients(scores)
    np.testing.assert_allclose(gradients["minimax"], scores, rtol=1e-4)
    np.testing.assert_allclose(gradients["non_saturating"], 1 - scores, rtol=1e-4)
