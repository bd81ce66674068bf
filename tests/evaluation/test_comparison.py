"""Runs compared: what differs, means over seeds, and only scores that were measured alike."""

import csv
import json

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import compare_runs, comparison_numbers, comparison_text
from keras_genzoo.evaluation.comparison_tables import (
    protocols,
    run_rows,
    score_rows,
    setting_rows,
    write_csv,
)
from keras_genzoo.evaluation.protocols import score_differences
from keras_genzoo.files import write_json
from keras_genzoo.training import Run, load_model
from tests.evaluation.compared import PROTOCOL, STEP, Runs

FIDS = (5.0, 6.0, 8.5)


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def runs(tmp_path, templates, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Runs(tmp_path / "runs", templates)


@pytest.fixture
def four(runs):
    """Three seeds of a GAN, and one with another loss, all scored alike."""
    for seed, fid in enumerate(FIDS):
        path = runs.make(f"gan-{seed + 1}", seed=seed)
        runs.score(path, {"fid": fid, "kid": 0.002}, floor={"fid": 0.5})
    runs.score(runs.make("hinge", loss="hinge"), {"fid": 2.5, "kid": 0.003})
    return runs


def notes_of(*names):
    return compare_runs(names or ["runs/*"]).notes


# Groups ------------------------------------------------------------------------------------------


def test_runs_that_differ_by_their_seed_only_are_a_mean_and_a_deviation(four):
    comparison = compare_runs(["runs/*"])
    gan, hinge = comparison.groups
    assert (gan.name, gan.seeds, hinge.name, hinge.seeds) == ("gan", [0, 1, 2], "hinge", [0])
    fid = comparison.score(gan, "fid")
    assert fid.mean == pytest.approx(np.mean(FIDS))
    assert fid.deviation == pytest.approx(np.std(FIDS, ddof=1))
    assert run_rows(comparison)[1:] == [
        ("gan", "gan on digits, latent size 3", "0, 1, 2", "20"),
        ("hinge", "gan on digits, latent size 3", "0", "20"),
    ]
    assert setting_rows(comparison) == [
        ("setting", "gan", "hinge"),
        ("loss", "non_saturating", "hinge"),
    ]
    assert score_rows(comparison) == [
        ("score", "gan", "hinge", "real images"),
        ("FID ↓", "6.5 ± 1.8", "2.5", "0.5"),
        ("KID × 1,000 ↓", "2 ± 0", "3", "-"),  # noqa: RUF001
    ]
    assert comparison.notes == []


def test_a_copy_of_a_run_does_not_count_in_the_mean(four):
    runs = four
    runs.score(runs.make("gan-4", seed=0), {"fid": 5.0})
    comparison = compare_runs(["runs/gan-*"])
    assert comparison.groups[0].name == "gan"
    assert comparison.score(comparison.groups[0], "fid").count == 3
    assert comparison.notes == [
        "gan-4 has the settings and the seed of gan-1, and does not count in means"
    ]


def test_where_some_seeds_lack_a_score_their_number_is_said(four):
    (four.folder / "gan-2" / "evaluation.json").unlink()
    comparison = compare_runs(["runs/gan-*"])
    assert dict(row[:2] for row in score_rows(comparison))["FID ↓"] == "6.8 ± 2.5 (2 of 3 seeds)"
    assert "gan-2 has no scores; genzoo evaluate runs/gan-2 measures them" in comparison.notes


def test_how_often_samples_were_drawn_makes_no_other_run(runs):
    for seed in (0, 1):
        runs.make(f"gan-{seed}", seed=seed, sample_every=100 * (seed + 1), data_dir=f"/{seed}")
    comparison = compare_runs(["runs/*"])
    assert len(comparison.groups) == 1
    assert setting_rows(comparison)[1:] == [("sample_every", "100 / 200")]


# Protocols ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"num_real": 30}, "num_real 30, not 20"),
        ({"real": "digits, split train"}, "real digits, split train, not digits, split test"),
        ({"seed": 7}, "seed 7, not 0"),
        ({"sampler": "reconstruction"}, "sampler reconstruction, not normal"),
        (
            {"features": {"name": "classifier", "checksum": "9f", "resize": "none"}},
            "features classifier 9f, not pixels 12ab",
        ),
        ({"fid_real": "as stored"}, "fid_real as stored, not the real images"),
    ],
)
def test_whatever_a_score_depends_on_makes_another_protocol(changed, words):
    one, two = ({"protocol": PROTOCOL | more, "scores": {"fid": 2.5}} for more in (changed, {}))
    assert score_differences("fid", one, two) == [words]


def test_scores_of_another_protocol_are_not_set_beside_the_others(four):
    four.score(four.folder / "hinge", {"fid": 2.5}, {"num_fake": 10})
    words = "num_fake 10, not 20"
    comparison = compare_runs(["runs/*"])
    assert score_rows(comparison)[1] == ("FID ↓", "6.5 ± 1.8", "-", "0.5")
    assert comparison.notes == [
        f"hinge: not compared with gan-1, gan-2, gan-3: fid, measured with {words}"
    ]
    [left_out] = comparison_numbers(comparison)["not_compared"]
    assert left_out == {"run": "hinge", "scores": ["fid"], "differences": [words]}


def test_only_what_a_score_depends_on_must_agree(runs):
    one = {"protocol": PROTOCOL, "scores": {"likelihood": {"num_samples": 5}}}
    other = PROTOCOL | {"num_fake": 3, "features": {"name": "classifier", "checksum": "9"}}
    two = {"protocol": other, "scores": {"likelihood": {"num_samples": 5}}}
    assert score_differences("likelihood", one, two) == []
    assert len(score_differences("fid", one, two)) == 2
    two["scores"]["likelihood"] = {"num_samples": 6, "given": "classes"}
    assert score_differences("likelihood", one, two) == [
        "likelihood.num_samples 5, not 6",
        "likelihood.given none, not classes",
    ]


def test_of_several_results_that_one_counts_which_goes_with_the_others(four):
    path = four.folder / "hinge"
    other = four.score(path, {"fid": 2.5})
    four.score(path, {"fid": 99.0}, {"num_fake": 10}, others=[other])
    comparison = compare_runs(["runs/*"])
    assert comparison.values["hinge"]["fid"] == 2.5
    assert comparison.left_out == []


def test_what_the_scores_were_measured_with_is_said_once(four):
    [(names, rows)] = protocols(compare_runs(["runs/*"]))
    assert names == ["fid", "kid"]
    assert ("real images", "20 of digits, split test: held out, not trained on") in rows
    assert not {name for name, _ in rows} & {"run", "weights", "model"}


def test_scores_of_other_weights_are_left_out(four):
    four.score(four.folder / "hinge", {"fid": 2.5}, {"steps": 10}, digest="f" * 16)
    comparison = compare_runs(["runs/*"])
    assert comparison.values["hinge"] == {}
    assert comparison.notes == [
        "hinge: its scores are of step 10, not of its weights of step 20, and are left out; "
        "genzoo evaluate runs/hinge measures them anew"
    ]


# As far as it goes -------------------------------------------------------------------------------


def test_runs_of_other_data_are_compared_and_said(four):
    four.make("other", data={"fingerprint": "cd" * 32, "num_images": 9})
    [_, line] = notes_of()
    assert line == (
        "the runs are of different data: 1,500 images of digits, split train, at 8x8x1 (gan-1, "
        "gan-2, gan-3, hinge); 9 images of digits, split train, at 8x8x1 (other): losses and "
        "scores of different data say nothing of each other"
    )


def test_what_is_damaged_is_said_and_the_rest_compared(four):
    folder = four.folder
    (folder / "gan-1" / "config.json").write_text("{")
    (folder / "gan-2" / "history.csv").write_text("step,loss\n3,many\n")
    (folder / "gan-3" / "evaluation.json").write_text("{")
    (folder / "hinge" / "model.keras").write_bytes(b"")
    (folder / "notes.txt").touch()
    comparison = compare_runs(["runs/*"])
    assert [run.name for run in comparison.runs] == ["gan-2", "gan-3", "hinge"]
    assert comparison.values["gan-2"]["fid"] == 6.0
    lines = comparison.notes
    for words in (
        "no run folder, and left out: runs/notes.txt",
        "runs/gan-1 is left out: runs/gan-1/config.json is damaged",
        "gan-2: no curves: runs/gan-2/history.csv is damaged",
        "gan-3: its scores cannot be read: runs/gan-3/evaluation.json is damaged",
        "hinge: its weights cannot be read: runs/hinge has no model yet",
        "hinge: its scores are taken as they are: there are no weights to check",
    ):
        assert [line for line in lines if line.startswith(words)], (words, lines)
    assert comparison.values["hinge"]["fid"] == 2.5


def test_a_run_that_is_not_finished_is_compared_by_itself(four):
    run = Run.open(four.folder / "gan-2")
    run.model_file.unlink()
    run.write_history([{"step": 10, "generator_loss": 2.0}])
    comparison = compare_runs(["runs/gan-*"])
    assert [group.seeds for group in comparison.groups] == [[0, 2], [1]]
    assert run_rows(comparison)[2][3] == "10 of 20"


def test_a_score_of_a_module_that_is_not_imported_is_said(four):
    four.score(four.folder / "hinge", {"fid": 2.5, "contrast": 3.0})
    assert notes_of() == [
        "hinge: left out, since no registered score gives them: contrast; genzoo --import MODULE "
        "makes your own known"
    ]


def test_fewer_than_two_runs_are_refused(four):
    with pytest.raises(GenzooError, match="name two runs or more to compare"):
        compare_runs(["runs/hinge", "runs/h*"])
    (four.folder / "gan-1" / "config.json").write_text("{")
    with pytest.raises(GenzooError, match=r"two runs or more.*gan-1 is left out: .* is damaged"):
        compare_runs(["runs/hinge", "runs/gan-1"])


# Samples -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_samples_are_of_the_same_noise_and_classes(runs):
    paths = [runs.make("a"), runs.make("b", loss="hinge"), runs.make("c", "cvae")]
    runs.make("d", "ae")
    comparison = compare_runs(["runs/*"], columns=10, seed=3)
    for path, run in zip(paths, comparison.runs, strict=False):
        images = load_model(Run.open(path)).generate(10, seed=3)
        np.testing.assert_array_equal(run.samples.images, images)
    assert [run.samples and run.samples.latent_shape for run in comparison.runs] == [
        (3,),
        (3,),
        (2,),
        None,
    ]
    assert comparison.runs[2].samples.classes == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9"
    assert "d: no samples: ae does not generate" in comparison.notes


# In words and files ------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_terminal_gets_runs_settings_scores_and_notes(four):
    four.make("unscored", beta_1=0.9)
    lines = comparison_text(compare_runs(["runs/*"]), width=60).splitlines()
    assert lines[:5] == [
        "runs      model and data                seeds    steps",
        "gan       gan on digits, latent size 3  0, 1, 2  20",
        "hinge     gan on digits, latent size 3  0        20",
        "unscored  gan on digits, latent size 3  0        20",
        "",
    ]
    assert "mean ± sample standard deviation over the seeds" in lines
    assert "fid, kid: measured with" in lines
    assert lines[-1].startswith("- unscored has no scores; genzoo evaluate")
    # A narrow terminal gets the columns below each other.
    narrow = comparison_text(compare_runs(["runs/*"]), width=40).splitlines()
    assert {"setting  gan             hinge", "setting  unscored"} <= set(narrow)


def test_files_hold_the_numbers_of_each_run_as_the_results_have_them(four, tmp_path):
    comparison = compare_runs(["runs/*"])
    write_json(tmp_path / "a.json", comparison_numbers(comparison))
    whole = json.loads((tmp_path / "a.json").read_text())
    assert [run["scores"]["fid"] for run in whole["runs"]] == [*FIDS, 2.5]
    assert whole["groups"][0]["scores"]["kid"] == {"mean": 0.002, "deviation": 0.0, "count": 3}
    assert whole["protocols"]["fid"]["num_fake"] == 20
    write_csv(comparison, tmp_path / "a.csv")
    with (tmp_path / "a.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {
        "run": "gan-2",
        "path": str(four.folder / "gan-2").replace(f"{tmp_path}/", ""),
        "group": "gan",
        "seed": "1",
        "step": str(STEP),
        "loss": "non_saturating",
        "fid": "6.0",
        "kid": "0.002",
    }
