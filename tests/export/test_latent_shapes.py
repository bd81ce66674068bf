"""Models whose latents are no vectors, in all that is done with a trained model."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo import export
from keras_genzoo.errors import GenzooError
from keras_genzoo.export.inputs import inputs_to_verify
from keras_genzoo.models import GAN, ImageModel
from keras_genzoo.models.base import TRAIN
from keras_genzoo.models.latent import interpolate_latents
from keras_genzoo.networks import normal

GRID = (4, 4, 3)


@keras.saving.register_keras_serializable("tests")
class Grids(ImageModel):
    """Images of a grid of noise: the smallest model of a family of its own.

    Args:
        image_shape: ``(height, width, channels)``, of sides that divide by 4.
        channels: numbers in each place of the grid.
        seed: random seed.
        name: of the Keras model.
    """

    value_range = (0.0, 1.0)
    metric_names = ("loss",)
    prior_signature = "generate"

    def __init__(self, image_shape=(8, 8, 1), channels=3, seed=0, name=None, **kwargs):
        super().__init__(image_shape, seed=seed, name=name, **kwargs)
        self.channels = channels
        stride = self.image_shape[0] // 4
        self.network = keras.Sequential(
            [
                keras.Input(self.latent_shape),
                keras.layers.Conv2DTranspose(
                    self.image_shape[-1], stride, stride, activation="sigmoid"
                ),
            ]
        )
        self.built = True

    @property
    def latent_shape(self):
        return (4, 4, self.channels)

    def get_config(self):
        return {**super().get_config(), "channels": self.channels}

    def compile(self, optimizer="adam", **kwargs):
        options = self.compile_options(kwargs)
        super().compile(optimizer=keras.optimizers.get(optimizer), **options)
        self.optimizer.build(self.trainable_variables)
        self.keep_compile_config(kwargs, optimizer=self.optimizer)

    def call(self, z, training=False):
        return self.network(z, training=training)

    def train_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        z = self.noise(normal, tf.shape(images)[0], self.latent_shape, TRAIN, self.step)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.network(z, training=True) - images) ** 2)
            scaled = loss / self.num_replicas
        gradients = tape.gradient(scaled, self.trainable_variables)
        self.step.assign_add(1)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.track(tf.shape(images)[0], loss=loss)

    def decode(self, z, *, batch_size=256):
        return self.to_uint8(self.in_batches(self.network, self.checked_latents(z), batch_size))

    def signatures(self, batch_size=None):
        z = keras.Input(self.latent_shape, batch_size, name="z")
        images = self.to_unit_range(self.network(z, training=False))
        return {"generate": keras.Model({"z": z}, {"images": images}, name="generate")}


@pytest.fixture(scope="module")
def model():
    model = Grids()
    model.compile(run_eagerly=True)
    model.fit(np.full((8, 8, 8, 1), 200, "uint8"), batch_size=8, epochs=3, verbose=0)
    return model


def test_latents_have_the_shape_of_the_model(model):
    z = model.sample_latents(5, seed=1)
    assert (z.shape, z.dtype) == ((5, *GRID), "float32")
    assert model.generate(5, seed=1).shape == (5, 8, 8, 1)
    np.testing.assert_array_equal(model.generate(5, seed=1), model.decode(z))
    with pytest.raises(GenzooError, match=r"latents must have shape \(n, 4, 4, 3\), not \(5, 48\)"):
        model.decode(z.reshape(5, -1))


def test_interpolations_go_along_the_great_circle_of_all_numbers(model):
    a, b = model.sample_latents(2, seed=2)
    expected = interpolate_latents(a.ravel(), b.ravel(), 5, "spherical").reshape(5, *GRID)
    np.testing.assert_array_equal(interpolate_latents(a, b, 5, "spherical"), expected)
    np.testing.assert_array_equal(model.interpolate(a, b, 5), model.decode(expected))
    with pytest.raises(GenzooError, match=r"have one shape, not \(4, 4, 3\) and \(48,\)"):
        model.interpolate(a, b.ravel())


def test_a_model_is_saved_with_its_own_arguments_and_trains_on_alike(model, tmp_path):
    assert "latent_dim" not in model.get_config()
    model.save(tmp_path / "grids.keras")
    loaded = keras.saving.load_model(tmp_path / "grids.keras")
    np.testing.assert_array_equal(loaded.generate(3, seed=1), model.generate(3, seed=1))
    images = np.full((8, 8, 8, 1), 100, "uint8")
    assert loaded.train_on_batch(images) == model.train_on_batch(images)
    np.testing.assert_array_equal(loaded.generate(3, seed=1), model.generate(3, seed=1))


def test_a_size_or_a_shape_of_latents_is_needed():
    with pytest.raises(GenzooError, match="GAN needs latent_dim, the size of its latent vectors"):
        GAN((8, 8, 1), None)


def test_files_are_verified_on_latents_of_the_shape(model, tmp_path):
    assert inputs_to_verify(model, None)["generate"]["z"].shape == (32, *GRID)
    path = export.export_saved_model(model, tmp_path / "grids", warm_up=[2], check=True)
    card = json.loads((path / "assets.extra/card.json").read_text())
    assert card["signatures"]["generate"]["inputs"]["z"] == {
        "shape": ["batch", *GRID],
        "dtype": "float32",
        "range": "drawn from N(0, I)",
    }
    assert card["verified"]["generate"]["images"]["max"] <= 1e-5
    loaded = tf.saved_model.load(path).signatures
    seeds = tf.constant([3, 4, 3], "int64")
    made = loaded["generate_seeded"](seed=seeds)["images"].numpy()
    np.testing.assert_array_equal(made[0], made[2])
    assert abs(made[0] - made[1]).max() > 1e-3
    assert "generate_seeded" in (path.parent / "README.md").read_text()


@pytest.mark.slow
def test_files_of_other_runtimes_are_verified_too(model, tmp_path):
    files = export.export_litert(model, tmp_path, types=["float32", "int8"], check=True)
    files += export.export_onnx(model, tmp_path, check=True)
    files += export.export_keras(model, tmp_path, check=True)
    for file in files:
        card = json.loads(file.with_name(f"{file.name}.json").read_text())
        found = card["verified"]["generate"]["images"]
        assert found[card["tolerance"]["kind"]] <= card["tolerance"]["limit"]


def test_an_input_that_nothing_is_known_of_is_told(model, monkeypatch):
    time = keras.Input((), name="time")
    network = keras.Model({"time": time}, {"images": keras.layers.Reshape((1, 1, 1))(time)})
    monkeypatch.setattr(model, "signatures", lambda batch_size=None: {"generate": network})
    with pytest.raises(GenzooError, match="takes 'time', and no values are known for it"):
        export.draw_inputs(model, 3)
