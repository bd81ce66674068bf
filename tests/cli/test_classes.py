"""Classes have names: what a person reads, types or keeps says the name, and numbers are inside."""

import json
import os

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.classes import MOST_CLASSES, shown_classes
from keras_genzoo.cli.main import main
from keras_genzoo.data import Splits, open_source
from keras_genzoo.evaluation import Options, evaluate_images
from keras_genzoo.export.origin import describe_origin
from keras_genzoo.models import CGAN
from keras_genzoo.text import shown
from keras_genzoo.training import Run, load_model, sample
from keras_genzoo.training.sample_grids import sample_grid
from keras_genzoo.visualization.figures import class_rows

# In the order of the file system, which is not that of the numbers, and not all of it UTF-8.
NAMES = ["0", "1", "10", "2", os.fsdecode(b"caf\xe9")]
IN_WORDS = "0, 1, 10, 2, caf\\xe9"
SMALL = "--generator-filters 2 --discriminator-filters 2 --latent-dim 4 --batch-size 8 --steps 2"


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """A short run of a cgan on digits in folders with these names."""
    place = tmp_path_factory.mktemp("named")
    source = open_source("digits", image_size=8)
    images, labels = source.fetch(np.arange(source.num_images))
    for number, name in enumerate(NAMES):
        folder = place / "data" / name
        folder.mkdir(parents=True)
        for index, image in enumerate(images[labels == number][:60]):
            Image.fromarray(image[..., 0]).save(folder / f"{index}.png")
    arguments = f"fit cgan {SMALL} --checkpoint-every 2 --dataset {place / 'data'}"
    with pytest.raises(SystemExit) as stop:
        main([*arguments.split(), "--out", str(place / "run")])
    assert not stop.value.code
    return place / "run"


@pytest.mark.slow
def test_a_class_is_asked_for_by_its_name(genzoo, refused, named, tmp_path):
    model = load_model(Run.open(named))
    for number, name in enumerate(NAMES):
        ended = genzoo("sample -n 3 --seed 1 --force --out a.npz", named, "--class", name)
        assert ended.code == 0, ended.errors
        with np.load(tmp_path / "a.npz") as arrays:
            assert (arrays["labels"].tolist(), arrays["labels"].dtype) == ([number] * 3, np.int32)
            assert arrays["class_names"].tolist() == IN_WORDS.split(", ")
            made = model.generate(3, class_labels=number, seed=1)
            np.testing.assert_array_equal(arrays["images"], made)
    # In a script a number is one, as that of ``generate``.
    sample(named, 3, 2, seed=1, out=tmp_path / "number.npz")
    sample(named, 3, "10", seed=1, out=tmp_path / "name.npz")
    number, name = (np.load(tmp_path / f"{kind}.npz")["images"] for kind in ("number", "name"))
    np.testing.assert_array_equal(number, name)
    assert "unknown class '11'; did you mean '1'? known: 0, 1, 10, 2, caf\\xe9" in refused(
        "sample --class 11 --out b.npz", named
    )
    assert "unknown class '3'" in refused("interpolate --class 3 --out b.png", named)


@pytest.mark.slow
def test_grids_say_which_class_is_where(genzoo, named):
    columns = f"a column for each class, from the left: {IN_WORDS}"
    assert genzoo("sample --out a.png", named).output.splitlines() == [columns, "a.png"]
    rows = "classes of the rows, from the top: 0, 1, 10"
    ended = genzoo("interpolate --rows 3 --out b.png", named)
    assert ended.output.splitlines() == [rows, "b.png"]
    lines = genzoo("show", named).output.splitlines()
    assert f"classes: {IN_WORDS}" in lines
    assert "rows of the sample grids: these classes, from the top" in lines


def test_an_interpolation_keeps_to_the_class_that_is_named(genzoo, named, tmp_path):
    genzoo("interpolate --rows 3 --seed 2 --out all.png", named)
    genzoo("interpolate --rows 3 --seed 2 --out one.png --class 10", named)
    every, one = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("all", "one"))
    height = (len(every) + 2) // 3
    same = [(every[r * height :][:48] == one[r * height :][:48]).all() for r in range(3)]
    assert same == [False, False, True]


def test_cards_figures_and_reports_name_the_classes(genzoo, named, tmp_path):
    run = Run.open(named)
    facts = describe_origin(run, load_model(run), "the weights")
    assert facts["classes"] == "0 = 0, 1 = 1, 2 = 10, 3 = 2, 4 = caf\\xe9"
    rows = class_rows(load_model(run), run.class_names).axes[0]
    assert [label.get_text() for label in rows.get_yticklabels()] == IN_WORDS.split(", ")
    ended = genzoo("report --no-measure --out page.html", named)
    assert ended.code == 0, ended.errors
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert f"a column for each class, from the left: {IN_WORDS}" in page


def test_scores_of_classes_have_their_names(genzoo, named, tmp_path):
    arguments = "evaluate --features pixels --scores fid_per_class --no-floor --out a.json"
    ended = genzoo(arguments, named)
    assert ended.code == 0, ended.errors
    result = json.loads((tmp_path / "a.json").read_text())
    assert [shown(name) for name in result["scores"]["fid_per_class"]] == IN_WORDS.split(", ")
    assert "FID of class caf\\xe9" in ended.output
    assert result["protocol"]["classes"] == "in the shares of the real images"


@pytest.mark.slow
def test_copies_of_the_real_images_are_of_their_classes(named, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_genzoo.evaluation.classifier.MAX_EPOCHS", 40)
    real = Splits(lambda split: open_source(Run.open(named).settings.dataset, split))
    source = real.train
    images, labels = source.fetch(np.arange(source.num_images))
    # Numbered in another order, as by others who sort numbers as numbers.
    order, names = [4, 3, 2, 1, 0], source.class_names
    np.savez(
        tmp_path / "copies.npz",
        images=images,
        labels=np.argsort(order)[labels].astype("int32"),
        class_names=[names[number] for number in order],
    )
    copies = open_source(tmp_path / "copies.npz")
    result = evaluate_images(real, copies, Options(scores=["label_accuracy", "class_histogram"]))
    assert result["scores"]["label_accuracy"] > 0.95
    assert list(result["scores"]["class_histogram"]) == names
    assert result["protocol"]["features"]["tested_on"] == 60  # the fifth kept back


# Many classes ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many():
    """A conditional model of a thousand classes."""
    return CGAN((8, 8, 1), 4, num_classes=1000, generator_filters=1, discriminator_filters=1)


def test_grids_of_a_thousand_classes_can_be_read(many):
    grid = sample_grid(many, np.empty(0), seed=0)
    assert grid.shape == (MOST_CLASSES * 50 - 2, 8 * 50 - 2, 1)
    # The classes drawn are the same over and over, from the first to the last.
    np.testing.assert_array_equal(grid, sample_grid(many, np.empty(0), seed=0))
    names = [f"class {number}" for number in range(1000)]
    figure = class_rows(many, names)
    [axes] = figure.axes
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == [names[number] for number in shown_classes(1000)]
    assert (shown[0], shown[-1], len(shown)) == ("class 0", "class 999", MOST_CLASSES)
    assert axes.get_ylabel() == "class asked for, 20 of 1,000"
    assert figure.get_size_inches().max() < 20


@pytest.mark.slow
def test_samples_of_many_classes_take_some_of_them(genzoo, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8), "uint8")
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(60) % 30)
    genzoo(f"fit cgan {SMALL} --checkpoint-every 2 --dataset data.npz --out run")
    ended = genzoo("sample run -n 64 --out a.png")
    [more, line, file] = ended.output.splitlines()
    assert more == "80 images, not 64: as many of each class"
    assert line.startswith("a column for each class, from the left: 0, 2, 3, 5, ")
    assert line.endswith("27, 29 (20 of 30 classes, evenly spread)")
    height, width = np.asarray(Image.open(tmp_path / file)).shape
    # Above the columns stand the names of their classes.
    assert width == 20 * 50 - 2
    assert 4 * 50 + 10 < height < 4 * 50 + 40
    # The arrays are for programs: all classes, in turn.
    genzoo("sample run -n 64 --out a.npz")
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["labels"].tolist() == (np.arange(64) % 30).tolist()
    assert "(20 of 30 classes, evenly spread)" in genzoo("show run").output
    ended = genzoo("report run --no-measure --out page.html")
    assert ended.code == 0, ended.errors
    assert "60 images generated by" in (tmp_path / "page.html").read_text()
