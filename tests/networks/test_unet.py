"""The U-Net of a flow and its group normalisation."""

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import GroupNormalization, layers_under, velocity_unet
from keras_genzoo.networks.unet import groups_for, time_embedding


def inputs(size=8, channels=1, count=3):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(count, size, size, channels)).astype("float32")
    return [keras.ops.convert_to_tensor(images), keras.ops.linspace(0.1, 0.9, count)]


def stirred(network):
    """Give a network weights at which every input reaches the output."""
    rng = np.random.default_rng(1)
    for variable in network.trainable_variables:
        variable.assign(variable + rng.normal(0, 0.2, variable.shape))
    return network


def test_it_begins_at_zero_and_has_the_shape_of_the_image():
    network = velocity_unet((8, 12, 3), (4, 6, 6))
    images = np.ones((2, 8, 12, 3), "float32")
    outputs = network([images, np.zeros(2, "float32")])
    np.testing.assert_array_equal(outputs, np.zeros_like(images))


def test_it_halves_once_between_levels_and_has_blocks_as_asked():
    def sizes(network):
        convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
        return {layer.output.shape[1] for layer in convolutions}, len(convolutions)

    once, count = sizes(velocity_unet((16, 16, 1), (4, 4)))
    assert once == {16, 8}
    assert sizes(velocity_unet((16, 16, 1), (4, 4, 4)))[0] == {16, 8, 4}
    # Two levels, down and up: four more blocks of two convolutions.
    twice = velocity_unet((16, 16, 1), (4, 4), blocks=2)
    assert sizes(twice)[1] == count + 8


@pytest.mark.parametrize(
    ("shape", "levels", "words"),
    [
        ((30, 30, 1), 3, "halves images 2 times, and 30x30 pixels do not divide by 4; take an "
         "image size of 28 or 32, or fewer levels"),
        ((28, 30, 1), 3, "28x30 pixels do not divide by 4"),
        ((2, 2, 1), 3, "take an image size of 4, or fewer levels"),
    ],
)  # fmt: skip
def test_images_that_cannot_be_halved_are_refused(shape, levels, words):
    with pytest.raises(GenzooError, match=words) as caught:
        velocity_unet(shape, (4,) * levels)
    assert "\n" not in str(caught.value)


def test_groups_divide_any_number_of_channels():
    for channels in range(1, 130):
        groups = groups_for(channels)
        assert channels % groups == 0
        assert 1 <= groups <= 8
    assert groups_for(64) == groups_for(32) == 8
    velocity_unet((8, 8, 1), (5, 7, 11))


def test_group_normalisation_is_that_of_keras():
    for policy, tolerance in (("float32", 1e-5), ("mixed_bfloat16", 0.1)):
        with layers_under(policy):
            own, theirs = GroupNormalization(3), keras.layers.GroupNormalization(3)
        x = keras.random.normal((2, 5, 4, 12), mean=3.0, seed=0)
        for layer in (own, theirs):
            layer.build(x.shape)
            layer.gamma.assign(np.linspace(0.5, 2, 12))
            layer.beta.assign(np.linspace(-1, 1, 12))
        assert own(x).dtype == theirs(x).dtype
        difference = keras.ops.cast(own(x), "float32") - keras.ops.cast(theirs(x), "float32")
        assert float(keras.ops.max(keras.ops.abs(difference))) < tolerance


def test_times_are_scaled_before_they_become_sinusoids():
    times = np.array([0.0, 0.25, 0.251, 1.0], "float32")
    embeddings = keras.ops.convert_to_numpy(time_embedding(times, 16))
    rates = 1000 / 10_000 ** (np.arange(8) / 8)
    angles = times[:, None] * rates
    expected = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    np.testing.assert_allclose(embeddings, expected, atol=1e-4)
    # Without the scale, two times a thousandth apart could not be told apart.
    assert np.abs(embeddings[1] - embeddings[2]).max() > 0.5


def test_time_and_class_reach_every_image_and_no_class_is_that_of_any_other_number():
    network = stirred(velocity_unet((8, 8, 1), (4, 6), num_classes=3))
    images, times = inputs()

    def velocities(times, labels):
        labels = keras.ops.convert_to_tensor(labels, "int32")
        return np.asarray(network([images, keras.ops.convert_to_tensor(times), labels]))

    first = velocities(times, [0, 1, 2])
    for other in (velocities(times[::-1], [0, 1, 2]), velocities(times, [2, 2, 0])):
        changed = np.abs(other - first).max(axis=(1, 2, 3)) > 1e-4
        assert changed.tolist() in ([True, False, True], [True, True, True])
    np.testing.assert_array_equal(velocities(times, [-1] * 3), velocities(times, [7] * 3))
    assert np.abs(velocities(times, [-1] * 3) - first).max() > 1e-3


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_other_policies_give_nearly_the_same(policy):
    exact = stirred(velocity_unet((8, 8, 1), (8, 8)))
    with layers_under(policy):
        coarse = velocity_unet((8, 8, 1), (8, 8))
    coarse.set_weights(exact.get_weights())
    expected = np.asarray(exact(inputs()))
    found = np.asarray(keras.ops.cast(coarse(inputs()), "float32"))
    assert np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
