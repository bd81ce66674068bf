"""Augmentation of the discriminator's images, op by op against plain arithmetic."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import POLICIES, DiffAugment
from keras_genzoo.networks.augmentation import (
    brightness,
    contrast,
    cutout,
    saturation,
    translation,
)

IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")


class Known:
    """Noise that is given: a number for each image, call by call."""

    def __init__(self, *numbers):
        self._numbers = iter(numbers)

    def uniform(self, batch_size, shape=()):
        numbers = np.asarray(next(self._numbers), "float32")
        return tf.reshape(tf.constant(numbers), (int(batch_size), *shape))


def test_brightness_adds_from_minus_to_plus_a_half():
    changed = brightness(IMAGES, Known([0.0, 0.5, 1.0]), -1.0)
    expected = IMAGES + np.array([-0.5, 0.0, 0.5]).reshape(3, 1, 1, 1)
    np.testing.assert_allclose(changed, expected, atol=1e-6)


def test_saturation_scales_the_distance_from_grey():
    changed = np.asarray(saturation(IMAGES, Known([0.0, 0.5, 1.0]), -1.0))
    grey = IMAGES.mean(-1, keepdims=True)
    np.testing.assert_allclose(changed[0], np.broadcast_to(grey[0], (16, 16, 3)), atol=1e-6)
    np.testing.assert_allclose(changed[1], IMAGES[1], atol=1e-6)
    np.testing.assert_allclose(changed[2], 2 * IMAGES[2] - grey[2], atol=1e-6)
    assert saturation(IMAGES[..., :1], Known(), -1.0).shape == (3, 16, 16, 1)


def test_contrast_scales_the_distance_from_the_mean():
    changed = np.asarray(contrast(IMAGES, Known([0.0, 0.5, 1.0]), -1.0))
    mean = IMAGES.mean((1, 2, 3), keepdims=True)
    for index, scale in enumerate((0.5, 1.0, 1.5)):
        expected = (IMAGES[index] - mean[index]) * scale + mean[index]
        np.testing.assert_allclose(changed[index], expected, atol=1e-6)


def test_translation_moves_by_up_to_an_eighth_and_fills_with_the_background():
    # 16 pixels: two to either side. 0 is the furthest up or left, 0.99 the furthest down or right.
    changed = np.asarray(translation(IMAGES, Known([0.0, 0.5, 0.99], [0.5, 0.99, 0.0]), -1.0))
    expected = np.full_like(IMAGES, -1.0)
    expected[0, :-2] = IMAGES[0, 2:]
    expected[1, :, 2:] = IMAGES[1, :, :-2]
    expected[2, 2:, :-2] = IMAGES[2, :-2, 2:]
    np.testing.assert_array_equal(changed, expected)


def test_cutout_covers_a_square_of_half_the_size():
    # A middle at 8 of 16 covers 4 to 11; one at 0 covers what of it lies inside.
    changed = np.asarray(cutout(IMAGES, Known([0.5, 0.0, 0.99], [0.5, 0.5, 0.0]), 0.25))
    expected = IMAGES.copy()
    expected[0, 4:12, 4:12] = 0.25
    expected[1, 0:4, 4:12] = 0.25
    expected[2, 12:, 0:4] = 0.25
    np.testing.assert_array_equal(changed, expected)


@pytest.mark.slow
@settings(deadline=None)  # The first call of an operation is slow.
@given(st.sets(st.sampled_from(sorted(POLICIES)), min_size=1), st.integers(0, 2**31))
def test_gradients_flow_through_every_policy(policies, seed):
    random = np.random.default_rng(seed)

    class Draw:
        def uniform(self, batch_size, shape=()):
            return tf.constant(random.uniform(size=(int(batch_size), *shape)), tf.float32)

    images = tf.constant(IMAGES)
    with tf.GradientTape() as tape:
        tape.watch(images)
        changed = DiffAugment(sorted(policies))(images, Draw())
        total = tf.reduce_sum(changed)
    assert changed.shape == images.shape
    gradient = tape.gradient(total, images)
    assert np.isfinite(gradient).all()
    # A cutout of at most a quarter, and a border of at most an eighth, hide something.
    assert (np.abs(gradient) > 0).mean() > 0.3


def test_a_policy_that_is_unknown_is_refused():
    with pytest.raises(GenzooError, match=r"augmentation policy 'colour'.*did you mean 'color'"):
        DiffAugment(["colour"])
    with pytest.raises(GenzooError, match="one policy or more"):
        DiffAugment([])
    with pytest.raises(GenzooError, match=r"lie in \[-1, 1\]"):
        DiffAugment(background=255)
