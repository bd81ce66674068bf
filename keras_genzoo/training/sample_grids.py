"""The sample grid that a run draws at its checkpoints, always from the same noise."""

import numpy as np

from keras_genzoo.classes import shown_classes
from keras_genzoo.images import image_grid, readable_scale
from keras_genzoo.models import ImageModel

COLUMNS = 8
# Real images in the grid of a model that only reconstructs.
NUM_REAL_IMAGES = 4 * COLUMNS


def sample_grid(model: ImageModel, images: np.ndarray, seed: int) -> np.ndarray:
    """Return a grid of images that the model makes, uint8 ``(height, width, channels)``.

    A model with a prior generates images from fixed noise; if it needs labels, one row for each of
    ``shown_classes``. A model with an encoder and without a prior cannot generate: its grid shows
    rows of ``images``, and below each row the reconstructions.

    Args:
        model: any model of the zoo.
        images: ``NUM_REAL_IMAGES`` real images, for models that cannot generate.
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
