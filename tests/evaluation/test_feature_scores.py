"""Scores of features: closed forms, published vectors, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold_scores,
    nearest_rows,
    neighbours,
)
from tests.evaluation.vectors import clouds

SCORES = {
    "fid": lambda real, fake: frechet_distance(feature_statistics(real), feature_statistics(fake)),
    "kid": lambda real, fake: kernel_distance(real, fake, num_subsets=1, subset_size=10**6).mean,
    "prdc": manifold_scores,
}
each_score = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)


# 2,048 is the vector of the reference: means 0 and 1, covariance I.
@pytest.mark.parametrize("d", [64, pytest.param(2048, marks=pytest.mark.slow)])
def test_frechet_distance_of_unit_gaussians_is_that_of_their_means(d):
    normal = FeatureStatistics(10, np.zeros(d), np.eye(d))
    assert frechet_distance(normal, FeatureStatistics(10, np.ones(d), np.eye(d))) == d


@given(st.lists(st.tuples(*[st.floats(0, 10)] * 2), min_size=1, max_size=6))
def test_frechet_distance_of_diagonal_gaussians_is_that_of_their_deviations(pairs):
    a, b = np.array(pairs).T
    mean = np.zeros(len(a))
    statistics = [FeatureStatistics(10, mean, np.diag(std**2)) for std in (a, b)]
    assert frechet_distance(*statistics) == pytest.approx(((a - b) ** 2).sum(), abs=1e-6)


def test_frechet_distance_is_symmetric_and_zero_on_itself_at_any_rank():
    for case in [(300, 20, 0), (12, 30, 0)]:
        a, b = (feature_statistics(cloud) for cloud in clouds(*case))
        assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)
        assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)


def test_statistics_are_those_of_numpy_whatever_the_type():
    features = clouds(3000, 5)[0].astype("float32")
    statistics = feature_statistics(features)
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0, dtype="float64"), rtol=1e-12)
    np.testing.assert_allclose(
        statistics.covariance, np.cov(features.astype("float64"), rowvar=False), rtol=1e-10
    )


def test_kernel_distance_is_unbiased():
    rng = np.random.default_rng(0)
    estimates = [
        kernel_distance(*rng.normal(size=(2, 30, 4)), num_subsets=1, subset_size=30).mean
        for _ in range(400)
    ]
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates)) < 4 * error
    assert min(estimates) < 0


def test_kernel_distance_says_what_subset_it_really_took():
    real, fake = clouds(50, 3, fewer=20)
    assert kernel_distance(real, fake).subset_size == 30


@pytest.mark.slow
def test_published_vector_of_precision_recall_density_coverage():
    # prdc's own example: k = 5, two samples of N(0, I) in 1,000 dimensions, without a seed. A few
    # points are near to all others there, so that density differs from draw to draw.
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 10000, 1000))
    published = (0.4772, 0.4705, 1.0555, 0.9735)
    distance = np.abs(np.subtract(manifold_scores(real, fake, 5, 5), published))
    assert (distance < (0.03, 0.03, 0.16, 0.02)).all()


@each_score
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_order_of_images_does_not_matter(score, seed):
    real, fake = clouds(80, 6)
    rng = np.random.default_rng(seed)
    expected = score(real, fake)
    assert score(rng.permutation(real), rng.permutation(fake)) == pytest.approx(expected, rel=1e-9)


def test_size_of_blocks_does_not_matter(monkeypatch):
    real, fake = clouds(80, 6, fewer=11)
    expected = manifold_scores(real, fake)
    # One row of distances at a time, 7 rows, and all of them.
    for rows, count in ((1, 80), (7, 12), (80, 1)):
        monkeypatch.setattr(neighbours, "MEGABYTES", rows * len(fake) * 8 / 2**20)
        assert len(list(neighbours.distance_rows(real, fake))) == count
        assert manifold_scores(real, fake) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("block", [3, 20])
def test_nearest_rows_are_those_of_all_distances(block):
    x, y = clouds(20, 3)
    blocks = (y[first : first + block] for first in range(0, 20, block))
    numbers, distances = nearest_rows(x, blocks, k=4)
    everything = np.linalg.norm(x[:, None] - y, axis=2)
    np.testing.assert_array_equal(numbers, everything.argsort(axis=1)[:, :4])
    np.testing.assert_allclose(distances, np.sort(everything, axis=1)[:, :4])


def test_there_are_no_more_nearest_rows_than_rows():
    x, y = clouds(5, 3)
    numbers, _ = nearest_rows(x, [y[:2], y[2:]], k=9)
    assert np.sort(numbers, axis=1).tolist() == [[0, 1, 2, 3, 4]] * 5
    with pytest.raises(GenzooError, match="rows must be at least 1"):
        nearest_rows(x, [])
    with pytest.raises(GenzooError, match="not finite"):
        nearest_rows(x, np.full((2, 3), np.nan))


def test_copies_have_all_precision_and_a_collapsed_generator_little_recall():
    real, _ = clouds(300, 4)
    copied = manifold_scores(real, real)
    assert (copied.precision, copied.recall, copied.coverage) == (1, 1, 1)
    collapsed = real[:1] + 1e-3 * clouds(300, 4)[1]
    result = manifold_scores(real, collapsed)
    assert result.recall < 0.05
    assert result.coverage < 0.1


def test_a_ball_of_precision_has_its_border_and_one_of_density_has_not():
    real = np.array([[0.0], [1.0], [10.0]])
    on_the_border = np.array([[-1.0], [-1.0], [-1.0]])
    result = manifold_scores(real, on_the_border, 1, 1)
    assert (result.precision, result.density) == (1, 0)


@pytest.mark.parametrize("classes", [2, 10])
def test_inception_score_goes_from_1_to_the_number_of_classes(classes):
    sure = 100 * np.eye(classes).repeat(50, axis=0)
    assert inception_score(sure, splits=1).mean == pytest.approx(classes)
    assert inception_score(np.zeros((50, classes))).mean == pytest.approx(1)
    assert inception_score(sure[:50], splits=1).mean == pytest.approx(1)  # all of one class


@each_score
@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (np.ones((9, 2)), np.full((9, 2), np.nan), "9 of 9 rows of features are not finite"),
        (np.ones((9, 2)), np.full((9, 2), np.inf), "not finite"),
        (np.ones((1, 2)), np.ones((9, 2)), "at least"),
        (np.ones((0, 2)), np.ones((9, 2)), "at least"),
        (np.ones((9, 2)), np.ones((9, 3)), "cannot be compared|one d"),
        (np.ones(9), np.ones((9, 2)), "shape"),
    ],
)
def test_bad_features_are_refused(score, real, fake, words):
    with pytest.raises(GenzooError, match=words):
        score(real, fake)
