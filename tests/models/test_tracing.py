"""Generating, encoding and decoding run as graphs, with the numbers of the layers themselves."""

import pickle
import tracemalloc

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, VAE
from keras_genzoo.training import make_strategy
from tests.models.cases import ALGORITHMS, build, images, of

TINY = (8, 8, 1)


@keras.saving.register_keras_serializable("tests")
class Counting(keras.Model):
    """A generator of noise itself and a shift, which notes for what sizes Python runs it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(64, kernel_initializer="identity")
        self.dense.build((None, 64))
        self.shift = self.add_weight(shape=(), initializer="zeros", name="shift")
        self.sizes = []

    def call(self, z, training=False):
        self.sizes.append(z.shape[0])
        z = keras.ops.cast(self.dense(z), "float32") + self.shift
        return keras.ops.reshape(keras.ops.tanh(z), (-1, *TINY))


def counting(network=None, **arguments) -> GAN:
    """Return a GAN of that generator, which has run for nothing yet."""
    network = network or Counting()
    model = GAN(TINY, 64, generator=network, discriminator_units=(4,), **arguments)
    network.sizes = []
    return model


def results(model) -> list[np.ndarray]:
    """Return what a model gives in every way of its use."""
    found = [model.generate(5, seed=1)]
    if model.has_encoder:
        found += [*keras.tree.flatten(model.encode(images(5))), model.reconstruct(images(5))]
    return found


@of(ALGORITHMS)
def test_graphs_give_what_the_layers_give(name):
    model = build(name)
    traced, parts = results(model), list(model.generate_batches(5, seed=1, batch_size=2))
    graphs = [graph for kept in model._graphs.kept.values() for graph in kept.graphs.values()]
    assert graphs
    assert None not in graphs
    model.run_eagerly = True
    for one, other in zip(traced, results(model), strict=True):
        assert one.dtype == other.dtype
        atol = 1 if one.dtype == np.uint8 else 1e-5
        np.testing.assert_allclose(one.astype(float), other, rtol=1e-5, atol=atol)
    assert [len(part) for part in parts] == [2, 2, 1]
    np.testing.assert_allclose(np.concatenate(parts).astype(int), traced[0], atol=1)


def test_one_graph_serves_every_number_of_images_and_sees_new_weights():
    model = counting()
    before = model.generate(300, seed=0)
    np.testing.assert_array_equal(model.generate(2, seed=0), before[:2])
    assert model.generator.sizes == [None]
    model.generator.shift.assign(5)
    assert (model.generate(2, seed=0) == 255).mean() > 0.9
    weights = model.generator.get_weights()
    model.generator.set_weights([np.float32(-5) if not w.shape else w for w in weights])
    assert (model.generate(2, seed=0) == 0).mean() > 0.9
    assert model.generator.sizes == [None]


def test_training_between_two_grids_of_samples_costs_no_graph():
    model = counting()
    model.compile(run_eagerly=False)
    data = np.zeros((4, 8, 8), "uint8")
    model.fit(data, batch_size=4, verbose=0)
    model.generate(4, seed=0)
    traced = len(model.generator.sizes)
    model.fit(data, batch_size=4, verbose=0)
    model.generate(4, seed=0)
    assert len(model.generator.sizes) == traced


def test_what_a_model_is_made_of_is_traced_anew():
    model = counting()
    z = model.sample_latents(3, seed=0)
    model.decode(z)

    def more_variables():
        model.generator.dense.enable_lora(2)
        model.generator.dense.lora_kernel_b.assign(np.ones((2, 64)))

    def another_network():
        model.generator = Counting()
        model.generator.shift.assign(-1)

    def another_policy():
        model.generator.dense.dtype_policy = keras.DTypePolicy("mixed_bfloat16")

    for change in (more_variables, another_network, another_policy):
        change()
        model.generator.sizes = []
        made = model.decode(z)
        assert model.generator.sizes == [None], change.__name__
        model.run_eagerly = True
        np.testing.assert_allclose(made.astype(int), model.decode(z), atol=1)
        model.run_eagerly = False


def test_another_loss_is_decoded_by():
    model = VAE(TINY, 2, hidden_units=(4,))
    z = model.sample_latents(2, seed=0)
    model.compile(loss="bernoulli")
    model.decode(z)
    model.compile(loss="squared_error")
    decoded = np.asarray(model.decoded(z))
    np.testing.assert_allclose(model.decode(z), 255 * decoded, atol=0.51)


def test_a_model_that_runs_eagerly_and_a_network_that_asks_for_values_are_not_traced():
    model = counting()
    model.compile(run_eagerly=True)
    model.generate(3, seed=0)
    assert model.generator.sizes == [3]

    class Asking(Counting):
        def call(self, z, training=False):
            return super().call(z + 0 * float(np.asarray(z).max()))

    asking = counting(Asking())
    np.testing.assert_array_equal(asking.generate(3, seed=0), model.generate(3, seed=0))
    with pytest.raises(GenzooError, match="knows no classes"):
        asking.generate(3, class_labels=1)


def test_copies_of_a_model_that_has_generated_are_models_like_it(tmp_path):
    model = GAN(TINY, 4, generator_units=(4,), discriminator_units=(4,))
    made = model.generate(3, seed=0)
    model.save(tmp_path / "model.keras")
    of_config = keras.models.clone_model(model)
    of_config.set_weights(model.get_weights())
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for copy in (loaded, of_config, pickle.loads(pickle.dumps(model))):
        assert copy.get_config() == model.get_config()
        np.testing.assert_array_equal(copy.generate(3, seed=0), made)


def test_images_are_made_inside_of_a_graph_and_of_a_strategy():
    with make_strategy("mirrored").scope():
        model = VAE(TINY, 2, hidden_units=(4,))
        made = model.generate(3, seed=0)
    np.testing.assert_array_equal(model.generate(3, seed=0), made)
    found = []
    tf.function(lambda: found.append(model.generate(3, seed=0)))()
    np.testing.assert_array_equal(found[0], made)
    model.generate(3, seed=0)


def test_generating_takes_the_memory_of_a_batch_beside_its_images():
    model = GAN(TINY, 16, generator_units=(4,), discriminator_units=(4,))
    model.generate(1)
    tracemalloc.start()
    try:
        made = model.generate(20_000, seed=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * made.nbytes
    batches = model.generate_batches(20_000, seed=0)
    np.testing.assert_array_equal(next(batches), made[:256])
    for n, batch_size in ((0, 256), (3, 0)):
        with pytest.raises(GenzooError, match="must be at least 1"):
            model.generate_batches(n, batch_size=batch_size)
