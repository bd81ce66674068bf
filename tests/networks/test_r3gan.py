"""The networks of R3GAN, against the same arithmetic in NumPy."""

import math

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import GroupedConv2D, R3GANArchitecture
from keras_genzoo.networks.r3gan import downsample, upsample
from tests.networks.test_residual import convolved, randomized

SMALL = R3GANArchitecture((8, 4), stage_blocks=2, group_filters=4)


def function(build, shape):
    """Return a function of arrays that does what a layer or a chain of layers does."""
    inputs = keras.Input(shape)
    return keras.Model(inputs, build(inputs))


def blurred(x):
    """Return x convolved with the outer product of [1, 3, 3, 1] / 8, zeros around it."""
    taps = np.array([1, 3, 3, 1]) / 8
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = padded.shape[1] - 3, padded.shape[2] - 3
    return sum(
        taps[i] * taps[j] * padded[:, i : i + height, j : j + width]
        for i in range(4)
        for j in range(4)
    )


def halved(x):
    return blurred(x)[:, ::2, ::2]


def doubled(x):
    # Zeros between the pixels, and one before them, which keeps the size; the kernel sums to 4.
    batch, size, _, channels = x.shape
    spread = np.zeros((batch, 2 * size + 1, 2 * size + 1, channels))
    spread[:, 1::2, 1::2] = x
    return 4 * blurred(spread)


def test_images_are_halved_and_doubled_by_the_papers_filter():
    x = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype("float32")
    np.testing.assert_allclose(function(downsample, (6, 6, 3))(x), halved(x), atol=1e-6)
    np.testing.assert_allclose(function(upsample, (6, 6, 3))(x), doubled(x), atol=1e-6)


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def grouped(x, kernel, bias, groups):
    parts = zip(np.split(x, groups, axis=-1), np.split(kernel, groups, axis=-1), strict=True)
    return np.concatenate([convolved(*part, 0) for part in parts], axis=-1) + bias


def block(features, weights):
    branch = leaky(convolved(features, *next(weights)))
    kernel, bias = next(weights)
    branch = leaky(grouped(branch, kernel, bias, branch.shape[-1] // 4))
    return features + convolved(branch, *next(weights), 0)


def test_the_discriminator_is_that_of_the_paper():
    network = SMALL.discriminator((8, 8, 2), normalization="none")
    weights = iter([layer.get_weights() for layer in randomized(network)])
    x = np.random.default_rng(1).uniform(-1, 1, (2, 8, 8, 2)).astype("float32")
    features = convolved(x.astype("float64"), *next(weights), 0)
    for _ in range(2):
        features = block(features, weights)
    features = convolved(halved(features), *next(weights), 0)
    for _ in range(2):
        features = block(features, weights)
    (depthwise,), (kernel,) = next(weights), next(weights)
    expected = (features * depthwise[..., 0]).sum((1, 2)) @ kernel
    np.testing.assert_allclose(network(x), expected, rtol=1e-4)
    assert next(weights, None) is None


def test_the_generator_is_that_of_the_paper():
    network = SMALL.generator((8, 8, 2), 5)
    weights = iter([layer.get_weights() for layer in randomized(network)])
    z = np.random.default_rng(1).normal(size=(2, 5)).astype("float32")
    (kernel,), (learnt,) = next(weights), next(weights)
    # One pixel amid zeros meets the map turned around.
    features = (z.astype("float64") @ kernel)[:, None, None] * learnt[::-1, ::-1, :, 0]
    for _ in range(2):
        features = block(features, weights)
    features = doubled(convolved(features, *next(weights), 0))
    for _ in range(2):
        features = block(features, weights)
    expected = convolved(features, *next(weights), 0)
    np.testing.assert_allclose(network(z), expected, rtol=1e-4)
    assert np.abs(expected).max() > 1  # nothing bounds it
    assert next(weights, None) is None


def test_weights_begin_at_the_papers_scale():
    keras.utils.set_random_seed(0)
    architecture = R3GANArchitecture((64, 64), stage_blocks=2, group_filters=16)
    network = architecture.discriminator((8, 8, 3), normalization="none")
    # 2 stages of 2 blocks: L^-0.25 of the gain that keeps what passes a LeakyReLU.
    gain = math.sqrt(2 / 1.04) * 4**-0.25
    seen = set()
    for layer in network.layers:
        kind, weights = type(layer), layer.get_weights()
        if not weights:
            continue
        kernel = weights[0]
        inputs = 16 if kind is keras.layers.DepthwiseConv2D else math.prod(kernel.shape[:-1])
        if kind is keras.layers.Conv2D and kernel.shape[2] == 128:
            assert not kernel.any()
            assert not layer.use_bias
        else:
            inner = kernel.shape[-1] == 128
            assert getattr(layer, "use_bias", False) == inner
            expected = (gain if inner else 1) / math.sqrt(inputs)
            rough = 0.2 if kernel.size < 1000 else 0.04
            assert kernel.std() == pytest.approx(expected, rel=rough), layer.name
        seen.add(kind)
    assert GroupedConv2D in seen
    learnt = architecture.generator((8, 8, 3), 4).layers[4].get_weights()[0]
    assert learnt.std() == pytest.approx(1, rel=0.1)


def test_a_block_adds_nothing_at_first():
    network = SMALL.generator((8, 8, 1), 4)
    z = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    images = network(z).numpy()
    kernels = {w.path: w.numpy() for w in network.weights if "kernel" in w.path}
    for layer in network.layers:
        if isinstance(layer, GroupedConv2D):
            layer.kernel.assign(0 * layer.kernel)
    np.testing.assert_array_equal(network(z), images)
    assert len(kernels) > 4


@pytest.mark.parametrize(
    ("size", "widths"), [(28, [16, 8, 4]), (32, [16, 16, 8, 4]), (64, [16, 16, 16, 8, 4])]
)
def test_stages_are_counted_from_the_full_size(size, widths):
    architecture = R3GANArchitecture((16, 16, 8, 4), group_filters=8)
    assert architecture.widths(size) == widths
    shape = (size, size, 1)
    assert architecture.generator(shape, 4).output_shape == (None, *shape)
    assert architecture.discriminator(shape, normalization="none").output_shape == (None, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"stage_filters": ()}, "stage_filters must be at least 1, not 0"),
        ({"stage_blocks": 0}, "stage_blocks must be at least 1"),
        ({"stage_filters": (12,)}, "groups of 16 channels do not divide the 24 inside a block"),
    ],
)
def test_options_are_checked(arguments, words):
    with pytest.raises(GenzooError, match=words):
        R3GANArchitecture(**arguments)


def test_a_normalization_is_refused():
    with pytest.raises(GenzooError, match="take discriminator_normalization='none'"):
        SMALL.discriminator((8, 8, 1), normalization="spectral")
