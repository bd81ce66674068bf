"""How a class label reaches a network: one-hot beside the noise, planes beside the image.

Conditional GAN (1411.1784) as chapter 7 of the thesis builds it.
"""

from keras import ops


def append_one_hot(z, class_labels, num_classes: int):
    """Join noise ``(batch, d)`` with one-hot labels -> ``(batch, d + num_classes)``.

    >>> append_one_hot(ops.zeros((2, 3)), ops.array([0, 1]), 2).shape
    TensorShape([2, 5])
    """
    return ops.concatenate([z, ops.one_hot(class_labels, num_classes, dtype=z.dtype)], axis=-1)


def append_label_planes(images, class_labels, num_classes: int):
    """Join images ``(batch, h, w, c)`` with one plane a class -> ``(batch, h, w, c + classes)``.

    The plane of an image's label is all ones, the others are zeros.

    >>> append_label_planes(ops.zeros((2, 4, 4, 1)), ops.array([0, 1]), 2).shape
    TensorShape([2, 4, 4, 3])
    """
    _, height, width, _ = images.shape
    planes = ops.one_hot(class_labels, num_classes, dtype=images.dtype)[:, None, None, :]
    planes = ops.broadcast_to(planes, (ops.shape(images)[0], height, width, num_classes))
    return ops.concatenate([images, planes], axis=-1)
