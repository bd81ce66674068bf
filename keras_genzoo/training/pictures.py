"""The picture that a run draws over and over from the same noise, to be compared over time."""

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.images import image_grid, readable_scale
from keras_genzoo.models import ImageModel

COLUMNS = 8
# Real images that an autoencoder's picture shows.
IMAGES = 4 * COLUMNS


def sample_grid(model: ImageModel, images: np.ndarray, seed: int) -> np.ndarray:
    """Return a grid of what the model makes, uint8 ``(height, width, channels)``.

    A generator shows images of fixed noise, a conditional one a row for each of
    ``shown_classes``; an autoencoder shows ``images`` in every other row, and below each its
    reconstruction.

    Args:
        model: any model of the zoo.
        images: real images, as many as ``IMAGES``, for autoencoders.
        seed: random seed of the fixed noise.
    """
    columns = COLUMNS
    if model.has_encoder and not model.has_prior:
        pairs = np.stack([_rows(images), _rows(model.reconstruct(images))], axis=1)
        made = pairs.reshape(-1, *model.image_shape)
    elif model.needs_labels:
        labels = np.repeat(shown_classes(model.num_classes), columns)
        made = model.generate(len(labels), class_labels=labels, seed=seed)
    else:
        made = model.generate(columns * columns, seed=seed)
    return image_grid(made, columns, scale=readable_scale(model.image_shape[0]))


def _rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(-1, COLUMNS, *images.shape[1:])
