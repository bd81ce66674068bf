"""Presets: folders of a model for this package and for plain Keras, with weights of 16 bits."""

import json
import os
import shutil
import sys

import keras
import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, VAE, from_preset
from keras_genzoo.models.averaging import keeps_last_weights
from keras_genzoo.presets import BUNDLED, KERAS_FILES, bundled_presets
from keras_genzoo.training.variables import weights_digest


def tiny(**more):
    keras.utils.set_random_seed(0)
    more = {"generator_units": (8,), "discriminator_units": (8,), "seed": 0} | more
    return GAN((8, 8, 1), 4, **more)


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    tiny().save_to_preset(folder)
    return folder


@pytest.fixture
def copy(preset, tmp_path):
    return shutil.copytree(preset, tmp_path / "copy")


def test_a_preset_of_float32_is_the_model(tmp_path):
    model = tiny()
    model.save_to_preset(tmp_path / "exact", dtype="float32")
    loaded = GAN.from_preset(tmp_path / "exact")
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))
    for ours, theirs in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_kernels_have_16_bits_and_biases_32(preset):
    model, loaded = tiny(), from_preset(preset)
    for before, after in zip(model.weights, loaded.weights, strict=True):
        rounded = before.numpy().astype("float16") if before.numpy().ndim > 1 else before.numpy()
        np.testing.assert_array_equal(after.numpy(), rounded)
        assert after.dtype == before.dtype


def test_plain_keras_opens_the_folder(preset):
    loaded = keras.saving.load_model(preset)
    np.testing.assert_allclose(
        loaded.generate(2, seed=0).astype(float), tiny().generate(2, seed=0), atol=1
    )
    assert {file.name for file in preset.iterdir()} == set(KERAS_FILES)


def test_a_trained_model_leaves_its_optimizers_behind_and_trains_on(tmp_path):
    model = tiny(ema_decay=0.5)
    model.compile()
    images = np.random.default_rng(0).integers(0, 256, (32, 8, 8, 1), "uint8")
    model.fit(images, batch_size=16, verbose=0)
    model.save_to_preset(tmp_path / "trained", dtype="float32")
    loaded = from_preset(tmp_path / "trained")
    assert not loaded.compiled
    assert loaded.optimizers == []
    assert keeps_last_weights(model)
    assert not keeps_last_weights(loaded)
    # The averages stand for the last weights, too.
    assert not np.array_equal(
        model.generator.weights[0].numpy(), model.average_generator.weights[0].numpy()
    )
    for network in (loaded.generator, loaded.average_generator):
        for ours, theirs in zip(network.weights, model.average_generator.weights, strict=True):
            np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    loaded.compile()
    loaded.fit(images, batch_size=16, verbose=0)


def test_an_autoencoder_becomes_a_preset_too(tmp_path):
    model = VAE((8, 8, 1), 2, hidden_units=(8,))
    model.compile()
    model.save_to_preset(tmp_path / "vae", dtype="float32")
    loaded = VAE.from_preset(tmp_path / "vae")
    assert loaded.optimizers == []
    assert weights_digest(loaded) == weights_digest(model)
    assert loaded.has_likelihood


def test_an_averaged_network_is_stored_once(tmp_path):
    sizes = []
    for decay in (0.0, 0.5):
        wide = tiny(ema_decay=decay, generator_units=(256, 256))
        wide.save_to_preset(tmp_path / str(decay), dtype="float32")
        sizes.append((tmp_path / str(decay) / KERAS_FILES[-1]).stat().st_size)
    assert sizes[1] < 1.1 * sizes[0]


def test_weights_beyond_float16_stay_float32(tmp_path):
    model = tiny()
    model.generator.weights[0].assign(1e6 * keras.ops.ones_like(model.generator.weights[0]))
    model.save_to_preset(tmp_path / "large")
    assert from_preset(tmp_path / "large").generator.weights[0].numpy().max() == 1e6


def test_another_class_is_refused(preset):
    with pytest.raises(GenzooError, match="holds a GAN, not a VAE"):
        VAE.from_preset(preset)


def test_wrong_names_are_answered_with_what_there_is(tmp_path):
    with pytest.raises(GenzooError, match="unknown preset"):
        from_preset("dcgan_digit")
    with pytest.raises(GenzooError, match="unknown hub 'http'"):
        from_preset("http://example.org/model")
    with pytest.raises(GenzooError, match=r"is not a preset: cannot read metadata\.json"):
        from_preset(tmp_path)
    with pytest.raises(GenzooError, match="unknown dtype 'float8'"):
        tiny().save_to_preset(tmp_path / "new", dtype="float8")
    assert not (tmp_path / "new").exists()


def test_a_folder_that_is_there_is_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(GenzooError, match="exists; choose another folder"):
        tiny().save_to_preset(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_a_preset_is_replaced_but_no_folder_with_other_files(copy):
    tiny(ema_decay=0.5).save_to_preset(copy, force=True)
    assert from_preset(copy).ema_decay == 0.5
    (copy / "mine.txt").write_text("mine")
    with pytest.raises(GenzooError, match=r"holds mine\.txt, which this command did not write"):
        tiny().save_to_preset(copy, force=True)
    assert (copy / "mine.txt").read_text() == "mine"


def test_a_file_larger_than_the_memory_is_refused_before_it_is_read(copy):
    with (copy / "model.weights.h5").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(GenzooError, match=r"model\.weights\.h5 takes .* GiB in memory"):
        from_preset(copy)


@pytest.mark.parametrize("name", KERAS_FILES)
def test_a_damaged_preset_ends_in_one_line(copy, name):
    (copy / name).write_bytes((copy / name).read_bytes()[:-20])
    with pytest.raises(GenzooError) as error:
        from_preset(copy)
    assert str(copy) in str(error.value)
    assert "\n" not in str(error.value)


def test_code_in_a_preset_is_not_run(copy, tmp_path):
    code = keras.layers.Lambda(lambda x: x)
    network = keras.Sequential([keras.Input((8, 8, 1)), code, keras.layers.Flatten()])
    config = json.loads((copy / "config.json").read_text())
    config["config"]["discriminator"] = keras.saving.serialize_keras_object(network)
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(GenzooError, match="holds code, which is not run"):
        from_preset(copy)


def test_a_pipe_in_a_preset_is_not_waited_for(copy):
    (copy / "metadata.json").unlink()
    os.mkfifo(copy / "metadata.json")
    with pytest.raises(GenzooError, match="is not a file"):
        from_preset(copy)


@pytest.mark.parametrize("address", ["hf://someone/model", "kaggle://someone/model/keras/small"])
def test_a_hub_without_its_client_says_what_to_install(address, monkeypatch):
    for client in ("huggingface_hub", "kagglehub"):
        monkeypatch.setitem(sys.modules, client, None)
    with pytest.raises(GenzooError, match=r"needs (huggingface_hub|kagglehub): pip install"):
        from_preset(address)


def test_all_presets_of_the_package_are_small():
    size = sum(file.stat().st_size for file in BUNDLED.rglob("*") if file.is_file())
    assert size <= 20e6


FIRST, *OTHERS = bundled_presets()


@pytest.mark.parametrize(
    "name", [FIRST, *(pytest.param(name, marks=pytest.mark.slow) for name in OTHERS)]
)
def test_a_preset_of_the_package_makes_images(name):
    model = from_preset(name)
    images = model.generate(4, seed=0)
    assert images.shape == (4, *model.image_shape)
    # A trained model makes images of more than noise about one grey.
    assert images.std() > 20
