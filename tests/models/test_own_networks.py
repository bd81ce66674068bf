"""A person's own networks: what they may end in, and their regularisers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import VAE
from tests.models.cases import SHAPE, build, images, step

Dense, Activation = keras.layers.Dense, keras.layers.Activation


def decoder(*ends, size=3):
    return keras.Sequential([keras.Input((size,)), Dense(256), *ends, keras.layers.Reshape(SHAPE)])


def functional(end):
    z = keras.Input((3,))
    return keras.Model(z, end(z))


def discriminator(*ends):
    return keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), *ends])


SIGMOIDS = {
    "a layer's activation": lambda: decoder(Dense(256, activation="sigmoid")),
    "a function": lambda: decoder(Dense(256, activation=keras.activations.sigmoid)),
    "an activation layer": lambda: decoder(Activation("sigmoid")),
    "a functional network": lambda: functional(
        lambda z: keras.layers.Reshape(SHAPE)(Dense(256, activation="sigmoid")(z))
    ),
    "an operation": lambda: functional(
        lambda z: keras.ops.reshape(keras.ops.sigmoid(Dense(256)(z)), (-1, *SHAPE))
    ),
    "a network at the end": lambda: functional(decoder(Activation("sigmoid"))),
    "a network inside": lambda: decoder(
        keras.Sequential([keras.Input((256,)), Dense(256, activation="sigmoid")])
    ),
    # The decoder of keras.io's VAE.
    "a convolution": lambda: keras.Sequential(
        [
            keras.Input((3,)),
            Dense(64, activation="relu"),
            keras.layers.Reshape((8, 8, 1)),
            keras.layers.Conv2DTranspose(1, 3, 2, padding="same", activation="sigmoid"),
        ]
    ),
}


@pytest.mark.parametrize("kind", SIGMOIDS)
def test_a_decoder_that_ends_in_a_sigmoid_is_refused(kind):
    with pytest.raises(GenzooError, match=r"(?i)the decoder ends in sigmoid, but must give logits"):
        build("ae", decoder=SIGMOIDS[kind]())


@pytest.mark.parametrize(
    ("name", "network", "words"),
    [
        ("vae", {"decoder": lambda: decoder(Activation("hard_sigmoid"))}, "hard_sigmoid"),
        ("vae", {"decoder": lambda: decoder(keras.layers.ReLU())}, "ReLU"),
        ("gan", {"discriminator": lambda: discriminator(Dense(1, "sigmoid"))}, "sigmoid"),
        ("gan", {"discriminator": lambda: discriminator(Dense(1, "tanh"))}, "tanh"),
        ("vae", {"decoder": lambda: decoder(keras.layers.Softmax())}, "Softmax"),
        ("gan", {"generator": lambda: decoder(Activation("sigmoid"), size=5)}, "sigmoid"),
        ("dcgan", {"generator": lambda: decoder(Activation("relu"), size=5)}, "relu.* in tanh"),
    ],
)
def test_other_ends_that_a_role_cannot_use_are_refused(name, network, words):
    [(role, make)] = network.items()
    with pytest.raises(GenzooError, match=f"the {role} ends in {words}") as caught:
        build(name, **{role: make()})
    assert "\n" not in str(caught.value)


def test_ends_that_a_role_can_use_are_taken():
    build("ae", decoder=decoder())
    build("ae", decoder=decoder(keras.layers.LeakyReLU()))
    build("ae", encoder=keras.Sequential([*discriminator().layers, Dense(3, "sigmoid")]))
    build("gan", generator=decoder(Activation("tanh"), size=5))
    build("gan", generator=decoder(size=5))
    scaled = (Activation("sigmoid"), keras.layers.Rescaling(2, -1))
    build("gan", generator=decoder(*scaled, size=5))


class Subclassed(keras.Model):
    """A network whose layers have no order that could be read."""

    def __init__(self, end, shape):
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = Dense(int(np.prod(shape)))
        self.end, self.shape = end, shape

    def call(self, inputs):
        return keras.ops.reshape(self.end(self.dense(self.flatten(inputs))), (-1, *self.shape))


@pytest.mark.parametrize("role", ["decoder", "discriminator"])
def test_a_network_without_known_layers_is_warned_of_by_what_it_gives(role):
    name, shape = {"decoder": ("ae", SHAPE), "discriminator": ("gan", (1,))}[role]
    with pytest.warns(UserWarning, match=f"the {role} gives numbers in \\[0, 1\\] whatever"):
        build(name, **{role: Subclassed(keras.ops.sigmoid, shape)})
    build(name, **{role: Subclassed(lambda x: x, shape)})


def test_an_end_that_is_no_activation_of_keras_is_looked_at():
    ends = [
        [Dense(1), Activation(lambda x: keras.ops.sigmoid(x))],
        [Dense(1, "sigmoid"), keras.layers.Rescaling(1.0)],
    ]
    for end in ends:
        with pytest.warns(UserWarning, match=r"the discriminator gives numbers in \[0, 1\]"):
            build("gan", discriminator=discriminator(*end))
    build("gan", discriminator=discriminator(Dense(1), keras.layers.Rescaling(2.0)))


def test_a_saved_model_that_would_be_refused_now_still_opens(tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr("keras_genzoo.models.checking.check_output", lambda *arguments: None)
        model = build("ae", decoder=decoder(Activation("sigmoid")))
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="the decoder ends in sigmoid"):
        loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.reconstruct(images(2)), model.reconstruct(images(2)))
    with pytest.raises(GenzooError, match="ends in sigmoid"):
        build("ae", decoder=decoder(Activation("sigmoid")))


# Regularisers -------------------------------------------------------------------------------------

ACTIVITY, WEIGHT = 0.3, 0.2


def regularised(network) -> keras.Model:
    """The network with a dense layer, whose outputs and weights are penalised, as its second."""
    options = {
        "activity_regularizer": keras.regularizers.L2(ACTIVITY),
        "kernel_regularizer": keras.regularizers.L2(WEIGHT),
    }
    before, *after = network
    return keras.Sequential([before, keras.layers.Flatten(), Dense(4, **options), *after])


def penalty(layer, inputs):
    outputs = layer(keras.ops.reshape(inputs, (len(inputs), -1)))
    # Keras takes the mean over the batch.
    activity = tf.reduce_sum(outputs**2) / len(inputs)
    return ACTIVITY * activity + WEIGHT * tf.reduce_sum(layer.kernel.value**2)


def moved_by(model, variables):
    """How a step of plain gradient descent with rate 1 moves variables."""
    before = [variable.numpy() for variable in variables]
    step(model)
    return [old - variable.numpy() for old, variable in zip(before, variables, strict=True)]


def test_a_discriminators_activity_counts_for_real_and_for_generated_images_once_each():
    def fresh():
        keras.utils.set_random_seed(1)
        own = regularised([keras.Input(SHAPE), Dense(1)])
        model = build("gan", discriminator=own, ema_decay=0.0)
        model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(1.0), run_eagerly=True)
        return model

    model, reference = fresh(), fresh()
    real = reference.to_range(images(8))
    fake = reference.generator(reference.latents(8, 0, 0, 0), training=True)
    network = reference.discriminator
    with tf.GradientTape() as tape:
        logits = [reference.discriminate(x, None, training=True) for x in (real, fake)]
        loss = reference.adversarial_loss.discriminator(*logits)
        loss += penalty(network.layers[1], real) + penalty(network.layers[1], fake)
        # That of the weights is the same for both: it counts once.
        loss -= WEIGHT * tf.reduce_sum(network.layers[1].kernel.value ** 2)
    expected = tape.gradient(loss, network.trainable_variables)
    for ours, theirs in zip(
        moved_by(model, model.discriminator.trainable_variables), expected, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_a_generators_activity_counts_once():
    def fresh():
        keras.utils.set_random_seed(1)
        ends = [Dense(256, activation="tanh"), keras.layers.Reshape(SHAPE)]
        own = regularised([keras.Input((5,)), *ends])
        model = build("gan", generator=own, ema_decay=0.0)
        model.compile(keras.optimizers.SGD(1.0), keras.optimizers.SGD(0.0), run_eagerly=True)
        return model

    model, reference = fresh(), fresh()
    z = reference.latents(8, 0, 0, 0)
    with tf.GradientTape() as tape:
        logits = reference.discriminate(reference.generator(z), None, training=False)
        loss = reference.adversarial_loss.generator(logits)
        loss += penalty(reference.generator.layers[1], z)
    expected = tape.gradient(loss, reference.generator.trainable_variables)
    # Dropout of the default discriminator leaves noise in all but the penalised layer's part.
    ours = moved_by(model, model.generator.trainable_variables)
    np.testing.assert_allclose(ours[0], expected[0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_the_activity_of_a_vaes_networks_counts_once(role):
    def fresh():
        keras.utils.set_random_seed(1)
        ends = {
            "encoder": [keras.Input(SHAPE), Dense(3)],
            "decoder": [keras.Input((3,)), Dense(256), keras.layers.Reshape(SHAPE)],
        }
        own = regularised(ends[role])
        if role == "encoder":
            x = keras.Input(SHAPE)
            z = own(x)
            own = keras.Model(x, [z, z])
        model = VAE(SHAPE, 3, hidden_units=(4,), seed=11, **{role: own})
        model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
        return model

    model, reference = fresh(), fresh()
    x = reference.to_range(images(8))
    network = getattr(reference, role)
    with tf.GradientTape() as tape:
        losses, _ = reference.compute_losses(x, training=True)
        kernel = next(v for v in network.trainable_variables if v.path.endswith("kernel"))
        loss = tf.reduce_mean(losses) + sum(network.losses)
    assert len(network.losses) == 2
    expected = tape.gradient(loss, kernel.value)
    ours = moved_by(model, getattr(model, role).trainable_variables[:1])
    np.testing.assert_allclose(ours[0], expected, rtol=1e-4, atol=1e-4)
