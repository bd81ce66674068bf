"""Adaptive augmentation, operation by operation against plain arithmetic."""

import colorsys

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import ADA, COLOUR, GEOMETRY
from keras_genzoo.networks.ada import interpolated

SIZE = 12
IMAGES = np.random.default_rng(0).uniform(-1, 1, (3, SIZE, SIZE, 3)).astype("float32")
BACK = 0.25


class Known:
    """Noise that is given: uniform and normal numbers of each image, for one operation."""

    def __init__(self, uniform=(0.5, 0.5, 0.5), normal=(0.0, 0.0, 0.0), second=None, chosen=0.0):
        count = len(uniform)
        second = uniform if second is None else second
        columns = np.stack([uniform, second, np.full(count, chosen)], axis=1)
        self._uniform = columns[:, None].astype("float32")
        self._normal = np.stack([normal, np.zeros(count)], axis=1)[:, None].astype("float32")

    def uniform(self, batch_size, shape):
        assert self._uniform.shape == (int(batch_size), *shape)
        return tf.constant(self._uniform)

    def normal(self, batch_size, shape):
        assert self._normal.shape == (int(batch_size), *shape)
        return tf.constant(self._normal)


class Drawn:
    """Noise from a generator of NumPy."""

    def __init__(self, seed=0):
        self._random = np.random.default_rng(seed)

    def uniform(self, batch_size, shape):
        return tf.constant(self._random.uniform(size=(int(batch_size), *shape)), tf.float32)

    def normal(self, batch_size, shape):
        return tf.constant(self._random.normal(size=(int(batch_size), *shape)), tf.float32)


def changed(operation, images=IMAGES, probability=1.0, **noise):
    return ADA([operation], background=BACK)(images, Known(**noise), probability).numpy()


def test_flip_mirrors_half_of_the_chosen_images():
    found = changed("flip", uniform=(0.4, 0.6, 0.0))
    expected = np.stack([IMAGES[0, :, ::-1], IMAGES[1], IMAGES[2, :, ::-1]])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_quarter_turns_are_exact():
    images = np.concatenate([IMAGES, IMAGES[:1]])
    found = changed("quarter_turn", images, uniform=(0.1, 0.3, 0.6, 0.9), normal=(0,) * 4)
    for index, image in enumerate(images):
        # To the right and down: what turns x into y goes clockwise.
        np.testing.assert_allclose(found[index], np.rot90(image, -index), atol=1e-6)


def test_shift_moves_whole_pixels_and_fills_with_the_background():
    # 12 pixels: an eighth is 1.5. 0 and 1 are the furthest left and right, or up and down.
    found = changed("shift", uniform=(0.5, 0.1, 0.8), second=(0.5, 0.5, 0.2))
    expected = np.full_like(IMAGES, BACK)
    expected[0] = IMAGES[0]
    expected[1, :, :-1] = IMAGES[1, :, 1:]
    expected[2, :-1, 1:] = IMAGES[2, 1:, :-1]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_scale_by_a_half_shows_the_whole_in_the_middle():
    image = np.full((1, 8, 8, 1), 1.0, "float32")
    found = ADA(["scale"], background=-1.0)(image, Known((0.5,), (-5.0,)), 1.0).numpy()[0, ..., 0]
    # 2 ** (0.2 * -5) is a half: 4 pixels of 1, and nothing else.
    assert found.sum() == pytest.approx(16 - 48)
    np.testing.assert_allclose(found[2:6, 2:6], 1.0)


@pytest.mark.parametrize(("operation", "most"), [("rotation", 180), ("tilt", 15)])
def test_turns_go_up_to_their_angle(operation, most):
    # A quarter of the way: what lies at a place of the turned image comes from a turned place.
    found = changed(operation, uniform=(0.5, 0.75, 0.25))
    np.testing.assert_allclose(found[0], IMAGES[0], atol=1e-5)
    for index, sign in ((1, 1), (2, -1)):
        angle = sign * np.radians(most / 2)
        y, x = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
        columns = np.cos(angle) * x + np.sin(angle) * y + (SIZE - 1) / 2
        rows = np.cos(angle) * y - np.sin(angle) * x + (SIZE - 1) / 2
        flat = (part.reshape(1, -1).astype("float32") for part in (columns, rows))
        expected = interpolated(IMAGES[index : index + 1] - BACK, *flat) + BACK
        np.testing.assert_allclose(found[index : index + 1], expected, atol=1e-4)


def test_interpolation_is_bilinear():
    random = np.random.default_rng(3)
    x, y = random.uniform(-2, SIZE + 1, (2, 3, SIZE * SIZE)).astype("float32")
    found = interpolated(IMAGES, x, y).numpy().reshape(3, -1, 3)
    padded = np.pad(IMAGES, ((0, 0), (3, 3), (3, 3), (0, 0)))
    for image, place in ((0, 5), (1, 77), (2, 143), (2, 20)):
        column, row = x[image, place] + 3, y[image, place] + 3
        left, top = int(np.floor(column)), int(np.floor(row))
        corner = padded[image, top : top + 2, left : left + 2].astype("float64")
        rows = np.array([1 - (row - top), row - top])
        columns = np.array([1 - (column - left), column - left])
        expected = np.einsum("ijc,i,j->c", corner, rows, columns)
        np.testing.assert_allclose(found[image, place], expected, atol=1e-5)


def test_fractional_shift_moves_by_the_normal_number():
    found = changed("fractional_shift", normal=(0.0, 1.0, -1.0))
    np.testing.assert_allclose(found[0], IMAGES[0], atol=1e-6)
    # An eighth of 12 pixels is one and a half.
    mean = (IMAGES[1, :, :-2] + IMAGES[1, :, 1:-1]) / 2
    np.testing.assert_allclose(found[1, :, 2:], mean, atol=1e-5)
    mean = (IMAGES[2, :, 1:-1] + IMAGES[2, :, 2:]) / 2
    np.testing.assert_allclose(found[2, :, :-2], mean, atol=1e-5)


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("brightness", lambda x, n: x + 0.2 * n),
        ("contrast", lambda x, n: x * 2 ** (0.5 * n)),
        ("saturation", lambda x, n: x.mean(-1, keepdims=True) * (1 - 2**n) + x * 2**n),
    ],
)
def test_colours_change_by_the_normal_number(operation, expected):
    found = changed(operation, normal=(-1.0, 0.0, 2.0))
    for index, number in enumerate((-1.0, 0.0, 2.0)):
        np.testing.assert_allclose(found[index], expected(IMAGES[index], number), atol=1e-5)


def test_hue_turns_red_into_green_by_a_third_of_the_circle():
    red = np.zeros((3, 2, 2, 3), "float32")
    red[..., 0] = 1.0
    # U = 1/2 turns by nothing, 5/6 by 120 degrees, 1/6 by -120.
    found = changed("hue", red, uniform=(1 / 2, 5 / 6, 1 / 6))
    for index, name in enumerate(("red", "green", "blue")):
        hue = {"red": 0, "green": 1 / 3, "blue": 2 / 3}[name]
        expected = np.broadcast_to(colorsys.hsv_to_rgb(hue, 1, 1), (2, 2, 3))
        np.testing.assert_allclose(found[index], expected, atol=1e-6)


def test_an_operation_reaches_its_share_of_the_images():
    images = np.zeros((2000, 2, 2, 1), "float32")
    for probability in (0.0, 0.3, 1.0):
        found = ADA(["brightness"])(images, Drawn(), probability).numpy()
        share = (found[:, 0, 0, 0] != 0).mean()
        assert share == pytest.approx(probability, abs=0.04)


@pytest.mark.parametrize("operation", [*GEOMETRY, *COLOUR])
def test_without_probability_images_stay(operation):
    np.testing.assert_allclose(changed(operation, probability=0.0, chosen=0.5), IMAGES, atol=1e-6)


def test_colours_of_grey_images_stay():
    grey = IMAGES[..., :1]
    for operation in ("hue", "saturation"):
        found = ADA([operation])(grey, Drawn(), 1.0)
        np.testing.assert_array_equal(found, grey)


def test_gradients_flow_through_all_operations_in_both_orders():
    augmentation = ADA([*GEOMETRY, *COLOUR])
    images, factor = tf.constant(IMAGES), tf.Variable(1.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as tape:
            tape.watch(images)
            total = tf.reduce_sum(tf.square(factor * augmentation(images, Drawn(), 0.8)))
        gradient = tape.gradient(total, images)
        slope = tf.reduce_sum(tf.square(gradient))
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient) > 0).mean() > 0.5
    # The gradient is proportional to the square of the factor, its square to the fourth power.
    assert float(outer.gradient(slope, factor)) == pytest.approx(4 * float(slope), rel=1e-4)


def test_what_makes_other_digits_is_left_out_by_default_and_said_where_it_is_asked_for():
    assert ADA().turning == ()
    assert ADA(["rotation", "flip", "scale"]).turning == ("flip", "rotation")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"operations": ["colour"]}, "augmentation operation 'colour'"),
        ({"operations": []}, "one operation or more"),
        ({"target": 2.0}, r"must lie in \[-1, 1\], not 2.0"),
        ({"probability": 1.5}, r"probability must lie in \[0, 1\], not 1.5"),
        ({"ramp_steps": -1}, "ramp_steps must be at least 0"),
        ({"ramp_steps": 10}, "a ramp to probability 0 augments nothing"),
        ({"background": 255}, "background must lie"),
    ],
)
def test_what_makes_no_augmentation_is_refused(arguments, words):
    with pytest.raises(GenzooError, match=words):
        ADA(**arguments)
