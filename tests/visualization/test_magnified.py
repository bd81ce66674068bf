"""The magnified part of a map: full of images, wherever they lie, and the same every time."""

import numpy as np
import pytest

from keras_genzoo.visualization import Study
from keras_genzoo.visualization.study_figures import DOZEN, choose_part, magnified


def map_of(real, generated):
    real, generated = np.asarray(real, float), np.asarray(generated, float)
    return Study("pixels", real, generated, np.zeros(len(generated), bool), 0.0)


def cloud(n, middle=(0, 0), size=1.0, seed=0):
    return np.random.default_rng(seed).normal(middle, size, (n, 2))


MAPS = {
    # Most generated images lie together where there is nothing else.
    "three_apart": map_of(cloud(1000), [(12, 12), (12.5, 12), (12, 12.6), (0, 0), (2, 0), (0, 2)]),
    "spots_far_apart": map_of(
        np.concatenate([cloud(300), cloud(300, (1000, 0))]), [*cloud(20, seed=1), (500, 0)]
    ),
    "sparse": map_of(100 * cloud(40), 100 * cloud(3, seed=1)),
    "dense": map_of(cloud(1000), cloud(64, seed=1)),
    "no_generated_among_the_real": map_of([(10 * i, 0) for i in range(20)], [(500, 0), (5, 300)]),
}


@pytest.mark.parametrize("name", MAPS)
def test_a_dozen_images_are_drawn_and_none_covers_another(name):
    study = MAPS[name]
    middle, side, drawn = choose_part(study)
    assert len(drawn) >= DOZEN
    points = np.concatenate([study.generated, study.real])[drawn]
    assert (abs(points - middle) < side / 2).all()
    apart = abs(points[:, None] - points).max(axis=2)
    assert apart[~np.eye(len(points), dtype=bool)].min() >= side / 14
    again = choose_part(study)
    assert (again[0].tolist(), again[1:]) == (middle.tolist(), (side, drawn))


def test_the_part_is_where_generated_images_lie_among_real_ones():
    middle, _, drawn = choose_part(MAPS["three_apart"])
    assert abs(middle).max() < 3
    assert min(drawn) < 6


def test_a_part_that_is_full_is_not_larger_than_asked_for():
    dense = MAPS["dense"]
    _, side, drawn = choose_part(dense, share=0.35)
    whole = np.ptp(np.concatenate([dense.real, dense.generated]), axis=0).max()
    assert side <= 0.35 * whole
    assert len(drawn) > 5 * DOZEN


def test_as_many_as_there_are_where_there_is_no_dozen():
    few = map_of(cloud(5), cloud(2, seed=1))
    assert len(choose_part(few)[2]) > 3
    assert len(choose_part(map_of(np.zeros((20, 2)), np.zeros((3, 2))))[2]) == 1


def test_the_figure_shows_what_was_chosen():
    study = MAPS["three_apart"]
    images = np.zeros((len(study.real), 8, 8, 1), "uint8")
    figure = magnified(study, images, images[: len(study.generated)])
    middle, side, drawn = choose_part(study)
    [axes] = figure.axes
    assert len(axes.artists) == len(drawn)
    np.testing.assert_allclose(axes.get_xlim(), middle[0] + np.array([-0.5, 0.5]) * side)
