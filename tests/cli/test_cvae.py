"""An autoencoder with class labels on the command line: interpolations, scores, a map."""

import json

import numpy as np
import pytest

from keras_genzoo.data import open_source
from keras_genzoo.images import image_grid, read_png, readable_scale
from keras_genzoo.training import Run, load_model

pytestmark = pytest.mark.slow


def test_interpolations_keep_to_the_class_of_the_first_image_or_to_the_one_asked_for(
    genzoo, trained, tmp_path
):
    run = trained("cvae")
    ended = genzoo("interpolate --images 3,7 --steps 4 --out own.png", run)
    assert ended.code == 0, ended.errors
    assert "each row keeps to the class under which the model finds its first image" in ended.output
    model, source = load_model(Run.open(run)), open_source("digits", "test", image_size=8)
    ends = [source.as_published.read(number)[0] for number in (3, 7)]
    made = image_grid(model.interpolate(*ends, steps=4), 4, scale=readable_scale(8))
    drawn = read_png(tmp_path / "own.png")[..., :1]
    np.testing.assert_array_equal(drawn[:, -made.shape[1] :], made)
    ended = genzoo("interpolate --images 3,7 --class 2 --out asked.png", run)
    assert ended.code == 0, ended.errors
    assert "finds its first image" not in ended.output


def test_images_that_are_chosen_keep_their_classes_in_reconstructions(genzoo, trained, tmp_path):
    run = trained("cvae")
    ended = genzoo("reconstruct --images 3,7 --out a.png", run)
    assert ended.code == 0, ended.errors
    assert "finds it most likely" not in ended.output
    model, source = load_model(Run.open(run)), open_source("digits", "test", image_size=8)
    real, labels = zip(*(source.as_published.read(number) for number in (3, 7)), strict=True)
    made = model.reconstruct(np.stack(real), class_labels=list(labels))
    grid = image_grid(np.concatenate([np.stack(real), made]), 2, scale=readable_scale(8))
    np.testing.assert_array_equal(read_png(tmp_path / "a.png")[..., :1], grid)


def test_reconstructions_are_scored_like_samples(genzoo, refused, trained, tmp_path):
    run, usual = trained("cvae"), "evaluate --features pixels -n 100 --no-floor"
    for sampler in ("normal", "reconstruction"):
        ended = genzoo(f"{usual} --sampler {sampler} --scores fid --out {sampler}.json", run)
        assert ended.code == 0, ended.errors
    normal, sent_back = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("normal", "reconstruction")
    )
    assert sent_back["scores"]["fid"] != normal["scores"]["fid"]
    assert sent_back["protocol"]["sampler"] == "reconstruction"
    assert "other samplers know no classes" in refused(f"{usual} --sampler mixture", run)
