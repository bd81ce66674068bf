"""The networks of the zoo: shapes for every size, and the six rules of DCGAN."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import (
    append_label_planes,
    append_one_hot,
    convolutional_discriminator,
    convolutional_generator,
    resolutions,
)
from keras_genzoo.networks.conditioning import one_hot


@given(st.integers(8, 1024))
def test_sizes_halve_rounded_up_down_to_3_or_4(size):
    sizes = resolutions(size)
    assert sizes[0] == size
    assert sizes[-1] in (3, 4)
    assert all(0 <= 2 * small - large <= 1 for large, small in itertools.pairwise(sizes))


@pytest.mark.parametrize("size", [1, 7])
def test_smaller_sizes_are_refused(size):
    with pytest.raises(GenzooError, match=f"cannot make {size}x{size} images: .* 8 or more"):
        resolutions(size)


@pytest.mark.parametrize("size", [8, 9, 28, 30, 32, 45, 64, 100, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_generator_and_discriminator_meet_at_every_size(size, channels):
    shape = (size, size, channels)
    assert convolutional_generator(shape, 10, filters=2).output_shape == (None, *shape)
    assert convolutional_discriminator(shape, filters=2).output_shape == (None, 1)


@pytest.mark.parametrize("size", [9, 28, 45])
def test_odd_sizes_are_made_and_judged_in_numbers_too(size):
    generator = convolutional_generator((size, size, 1), 3, filters=2)
    discriminator = convolutional_discriminator((size, size, 1), filters=2)
    z = tf.random.stateless_normal((4, 3), (1, 2))
    expected = discriminator(generator(z))
    assert expected.shape == (4, 1)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32)])
    def gradients(z):
        with tf.GradientTape() as tape:
            logits = discriminator(generator(z))
        return logits, tape.gradient(logits, generator.trainable_variables)

    logits, slopes = gradients(z)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)
    assert all(np.abs(slope).max() > 0 for slope in slopes)


def test_images_that_are_not_square_are_refused():
    with pytest.raises(GenzooError, match="not 28x32"):
        convolutional_generator((28, 32, 1), 10)


def test_the_six_rules():
    generator = convolutional_generator((64, 64, 3), 100)
    discriminator = convolutional_discriminator((64, 64, 3))
    kinds = {type(layer).__name__ for layer in generator.layers + discriminator.layers}
    assert not kinds & {"Dense", "MaxPooling2D", "AveragePooling2D", "UpSampling2D"}
    # Rule 1: every change of size but the ends' is a stride of 2.
    upsampling = [x for x in generator.layers if isinstance(x, keras.layers.Conv2DTranspose)]
    downsampling = [x for x in discriminator.layers if isinstance(x, keras.layers.Conv2D)]
    assert [layer.strides for layer in upsampling] == [(1, 1)] + [(2, 2)] * 4
    assert [layer.strides for layer in downsampling] == [(2, 2)] * 4 + [(1, 1)]
    # Rule 3: batch normalisation but at the generator's output and the discriminator's input.
    normalised = [
        [isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers]
        for network in (generator, discriminator)
    ]
    assert [sum(flags) for flags in normalised] == [4, 3]
    assert not normalised[0][-1]
    after_first = discriminator.layers.index(downsampling[0]) + 1
    assert isinstance(discriminator.layers[after_first], keras.layers.LeakyReLU)
    # Rules 4 and 5: the activations.
    assert upsampling[-1].activation is keras.activations.tanh
    assert sum(isinstance(x, keras.layers.ReLU) for x in generator.layers) == 4
    assert sum(isinstance(x, keras.layers.LeakyReLU) for x in discriminator.layers) == 4


def test_filters_are_those_of_the_papers_figure():
    weights = [w.shape for w in convolutional_generator((64, 64, 3), 100).trainable_weights]
    kernels = [shape for shape in weights if len(shape) == 4]
    assert [shape[2] for shape in kernels] == [512, 256, 128, 64, 3]


def test_weights_differ_from_layer_to_layer_and_follow_the_papers_law():
    network = convolutional_discriminator((64, 64, 3))
    kernels = [w.numpy() for w in network.trainable_weights if len(w.shape) == 4]
    for kernel in kernels[1:4]:
        assert kernel.std() == pytest.approx(0.02, rel=0.05)
        assert kernel.mean() == pytest.approx(0.0, abs=1e-3)
    assert not np.isclose(kernels[1].ravel()[:100], kernels[2].ravel()[:100]).any()


def test_one_hot_labels_stand_beside_the_noise():
    joined = append_one_hot(ops.full((2, 3), 5.0), ops.array([1, 0]), 2)
    np.testing.assert_array_equal(joined, [[5, 5, 5, 0, 1], [5, 5, 5, 1, 0]])


def test_the_plane_of_the_label_is_all_ones_and_the_others_zeros():
    images = ops.full((2, 4, 4, 1), 7.0)
    joined = np.asarray(append_label_planes(images, ops.array([2, 0]), 3))
    assert joined.shape == (2, 4, 4, 4)
    np.testing.assert_array_equal(joined[..., 0], np.full((2, 4, 4), 7.0))
    assert (joined[0, ..., 3] == 1).all()
    assert (joined[0, ..., 1:3] == 0).all()
    assert (joined[1, ..., 1] == 1).all()
    assert (joined[1, ..., 2:] == 0).all()


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_one_hot_rows_are_those_of_the_unit_matrix_and_zeros_for_what_is_no_label(dtype):
    labels = np.array([3, 0, -1, 4, 5, 4])
    rows = one_hot(ops.convert_to_tensor(labels), 5, dtype)
    assert rows.dtype == dtype
    table = np.vstack([np.eye(5), np.zeros(5)])
    known = np.where((labels >= 0) & (labels < 5), labels, 5)
    np.testing.assert_array_equal(ops.cast(rows, "float32"), table[known])
