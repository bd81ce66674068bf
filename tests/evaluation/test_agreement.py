"""Scores agree with independent implementations on the same features (see ``vectors.py``)."""

import json

import numpy as np
import pytest

from keras_genzoo.evaluation import (
    feature_statistics,
    frechet_distance,
    inception_score,
    kernel_distance,
    manifold_scores,
    reconstruction_quality,
    similarity_matrix,
    structural_similarity,
)
from tests.evaluation.vectors import CLOUDS, FILE, LOGITS, PICTURES, clouds, logits, pictures

VECTORS = json.loads(FILE.read_text())
of_clouds = pytest.mark.parametrize(
    ("case", "vector"), list(zip(CLOUDS, VECTORS["clouds"], strict=True))
)


@of_clouds
def test_frechet_distance_is_that_of_torch_fidelity(case, vector):
    real, fake = (feature_statistics(cloud) for cloud in clouds(*case))
    assert frechet_distance(real, fake) == pytest.approx(vector["fid"], rel=1e-6)


@of_clouds
def test_kernel_distance_is_that_of_torch_fidelity_with_the_same_subsets(case, vector):
    size = vector["kid_subset_size"]
    result = kernel_distance(*clouds(*case), num_subsets=20, subset_size=size)
    assert result.mean == pytest.approx(vector["kid_mean"], rel=1e-6)
    assert result.std == pytest.approx(vector["kid_std"], rel=1e-6)


@of_clouds
def test_precision_and_recall_are_those_of_torch_fidelity(case, vector):
    result = manifold_scores(*clouds(*case))
    assert result.precision == pytest.approx(vector["precision"], abs=1e-7)
    assert result.recall == pytest.approx(vector["recall"], abs=1e-7)


@of_clouds
def test_all_four_are_those_of_prdc(case, vector):
    result = manifold_scores(*clouds(*case), precision_k=5, density_k=5)._asdict()
    expected = {name: pytest.approx(value, rel=1e-12) for name, value in vector["prdc"].items()}
    assert result == expected


@pytest.mark.parametrize(
    ("case", "vector"), list(zip(LOGITS, VECTORS["inception_score"], strict=True))
)
def test_inception_score_is_that_of_torch_fidelity(case, vector):
    assert tuple(inception_score(logits(*case))) == pytest.approx(vector, rel=1e-9)


@pytest.mark.parametrize(("case", "vector"), list(zip(PICTURES, VECTORS["pictures"], strict=True)))
def test_ssim_and_psnr_are_those_of_scikit_image(case, vector):
    images, noisy = pictures(*case)
    np.testing.assert_allclose(structural_similarity(images, noisy), vector["ssim"], atol=2e-5)
    quality = reconstruction_quality(images, noisy)
    assert quality.ssim == pytest.approx(np.mean(vector["ssim"]), abs=2e-5)
    assert quality.psnr == pytest.approx(np.mean(vector["psnr"]), abs=1e-9)


@pytest.mark.parametrize("case", PICTURES)
def test_similarity_of_all_pairs_is_that_of_each(case):
    images, noisy = pictures(*case)
    matrix = similarity_matrix(images, noisy, stride=1)
    for row, image in enumerate(images):
        one = structural_similarity(np.broadcast_to(image, noisy.shape), noisy)
        np.testing.assert_allclose(matrix[row], one, atol=1e-4)
