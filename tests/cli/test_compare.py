"""``genzoo compare`` and ``genzoo fit --seeds``: runs of several seeds, side by side."""

import csv
import json
import signal

import pytest

from keras_genzoo.training import Run
from tests.cli.conftest import small
from tests.training.kill import differences


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("runs/no", "there is no run runs/no; name a folder that 'genzoo fit' wrote"),
        ("runs/*", "no run matches runs/*"),
        ("--out a.pdf x", "a.pdf has none of the suffixes .html, .json, .csv; add one"),
        ("--out here.json x", "here.json exists; choose another --out, or --force"),
        (".", "name two runs or more to compare; no run folder, and left out: ."),
    ],
)
def test_what_cannot_be_compared(refused, tmp_path, arguments, words):
    (tmp_path / "here.json").touch()
    assert words in refused(f"compare {arguments}")
    assert [path.name for path in tmp_path.iterdir()] == ["here.json"]


@pytest.mark.slow
def test_seeds_are_trained_in_turn_and_compared(genzoo, refused, tmp_path):
    ended = genzoo(small("ae", "--seeds 0,1 --out mine"))
    assert ended.code == 0, ended.errors
    assert ended.output.endswith("compare them: genzoo compare mine-seed-0 mine-seed-1\n")
    for seed in (0, 1):
        assert Run.open(tmp_path / f"mine-seed-{seed}").settings.seed == seed
    assert genzoo(small("ae", "--seed 1 --out alone")).code == 0
    assert not differences(tmp_path / "alone", tmp_path / "mine-seed-1")
    # A taken folder is refused before the first seed is trained.
    assert "mine-seed-1 exists" in refused(small("ae", "--seeds 5,1 --out mine"))
    assert not (tmp_path / "mine-seed-5").exists()
    ended = genzoo("compare mine* ae_mnist --out a.html --out a.json --out a.csv")
    assert ended.code == 0, ended.errors
    assert "mine      ae on digits, latent size 2  0, 1   6" in ended.output
    assert [run["seed"] for run in json.loads((tmp_path / "a.json").read_text())["runs"][:2]] == [
        0,
        1,
    ]
    with (tmp_path / "a.csv").open() as file:
        assert [row["run"] for row in csv.DictReader(file)][:2] == ["mine-seed-0", "mine-seed-1"]
    assert "<h2" in (tmp_path / "a.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("fit ae --seeds 0,0", "the seed 0 is given twice; give each once"),
        ("fit ae --seeds 0,1 --seed 1", "--seed and --seeds exclude each other; give one"),
        ("fit --resume runs/a --seeds 0,1", "--seeds has no place beside --resume"),
        ("fit ae --seeds 0,x", "'0,x' is not a list of integers"),
        ("fit ae --seeds -1", "seed must be"),
    ],
)
def test_seeds_that_are_refused(refused, tmp_path, arguments, words):
    assert words in refused(arguments)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_without_out_each_seed_is_the_next_free_run(genzoo, tmp_path):
    assert genzoo(f"{small('ae')} --seeds 3,4").code == 0
    seeds = {path.name: Run.open(path).settings.seed for path in (tmp_path / "runs").iterdir()}
    assert seeds == {"ae-digits-1": 3, "ae-digits-2": 4}


@pytest.mark.slow
def test_an_interrupted_seed_is_saved_and_the_line_says_how_to_go_on(genzoo, tmp_path, monkeypatch):
    from keras_genzoo.training import callbacks

    draw = callbacks.Recorder.draw

    def interrupted(recorder):
        draw(recorder)
        if recorder.run.settings.seed == 1:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(callbacks.Recorder, "draw", interrupted)
    ended = genzoo(small("ae", "--seeds 0,1,2,3 --out mine"))
    assert ended.code == 130
    assert ended.output.splitlines()[-2:] == [
        "stopped and saved at step 1 of 6; go on with: genzoo fit --resume mine-seed-1",
        "the other seeds are not begun: take the same command with --seeds 2,3",
    ]
    assert {path.name for path in tmp_path.iterdir()} == {"mine-seed-0", "mine-seed-1"}


@pytest.mark.slow
def test_a_seed_whose_training_cannot_go_on_costs_the_others_nothing(genzoo, tmp_path, monkeypatch):
    from keras_genzoo.training import callbacks

    save = callbacks.Recorder._save

    def stopping(recorder, state):
        if recorder.run.settings.seed == 0:
            recorder._stop("loss became nan")
        save(recorder, state)

    monkeypatch.setattr(callbacks.Recorder, "_save", stopping)
    ended = genzoo(small("ae", "--seeds 0,1 --out mine"))
    assert ended.code == 1
    assert ended.errors.splitlines()[-1].startswith("Error: seed 0: loss became nan; no good")
    assert (tmp_path / "mine-seed-1" / "model.keras").exists()
