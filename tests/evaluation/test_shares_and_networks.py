"""What a score is measured with: classes in the shares of the data, networks that have learnt."""

import os
import resource
import time

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_genzoo.data import ArraySource, Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import FrechetCallback, classifier, find_network
from keras_genzoo.evaluation.cache import digest, evict, load_arrays, save_arrays
from keras_genzoo.evaluation.conditional import labels_in_shares
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.evaluation.inputs import kept_features
from keras_genzoo.models import CGAN
from keras_genzoo.training import waiting

# Classes and their shares -------------------------------------------------------------------


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(1, 200), st.integers(0, 9))
def test_labels_have_the_shares_of_the_real_ones(labels, count, seed):
    labels = np.array(labels)
    drawn = labels_in_shares(labels, count, seed)
    assert len(drawn) == count
    expected = np.bincount(labels, minlength=5) / len(labels) * count
    assert (abs(np.bincount(drawn, minlength=5) - expected) <= 1).all()
    np.testing.assert_array_equal(drawn, labels_in_shares(labels, count, seed))


def test_as_many_labels_as_real_ones_are_these():
    labels = np.array([2, 0, 0, 1, 0])
    np.testing.assert_array_equal(labels_in_shares(labels, 5), labels)
    with pytest.raises(GenzooError, match="need the labels of some"):
        labels_in_shares(labels[:0], 3)


def test_the_distance_during_training_is_of_classes_in_the_shares_of_the_data():
    model = CGAN((8, 8, 1), 4, num_classes=2, generator_filters=1, discriminator_filters=1)
    model.compile()
    labels = np.repeat([0, 1], [30, 3])
    # What the model makes is the data: in turn, its classes would be far from them.
    images = model.generate(33, class_labels=labels, seed=0)
    logs = {}
    callback = FrechetCallback(images, real_labels=labels)
    callback.set_model(model)
    callback.on_epoch_end(0, logs)
    assert logs["fid"] == pytest.approx(0, abs=1e-9)


# Held-out images, and what a classifier has learnt ----------------------------------------------


def splits_of(**sources):
    def open_split(split):
        if split not in sources:
            raise GenzooError(f"arrays has no split '{split}'")
        return sources[split]

    return Splits(open_split)


def source(n, seed=0, shares=(0.5, 0.5), marked=True, split="train"):
    """Noise of two classes; if marked, those of the second have a white corner."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(2, n, p=shares)
    # Whatever is drawn, both occur.
    labels[:2] = 0, 1
    images = rng.integers(0, 200, (n, 8, 8), "uint8")
    if marked:
        images[labels == 1, :4, :4] = 255
    return ArraySource(images, labels, split=split)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Classifiers that are soon trained, in a cache of their own."""
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path))
    monkeypatch.setattr(classifier, "MAX_EPOCHS", 5)
    # However slow the machine is, no line of progress comes between those that are looked at.
    monkeypatch.setattr(waiting, "LINE_SECONDS", 10**6)


def test_without_a_test_split_the_validation_split_is_held_out():
    train, validation, test = (source(9, split=name) for name in ("train", "validation", "test"))
    assert splits_of(train=train, validation=validation).held_out is validation
    assert splits_of(train=train, validation=validation, test=test).held_out is test
    assert splits_of(train=train, validation=validation).to_look_at() is validation
    assert splits_of(train=train).to_look_at() is train


@pytest.mark.parametrize(
    "held_out",
    [
        "a fifth of train",
        *(pytest.param(split, marks=pytest.mark.slow) for split in ("test", "validation")),
    ],
)
def test_a_classifier_always_knows_its_accuracy_on_held_out_images(quick, held_out):
    parts = {"train": source(200)}
    if held_out in ("test", "validation"):
        parts[held_out] = source(100, seed=1, split=held_out)
    network = find_network(None, splits_of(**parts))
    assert network.name == "classifier"
    assert network.warnings == []
    facts = network.details
    assert facts["held_out"] == held_out
    assert facts["tested_on"] == (40 if held_out == "a fifth of train" else 100)
    assert facts["test_accuracy"] > 0.9
    assert 0.4 < facts["accuracy_of_the_commoner"] < 0.7


def test_a_classifier_that_has_learnt_nothing_is_no_feature_network(quick):
    real = splits_of(train=source(120, shares=(0.8, 0.2), marked=False))
    network = find_network(None, real)
    assert network.name == "pixels"
    [warning] = network.warnings
    assert warning.startswith("features are those of 'pixels': the network 'classifier' of arrays")
    assert "has learnt nothing: held-out accuracy 0." in warning
    assert network.describe()["instead_of"] in warning
    with pytest.raises(GenzooError, match=r"has learnt nothing.*--features pixels, model:PATH"):
        find_network("classifier", real)
    assert find_network("pixels", real).warnings == []


def test_one_image_teaches_no_classifier(quick):
    one = ArraySource(np.zeros((1, 8, 8), "uint8"), np.array([0]))
    one.num_classes, one.class_names = 2, ["a", "b"]
    assert find_network(None, splits_of(train=one)).name == "pixels"


@pytest.mark.parametrize(
    ("right", "of", "commoner", "has_learnt"),
    [
        (100, 100, 0.9, True),
        (90, 100, 0.9, False),
        (92, 100, 0.9, False),  # as chance would have it
        (60, 100, 0.5, True),
        (1, 1, 1.0, False),
    ],
)
def test_a_network_has_learnt_if_chance_would_not_do_as_well(right, of, commoner, has_learnt):
    model = classifier.build_classifier((8, 8, 1), 2)
    facts = {
        "test_accuracy": right / of,
        "tested_on": of,
        "accuracy_of_the_commoner": commoner,
    }
    assert classifier.Classifier("classifier", model, "", facts).has_learnt == has_learnt


# The cache ---------------------------------------------------------------------------------------


def kept(folder):
    return {path.stem for path in folder.iterdir()}


NAMES = {name: digest(name) for name in ("oldest", "old", "new")}


def test_what_was_not_read_for_longest_goes_first(tmp_path):
    now = time.time()
    for name, ago in (("old", 300), ("oldest", 400), ("new", 100)):
        save_arrays(tmp_path / f"{NAMES[name]}.npz", features=np.zeros(1000))
        os.utime(tmp_path / f"{NAMES[name]}.npz", (now - ago, now - ago))
    new = tmp_path / f"{NAMES['new']}.npz"
    size = new.stat().st_size
    # Read now: it is the newest from here on.
    assert load_arrays(tmp_path / f"{NAMES['oldest']}.npz") is not None
    evict(tmp_path, new, limit=2 * size)
    assert kept(tmp_path) == {NAMES["oldest"], NAMES["new"]}
    evict(tmp_path, new, limit=0)
    assert kept(tmp_path) == {NAMES["new"]}


def test_what_no_one_has_read_for_long_goes(tmp_path):
    old, new = (tmp_path / f"{NAMES[name]}.npz" for name in ("old", "new"))
    save_arrays(old, features=np.zeros(10))
    # What another process writes at this moment, and what is no features, stay.
    for name in (".tmp-1.npz", "mine.npz", "note.txt"):
        (tmp_path / name).write_text("mine")
    long_ago = time.time() - 91 * 24 * 60 * 60
    for file in tmp_path.iterdir():
        os.utime(file, (long_ago, long_ago))
    save_arrays(new, features=np.zeros(10))
    assert kept(tmp_path) == {NAMES["new"], ".tmp-1", "mine", "note"}


def no_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "file" / "cache"))


def no_home(tmp_path, monkeypatch):
    monkeypatch.delenv("GENZOO_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    # Where no one can make a folder.
    monkeypatch.setenv("HOME", "/proc/none")


def no_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GENZOO_CACHE", "~no-such-user/cache")


def full(tmp_path, monkeypatch):
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "full"))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize("place", [full, no_folder, no_home, no_user])
def test_a_cache_that_cannot_be_written_costs_nothing_but_a_line(
    quick, tmp_path, monkeypatch, place
):
    real, images = splits_of(train=source(200)), source(20).sample(20, 0)[0]
    said = []
    mended = place(tmp_path, monkeypatch)
    try:
        network = find_network("classifier", real, said.append)
        features = kept_features(network, images, said.append)
    finally:
        if mended:
            mended()
    assert len(said) == 2
    assert said[0].startswith("training a classifier")
    assert "cannot write" in said[1]
    assert "going on without keeping it: GENZOO_CACHE names another folder" in said[1]
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "file"]
    # It is the network that would have been kept.
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "kept"))
    kept_network = find_network("classifier", real)
    assert kept_network.details == network.details
    np.testing.assert_array_equal(kept_network.compute(images).features, features.features)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "no facts", "other facts"])
def test_a_damaged_classifier_is_trained_anew(quick, tmp_path, damage):
    real = splits_of(train=source(200))
    first = find_network("classifier", real)
    [file] = (tmp_path / "classifiers").glob("*.keras")
    facts = file.with_suffix(".json")
    if damage == "foreign":
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()]).save(file)
    elif "facts" in damage:
        facts.write_text({"no facts": "", "other facts": "[1]"}[damage])
    else:
        file.write_bytes(file.read_bytes()[: {"empty": 0, "cut": -99}[damage]])
    said = []
    again = find_network("classifier", real, said.append)
    assert said[0] == f"{file} is damaged or not what it should be; it is trained anew"
    assert said[1].startswith("training a classifier")
    assert again.details == first.details
    said.clear()
    find_network("classifier", real, said.append)
    assert not said


@pytest.mark.parametrize("damage", ["empty", "cut", "foreign", "no array"])
def test_damaged_features_are_computed_anew(quick, tmp_path, damage):
    images = source(20).sample(20, 0)[0]
    first = kept_features(Pixels(), images)
    [file] = (tmp_path / "features").glob("*.npz")
    if damage == "foreign":
        np.savez(file, features=np.array(["a"] * 20))
    elif damage == "no array":
        np.savez(file, other=np.zeros(20))
    else:
        file.write_bytes(file.read_bytes()[: {"empty": 0, "cut": -40}[damage]])
    said = []
    again = kept_features(Pixels(), images, said.append)
    np.testing.assert_array_equal(again.features, first.features)
    assert said == [f"{file} is damaged or not what it should be; its arrays are computed anew"]
    assert load_arrays(file, said.append).keys() == {"features"}
    assert len(said) == 1
