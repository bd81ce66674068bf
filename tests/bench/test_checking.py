"""Entries are checked before anything is trained: data, models, scores, sizes."""

import math

from keras_genzoo.bench import Entry
from keras_genzoo.bench.checking import check_entries
from keras_genzoo.evaluation import Options
from keras_genzoo.training import settings_for
from keras_genzoo.training.build import build_model
from tests.bench.conftest import TINY

FILTERS = {"image_size": 8, "generator_filters": 4, "discriminator_filters": 4}


def test_each_entry_gets_the_scores_that_fit_and_its_number_of_weights():
    gan = Entry("a gan", None, settings_for("gan", **TINY))
    cgan = Entry("a cgan", None, settings_for("cgan", **FILTERS))
    options = Options(["fid", "label_accuracy"], count=20)
    checked = check_entries([gan, cgan], options, lambda line: None)
    assert [entry.scores for entry in checked.entries] == [("fid",), ("fid", "label_accuracy")]
    assert checked.notes == ["the score label_accuracy cannot be measured of a gan"]
    model = build_model(gan.settings, (8, 8, 1), 10)
    weights = [w for network in (model.generator, model.discriminator) for w in network.weights]
    expected = sum(math.prod(w.shape) for w in weights if w.trainable)
    assert checked.entries[0].parameters == expected


def test_the_number_of_images_is_decided_once():
    gan = Entry("a gan", None, settings_for("gan", **TINY))
    checked = check_entries([gan], Options(features="pixels"), lambda line: None)
    assert checked.options.count == 297
    assert checked.entries[0].scores == ("fid", "kid", "prdc")


def test_a_model_that_borrows_the_recipe_of_other_data_is_noted():
    entries = [
        Entry("gan", "gan-mnist", settings_for("gan", "digits", "gan-mnist", **TINY)),
        Entry("gan-mnist", "gan-mnist", settings_for("gan", "digits", "gan-mnist", **TINY)),
    ]
    checked = check_entries(entries, Options(features="pixels"), lambda line: None)
    assert [note.split(":")[0] for note in checked.notes] == ["gan has no recipe for digits"]
