"""Convolutional encoders and decoders at every size."""

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.networks import (
    AUTOENCODER_ARCHITECTURES,
    convolutional_decoder,
    convolutional_encoder,
    convolutional_gaussian_encoder,
)


@pytest.mark.parametrize("size", [8, 9, 28, 30, 32, 45, 64, 128])
@pytest.mark.parametrize("channels", [1, 3])
def test_encoder_and_decoder_meet_at_every_size(size, channels):
    shape = (size, size, channels)
    assert convolutional_encoder(shape, 5, filters=2).output_shape == (None, 5)
    assert convolutional_gaussian_encoder(shape, 5, filters=2).output_shape == [(None, 5)] * 2
    assert convolutional_decoder(shape, 5, filters=2).output_shape == (None, *shape)


@pytest.mark.parametrize("size", [9, 28, 45])
def test_odd_sizes_are_restored_in_numbers_too(size):
    shape = (size, size, 3)
    encoder = convolutional_encoder(shape, 4, filters=2)
    z = encoder(np.random.default_rng(0).uniform(size=(3, *shape)).astype("float32"))
    logits = convolutional_decoder(shape, 4, filters=2)(z)
    assert logits.shape == (3, *shape)
    assert np.isfinite(logits).all()


def test_channels_double_at_each_halving_and_the_decoder_mirrors_them():
    encoder = convolutional_encoder((64, 64, 3), 10, filters=32)
    decoder = convolutional_decoder((64, 64, 3), 10, filters=32)
    down = [x.kernel.shape[-1] for x in encoder.layers if isinstance(x, keras.layers.Conv2D)]
    up = [x for x in decoder.layers if isinstance(x, keras.layers.Conv2DTranspose)]
    assert down == [32, 64, 128, 256]
    assert [layer.kernel.shape[2] for layer in up] == [128, 64, 32, 3]


def test_activations_neither_vanish_nor_grow_towards_the_code():
    x = np.random.default_rng(0).uniform(size=(4, 64, 64, 3)).astype("float32")
    z = convolutional_encoder((64, 64, 3), 50, filters=16)(x)
    assert 0.1 < float(np.std(z)) < 10


@pytest.mark.parametrize("name", AUTOENCODER_ARCHITECTURES)
def test_an_architecture_builds_what_its_arguments_say(name):
    made = AUTOENCODER_ARCHITECTURES[name]()
    again = type(made)(**made.get_config())
    assert again.get_config() == made.get_config()
    shape = (8, 8, 1)
    assert made.encoder(shape, 2).output_shape == (None, 2)
    assert made.encoder(shape, 2, gaussian=True).output_shape == [(None, 2), (None, 2)]
    assert made.decoder(shape, 2).output_shape == (None, *shape)


@pytest.mark.parametrize("shape", [(28, 32, 1), (6, 6, 1)])
def test_images_that_are_not_square_or_too_small_are_refused(shape):
    for build in (convolutional_encoder, convolutional_gaussian_encoder, convolutional_decoder):
        with pytest.raises(GenzooError, match=r"square images|8 or more"):
            build(shape, 2)
