"""Losses of images that training does not see: the right ones, and no trace in the training."""

import csv
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.data import Splits, open_source
from keras_genzoo.losses import RECONSTRUCTION_LOSSES
from keras_genzoo.training import Run, build_model, fit, resume
from keras_genzoo.training.held_out import BATCH, HeldOutLosses, open_held_out
from keras_genzoo.training.variables import variables_by_path
from keras_genzoo.visualization.curves import training_curves
from tests.training.kill import arrays_of, differences

SHAPE = (8, 8, 1)


def random_images(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), "uint8")


def build(small, name):
    return build_model(small(name), SHAPE, 10)


def digits():
    return Splits(lambda split: open_source("digits", split))


def test_the_loss_is_the_mean_over_all_images(small):
    model, images = build(small, "ae"), random_images(BATCH + 30)
    losses = HeldOutLosses(model, images).measure()
    floats = images / np.float32(255)
    logits = model.decoder(model.encoder(floats))
    expected = np.mean(RECONSTRUCTION_LOSSES["bernoulli"](floats, logits))
    assert losses == {"val_loss": pytest.approx(expected, rel=1e-5)}


def test_the_negative_elbo_is_what_evaluate_gives_and_the_same_each_time(small):
    model, images = build(small, "vae"), random_images(40)
    measured = HeldOutLosses(model, images)
    losses = measured.measure()
    assert losses == measured.measure()
    assert losses["val_loss"] == pytest.approx(
        losses["val_reconstruction_loss"] + losses["val_kl_loss"], rel=1e-5
    )
    for name, value in model.evaluate(
        images, batch_size=BATCH, verbose=0, return_dict=True
    ).items():
        assert losses[f"val_{name}"] == pytest.approx(value, rel=1e-5)


def test_a_model_of_classes_is_measured_with_the_classes_of_the_images(small):
    model, images = build(small, "cvae"), random_images(20)
    labels = np.arange(20, dtype="int32") % 10
    losses = HeldOutLosses(model, images, labels).measure()
    found = model.evaluate(images, labels, batch_size=BATCH, verbose=0, return_dict=True)
    assert losses["val_loss"] == pytest.approx(found["loss"], rel=1e-5)
    held_out = open_held_out(build_model(small("cvae"), SHAPE, 10), digits(), "train")
    expected = open_source("digits", "test").fetch(np.arange(len(held_out.images)))[1]
    np.testing.assert_array_equal(held_out.labels, expected)
    said = []
    unlabelled = Splits(lambda split: open_source("digits", split, labels="none"))
    assert open_held_out(model, unlabelled, "train", echo=said.append) is None
    assert said == ["no held-out loss: not all images of test have a class"]


def test_measuring_changes_no_variable(small):
    model = build(small, "vae")
    model.fit(random_images(32), batch_size=16, verbose=0)
    before = {path: variable.numpy() for path, variable in variables_by_path(model).items()}
    HeldOutLosses(model, random_images(20, seed=1)).measure()
    assert sum(path.startswith("metrics/") and value > 0 for path, value in before.items()) == 6
    for path, variable in variables_by_path(model).items():
        assert variable.numpy().tobytes() == before[path].tobytes(), path


def test_two_replicas_measure_what_one_does(small):
    images = random_images(21)
    one = HeldOutLosses(build(small, "ae"), images).measure()
    with tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.HierarchicalCopyAllReduce()
    ).scope():
        model = build(small, "ae")
    assert HeldOutLosses(model, images).measure() == pytest.approx(one, rel=1e-6)


def trained(small, tmp_path, **splits):
    """Train on arrays; return the run and what was said."""
    file, said = tmp_path / f"{len(splits)}.npz", []
    np.savez(file, **splits)
    settings = small("vae", dataset=str(file), image_size=None)
    return fit(settings, file.with_suffix(""), echo=said.append).run, said


@pytest.mark.slow
def test_training_is_the_same_with_and_without(small, tmp_path):
    train, test = random_images(40), random_images(30, seed=1)
    run, said = trained(small, tmp_path, x_train=train, x_test=test)
    assert "held-out loss: of the first 30 images of test" in said
    without, said = trained(small, tmp_path, x_train=train)
    assert "no held-out loss: the data have no other split test or validation" in said
    one, other = arrays_of(run.path), arrays_of(without.path)
    assert one.keys() == other.keys()
    assert not [name for name in one if one[name].tobytes() != other[name].tobytes()]
    rows = run.read_history()
    names = {name for name in rows[0] if name.startswith("val_")}
    assert names == {"val_loss", "val_reconstruction_loss", "val_kl_loss"}
    assert [{k: v for k, v in row.items() if k not in names} for row in rows] == (
        without.read_history()
    )
    assert Run.open(run.path).held_out == {"split": "test", "num_images": 30}
    assert Run.open(without.path).held_out is None
    assert "held_out" not in json.loads((without.path / "config.json").read_text())


@pytest.mark.slow
def test_a_run_of_a_time_before_gets_the_columns_from_there_on(small, tmp_path):
    run, _ = trained(small, tmp_path, x_train=random_images(40), x_test=random_images(30, seed=1))
    old = Run.open(shutil.copytree(run.path, tmp_path / "old"))
    whole = resume(run.path, {"steps": 40}).run
    config = json.loads((old.path / "config.json").read_text())
    del config["held_out"]
    (old.path / "config.json").write_text(json.dumps(config))
    rows = old.read_history()
    old.write_history([{k: v for k, v in row.items() if "val_" not in k} for row in rows])
    resume(old.path, {"steps": 40})
    assert differences(whole.path, old.path) == ["history.csv"]
    rows = old.read_history()
    assert ["val_loss" in row for row in rows] == [False, False, True, True]
    assert rows[2:] == whole.read_history()[2:]
    with (old.path / "history.csv").open() as file:
        assert [row["val_loss"] == "" for row in csv.DictReader(file)] == [True, True, False, False]
    lines = training_curves(rows).axes[0].get_lines()
    held_out = next(line for line in lines if line.get_label() == "loss, held out")
    assert list(held_out.get_xdata()) == [30, 40]


def test_a_longer_run_measures_the_images_that_it_began_with(small):
    model = build(small, "ae")
    before = {"split": "test", "num_images": 7}
    assert open_held_out(model, digits(), "train", before).record == before


@pytest.mark.parametrize("trained_on", ["test", "train+test", "test[:50%]"])
def test_no_image_is_held_out_that_is_trained_on(small, trained_on):
    said = []
    assert open_held_out(build(small, "ae"), digits(), trained_on, echo=said.append) is None
    assert said == ["no held-out loss: the data have no other split test or validation"]


def test_images_of_another_shape_are_left_out_and_said(small):
    said = []
    splits = Splits(lambda split: open_source("digits", split, image_size=16))
    assert open_held_out(build(small, "ae"), splits, "train", echo=said.append) is None
    assert said == ["no held-out loss: the images of test have the shape (16, 16, 1)"]


def test_a_gan_has_none_and_says_nothing(small):
    said = []
    assert open_held_out(build(small, "gan"), digits(), "train", echo=said.append) is None
    assert not said
