"""What theory says of the optimum, found again by training."""

import numpy as np
import pytest
from scipy import stats

from keras_genzoo.evaluation.theory import (
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
    assert result.covered == len(data.means)


def test_components_are_covered_where_there_are_points():
    data = ring()
    points = data.sample(2000, np.random.default_rng(0))[:, 0, :, 0]
    assert data.covered(points) == 8
    right = points[points[:, 0] > 0.2]
    assert data.covered(right) == 3
    # Points between the components are of none.
    assert data.covered(np.zeros((100, 2))) == 0


@pytest.mark.slow
def test_the_figure_shows_what_was_measured(tmp_path):
    measured, files = draw_theory(tmp_path / "theory", steps=(50, 100))
    assert [file.name for file in files] == ["theory.png", "theory.svg"]
    assert set(measured) == {"1-D", "2-D", "GAN 1-D", "GAN 2-D"}
    text = files[1].read_text()
    for name in ("GAN 1-D", "GAN 2-D"):
        numbers = measured[name]
        shown = f"{numbers['JS_before']:.2f} → {numbers['JS_after']:.2f}"
        assert f"{numbers['modes']} modes, JS {shown}" in text


def test_gradients_are_those_of_the_formulas():
    scores = np.linspace(0.01, 0.99, 25)
    gradients = generator_gradients(scores)
    np.testing.assert_allclose(gradients["minimax"], scores, rtol=1e-4)
    np.testing.assert_allclose(gradients["non_saturating"], 1 - scores, rtol=1e-4)
