"""The residual networks of SNGAN, against the same arithmetic in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import (
    ConditionalBatchNormalization,
    ResidualArchitecture,
    SpectralConv2D,
    SpectralDense,
    residual_discriminator,
    residual_generator,
)
from keras_genzoo.networks.residual import doublings


def convolved(x, kernel, bias):
    reach = kernel.shape[0] // 2
    padded = np.pad(x, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    height, width = x.shape[1:3]
    rows = range(kernel.shape[0])
    parts = [padded[:, i : i + height, j : j + width] @ kernel[i, j] for i in rows for j in rows]
    return sum(parts) + bias


def halved(x):
    batch, size, _, channels = x.shape
    return x.reshape(batch, size // 2, 2, size // 2, 2, channels).mean((2, 4))


def doubled(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def relu(x):
    return np.maximum(x, 0)


def randomized(network, seed=0):
    """Give every weight of a network other numbers; return the layers with weights."""
    random = np.random.default_rng(seed)
    for weight in network.weights:
        weight.assign(random.uniform(0.1, 0.4, weight.shape) * random.choice([-1, 1]))
        if "variance" in weight.path:
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
    return [layer for layer in network.layers if layer.weights]


def by_kind(layers):
    """Return the weights of the layers with kernels of 3x3, of 1x1, and of all others."""
    kinds = {3: [], 1: [], 0: []}
    for layer in layers:
        size = layer.kernel_size[0] if isinstance(layer, keras.layers.Conv2D) else 0
        kinds[size].append(layer.get_weights())
    return [iter(kinds[size]) for size in (3, 1, 0)]


@pytest.mark.parametrize("size", [8, 16])
def test_the_discriminator_is_that_of_the_paper(size):
    network = residual_discriminator((size, size, 2), 3, growth=2, normalization="none")
    large, small, others = by_kind(randomized(network))
    x = np.random.default_rng(1).uniform(-1, 1, (2, size, size, 2)).astype("float32")
    # Size 8 doubles once from 4, size 16 twice: one block more, of which at most two halve.
    count = {8: 1, 16: 2}[size]
    features = x.astype("float64")
    for index in range(count + 1):
        branch = convolved(relu(features) if index else features, *next(large))
        branch = convolved(relu(branch), *next(large))
        # The paper's order, in which the shortcut is convolved before the mean is taken.
        shortcut = convolved(features, *next(small))
        features = branch + shortcut
        if index < 2 and index < count:
            features = halved(features)
    kernel, bias = next(others)
    expected = relu(features).sum((1, 2)) @ kernel + bias
    np.testing.assert_allclose(network(x), expected, rtol=1e-4)
    assert not [*large, *small, *others]


def test_the_generator_is_that_of_the_paper():
    network = residual_generator((16, 16, 2), 5, 3, growth=2)
    large, small, others = by_kind(randomized(network))
    z = np.random.default_rng(1).normal(size=(2, 5)).astype("float32")

    def normalized(features, gamma, beta, mean, variance):
        return (features - mean) / np.sqrt(variance + 1e-5) * gamma + beta

    kernel, bias = next(others)
    features = (z @ kernel + bias).reshape(2, 4, 4, 12)
    for _ in range(2):
        branch = doubled(relu(normalized(features, *next(others))))
        branch = convolved(branch, *next(large))
        branch = relu(normalized(branch, *next(others)))
        branch = convolved(branch, *next(large))
        # The paper's order, in which the shortcut is convolved after it is enlarged.
        features = branch + convolved(doubled(features), *next(small))
    features = relu(normalized(features, *next(others)))
    expected = np.tanh(convolved(features, *next(large)))
    np.testing.assert_allclose(network(z), expected, rtol=1e-3, atol=1e-5)
    assert not [*large, *small, *others]


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        (28, [14, 7, 7]),
        (32, [16, 8, 8, 8]),  # table 3 of the paper
        (64, [32, 16, 8, 4, 4]),
        (128, [64, 32, 16, 8, 4, 4]),  # its table for ImageNet
    ],
)
def test_blocks_halve_the_image_as_the_papers_do(size, sizes):
    network = residual_discriminator((size, size, 3), 2)
    added = [x.output.shape[1] for x in network.layers if isinstance(x, keras.layers.Add)]
    assert added == sizes
    assert residual_generator((size, size, 3), 4, 2).output_shape == (None, size, size, 3)


def test_the_widths_of_the_published_64x64_networks_are_a_setting():
    architecture = ResidualArchitecture(64, 64, channel_growth=2)
    assert architecture.widest(128, (64, 64, 3)) == 4 * 4 * 1024
    generator = architecture.generator((64, 64, 3), 128)
    widths = [x.filters for x in generator.layers if isinstance(x, keras.layers.Conv2D)]
    assert widths == [512] * 3 + [256] * 3 + [128] * 3 + [64] * 3 + [3]


def test_all_weights_of_the_discriminator_have_a_spectral_norm_by_default():
    assert ResidualArchitecture.normalization == "spectral"
    network = residual_discriminator((16, 16, 1), 2)
    layers = [layer for layer in network.layers if layer.weights]
    assert len(layers) == 3 * 3 + 1 - 1  # no convolution in the shortcut of the last block
    assert all(isinstance(layer, (SpectralConv2D, SpectralDense)) for layer in layers)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_other_normalizations_stand_before_each_relu(normalization):
    network = residual_discriminator((16, 16, 1), 2, normalization=normalization)
    relus = [layer for layer in network.layers if isinstance(layer, keras.layers.ReLU)]
    kinds = [type(layer._inbound_nodes[0].input_tensors[0]._keras_history[0]) for layer in relus]
    # One in the first block, two in each other, one at the end.
    assert len(relus) == 1 + 2 * 2 + 1
    wanted = {"batch": "BatchNormalization", "layer": "GroupNormalization"}[normalization]
    assert {kind.__name__ for kind in kinds} == {wanted}


def test_weights_begin_at_xaviers_bound_times_the_root_of_2():
    keras.utils.set_random_seed(0)
    generator = residual_generator((16, 16, 1), 10, 32)
    bounds = {1: [], 3: []}
    for layer in generator.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.name != "images":
            size, _, inputs, outputs = layer.kernel.shape
            bound = np.sqrt(6 / (size**2 * (inputs + outputs)))
            bounds[size].append(float(ops.max(ops.abs(layer.kernel))) / bound)
    np.testing.assert_allclose(bounds[3], np.sqrt(2), rtol=1e-2)
    np.testing.assert_allclose(bounds[1], 1, rtol=1e-2)


def test_the_class_reaches_all_batch_normalisations_but_the_last_and_nothing_else():
    network = residual_generator((16, 16, 1), 4 + 3, 2, num_classes=3)
    layers = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    kinds = [isinstance(layer, ConditionalBatchNormalization) for layer in layers]
    assert kinds == [True] * 4 + [False]
    dense = next(layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
    assert dense.kernel.shape[0] == 4
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network))
    copy.set_weights(network.get_weights())
    noise = np.concatenate([np.ones((3, 4)), np.eye(3)], axis=1).astype("float32")
    images = network(noise).numpy()
    np.testing.assert_array_equal(copy(noise), images)
    # With tables of all ones and all zeros the classes are alike.
    assert (images[0] != images[1]).any()
    for layer in layers[:-1]:
        layer.class_scale.assign(ops.ones_like(layer.class_scale))
    np.testing.assert_allclose(network(noise)[0], network(noise)[2], atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_conditional_batch_normalisation_scales_and_shifts_each_class(training):
    layer = ConditionalBatchNormalization(epsilon=1e-3)
    x = np.random.default_rng(0).normal(1, 2, (4, 3, 3, 2)).astype("float32")
    labels = np.array([2, 0, 2, 1])
    layer.build([(None, 3, 3, 2), (None, 3)])
    assert layer.class_scale.numpy().mean() == pytest.approx(1, abs=0.05)
    assert not layer.class_offset.numpy().any()
    scale, offset = np.random.default_rng(1).normal(size=(2, 3, 2)).astype("float32")
    layer.class_scale.assign(scale)
    layer.class_offset.assign(offset)
    outputs = layer([x, np.eye(3, dtype="float32")[labels]], training=training)
    mean, variance = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if training else (0, 1)
    normalized = (x - mean) / np.sqrt(variance + 1e-3)
    expected = normalized * scale[labels][:, None, None] + offset[labels][:, None, None]
    np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [7, 9, 30, 36 + 1])
def test_sizes_that_do_not_double_from_4_to_7_are_refused(size):
    with pytest.raises(GenzooError, match=f"never gives {size}x{size}: take a size such as 28"):
        doublings(size)


@pytest.mark.parametrize("argument", ["generator_filters", "channel_growth"])
def test_options_are_at_least_1(argument):
    with pytest.raises(GenzooError, match=f"{argument} must be at least 1, not 0"):
        ResidualArchitecture(**{argument: 0})
