"""The table of a bench: means, deviations and what went wrong, from what its runs have measured."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from keras_genzoo.bench.benching import resume_bench
from keras_genzoo.bench.figure import bench_figure, draw_bench
from keras_genzoo.bench.records import change_record
from keras_genzoo.bench.summary import summarize
from keras_genzoo.bench.table import bench_table, write_tables
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.score import TIMES
from keras_genzoo.evaluation.spread import Spread
from tests.evaluation.compared import MEASURED_WITH as PROTOCOL

FIDS = ([5.0, 6.0, 8.5], [2.0, 2.5, 3.0])
MS = ([10.0, 12.0, 11.0], [30.0, 30.0, 36.0])


def part(ms, steps=20, memory=700):
    seconds = ms * steps / 1000
    times = {"first": 0, "last": steps, "steps": steps, "seconds": seconds}
    return times | {"memory": memory * 2**20, "machine": "a machine", "versions": "keras 3"}


def result(fid, protocol=None):
    scores = {"fid": fid, "kid": 0.002, "kid_std": 0.5, "kid_subsets": "1 of 20"}
    floor = {"fid": 0.5, "kid": 0.001}
    protocol = PROTOCOL | (protocol or {})
    return {"protocol": protocol, "scores": scores, "floor": floor, "warnings": ["few images"]}


def fill(plan, entry, seed, fid=1.0, ms=10.0, **others):
    """Write the record of a run that ended well, or of one that others say of."""

    def change(record):
        record.trained = [part(ms)]
        record.points = [] if others else [{"step": 20, "result": result(fid)}]
        record.__dict__.update(others)

    change_record(plan.record_file(plan.entries[entry], seed), change)


@pytest.fixture
def filled(plan):
    """The plan, with a record of each run."""
    for entry, (fids, times) in enumerate(zip(FIDS, MS, strict=True)):
        for seed, (fid, ms) in enumerate(zip(fids, times, strict=True)):
            fill(plan, entry, seed, fid, ms)
    return plan


def rows_of(plan):
    lines = bench_table(plan, summarize(plan)).splitlines()
    table = [line[2:-2].split(" | ") for line in lines if line.startswith("|")]
    return dict(zip(table[0], zip(*table[2:], strict=True), strict=True)), lines


def test_mean_and_sample_deviation_over_the_seeds(filled):
    summary = summarize(filled)
    for entry, fids, times in zip(filled.entries, FIDS, MS, strict=True):
        spread = summary.score(entry, "fid")
        assert spread.mean == pytest.approx(np.mean(fids))
        assert spread.deviation == pytest.approx(np.std(fids, ddof=1))
        assert spread.count == 3
        minutes = np.array(times) * 20 / 60_000
        assert summary.minutes(entry).mean == pytest.approx(minutes.mean())
        assert summary.minutes(entry).deviation == pytest.approx(minutes.std(ddof=1))


def test_the_whole_table(filled):
    assert bench_table(filled, summarize(filled)).splitlines() == [
        f"| recipe | seeds | FID ↓ | KID {TIMES} 1,000 ↓ | ms a step | minutes | memory (MiB) "
        "| parameters |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| gan-digits | 3 of 3 | 6.5 ± 1.8 | 2 ± 0 | 11.0 ± 1.0 | 0.00367 ± 0.00033 | 700 | 0 |",
        "| gan-digits loss=hinge | 3 of 3 | **2.50 ± 0.50** | 2 ± 0 | 32.0 ± 3.5 "
        "| 0.0107 ± 0.0012 | 700 | 0 |",
        "| real images |  | 0.5 | 1 |  |  |  |  |",
        "",
        "- each run: 320 images seen; seeds 0, 1, 2; begun 2026-01-01",
        "- mean ± sample standard deviation over the seeds that ended well, whose number stands in "
        "the column 'seeds'",
        "- real images: 20 of digits, split test: held out, not trained on",
        "- generated images: 20",
        "- seed of what the scores draw: 0",
        "- image shape: 8x8x1",
        "- features: pixels (12ab)",
        "- resize: none",
        "- ms a step: of training, reading the data included; minutes: steps times that; "
        "compiling, checkpoints, sample grids and scoring are in neither",
        "- memory: the peak of the process that trains, TensorFlow included; parameters: the "
        "trained weights of all networks",
        "- trained on a machine; keras 3",
        "- warning: few images",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([5.4137], "5.414"),
        ([5.2, 5.6], "5.40 ± 0.28"),
        ([1000.0, 1300.0], "1150 ± 212"),
        ([0.98765, 0.98769], "0.98767 ± 0.00003"),
        ([2.0, 2.0], "2 ± 0"),
        ([26000.0], "26000"),
        ([0.0, 0.0002], "0.00010 ± 0.00014"),
        ([1.0, None], "not finite"),
    ],
)
def test_numbers_in_words(values, words):
    assert Spread.of(values).in_words() == words


def test_a_single_seed_has_no_deviation(filled):
    for seed in (1, 2):
        filled.record_file(filled.entries[0], seed).unlink()
    columns, lines = rows_of(filled)
    assert columns["seeds"][0] == "1 of 3"
    assert columns["FID ↓"][0] == "5"
    assert columns["ms a step"][0] == "10"
    assert "- not finished yet: gan-digits, seed 1; gan-digits, seed 2" in lines


def test_a_run_that_collapsed_is_not_in_the_mean_and_is_said(filled):
    fill(filled, 0, 2, stopped="training has collapsed: no change")
    columns, lines = rows_of(filled)
    assert columns["seeds"][0] == "2 of 3"
    assert columns["FID ↓"][0] == "5.50 ± 0.71"
    assert "- gan-digits, seed 2 did not end well: training has collapsed: no change" in lines


def test_a_recipe_whose_runs_all_failed_is_a_row_without_numbers(filled):
    for seed in range(3):
        fill(filled, 0, seed, error="no memory")
    columns, lines = rows_of(filled)
    assert columns["seeds"][0] == "0 of 3"
    assert columns["FID ↓"] == ("", "2.50 ± 0.50", "0.5")
    assert "- gan-digits, seed 1 failed: no memory" in lines


def test_a_score_that_a_recipe_lacks_is_an_empty_cell(filled):
    for seed in range(3):
        file = filled.record_file(filled.entries[0], seed)
        change_record(file, lambda record: record.points[0]["result"]["scores"].pop("kid"))
    assert rows_of(filled)[0][f"KID {TIMES} 1,000 ↓"] == ("", "2 ± 0", "1")


def test_of_modes_the_table_has_what_is_better_or_worse(plan):
    entries = [replace(plan.entries[0], scores=("modes",))]
    plan = replace(plan, entries=entries, seeds=[0])
    modes = {"covered": 999, "num_modes": 1000, "reverse_kl": 0.03, "num_images": 26000}
    measured = result(0) | {"scores": {"modes": modes}, "floor": {}}
    fill(plan, 0, 0)
    change_record(
        plan.record_file(entries[0], 0), lambda one: one.points[0].update(result=measured)
    )
    columns, _ = rows_of(plan)
    assert list(columns)[2:5] == [
        "modes covered ↑",
        r"KL(generated \|\| real) (nats) ↓",
        "ms a step",
    ]
    assert (columns["modes covered ↑"], columns["seeds"]) == (("999",), ("1 of 1",))


def test_a_score_that_is_not_finite_is_no_mean(filled):
    fill(filled, 0, 1, fid=float("inf"))
    assert rows_of(filled)[0]["FID ↓"][0] == "not finite"


def test_a_run_trained_by_several_processes_has_their_time_and_most_memory(filled):
    def change(record):
        record.trained = [part(10, steps=15, memory=900), part(40, steps=5)]

    file = filled.record_file(filled.entries[0], 0)
    change_record(file, change)
    [run, *_] = summarize(filled).runs
    assert run.ms_a_step == pytest.approx((15 * 10 + 5 * 40) / 20)
    assert run.memory == 900 * 2**20


def test_times_of_two_machines_are_not_to_be_compared(filled):
    def change(record):
        record.trained = [part(10) | {"machine": "another"}]

    change_record(filled.record_file(filled.entries[0], 0), change)
    _, lines = rows_of(filled)
    assert "- the runs were trained on different machines: do not compare their times" in lines
    assert {"- trained on a machine; keras 3", "- trained on another; keras 3"} <= set(lines)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"num_real": 30}, "num_real 20, not 30"),
        ({"features": {"name": "classifier", "checksum": "9"}}, "features pixels 12ab, not class"),
        ({"real": "digits, split train", "seed": 1}, "real digits, split test, not digits, split"),
    ],
)
def test_scores_of_different_protocols_are_not_compared(filled, changed, words):
    file = filled.record_file(filled.entries[1], 2)
    change_record(file, lambda record: record.points[0].update(result=result(1.0, changed)))
    with pytest.raises(GenzooError) as error:
        resume_bench(filled.path)
    assert words in str(error.value)
    first = filled.record_file(filled.entries[0], 0)
    assert f"{first} and {file} hold scores of different protocols" in str(error.value)
    assert not (filled.path / "bench.md").exists()


def test_every_number_is_in_a_csv_and_the_means_in_the_json(filled):
    fill(filled, 1, 0, stopped="it became NaN")
    summary = summarize(filled)
    write_tables(filled, summary)
    filled.write(summary.numbers())
    with (filled.path / "bench.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["fid"] for row in rows if row["recipe"] == "gan-digits"] == ["5.0", "6.0", "8.5"]
    assert {row["images"] for row in rows if row["state"] == "ended well"} == {"320"}
    [stopped] = [row for row in rows if row["state"] == "stopped"]
    assert (stopped["recipe"], stopped["seed"]) == ("gan-digits loss=hinge", "0")
    first, second = json.loads((filled.path / "bench.json").read_text())["results"]["entries"]
    assert first["values"]["fid"]["deviation"] == pytest.approx(np.std(FIDS[0], ddof=1))
    assert second["ended_well"] == 2


def test_files_for_programs_hold_scores_as_they_were_measured_and_pictures_as_the_table(filled):
    summary = summarize(filled)
    write_tables(filled, summary)
    filled.write(summary.numbers())
    with (filled.path / "bench.csv").open() as file:
        assert {row["kid"] for row in csv.DictReader(file)} == {"0.002"}
    results = json.loads((filled.path / "bench.json").read_text())["results"]
    assert results["entries"][0]["values"]["kid"]["mean"] == 0.002
    assert results["real_images"]["kid"] == 0.001
    kid = bench_figure(filled, summary).axes[1]
    assert kid.get_title(loc="left") == f"KID {TIMES} 1,000 ↓"
    assert [one.lines[0].get_ydata().tolist() for one in kid.containers] == [[2.0], [2.0]]
    [real] = [line for line in kid.lines if line.get_label() == "real images"]
    assert real.get_ydata() == [1.0, 1.0]


def test_the_figure_leaves_out_a_score_of_real_images_that_is_not_finite(filled):
    def change(record):
        for point in record.points:
            point["result"]["floor"]["fid"] = None

    for entry in filled.entries:
        for seed in filled.seeds:
            change_record(filled.record_file(entry, seed), change)
    fid = bench_figure(filled, summarize(filled)).axes[0]
    assert "real images" not in fid.get_legend_handles_labels()[1]


def test_the_figure_has_a_point_for_each_recipe_with_both_deviations(filled):
    draw_bench(filled, summarize(filled))
    assert (filled.path / "bench.png").stat().st_size > 10_000
    assert (filled.path / "bench.svg").exists()
    figure = bench_figure(filled, summarize(filled))
    fid = figure.axes[0]
    assert fid.get_title(loc="left") == "FID ↓"
    assert fid.get_xlabel() == "seconds of training"
    points = [container.lines[0].get_xydata()[0] for container in fid.containers]
    expected = [(np.mean(ms) * 20 / 1000, np.mean(fids)) for ms, fids in zip(MS, FIDS, strict=True)]
    np.testing.assert_allclose(points, expected)
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "gan-digits (3 of 3)",
        "gan-digits loss=hinge (3 of 3)",
        "real images",
    ]


def test_nothing_is_drawn_before_a_run_has_ended(plan):
    draw_bench(plan, summarize(plan))
    assert not list(plan.path.glob("bench.png"))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"trained": 3}', '{"points": [{"step": 1}]}', '{"others": []}']
)
def test_a_damaged_record_is_said(plan, content):
    plan.record_file(plan.entries[0], 0).write_text(content)
    with pytest.raises(GenzooError, match=r"gan-digits-seed-0\.json is damaged"):
        summarize(plan)
