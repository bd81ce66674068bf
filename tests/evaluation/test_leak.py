"""Artefacts of augmentation are counted as often as they are there."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import ARTEFACTS, SCORES, ScoreInputs, augmentation_leak, leak
from keras_genzoo.evaluation.display import score_rows
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.evaluation.leak import leaks_of_answers


@pytest.fixture(scope="module")
def digits():
    """Real images to learn from, and others in the place of generated ones."""
    images = np.clip(load_digits().images * 16, 0, 255).astype("uint8")[..., None]
    images = images[np.random.default_rng(0).permutation(len(images))]
    return images[:1000], images[1000:]


@pytest.fixture(autouse=True)
def short_training(monkeypatch):
    monkeypatch.setattr(leak, "IMAGES_SEEN", 20_000)


def with_artefacts(images, **shares):
    """Return the images with artefacts in so many of them, each drawn anew."""
    rng, images = np.random.default_rng(5), images.copy()
    for name, share in shares.items():
        chosen = rng.random(len(images)) < share
        change = leak._change(ARTEFACTS[name], -1.0, rng)
        images[chosen] = change(images[chosen])
    return images


@pytest.mark.slow
@pytest.mark.parametrize(
    "shares",
    [{"flip": 0.25, "cutout": 0.5}, {"translation": 0.6, "brightness": 0.3}, {"cutout": 1}],
)
def test_artefacts_are_counted_in_their_share_and_others_are_not(digits, shares):
    real, other = digits
    found = augmentation_leak(real, with_artefacts(other, **shares))
    assert list(found) == ["flip", "translation", "cutout", "brightness"]
    for name, one in found.items():
        share = shares.get(name, 0)
        # The error of the estimate, and that of the number of images with the artefact.
        error = np.hypot(one.standard_error, np.sqrt(share * (1 - share) / len(other)))
        assert one.share == pytest.approx(share, abs=3 * error), name
        assert one.standard_error < 0.1
        assert one.difference > leak.LEAST_DIFFERENCE


@pytest.mark.slow
def test_an_artefact_that_real_images_show_as_well_has_no_share(digits):
    real, _ = digits
    # Of each image its mirror image is there, too.
    both = np.concatenate([real, real[:, :, ::-1]])
    found = augmentation_leak(both[::4], both[1::4], {"flip": ARTEFACTS["flip"]})
    assert found == {"flip": None}


def test_the_error_is_that_of_repeated_estimates():
    rng = np.random.default_rng(0)
    # The detector's answers without, and with the first and the second artefact.
    kinds = np.array([[0.1, 0.2], [0.8, 0.3], [0.4, 0.7]])

    def answers(*counts):
        return np.concatenate(
            [rng.binomial(10, mean, (n, 2)) / 10 for mean, n in zip(kinds, counts, strict=True)]
        )

    repeated = []
    for _ in range(300):
        fake = answers(300, 300, 400)
        clean, first, second = answers(400, 0, 0), answers(0, 400, 0), answers(0, 0, 400)
        repeated.append(leaks_of_answers(fake, clean, [first, second]))
    shares = np.array([[one.share for one in leaks] for leaks in repeated])
    errors = np.array([[one.standard_error for one in leaks] for leaks in repeated])
    np.testing.assert_allclose(shares.mean(axis=0), [0.3, 0.4], atol=0.005)
    # The shares of the kinds are fixed here, so that the variance between them is not seen.
    assert (shares.std(axis=0) < errors.mean(axis=0)).all()
    assert (shares.std(axis=0) > errors.mean(axis=0) / 2).all()


@pytest.mark.slow
def test_the_score_gives_the_shares_with_their_errors(digits, monkeypatch):
    real, other = digits
    monkeypatch.setattr(leak, "IMAGES_SEEN", 4000)
    inputs = ScoreInputs(real[:300], with_artefacts(other[:100], translation=1), Pixels())
    values = SCORES["augmentation_leak"].measure(inputs)
    found = values["augmentation_leak"]
    again = augmentation_leak(inputs.real_images, inputs.fake_images)
    for name, one in again.items():
        if one is None:
            assert name in found["not_measurable"].split(", ")
        else:
            assert (found[name], found[f"{name}_error"]) == (one.share, one.standard_error)
    rows = {row[0]: row[1] for row in score_rows({"scores": values})}
    assert any("artefact" in name and "±" in value for name, value in rows.items())


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        ((199, 8, 8, 1), (5, 8, 8, 1), "learnt from 200 real images or more, not 199"),
        ((200, 8, 8, 1), (5, 8, 9, 1), "real images are .8, 8, 1. and generated ones .8, 9, 1."),
        ((200, 8, 8, 1), (0, 8, 8, 1), "generated images must be uint8"),
        ((200, 8, 8), (5, 8, 8, 1), "real images must be uint8"),
    ],
)
def test_images_that_cannot_be_compared_are_refused(real, fake, message):
    with pytest.raises(GenzooError, match=message):
        augmentation_leak(np.zeros(real, "uint8"), np.zeros(fake, "uint8"))
