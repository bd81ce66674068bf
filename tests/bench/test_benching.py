"""A bench trains every run once, whatever stops it, and a run that collapses is a row."""

import dataclasses
import json
import signal
import time

import pytest

from keras_genzoo.bench import Plan, Request, new_bench, resume_bench
from keras_genzoo.bench.benching import _reason
from keras_genzoo.bench.records import change_record, read_record
from keras_genzoo.bench.timing import StepTimer
from keras_genzoo.bench.working import DONE, FAILED, STOPPED, do_work, training_work
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation import Options
from keras_genzoo.training import Run, fit, resume
from keras_genzoo.training.run import locked
from tests.bench.conftest import SCORED, TINY, TINY_FLAGS
from tests.training import kill

# A learning rate at which the loss is NaN within a few steps.
COLLAPSES = "gan-digits generator_learning_rate=1e30 discriminator_learning_rate=1e30"
STEPS = 500
LONG = ["gan-digits", "--seeds", "0,1", "--images", str(16 * STEPS), "--scores", "fid"]
LONG += TINY_FLAGS


def request(*recipes, **others):
    given = {"overrides": TINY, "options": Options(["fid"], **SCORED), "seeds": [0, 1]}
    return Request(recipes, **(given | others))


def content(plan):
    """What a bench has trained and scored: every file of the runs."""
    return {
        path.relative_to(plan.path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted((plan.path / "runs").rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def trained_once(plan):
    """Whether the processes of each run have trained every step, and none that was kept twice."""
    for entry, seed in plan.runs():
        parts = plan.record(entry, seed).trained
        bounds = [(part["first"], part["last"]) for part in parts]
        ends = [0, *(last for _, last in bounds)]
        if [first for first, _ in bounds] != ends[:-1] or ends[-1] != entry.settings.steps:
            return False
    return True


def wait_until(process, reached):
    while process.poll() is None and not reached():
        time.sleep(0.01)


# One run -------------------------------------------------------------------------------------


def work(plan, entry=0, seed=0, step=20):
    return do_work(training_work(plan, plan.entries[entry], seed, step))


@pytest.mark.slow
def test_a_run_is_trained_and_scored(plan):
    assert work(plan, step=20) == DONE
    entry = plan.entries[0]
    run = Run.open(plan.run_path(entry, 0))
    assert (run.settings, run.recipe) == (entry.settings.replace(seed=0), "gan-digits")
    record = plan.record(entry, 0)
    [part] = record.trained
    assert (part["first"], part["last"]) == (0, 20)
    # The first step compiles.
    assert part["steps"] == 19
    assert 0.1 < record.ms_a_step < 1000
    assert 100 < record.memory / 2**20 < 10_000
    [point] = record.points
    assert set(point["result"]["scores"]) >= {"fid", "kid"}
    assert plan.next_step(entry, 0) is None


@pytest.mark.slow
def test_a_run_that_is_scored_on_its_way_arrives_at_the_same_weights(plan, tmp_path):
    entry = plan.entries[0]
    for step in (7, 14, 20):
        assert work(plan, step=step) == DONE
    whole = fit(entry.settings.replace(seed=0), tmp_path / "whole").run
    assert not kill.differences(whole.path, plan.run_path(entry, 0))
    record = plan.record(entry, 0)
    assert record.scored_steps == [7, 14, 20]
    fids = [point["result"]["scores"]["fid"] for point in record.points]
    assert len(set(fids)) == 3


@pytest.mark.slow
def test_another_run_in_its_place_is_not_taken(plan):
    entry = plan.entries[0]
    fit(entry.settings.replace(seed=0, latent_dim=3), plan.run_path(entry, 0))
    assert work(plan) == FAILED
    assert "is not a run of this bench: latent_dim is 3, not 4" in plan.record(entry, 0).error
    assert plan.next_step(entry, 0) == 20


@pytest.mark.slow
def test_the_time_of_checkpoints_and_of_what_else_is_done_there_is_left_out(plan, tmp_path):
    slept = []

    class Sleeps(StepTimer):
        def on_epoch_end(self, epoch, logs=None):
            time.sleep(0.5)
            slept.append(0.5)

    settings = plan.entries[0].settings.replace(steps=30)
    timer = Sleeps()
    outcome = fit(settings, tmp_path / "run", callbacks=[timer])
    assert timer.steps == 29
    assert len(slept) > 2
    # The last one comes after the last step, and would not count anyhow.
    assert timer.seconds < sum(slept[:-1])
    again = Sleeps()
    resume(outcome.run.path, {"steps": 50}, callbacks=[again])
    assert (again.first, again.steps) == (30, 19)


# Whole benches -------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_bench_from_end_to_end(tmp_path):
    said = []
    asked = request("gan-digits", COLLAPSES, images=330, points=2, seeds=[0])
    outcome = new_bench(asked, tmp_path / "bench", echo=said.append)
    plan = outcome.plan
    assert outcome.signal is None
    assert not outcome.failed
    assert (
        f"{COLLAPSES}: 330 images do not divide into batches of 16; it sees 320 in 20 steps" in said
    )
    first, collapsed = plan.entries
    [run] = outcome.summary.ended_well(first)
    assert run.steps == [10, 20]
    assert outcome.summary.score(first, "fid").mean == run.values[-1]["fid"]
    assert not outcome.summary.ended_well(collapsed)
    table = (plan.path / "bench.md").read_text()
    assert f"| {COLLAPSES} | 0 of 1 |  |  |  |  | " in table
    assert f"- {COLLAPSES}, seed 0 did not end well: " in table
    assert {file.name for file in plan.path.iterdir()} == {
        *(".lock", "runs", "bench.json", "bench.md", "bench.csv", "bench.png", "bench.svg")
    }
    # Going on finds nothing to do, not even for the runs that collapsed.
    before = content(plan)
    again = resume_bench(plan.path, echo=said.append)
    assert said[-1] == f"{plan.path} is finished: all 2 runs have ended"
    assert content(plan) == before
    assert (plan.path / "bench.md").read_text() == table
    assert again.plan == plan


def check_uninterrupted(plan, folder):
    """Check that every run of a finished bench is what it is in a bench that nothing stopped."""
    assert trained_once(plan)
    (folder / "runs").mkdir(parents=True)
    whole = dataclasses.replace(plan, path=folder)
    whole.write()
    for entry, seed in plan.runs():
        assert do_work(training_work(whole, entry, seed, STEPS)) == DONE
        assert not kill.differences(whole.run_path(entry, seed), plan.run_path(entry, seed))
        one, two = (p.record(entry, seed).points[0]["result"] for p in (whole, plan))
        assert one["scores"] == two["scores"]


@pytest.mark.slow
def test_a_bench_that_is_stopped_and_killed_goes_on_and_trains_nothing_twice(tmp_path):
    out = tmp_path / "bench"
    process = kill.genzoo("bench", *LONG, "--out", out)
    first, second = (out / "runs" / f"gan-digits-seed-{seed}" for seed in (0, 1))
    kill.wait_for(50, first, process)
    process.send_signal(signal.SIGINT)
    code, output, errors = kill.finish(process)
    assert (code, errors) == (130, "")
    assert output.splitlines()[-1] == f"stopped and saved; go on with: genzoo bench --resume {out}"
    plan = Plan.read(out)
    assert plan.next_step(plan.entries[0], 0) == STEPS
    assert 50 <= Run.open(first).last_step() < STEPS
    process = kill.genzoo("bench", "--resume", out)
    kill.wait_for(50, second, process)
    process.send_signal(signal.SIGKILL)
    kill.finish(process)
    # The process that trains notices that it is alone, and saves.
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _is_locked(second):
        time.sleep(0.1)
    step = Run.open(second).last_step()
    assert 50 <= step < STEPS, "the machine was too slow to send a signal in time"
    before = content(plan)
    code, output, errors = kill.finish(kill.genzoo("bench", "--resume", out))
    assert code == 0, errors
    assert "1 of 2 runs have ended already" in output
    assert f"  resuming {second} at step {step}" in output
    of_first = {path: file for path, file in before.items() if first.name in str(path)}
    assert of_first.items() <= content(plan).items()
    check_uninterrupted(plan, tmp_path / "whole")


def _is_locked(run):
    try:
        with locked(run):
            return False
    except GenzooError:
        return True


@pytest.mark.slow
def test_a_run_that_failed_is_tried_again(plan):
    plan = dataclasses.replace(plan, entries=plan.entries[:1], seeds=[0])
    plan.write()
    [entry] = plan.entries
    # Trained, and stopped before it was scored.
    fit(entry.settings.replace(seed=0), plan.run_path(entry, 0))
    model = plan.run_path(entry, 0) / "model.keras"
    config = plan.run_path(entry, 0) / "config.json"
    kept = config.read_text()
    config.write_text("{")
    said = []
    outcome = resume_bench(plan.path, echo=said.append)
    [failure] = outcome.failed
    assert failure.startswith("gan-digits, seed 0: ")
    assert "config.json is damaged" in failure
    assert (
        f"- gan-digits, seed 0 failed: {failure.partition(': ')[2]}"
        in (plan.path / "bench.md").read_text()
    )
    before = model.read_bytes()
    config.write_text(kept)
    outcome = resume_bench(plan.path)
    assert not outcome.failed
    # It was trained already, so that it is only scored.
    assert model.read_bytes() == before
    assert not read_record(plan.record_file(entry, 0)).trained


# Bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"entries": []}'])
def test_a_damaged_plan_is_said(plan, content):
    (plan.path / "bench.json").write_text(content)
    with pytest.raises(GenzooError, match=r"bench\.json is (damaged|not the plan of a bench)"):
        resume_bench(plan.path)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("entries", 0, "name"), "../elsewhere", "is not the name of a recipe"),
        (("entries", 0, "settings", "loss"), "hing", "did you mean 'hinge'?"),
        (("entries", 0, "settings"), 3, "damaged"),
        (("options", "features"), "pixel", "did you mean 'pixels'?"),
        (("budget", "images"), None, "damaged"),
        (("seeds",), [], "it plans nothing"),
    ],
)
def test_a_plan_that_was_changed_is_checked(plan, place, value, words):
    file = plan.path / "bench.json"
    values = inner = json.loads(file.read_text())
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    file.write_text(json.dumps(values))
    with pytest.raises(GenzooError) as error:
        resume_bench(plan.path)
    assert str(error.value).startswith(str(file))
    assert words in str(error.value)


def test_a_plan_is_read_as_it_was_written(plan):
    assert Plan.read(plan.path) == plan


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "its process was killed, as the system does when the memory is exhausted"),
        (-11, "its process ended with signal 11"),
        (1, "its process ended with exit code 1"),
    ],
)
def test_a_process_that_ends_without_a_reason_gets_one(tmp_path, code, words):
    file = tmp_path / "run.json"
    assert _reason(file, code) == words
    assert read_record(file).error == words
    change_record(file, lambda record: setattr(record, "error", "no memory"))
    assert _reason(file, code) == "no memory"


@pytest.mark.slow
def test_collapse_is_noted_and_not_tried_again(plan):
    rates = {"generator_learning_rate": 1e30, "discriminator_learning_rate": 1e30}
    entry = plan.entries[0]
    object.__setattr__(entry, "settings", entry.settings.replace(**rates))
    plan.write()
    assert work(plan) == STOPPED
    assert "became nan" in plan.record(entry, 0).stopped
    assert plan.next_step(entry, 0) is None
