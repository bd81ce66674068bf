"""Scores are added to those of the same weights and protocol; all others stay, or are refused."""

import json
import shutil

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import (
    Options,
    evaluate,
    model_scores,
    read_result,
    results_of,
    update_results,
)
from keras_genzoo.training import fit, resume, settings_for

VAE = {"hidden_units": [8], "latent_dim": 2, "image_size": 8, "batch_size": 16}
SHORT = {"steps": 2, "checkpoint_every": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keeping") / "run"
    return fit(settings_for("vae", "digits", **VAE, **SHORT), folder).run.path


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def asked(*scores, **options):
    options = {"features": "pixels", "count": 20, "num_samples": 3} | options
    return Options(scores=scores or None, **options)


def kept(path):
    return json.loads(path.read_text())


def measured_by(monkeypatch):
    """The names of the scores that are really measured, call by call."""
    calls = []
    monkeypatch.setattr(
        "keras_genzoo.evaluation.keeping.measure",
        lambda run, names, save: calls.append(list(names)) or evaluate.measure(run, names, save),
    )
    return calls


@pytest.mark.slow
def test_what_is_missing_is_added_and_what_is_there_stays(run, monkeypatch):
    calls, lines = measured_by(monkeypatch), []
    update_results(run, asked("likelihood"))
    likelihood = kept(run / "evaluation.json")["scores"]["likelihood"]
    update_results(run, asked(), echo=lines.append)
    update_results(run, asked("parzen"))
    whole = update_results(run, asked(), echo=lines.append)
    assert calls == [["likelihood"], ["fid", "kid", "prdc", "reconstruction"], ["parzen"]]
    assert whole == kept(run / "evaluation.json")
    assert whole["scores"]["likelihood"] == likelihood
    assert list(whole["scores"]) == [
        "fid", "kid", "kid_subsets", "precision", "recall", "density", "coverage",
        "parzen_log_likelihood", "parzen_standard_error", "parzen_bandwidth",
        "reconstruction", "likelihood",
    ]  # fmt: skip
    assert set(whole["floor"]) == set(list(whole["scores"])[:7])
    [added, nothing] = [line.partition("evaluation.json")[2] for line in lines]
    assert added == ": likelihood; measured now: fid, kid, prdc, reconstruction"
    assert nothing == " has all of these scores already; --scores NAME measures one again"


def test_generated_images_are_counted_where_a_score_is_of_such(run):
    assert "num_fake" not in update_results(run, asked("reconstruction"))["protocol"]
    assert update_results(run, asked("fid"))["protocol"]["num_fake"] == 20


def test_a_named_score_is_measured_again_and_the_others_stay(run):
    update_results(run, asked("fid", "likelihood"))
    file = run / "evaluation.json"
    before = kept(file)
    wrong = {"fid": -1.0, "likelihood": {"elbo": -1.0}}
    file.write_text(json.dumps(before | {"scores": wrong}))
    update_results(run, asked("fid"))
    assert kept(file)["scores"] == wrong | {"fid": before["scores"]["fid"]}
    assert kept(file)["protocol"] == before["protocol"]


def test_a_likelihood_by_other_draws_than_are_there_is_measured_anew(run, monkeypatch):
    calls = measured_by(monkeypatch)
    update_results(run, asked("fid", "kid", "prdc", "reconstruction", "likelihood"))
    update_results(run, asked(num_samples=4))
    assert calls[1:] == [["likelihood"]]
    assert kept(run / "evaluation.json")["scores"]["likelihood"]["num_samples"] == 4
    # The default does not say that a person wants it.
    update_results(run, asked(num_samples=Options.num_samples))
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"count": 30}, "-n 20, not 30"),
        ({"seed": 1}, "--seed 0, not 1"),
        ({"split": "train"}, "real images digits, split test, not digits, split train"),
        ({"sampler": "mixture"}, "--sampler normal, not mixture"),
        ({"features": "classifier"}, "--features pixels, not classifier"),
    ],
)
def test_another_protocol_is_refused_and_forced_beside_the_first(run, options, words):
    update_results(run, asked("fid"))
    file = run / "evaluation.json"
    before = kept(file)
    with pytest.raises(GenzooError) as refused:
        update_results(run, asked("fid", **options))
    assert str(refused.value) == (
        f"{file}: its scores have another protocol ({words}); choose another --out, or --force to "
        "put the new ones first"
    )
    assert kept(file) == before
    if "seed" in options:
        lines = []
        update_results(run, asked("fid", **options), force=True, echo=lines.append)
        assert kept(file)["others"] == [before]
        assert "they stay in the file, under 'others' (fid)" in lines[0]


@pytest.mark.slow
def test_scores_of_other_weights_are_measured_anew_and_stay_beside(run, monkeypatch):
    update_results(run, asked("fid"))
    old = kept(run / "evaluation.json")
    resume(run, {"steps": 3})
    lines, calls = [], measured_by(monkeypatch)
    result = update_results(run, asked("fid", "kid"), echo=lines.append)
    assert calls == [["fid", "kid"]]
    assert result["protocol"]["steps"] == 3
    assert kept(run / "evaluation.json") == result | {"others": [old]}
    assert "its scores are of step 2, and the model is of step 3; measuring anew" in lines[0]
    digest = result["protocol"]["weights_digest"]
    found = results_of(run, digest, 3)
    assert [one.weights for one in found.current + found.stale] == ["step 3", "step 2"]
    assert digest != old["protocol"]["weights_digest"]


def test_a_result_of_a_time_before_digests_is_continued_if_its_step_is_the_same(run):
    update_results(run, asked("fid"))
    file = run / "evaluation.json"
    old = kept(file)
    del old["protocol"]["weights_digest"]
    file.write_text(json.dumps(old))
    lines = []
    result = update_results(run, asked("kid"), echo=lines.append)
    assert set(result["scores"]) == {"fid", "kid", "kid_subsets"}
    assert lines[0].endswith("names no weights; it is taken for these, which are of the same step")
    del old["protocol"]["steps"]
    file.write_text(json.dumps(old))
    lines = []
    assert set(update_results(run, asked("kid"), echo=lines.append)["scores"]) == {
        "kid", "kid_subsets"
    }  # fmt: skip
    assert "its scores are of unknown weights" in lines[0]


def test_what_is_written_elsewhere_is_kept_in_the_run_too(run, tmp_path):
    out, own = tmp_path / "elsewhere.json", run / "evaluation.json"
    update_results(run, asked("fid"), out)
    assert kept(own) == kept(out)
    # Of another protocol: behind the first.
    update_results(run, asked("fid", count=30), tmp_path / "b.json")
    assert kept(own) == kept(out) | {"others": [kept(tmp_path / "b.json")]}
    update_results(run, asked("kid"), out)
    assert set(kept(out)["scores"]) == {"fid", "kid", "kid_subsets"}
    assert kept(own)["scores"] == kept(out)["scores"]
    assert [one["protocol"]["num_fake"] for one in kept(own)["others"]] == [30]


@pytest.mark.slow
def test_a_file_elsewhere_with_scores_of_other_weights_is_replaced_only_by_force(run, tmp_path):
    out, lines = tmp_path / "a.json", []
    update_results(run, asked("fid"), out)
    resume(run, {"steps": 3})
    with pytest.raises(GenzooError, match="scores are of step 2, and the model is of step 3"):
        update_results(run, asked("fid"), out)
    update_results(run, asked("kid"), out, force=True, echo=lines.append)
    assert set(kept(out)["scores"]) == {"kid", "kid_subsets"}
    assert lines[0].endswith("measuring anew: they are replaced (fid)")
    # The run still has what the file has lost.
    assert kept(run / "evaluation.json")["others"][0]["scores"].keys() == {"fid"}


def test_at_ctrl_c_the_scores_so_far_are_kept(run, monkeypatch):
    def stop(*args):
        assert kept(run / "evaluation.json")["scores"].keys() == {"fid"}
        raise KeyboardInterrupt

    monkeypatch.setattr(model_scores, "model_likelihood", stop)
    with pytest.raises(KeyboardInterrupt):
        update_results(run, asked("fid", "likelihood"))
    file = run / "evaluation.json"
    assert read_result(file).scores[1][0] == "FID ↓"
    monkeypatch.undo()
    assert list(update_results(run, asked("likelihood"))["scores"]) == ["fid", "likelihood"]


def test_a_damaged_file_is_replaced_only_by_force(run):
    file = run / "evaluation.json"
    for content in ("{", '{"protocol": 1, "scores": {}, "warnings": []}', '{"others": 3}'):
        file.write_text(content)
        with pytest.raises(GenzooError, match="is damaged"):
            update_results(run, asked("fid"))
        assert file.read_text() == content
    update_results(run, asked("fid"), force=True)
    assert kept(file)["scores"].keys() == {"fid"}


def test_a_run_that_cannot_keep_the_scores_says_so(run, tmp_path):
    (run / "evaluation.json").write_text("{")
    lines = []
    update_results(run, asked("fid"), tmp_path / "a.json", echo=lines.append)
    assert kept(tmp_path / "a.json")["scores"].keys() == {"fid"}
    assert lines[-1].startswith("the run does not keep these scores, and its report will not show")
