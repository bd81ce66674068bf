"""A model of grids of codes in every format: what each holds, and that it draws the same codes."""

import json

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo import export
from keras_genzoo.errors import GenzooError
from tests.models.cases import build

pytestmark = pytest.mark.slow

ALL = ["decode", "encode", "generate", "reconstruct"]
# Grids of four codes.
SHAPE = (8, 8, 1)


def images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), "uint8")


@pytest.fixture(scope="module")
def model():
    model, rng = build("vqvae", image_shape=SHAPE), np.random.default_rng(3)
    for variable in (*model.inference_prior.variables, model.codebook.vectors):
        if variable.dtype == "float32":
            variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


def card(file):
    return json.loads(file.with_name(f"{file.name}.json").read_text())


def test_every_format_draws_the_codes_of_the_model(model, tmp_path):
    options = {"check": True, "images": images(240, seed=3)}
    folder = export.export_saved_model(model, tmp_path / "codes", **options)
    signatures = tf.saved_model.load(folder).signatures
    z = model.sample_latents(4, seed=0)
    made = signatures["generate"](z=tf.constant(z))["images"]
    np.testing.assert_array_equal(np.rint(made * 255), model.decode(z))
    codes = signatures["encode_uint8"](images=tf.constant(images(4)))["codes"]
    np.testing.assert_array_equal(codes, model.encode(images(4)))
    seeded = signatures["generate_seeded"](seed=tf.constant([7, 7], "int64"))["images"]
    np.testing.assert_array_equal(seeded[0], seeded[1])
    files = export.export_onnx(model, tmp_path, **options)
    assert sorted(file.stem for file in files) == [f"model-{name}" for name in ALL]
    assert all("verified" in card(file) for file in files)


def test_litert_of_less_than_float32_holds_what_chooses_no_codes(model, tmp_path):
    types = list(export.LITERT_TYPES)
    options = {"check": True, "images": images(240, seed=3)}
    files = export.export_litert(model, tmp_path, types=types, calibration=100, **options)
    held = [sorted(card(file)["verified"]) for file in files]
    assert held == [ALL, *[["decode"]] * 3]


def test_a_keras_file_is_refused_in_one_line(model, tmp_path):
    with pytest.raises(GenzooError, match="cannot carry the class CodeSampler; export it as"):
        export.export_keras(model, tmp_path)
