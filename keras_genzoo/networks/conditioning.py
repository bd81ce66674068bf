"""How a class label reaches a network: one-hot beside the noise, planes beside the image.

Conditional GAN (1411.1784) as chapter 7 of the thesis builds it.
"""

import numpy as np
from keras import ops


def one_hot(class_labels, num_classes: int, dtype: str):
    """Return labels ``(batch,)`` as rows ``(batch, num_classes)`` of a one among zeros.

    A number that is no label gives zeros. A table of all rows would put num_classes² numbers into
    the graph; LiteRT's own operation, and a cast of the comparison, give other numbers in 8 bits.

    >>> one_hot(ops.array([1, 7]), 2, "float32").numpy().tolist()
    [[0.0, 1.0], [0.0, 0.0]]
    """
    labels = ops.cast(class_labels, "int32")[:, None]
    same = ops.equal(labels, np.arange(num_classes, dtype="int32"))
    # Numbers and not tensors, which ONNX would take for inputs.
    return ops.cast(ops.where(same, 1.0, 0.0), dtype)


def append_one_hot(z, class_labels, num_classes: int):
    """Join noise ``(batch, d)`` with one-hot labels -> ``(batch, d + num_classes)``.

    >>> append_one_hot(ops.zeros((2, 3)), ops.array([0, 1]), 2).shape
    TensorShape([2, 5])
    """
    return ops.concatenate([z, one_hot(class_labels, num_classes, z.dtype)], axis=-1)


def append_label_planes(images, class_labels, num_classes: int):
    """Join images ``(batch, h, w, c)`` with one plane a class -> ``(batch, h, w, c + classes)``.

    The plane of an image's label is all ones, the others are zeros.

    >>> append_label_planes(ops.zeros((2, 4, 4, 1)), ops.array([0, 1]), 2).shape
    TensorShape([2, 4, 4, 3])
    """
    _, height, width, _ = images.shape
    planes = one_hot(class_labels, num_classes, images.dtype)[:, None, None, :]
    planes = ops.broadcast_to(planes, (ops.shape(images)[0], height, width, num_classes))
    return ops.concatenate([images, planes], axis=-1)
