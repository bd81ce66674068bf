"""How a class label enters the networks of a GAN.

A ``Conditioning`` computes the networks' inputs from noise, images and labels.
"""

from typing import Any

import numpy as np
from keras import ops

Shape = tuple[int, int, int]


def one_hot(class_labels, num_classes: int, dtype: str):
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


def append_one_hot(z, class_labels, num_classes: int):
    """Join noise ``(batch, d)`` with one-hot labels -> ``(batch, d + num_classes)``.

    >>> append_one_hot(ops.zeros((2, 3)), ops.array([0, 1]), 2).shape
    TensorShape([2, 5])
    """
    return ops.concatenate([z, one_hot(class_labels, num_classes, z.dtype)], axis=-1)


def append_label_planes(images, class_labels, num_classes: int):
    """Join images ``(batch, h, w, c)`` with a plane per class -> ``(batch, h, w, c + classes)``.

    The plane of an image's label is all ones, the other planes are zeros.

    >>> append_label_planes(ops.zeros((2, 4, 4, 1)), ops.array([0, 1]), 2).shape
    TensorShape([2, 4, 4, 3])
    """
    _, height, width, _ = images.shape
    planes = one_hot(class_labels, num_classes, images.dtype)[:, None, None, :]
    planes = ops.broadcast_to(planes, (ops.shape(images)[0], height, width, num_classes))
    return ops.concatenate([images, planes], axis=-1)


class Conditioning:
    """What the networks of a conditional GAN take; subclasses implement all four methods.

    Args:
        num_classes: number of classes; labels are integers from 0.
    """

    def __init__(self, num_classes: int):
        self.num_classes = int(num_classes)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"num_classes": self.num_classes}

    def noise_dim(self, latent_dim: int) -> int:
        """Return the width of the generator's input."""
        raise NotImplementedError

    def discriminator_shape(self, image_shape: Shape) -> Shape:
        """Return the shape of the discriminator's input."""
        raise NotImplementedError

    def noise(self, z, class_labels) -> Any:
        """Return the generator's input of noise ``(batch, latent_dim)`` and labels ``(batch,)``."""
        raise NotImplementedError

    def images(self, images, class_labels) -> Any:
        """Return the discriminator's input of images and labels ``(batch,)``."""
        raise NotImplementedError


class Concatenation(Conditioning):
    """One-hot labels joined to the noise, and one plane per class joined to the image's channels.

    This is the conditional GAN (1411.1784) of chapter 7 of the thesis.

    >>> condition = Concatenation(10)
    >>> condition.noise_dim(100), condition.discriminator_shape((28, 28, 1))
    (110, (28, 28, 11))
    """

    def noise_dim(self, latent_dim: int) -> int:
        """Return the width of the noise and the one-hot label."""
        return latent_dim + self.num_classes

    def discriminator_shape(self, image_shape: Shape) -> Shape:
        """Return the shape of the image and its label planes."""
        height, width, channels = image_shape
        return (height, width, channels + self.num_classes)

    def noise(self, z, class_labels):
        """Return the noise joined with the one-hot label."""
        return append_one_hot(z, class_labels, self.num_classes)

    def images(self, images, class_labels):
        """Return the image joined with its label planes."""
        return append_label_planes(images, class_labels, self.num_classes)
