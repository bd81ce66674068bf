"""A preset is compared with the model that it was made of on the images that are given."""

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.preset import _precision
from tests.models.cases import build, images


def test_the_weights_of_a_preset_are_compared_on_images_of_the_data():
    model = build("vae")
    few = images(3, seed=1)
    assert _precision(model, model, "float16", few, check=True).startswith("float16 (equal")
    with pytest.raises(GenzooError, match="shape"):
        _precision(model, model, "float16", np.zeros((3, 5, 5, 1), "uint8"), check=True)
