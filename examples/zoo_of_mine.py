"""One component of each kind, in a module outside of the package: ``genzoo --import zoo_of_mine``.

Each is as small as it can be, and begins where its kind is declared.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import keras
import numpy as np
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1, POSITIVE
from keras_genzoo.data import SOURCES, ArraySource, check_split, file_kind
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import SCORES, Score
from keras_genzoo.export import EXPORT_FORMATS, ExportFormat, ExportOption
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, AdversarialLoss, Penalty
from keras_genzoo.models import MODELS, ImageModel
from keras_genzoo.models.base import TRAIN
from keras_genzoo.networks import ARCHITECTURES, AUGMENTATIONS, Architecture, Augmentation, normal
from keras_genzoo.training import RECIPES

# Keras finds a class again by this name when it loads a model that holds it.
saved = keras.saving.register_keras_serializable("zoo_of_mine")


# A loss of a GAN: functions of float32 logits, (batch, 1).
@saved
def towards_one(real_logits, fake_logits):
    """Least squares to 1 and -1."""
    return ops.mean(ops.square(real_logits - 1)) + ops.mean(ops.square(fake_logits + 1))


@saved
def towards_zero(fake_logits):
    """Least squares to the middle."""
    return ops.mean(ops.square(fake_logits))


ADVERSARIAL_LOSSES.register("symmetric", AdversarialLoss(towards_one, towards_zero))


# A penalty: a scalar that is added to the discriminator's loss.
@saved
class Centred(Penalty):
    """Draws the logits of real images to 0.

    Args:
        weight: weight of the penalty.
    """

    per_image = False

    def __init__(self, weight: Annotated[float, POSITIVE] = 0.1):
        super().__init__(weight)

    def __call__(self, critic, real_images, fake_images, draw):
        return self.weight * ops.mean(ops.square(critic(real_images)))


PENALTIES.register("centred", Centred)


# An augmentation: images to images, with noise from ``draw``.
@saved
class Flip(Augmentation):
    """Mirrors some of the images.

    Args:
        share: share of the images that are mirrored.
    """

    def __init__(self, share: float = 0.5):
        self.share = share

    def __call__(self, images, draw):
        flipped = draw.uniform(ops.shape(images)[0], (1, 1, 1)) < self.share
        return ops.where(flipped, ops.flip(images, axis=2), images)

    def get_config(self):
        return {"share": self.share}


AUGMENTATIONS.register("flip", Flip)


# An architecture: the networks of a GAN.
@saved
class Shallow(Architecture):
    """One layer each.

    Args:
        widths: units of the one hidden layer of the generator and of the discriminator.
    """

    def __init__(self, widths: Annotated[Sequence[int], AT_LEAST_1] = (16, 16)):
        self.widths = tuple(widths)
        if len(self.widths) != 2:
            raise GenzooError(f"widths are those of two layers, such as 16,16, not {self.widths}")

    def generator(self, image_shape, noise_dim, *, synchronized=False):
        return keras.Sequential(
            [
                keras.Input((noise_dim,)),
                keras.layers.Dense(self.widths[0], activation="relu"),
                keras.layers.Dense(int(np.prod(image_shape)), activation="tanh"),
                keras.layers.Reshape(image_shape),
            ]
        )

    def discriminator(self, image_shape, *, normalization, synchronized=False):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(self.widths[1], activation="leaky_relu"),
                keras.layers.Dense(1),
            ]
        )


ARCHITECTURES.register("shallow", Shallow)


# A model of a family of its own.
@saved
class Pixels(ImageModel):
    """Pixels that are normal and independent, fitted by maximum likelihood.

    Args:
        image_shape: ``(height, width, channels)``.
        spread: standard deviation that the pixels begin with.
        seed: random seed of the training noise.
        name: name of the Keras model.
        **arguments: ``dtype``.
    """

    metric_names = ("loss",)
    has_held_out_loss = True
    prior_signature = "generate"

    def __init__(
        self,
        image_shape=(28, 28, 1),
        *,
        spread: Annotated[float, POSITIVE] = 0.5,
        seed=0,
        name=None,
        **arguments,
    ):
        super().__init__(image_shape, seed=seed, name=name, **arguments)
        self.spread = spread
        self.network = keras.Sequential([keras.Input(self.image_shape), Normal(spread)])
        self.built = True

    @property
    def latent_shape(self):
        """An image of noise."""
        return self.image_shape

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}

    def compile(self, optimizer=None, **kwargs):
        options = self.compile_options(kwargs)
        optimizer = keras.optimizers.get(optimizer or self.default_optimizer("optimizer"))
        super().compile(optimizer=optimizer, **options)
        self.optimizer.build(self.trainable_variables)
        self.keep_compile_config(kwargs, optimizer=optimizer)

    def call(self, z, training=False):
        return self.network(z)

    def losses_of(self, images):
        """Return the negative log-likelihood of each image, without the constant."""
        mean, log_spread = self.network.layers[-1].weights
        errors = ops.square((images - mean) / ops.exp(log_spread)) / 2 + log_spread
        return ops.mean(errors, axis=(1, 2, 3))

    def train_step(self, data):
        import tensorflow as tf

        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        count = ops.shape(images)[0]
        # Grey values are steps of 1/255: noise of half a step keeps the spread above it.
        images += self.noise(normal, count, self.image_shape, TRAIN, self.step) / 255
        with tf.GradientTape() as tape:
            loss = ops.mean(self.losses_of(images))
            replica_loss = self.optimizer.scale_loss(loss / self.num_replicas)
        self.step.assign_add(1)
        weights = self.trainable_variables
        self.optimizer.apply(tape.gradient(replica_loss, weights), weights)
        return self.track(count, loss=loss)

    def test_step(self, data):
        images, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        images = self.to_range(images)
        return self.track(ops.shape(images)[0], loss=ops.mean(self.losses_of(images)))

    def decode(self, z, *, batch_size=256):
        z = self.checked_latents(z)
        return self.to_uint8(self.in_batches(self.traced(self.network), z, batch_size))

    def signatures(self, batch_size=None):
        z = keras.Input(self.latent_shape, batch_size, name="z")
        images = self.to_unit_range(self.network(z))
        return {"generate": keras.Model({"z": z}, {"images": images}, name="generate")}


@saved
class Normal(keras.layers.Layer):
    """Noise of N(0, 1) to pixels of their own mean and spread."""

    def __init__(self, spread, **kwargs):
        super().__init__(**kwargs)
        self.spread = spread

    def build(self, shape):
        start = keras.initializers.Constant(float(np.log(self.spread)))
        self.mean = self.add_weight(name="mean", shape=shape[1:], initializer="zeros")
        self.log_spread = self.add_weight(name="log_spread", shape=shape[1:], initializer=start)

    def call(self, z):
        return self.mean + ops.exp(self.log_spread) * z

    def get_config(self):
        return {**super().get_config(), "spread": self.spread}


MODELS.register("pixels", Pixels)
RECIPES.register("pixels-digits", {"model": "pixels", "dataset": "digits", "steps": 40})


# A source of images: a file of rows of '#' and '.'.
def open_dots(path, split, *, image_size, channels, labels):
    """Return the images that a text file draws, 8 rows each."""
    check_split(str(path), split, ["train"])
    rows = [[255 * (mark == "#") for mark in line] for line in path.read_text().split()]
    images = np.array(rows, np.uint8).reshape(-1, 8, 8)
    return ArraySource(images, image_size=image_size, channels=channels, name=str(path))


SOURCES.register("dots", file_kind("a .dots file", ".dots", open_dots))


# A score: a function of what is measured to a number.
def contrast(inputs):
    """Return the standard deviation of the grey values of generated images."""
    return float(inputs.fake_images.std())


SCORES.register("contrast", Score(contrast))


# An export format: a function that writes files.
def write_weights(model, folder, name, *, check, images, facts, places=3):
    """Write the mean of each weight to a text file."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.txt"
    lines = [f"{w.path} {float(ops.mean(w)):.{places}f}" for w in model.trainable_weights]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [file]


EXPORT_FORMATS.register(
    "means",
    ExportFormat(
        "for a look at the weights",
        write_weights,
        options=(ExportOption("places", int, "Decimal places.", "3", least=0),),
        files=lambda model, name, options: [f"{name}.txt"],
    ),
)


if __name__ == "__main__":
    print("try: genzoo --import zoo_of_mine fit gan --loss symmetric --penalty centred --steps 500")
