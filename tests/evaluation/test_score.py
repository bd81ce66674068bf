"""What a score may declare, and what is refused when it is registered."""

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import NEEDS, SCORES, Display, Options, Score
from keras_genzoo.evaluation.score import Scores


def one(inputs):
    return 1.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"compute": 1.0}, "a score is computed by a function, not by 1.0"),
        ({"of": "image"}, "unknown kind of score 'image'; did you mean 'images'"),
        ({"needs": ["encoders"]}, "unknown need of a score 'encoders'; did you mean 'encoder'"),
        ({"needs": "encoder"}, "tuples of names, not one text"),
        ({"gives": "fid"}, "tuples of names, not one text"),
    ],
)
def test_what_a_score_cannot_declare_is_refused(arguments, words):
    with pytest.raises(GenzooError, match=words):
        Score(**{"compute": one} | arguments)


@pytest.mark.parametrize(
    ("name", "entry", "words"),
    [
        ("fid", Score(one), "score 'fid' is registered already"),
        ("a,b", Score(one), "a score's name is of letters, digits, - and _, not 'a,b'"),
        ("a.b", Score(one), "a score's name is of letters"),
        ("mine", one, r"the score 'mine' is registered as Score\(function\)"),
    ],
)
def test_what_is_no_score_is_not_registered(name, entry, words):
    scores = Scores("score", {"fid": "package.module:FID"})
    with pytest.raises(GenzooError, match=words):
        scores.register(name, entry)
    assert list(scores) == ["fid"]


def test_two_scores_do_not_give_a_value_of_one_name():
    scores = Scores("score", {})
    scores.register("one", Score(one, gives={"a": Display("A", spread="b")}))
    scores.check_values()
    scores.register("other", Score(one, gives=["b"]))
    with pytest.raises(GenzooError, match="the scores 'one' and 'other' both give the value 'b'"):
        scores.check_values()


def test_a_score_measures_a_number_or_values_by_name_ready_for_json():
    assert Score(one, gives=["x"]).measure(None) == {"x": 1.0}
    nested = Score(lambda inputs: {"x": {"a": (1, None)}}, gives=["x"])
    assert nested.measure(None) == {"x": {"a": [1, None]}}
    with pytest.raises(GenzooError, match="it gives a set, which JSON does not hold"):
        Score(lambda inputs: {1, 2}, gives=["x"]).measure(None)


def test_only_the_usual_scores_that_fit_are_chosen_unasked():
    everything = set(NEEDS)
    assert "parzen" not in Options().chosen_scores(everything)
    assert Options().chosen_scores(set()) == ["fid", "kid", "prdc"]
    assert Options(scores=["parzen"]).chosen_scores(everything) == ["parzen"]
    with pytest.raises(GenzooError, match="the score 'reconstruction' needs a model that encodes"):
        Options(scores=["reconstruction"]).chosen_scores(set())


def test_long_scores_say_so():
    long = {name for name in SCORES if SCORES[name].takes_minutes}
    assert long == {
        *("gan_train", "memorisation", "augmentation_leak", "parzen", "modes", "likelihood"),
    }
