"""Data as people have them: few images, one image, one class, classes of uneven size."""

import json
import re

import keras
import numpy as np
import pytest
from PIL import Image

from keras_genzoo.models import CGAN
from tests.cli.conftest import SMALL

CGAN_OF_8 = "--generator-filters 1 --discriminator-filters 1 --latent-dim 4 --batch-size 8"
SHORT = "--steps 2 --checkpoint-every 2"


def write_images(folder, count, size=12):
    folder.mkdir(parents=True)
    for index in range(count):
        pixels = np.random.default_rng(index).integers(0, 255, (size, size), "uint8")
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


def perfect_generator():
    """A model whose two classes are dark and bright."""
    generator = keras.Sequential([keras.Input((6,)), keras.layers.Dense(64, "tanh")])
    generator.add(keras.layers.Reshape((8, 8, 1)))
    kernel = np.random.default_rng(0).normal(size=(6, 64)) / 5
    kernel[4], kernel[5] = -1, 1
    generator.layers[0].set_weights([kernel, np.zeros(64)])
    return CGAN((8, 8, 1), 4, num_classes=2, generator=generator, discriminator_filters=1)


@pytest.mark.slow
def test_a_perfect_generator_of_uneven_classes_is_near_to_its_data(genzoo, tmp_path):
    model, labels = perfect_generator(), np.repeat([0, 1], [160, 18])
    model.compile()
    images = model.generate(178, class_labels=labels, seed=1)
    np.savez("data.npz", images=images, labels=labels)
    assert genzoo(f"fit cgan {CGAN_OF_8} {SHORT} --dataset data.npz --out run").code == 0
    model.save(tmp_path / "run" / "model.keras")
    genzoo("evaluate run --features pixels --scores fid --no-floor --out a.json")
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["protocol"]["classes"] == "in the shares of the real images"
    # Classes in turn, as an even share of each would be, are far from these data.
    np.savez("even.npz", images=model.generate(178, seed=0))
    genzoo("evaluate --real data.npz --fake even.npz --features pixels --scores fid --out b.json")
    even = json.loads((tmp_path / "b.json").read_text())
    assert result["scores"]["fid"] < even["scores"]["fid"] / 10


def test_other_shares_of_the_classes_are_said(genzoo):
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8), "uint8")
    for name, ones in (("real", 20), ("alike", 25), ("even", 100)):
        np.savez(f"{name}.npz", images=images, labels=(np.arange(200) < ones).astype(int))
    arguments = "evaluate --features pixels --scores fid --real real.npz --fake"
    words = "40% of the generated images would have to change their class"
    assert words in genzoo(f"{arguments} even.npz").output
    assert "change their class" not in genzoo(f"{arguments} alike.npz").output


def test_a_score_that_needs_classes_is_refused_before_anything_is_trained(genzoo, trained, cache):
    before = set((cache / "classifiers").glob("*"))
    for score in ("label_accuracy", "fid_per_class", "gan_train"):
        ended = genzoo(f"evaluate --scores {score}", trained("gan"))
        assert (ended.code, ended.output) == (2, "")
        assert f"the score '{score}' needs generated images with class labels" in ended.errors
    np.savez("plain.npz", images=np.zeros((20, 8, 8), "uint8"))
    line = genzoo("evaluate --real plain.npz --fake plain.npz --scores inception_score").errors
    assert "needs a feature network that classifies" in line
    assert set((cache / "classifiers").glob("*")) == before


def test_the_first_of_two_that_are_missing_is_named(refused):
    line = refused("evaluate --real ./a --fake ./b")
    assert "there is no folder or file a" in line


def test_a_cgan_needs_two_folders(refused, tmp_path):
    write_images(tmp_path / "one" / "cats", 20)
    write_images(tmp_path / "none", 20)
    for name in ("one", "none"):
        line = refused(f"fit cgan {CGAN_OF_8} {SHORT} --dataset {name}")
        assert "put the images into one sub-folder for each class" in line
        assert "num_classes" not in line
    assert not (tmp_path / "runs").exists()


@pytest.fixture
def run_of(genzoo, tmp_path):
    """A function that makes a short run of a model on so many images."""

    def make(count, model="gan"):
        write_images(tmp_path / "data", count)
        size = f"--batch-size {count} {SMALL[model]}"
        ended = genzoo(f"fit {model} {size} {SHORT} --dataset data --out run")
        assert ended.code == 0, ended.errors
        return tmp_path / "run"

    return make


def test_a_run_of_one_image_has_nothing_to_compare(refused, run_of):
    run_of(1)
    line = refused("evaluate run --no-floor")
    assert "split train, has 1 image, and scores compare 2 or more of each kind" in line


def test_a_map_of_too_few_images_says_how_many_there_are(refused, run_of):
    run_of(12)
    assert re.search(
        r"a map needs 16 real images or more, and .*data, split train, has 12", refused("umap run")
    )


@pytest.mark.slow
def test_a_map_takes_the_images_that_there_are(genzoo, run_of, tmp_path):
    run_of(20)
    ended = genzoo("umap run -m 4 --distance pixels")
    assert ended.code == 0, ended.errors
    numbers = json.loads((tmp_path / "run" / "umap" / "umap.json").read_text())
    assert numbers["maps"]["pixels"]["num_real"] == 20


@pytest.mark.slow
@pytest.mark.parametrize(("model", "count"), [("gan", 12), ("gan", 1), ("vae", 1)])
def test_a_report_leaves_out_what_few_images_cannot_give(genzoo, run_of, model, count):
    run = run_of(count, model)
    ended = genzoo("report run")
    assert ended.code == 0, ended.errors
    page = (run / "report.html").read_text(encoding="utf-8")
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    assert {"Samples", "Scores", "Inside the real images?", "Nearest training images"} <= set(
        titles
    )
    assert f"<p>Left out: a map needs 16 real images or more, and {run.parent / 'data'}" in page
    assert ("<p>Left out: " in page.partition(">Scores</h2>")[2][:20]) == (count == 1)
