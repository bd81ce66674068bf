"""Maps that a run keeps know which weights they are of."""

import json

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import Autoencoder
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization.umap_study import why_stale


@pytest.fixture(scope="module")
def model():
    model = Autoencoder((8, 8, 1), latent_dim=2, hidden_units=(4,), seed=0)
    model.compile()
    return model


def kept(tmp_path, **numbers):
    (tmp_path / "umap.json").write_text(json.dumps({"maps": {}, **numbers}))
    return tmp_path


def test_maps_of_the_models_own_weights_are_current(tmp_path, model):
    assert why_stale(kept(tmp_path, weights_digest=weights_digest(model), step=0), model) is None


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"weights_digest": "0" * 16, "step": 3000}, "of step 3,000, and the model is of step 0"),
        (
            {"weights_digest": "0" * 16, "step": 0},
            "than those of the model, also of step 0",
        ),
        ({"weights_digest": "0" * 16}, "than those of the model, also of step 0"),
        ({}, "do not record their weights, since an earlier version drew them"),
    ],
)
def test_maps_of_other_weights_say_why_they_are_stale(tmp_path, model, numbers, words):
    assert words in why_stale(kept(tmp_path, **numbers), model)


@pytest.mark.parametrize("text", ["", "[]", '{"maps": 3}'])
def test_damaged_maps_are_refused(tmp_path, model, text):
    (tmp_path / "umap.json").write_text(text)
    with pytest.raises(GenzooError, match="holds no complete study; draw it anew"):
        why_stale(tmp_path, model)
