"""The ways in which a class label reaches a GAN, against their equations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN
from keras_genzoo.networks import (
    ARCHITECTURES,
    CONDITIONINGS,
    Architecture,
    AuxiliaryClassifier,
    ConditionalBatchNormalization,
    EmbeddedClass,
    Projection,
)
from keras_genzoo.training import make_strategy
from tests.models.cases import SHAPE, images, weights
from tests.models.test_architectures import build, step

LABELS = np.arange(8) % 3
ROWS = np.arange(8)


def features_of(network, name):
    """Return the inputs of a layer of a discriminator for some images, flattened."""
    x = images(8).astype("float32") / 127.5 - 1
    outputs = keras.Model(network.input, network.get_layer(name).input)(x)
    return x, outputs.numpy().reshape(8, -1).astype("float64")


def kernel_of(network, name):
    """Return the kernel of a layer as a matrix, of spectral norm 1 if the layer sees to that."""
    layer = network.get_layer(name)
    kernel = getattr(layer, "normalized_kernel", lambda training: layer.kernel)(training=False)
    return np.reshape(kernel, (-1, kernel.shape[-1]))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_projection_adds_the_product_of_features_and_the_embedding_of_the_class(name):
    model = build(name, conditioning="projection", num_classes=3)
    network = model.discriminator
    x, h = features_of(network, "logits")
    plain, embeddings = (kernel_of(network, layer) for layer in ("logits", "embeddings"))
    assert not network.get_layer("embeddings").use_bias
    expected = h @ plain + h @ embeddings
    np.testing.assert_allclose(network(x), expected, rtol=1e-4, atol=1e-5)
    logits = model.discriminate(x, LABELS, training=False)
    np.testing.assert_allclose(logits[:, 0], expected[ROWS, LABELS], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "conditional"), [("dcgan", 2), ("residual", 4), ("r3gan", 0)])
def test_the_generator_of_a_projection_follows_the_class_by_batch_normalisation_if_it_can(
    name, conditional
):
    model = build(name, conditioning="projection", num_classes=3)
    layers = model.generator.layers
    found = [isinstance(layer, ConditionalBatchNormalization) for layer in layers]
    assert sum(found) == conditional
    z = np.ones((3, 4), "float32")
    made = model.decode(z, [0, 1, 2]).astype(int)
    assert (made[0] != made[1]).any()


def test_an_embedded_class_stands_beside_the_noise_and_meets_the_features():
    keras.utils.set_random_seed(0)
    condition = EmbeddedClass(3, embedding_dim=5)
    model = build("r3gan", conditioning=condition)
    x, h = features_of(model.discriminator, "features")
    features, table = (kernel_of(model.discriminator, name) for name in ("features", "embeddings"))
    assert features.shape[1] == 5
    # As the network's own last layer.
    assert not model.discriminator.get_layer("features").use_bias
    logits = model.discriminate(x, LABELS, training=False)
    expected = ((h @ features) * table.T[LABELS]).sum(1)
    np.testing.assert_allclose(logits[:, 0], expected, rtol=1e-4, atol=1e-6)
    (embeddings,) = model.generator.get_layer("embeddings").get_weights()
    inner = next(layer for layer in model.generator.layers if isinstance(layer, keras.Model))
    z = np.ones((8, 4), "float32")
    joined = np.concatenate([z, embeddings[LABELS]], axis=1)
    np.testing.assert_allclose(
        model.generator(model.condition_noise(tf.constant(z), LABELS)), inner(joined), atol=1e-6
    )


# The auxiliary classifier: D(x) and the logits of the classes are linear in x


def linear_model(weight=1.0):
    keras.utils.set_random_seed(3)
    generator = keras.Sequential(
        [keras.Input((7,)), keras.layers.Dense(256, activation="tanh"), keras.layers.Reshape(SHAPE)]
    )
    discriminator = keras.Sequential(
        [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(4, use_bias=False)]
    )
    condition = AuxiliaryClassifier(3, weight)
    model = GAN(SHAPE, 4, conditioning=condition, generator=generator, discriminator=discriminator)
    model.compile(keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.5), run_eagerly=True)
    return model


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_the_discriminator_learns_the_classes_of_real_images_alone():
    model = linear_model(weight=2.0)
    kernel = model.discriminator.get_weights()[0].astype("float64")
    x = images(8).reshape(8, -1) / 127.5 - 1
    z = model.condition_noise(model.latents(8, 0, 0, 0), LABELS)
    fake = model.generator(z).numpy().reshape(8, -1).astype("float64")
    logs = step(model, labels=LABELS)
    # Cross-entropies of the labels.
    for name, rows in (("class_loss", x), ("fake_class_loss", fake)):
        shares = softmax((rows @ kernel)[:, 1:])
        expected = -2 * np.log(shares[ROWS, LABELS]).mean()
        assert logs[name] == pytest.approx(expected, rel=1e-4)
    errors = softmax((x @ kernel)[:, 1:]) - np.eye(3)[LABELS]
    moved = model.discriminator.get_weights()[0]
    np.testing.assert_allclose(
        moved[:, 1:], kernel[:, 1:] - 0.5 * 2 * x.T @ errors / 8, rtol=1e-3, atol=1e-5
    )
    sigmoid = 1 / (1 + np.exp(-np.stack([x @ kernel[:, 0], fake @ kernel[:, 0]])))
    slope = ((sigmoid[0] - 1)[:, None] * x + sigmoid[1][:, None] * fake).mean(0)
    np.testing.assert_allclose(moved[:, 0], kernel[:, 0] - 0.5 * slope, rtol=1e-3, atol=1e-5)


def test_the_generator_learns_to_make_its_class():
    model = linear_model(weight=2.0)
    z = model.condition_noise(model.latents(8, 0, 0, 0), LABELS)
    before = [tf.Variable(value) for value in model.generator.get_weights()]
    logs = step(model, labels=LABELS)
    discriminator = model.discriminator.get_weights()[0]
    with tf.GradientTape() as tape:
        outputs = tf.tanh(z @ before[0] + before[1]) @ discriminator
        adversarial = tf.reduce_mean(tf.math.softplus(-outputs[:, 0]))
        named = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS, outputs[:, 1:])
        total = adversarial + 2 * tf.reduce_mean(named)
    assert logs["generator_loss"] == pytest.approx(float(adversarial), rel=1e-4)
    for old, slope, new in zip(
        before, tape.gradient(total, before), model.generator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(new, old - 0.5 * slope, rtol=1e-3, atol=1e-5)


def test_evaluation_measures_the_classes_too():
    model = linear_model()
    results = model.evaluate(images(8), LABELS, verbose=0, return_dict=True)
    outputs = model.judge(images(8) / 127.5 - 1, LABELS, training=False).numpy()
    expected = -np.log(softmax(outputs[:, 1:])[ROWS, LABELS]).mean()
    assert results["class_loss"] == pytest.approx(expected, rel=1e-4)


# In the model


@pytest.mark.parametrize(
    ("name", "conditioning"),
    [
        ("dense", "concat"),
        *(
            pytest.param("dense", name, marks=pytest.mark.slow)
            for name in CONDITIONINGS
            if name != "concat"
        ),
        pytest.param("dcgan", "projection", marks=pytest.mark.slow),
    ],
)
def test_every_conditioning_trains_is_saved_and_goes_on(name, conditioning, tmp_path):
    model = build(name, conditioning=conditioning, num_classes=3, ema_half_life=20.0)
    model.compile(run_eagerly=True)
    before = [v.numpy() for v in model.trainable_variables]
    step(model, labels=LABELS)
    step(model, labels=LABELS)
    for variable, old in zip(model.trainable_variables, before, strict=True):
        assert (variable.numpy() != old).any(), variable.path
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    assert loaded.get_config()["conditioning"] == conditioning
    np.testing.assert_array_equal(
        loaded.generate(3, class_labels=2, seed=0), model.generate(3, class_labels=2, seed=0)
    )
    assert step(loaded, labels=LABELS) == step(model, labels=LABELS)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert set(model.signatures()["generate"].input) == {"z", "class_labels"}


def test_options_other_than_the_default_are_kept():
    model = build("r3gan", conditioning=EmbeddedClass(3, embedding_dim=5))
    copy = GAN.from_config(model.get_config())
    assert copy.conditioning.get_config() == {"num_classes": 3, "embedding_dim": 5}
    assert copy.num_classes == 3


@pytest.mark.slow
@pytest.mark.parametrize("conditioning", ["projection", "auxiliary_classifier"])
def test_replicas_train_as_one(conditioning):
    def trained():
        model = build("residual", conditioning=conditioning, num_classes=3)
        rates = keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.01)
        model.compile(*rates, run_eagerly=True)
        return model, step(model, labels=LABELS)

    one, expected = trained()
    with make_strategy("mirrored").scope():
        two, logs = trained()
    assert logs == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)


def test_an_own_discriminator_gives_as_many_numbers_as_the_conditioning_needs():
    own = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)])
    with pytest.raises(GenzooError, match=r"the discriminator must map \(16, 16, 1\) to \(3,\)"):
        build("dense", conditioning=Projection(3), discriminator=own)


class Nameless(Architecture):
    def generator(self, image_shape, noise_dim, *, synchronized=False):
        return ARCHITECTURES["dense"]((4,), (4,)).generator(image_shape, noise_dim)

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        inputs = keras.Input(image_shape)
        outputs = keras.layers.Dense(1)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, outputs)


def test_an_architecture_that_names_no_last_layer_is_refused():
    GAN(SHAPE, 4, architecture=Nameless(), conditioning="concat", num_classes=3)
    with pytest.raises(GenzooError, match="named none of its layers 'logits'"):
        GAN(SHAPE, 4, architecture=Nameless(), conditioning="projection", num_classes=3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EmbeddedClass(3, embedding_dim=0), "embedding_dim must be at least 1"),
        (lambda: AuxiliaryClassifier(3, weight=0.0), "the weight of the class loss"),
    ],
)
def test_options_are_checked(make, words):
    with pytest.raises(GenzooError, match=words):
        make()
