"""How a class label enters the networks of a GAN, and which logit is that of its class.

The generator takes the label one-hot beside the noise. The discriminator takes it as planes beside
the image, or gives numbers for all classes, of which the label chooses.
"""

from typing import Annotated, Any

import keras
import numpy as np
from keras import ops

from keras_genzoo.arguments import AT_LEAST_1, POSITIVE
from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.architectures import Architecture, check_at_least_1
from keras_genzoo.networks.registry import NORMALIZATIONS

_serializable = keras.saving.register_keras_serializable("keras_genzoo")

Shape = tuple[int, int, int]


def one_hot(class_labels: Tensor | None, num_classes: int, dtype: str) -> Tensor:
    """Return labels ``(batch,)`` in one-hot encoding, ``(batch, num_classes)``.

    A number that is not a label gives zeros. Labels are compared with all classes, since a table of
    all rows would put num_classes² numbers into the graph. LiteRT's one-hot operation, and casting
    the comparison, give wrong numbers with 8-bit quantisation.

    >>> one_hot(ops.array([1, 7]), 2, "float32").numpy().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    labels = ops.cast(class_labels, "int32")[:, None]
    same = ops.equal(labels, np.arange(num_classes, dtype="int32"))
    # Python numbers: the ONNX exporter would turn tensors into inputs of the model.
    return ops.cast(ops.where(same, 1.0, 0.0), dtype)


def append_one_hot(z: Tensor, class_labels: Tensor | None, num_classes: int) -> Tensor:
    """Join noise ``(batch, d)`` with one-hot labels -> ``(batch, d + num_classes)``.

    >>> append_one_hot(ops.zeros((2, 3)), ops.array([0, 1]), 2).shape
    TensorShape([2, 5])
    """
    return ops.concatenate([z, one_hot(class_labels, num_classes, z.dtype)], axis=-1)


def append_label_planes(images: Tensor, class_labels: Tensor | None, num_classes: int) -> Tensor:
    """Join images ``(batch, h, w, c)`` with a plane per class -> ``(batch, h, w, c + classes)``.

    The plane of an image's label is all ones, the other planes are zeros.

    >>> append_label_planes(ops.zeros((2, 4, 4, 1)), ops.array([0, 1]), 2).shape
    TensorShape([2, 4, 4, 3])
    """
    planes = one_hot(class_labels, num_classes, images.dtype)[:, None, None, :]
    # Not broadcast_to, which needs the size of the batch: a functional network may not know it.
    return ops.concatenate([images, planes * ops.ones_like(images[..., :1])], axis=-1)


class Conditioning:
    """What the networks of a conditional GAN take and give.

    As it is, the generator sees the one-hot label beside the noise, and the discriminator nothing:
    subclasses change ``images``, or ``outputs`` and ``logits``.

    Args:
        num_classes: number of classes; labels are integers from 0.
    """

    # Whether the discriminator also names the class, so that ``class_loss`` is a term of training.
    classifies = False
    # Whether the label is part of the discriminator's input, and so goes along with each image.
    joins_images = False

    def __init__(self, num_classes: int):
        self.num_classes = int(num_classes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"num_classes": self.num_classes}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Conditioning":
        """Return the conditioning that ``get_config`` described."""
        return cls(**config)

    @property
    def outputs(self) -> int:
        """How many numbers the discriminator gives for an image."""
        return 1

    def noise_dim(self, latent_dim: int) -> int:
        """Return the width of the generator's input."""
        return latent_dim + self.num_classes

    def discriminator_shape(self, image_shape: Shape) -> Shape:
        """Return the shape of the discriminator's input."""
        return image_shape

    def noise(self, z: Tensor, class_labels: Tensor | None) -> Any:
        """Return the generator's input of noise ``(batch, latent_dim)`` and labels ``(batch,)``."""
        return append_one_hot(z, class_labels, self.num_classes)

    def images(self, images: Tensor, class_labels: Tensor | None) -> Any:
        """Return the discriminator's input of images and labels ``(batch,)``."""
        return images

    def logits(self, outputs: Tensor, class_labels: Tensor | None) -> Any:
        """Return the logits ``(batch, 1)`` of what the discriminator gives, for the labels."""
        return outputs

    def generator(
        self, architecture: Architecture, image_shape: Shape, latent_dim: int, synchronized: bool
    ) -> keras.Model:
        """Build the generator, noise ``(batch, noise_dim)`` -> images ``(batch, *image_shape)``."""
        noise_dim = self.noise_dim(latent_dim)
        return architecture.generator(image_shape, noise_dim, synchronized=synchronized)

    def discriminator(
        self, architecture: Architecture, shape: Shape, normalization: str, synchronized: bool
    ) -> keras.Model:
        """Build the discriminator, ``(batch, *shape)`` -> ``(batch, outputs)``."""
        return architecture.discriminator(
            shape, normalization=normalization, synchronized=synchronized
        )


@_serializable
class Concatenation(Conditioning):
    """One-hot labels joined to the noise, and one plane per class joined to the image's channels.

    This is the conditional GAN (1411.1784) of chapter 7 of the thesis.

    >>> condition = Concatenation(10)
    >>> condition.noise_dim(100), condition.discriminator_shape((28, 28, 1))
    (110, (28, 28, 11))
    """

    joins_images = True

    def discriminator_shape(self, image_shape: Shape) -> Shape:
        """Return the shape of the image and its label planes."""
        height, width, channels = image_shape
        return (height, width, channels + self.num_classes)

    def images(self, images, class_labels):
        """Return the image joined with its label planes."""
        return append_label_planes(images, class_labels, self.num_classes)


@_serializable
class Projection(Conditioning):
    """``D(x, y) = l(h) + <embedding(y), h>`` of the features h of x (1802.05637, eq. 3).

    The discriminator gives that number for each class. Where the architecture's generator has batch
    normalisations that can follow the class, the label reaches them, and nothing else.

    >>> condition = Projection(10)
    >>> condition.outputs, condition.discriminator_shape((28, 28, 1))
    (10, (28, 28, 1))
    """

    @property
    def outputs(self) -> int:
        """One number for each class."""
        return self.num_classes

    def generator(self, architecture, image_shape, latent_dim, synchronized):
        """Build the generator, with conditional batch normalisations where there can be."""
        if not architecture.class_normalization:
            return super().generator(architecture, image_shape, latent_dim, synchronized)
        return architecture.generator(
            image_shape,
            self.noise_dim(latent_dim),
            num_classes=self.num_classes,
            synchronized=synchronized,
        )

    def discriminator(self, architecture, shape, normalization, synchronized):
        """Build the discriminator, with the embeddings beside its last layer."""
        network = super().discriminator(architecture, shape, normalization, synchronized)
        embedded = last_layer(network, self.num_classes, "embeddings", use_bias=False)
        return keras.Model(network.input, network.output + embedded, name=network.name)

    def logits(self, outputs, class_labels):
        """Return the number of each image's class."""
        return _chosen(outputs, class_labels)


@_serializable
class EmbeddedClass(Conditioning):
    """An embedding beside the noise, and ``D(x, y) = <embedding(y), features(x)>`` (2501.05441).

    Args:
        num_classes: number of classes; labels are integers from 0.
        embedding_dim: size of the embeddings of a class; also that of the features.

    Raises:
        GenzooError: if the size is less than 1.
    """

    def __init__(self, num_classes: int, embedding_dim: Annotated[int, AT_LEAST_1] = 64):
        super().__init__(num_classes)
        check_at_least_1(embedding_dim=embedding_dim)
        self.embedding_dim = int(embedding_dim)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "embedding_dim": self.embedding_dim}

    @property
    def outputs(self) -> int:
        """One number for each class."""
        return self.num_classes

    def generator(self, architecture, image_shape, latent_dim, synchronized):
        """Build the generator, which embeds the one-hot label first."""
        network = architecture.generator(
            image_shape, latent_dim + self.embedding_dim, synchronized=synchronized
        )
        noise = keras.Input((self.noise_dim(latent_dim),), name="z")
        z, one_hot_label = ops.split(noise, [latent_dim], axis=-1)
        embedding = self._embedding(self.embedding_dim, keras.layers.Dense, 1.0)(one_hot_label)
        images = network(ops.concatenate([z, embedding], axis=-1))
        return keras.Model(noise, images, name=network.name)

    def discriminator(self, architecture, shape, normalization, synchronized):
        """Build the discriminator, whose features meet the embedding of each class."""
        network = super().discriminator(architecture, shape, normalization, synchronized)
        features = last_layer(network, self.embedding_dim, "features")
        kind = NORMALIZATIONS[normalization].dense
        logits = self._embedding(self.num_classes, kind, self.embedding_dim**-0.5)(features)
        return keras.Model(network.input, logits, name=network.name)

    def _embedding(self, units: int, kind: type, scale: float) -> keras.layers.Layer:
        normal = keras.initializers.RandomNormal(stddev=scale * self.num_classes**-0.5)
        return kind(units, use_bias=False, kernel_initializer=normal, name="embeddings")

    def logits(self, outputs, class_labels):
        """Return the number of each image's class."""
        return _chosen(outputs, class_labels)


@_serializable
class AuxiliaryClassifier(Conditioning):
    """A discriminator that also names the class of an image (1610.09585).

    Its cross-entropy on real images is a term of the discriminator's loss, and that on generated
    ones of the generator's. The paper's discriminator learns from generated ones, too, which costs
    variety.

    Args:
        num_classes: number of classes; labels are integers from 0.
        weight: weight of the two cross-entropies of the class.

    Raises:
        GenzooError: if the weight is not positive.
    """

    classifies = True

    def __init__(self, num_classes: int, weight: Annotated[float, POSITIVE] = 1.0):
        super().__init__(num_classes)
        if not weight > 0:
            raise GenzooError(f"the weight of the class loss must be positive, not {weight}")
        self.weight = float(weight)

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "weight": self.weight}

    @property
    def outputs(self) -> int:
        """The logit, and one for each class."""
        return 1 + self.num_classes

    def discriminator(self, architecture, shape, normalization, synchronized):
        """Build the discriminator, with the logits of the classes beside its own."""
        network = super().discriminator(architecture, shape, normalization, synchronized)
        classes = last_layer(network, self.num_classes, "classes")
        outputs = ops.concatenate([network.output, classes], axis=-1)
        return keras.Model(network.input, outputs, name=network.name)

    def logits(self, outputs, class_labels):
        """Return the logit of an image being real."""
        return outputs[:, :1]

    def class_loss(self, outputs, class_labels):
        """Return the weighted mean cross-entropy of the labels, a float32 scalar."""
        logits = ops.cast(outputs[:, 1:], "float32")
        errors = ops.logsumexp(logits, axis=-1) - _chosen(logits, class_labels)[:, 0]
        return self.weight * ops.mean(errors)


def last_layer(network: keras.Model, units: int, name: str, use_bias: bool = True) -> Tensor:
    """Return what another last layer gives beside the network's own, ``(batch, units)``.

    Args:
        network: a discriminator whose last layer with weights is named ``"logits"``.
        units: numbers that it gives.
        name: its name.
        use_bias: whether it has a bias, if the network's own has one.

    Raises:
        GenzooError: if the network has no such layer.
    """
    own = next((layer for layer in network.layers if layer.name == "logits"), None)
    if own is None:
        raise GenzooError(
            "this conditioning puts a layer beside the discriminator's last one, and the "
            "architecture has named none of its layers 'logits'; name it, or take "
            "conditioning='concat'"
        )
    config = own.get_config()
    config |= {"name": name, "use_bias": use_bias and own.use_bias}
    config["filters" if "filters" in config else "units"] = units
    outputs = type(own).from_config(config)(own.input)
    return keras.layers.Flatten(data_format="channels_last")(outputs)


def _chosen(outputs, class_labels):
    """Return the number of each row's class, ``(batch, 1)``."""
    kept = one_hot(class_labels, outputs.shape[-1], outputs.dtype)
    return ops.sum(outputs * kept, axis=-1, keepdims=True)
