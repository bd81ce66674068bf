"""Figures for models whose codes are not vectors, and whose losses the package does not know."""

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import MODELS, ImageModel
from keras_genzoo.models.capabilities import capable_models
from keras_genzoo.visualization.curves import training_curves
from keras_genzoo.visualization.latent import (
    codes_in_2d,
    latent_manifold,
    latent_map,
    why_no_manifold,
    why_no_map,
)


class GridCodes(ImageModel):
    """Encodes each image as a grid of codes: the mean of each quarter, with a channel axis."""

    has_encoder = True
    latent_shape = (2, 2, 1)

    def __init__(self):
        super().__init__((8, 8, 1))

    def encode(self, images):
        quarters = images.reshape(len(images), 2, 4, 2, 4)
        return quarters.mean(axis=(2, 4))[..., None]

    def code(self, encoding):
        return encoding


class OneNumber(GridCodes):
    latent_shape = (1,)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (50, 8, 8), np.uint8)


def test_a_grid_of_codes_is_drawn_by_its_main_components(images):
    codes = codes_in_2d(GridCodes(), images, None, "grid")
    assert codes.points.shape == (50, 2)
    assert codes.axes[0].startswith("main component 1 of 2x2x1")
    flat = GridCodes().encode(images).reshape(50, 4)
    # The first main component has the largest variance of all directions.
    assert codes.points[:, 0].var() >= flat.var(axis=0).max()
    assert len(latent_map([codes]).axes) == 1


def test_what_cannot_be_drawn_is_said(images):
    assert why_no_map(GridCodes(), 50) is None
    assert why_no_map(GridCodes(), 1) == "main components of codes need 2 images or more, not 1"
    assert why_no_map(OneNumber(), 50).endswith("this model has one")
    with pytest.raises(GenzooError, match="two dimensions or more; this model has one"):
        codes_in_2d(OneNumber(), images, None, "")
    assert why_no_manifold(GridCodes()).endswith("this model has 2x2x1")
    with pytest.raises(GenzooError, match="a latent space of 2 dimensions"):
        latent_manifold(GridCodes(), np.zeros((5, 2)))


def test_columns_of_another_family_get_a_panel_each():
    rows = [
        {"step": step, "loss": 1.0 / step, "flow_loss": 2.0 * step, "val_flow_loss": 3.0 * step}
        for step in (1, 2)
    ]
    known, own = training_curves(rows).axes
    assert [line.get_label() for line in known.lines] == ["loss"]
    assert own.get_title(loc="left") == "flow loss"
    assert [line.get_label() for line in own.lines] == ["flow loss", "flow loss, held out"]
    np.testing.assert_array_equal(own.lines[1].get_xydata(), [[1, 3], [2, 6]])
    assert len(training_curves([{"step": 1, "energy": 0.5}]).axes) == 1
    with pytest.raises(GenzooError, match="no numbers to draw: step, energy"):
        training_curves([{"step": 1, "energy": float("nan")}])


def test_errors_name_models_that_have_the_capability():
    assert capable_models("has_encoder").startswith("such as ae")
    named = (
        capable_models("needs_labels").removeprefix("such as ").replace(" or ", ", ").split(", ")
    )
    assert named
    assert all(MODELS[name].needs_labels for name in named)
