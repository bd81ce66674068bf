"""A run that was killed or stopped goes on to the same bits."""

import random
import shutil
import signal

import pytest

from keras_genzoo.training import Run
from keras_genzoo.training.run import list_checkpoints
from tests.training import kill

STEPS = "--steps 1200 --checkpoint-every 200 --sample-every 400 --batch-size 16"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The arguments of a run, and the folder of the uninterrupted one."""
    out = tmp_path_factory.mktemp("whole") / "run"
    arguments = ["gan", *kill.SMALL["gan"].split(), *STEPS.split()]
    kill.run_here("fit", *arguments, "--out", out)
    return arguments, out


@pytest.mark.slow
def test_killed_at_a_random_moment(whole, tmp_path):
    arguments, out = whole
    chance = random.Random(5)
    moments, resumed, found = kill.try_once(1, out, tmp_path, arguments, chance)
    assert not found, (moments, resumed)
    assert resumed
    assert kill.TOO_LATE not in moments


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal(whole, tmp_path, number):
    arguments, out = whole
    run = tmp_path / "run"
    # Long enough that the signal comes first; then cut to the length of the other.
    process = kill.genzoo("fit", *arguments, "--steps", "100000", "--out", run)
    kill.wait_for(200, run, process)
    process.send_signal(number)
    code, output, errors = kill.finish(process)
    assert code == 128 + number, errors
    assert not errors
    step = Run.open(run).last_step()
    assert output.splitlines()[-1] == (
        f"stopped and saved at step {step} of 100000; go on with: genzoo fit --resume {run}"
    )
    assert list_checkpoints(run / "checkpoints")
    assert step < 1200, "the machine was too slow to send a signal in time"
    code, output, errors = kill.finish(kill.genzoo("fit", "--resume", run, "--steps", "1200"))
    assert code == 0, errors
    assert f"resuming {run} at step {step}" in output
    assert not kill.differences(out, run)


@pytest.mark.slow
def test_differences_are_found(whole, tmp_path):
    _, out = whole
    run = shutil.copytree(out, tmp_path / "run")
    assert not kill.differences(out, run)
    history = run / "history.csv"
    history.write_bytes(history.read_bytes().replace(b"0.", b"1.", 1))
    last = list_checkpoints(run / "checkpoints")[-1]
    last.write_bytes(list_checkpoints(run / "checkpoints")[-2].read_bytes())
    (run / "samples" / ".tmp-x.png").touch()
    found = kill.differences(out, run)
    assert "history.csv" in found
    assert str(run / "samples" / ".tmp-x.png") in found
    assert [name for name in found if name.startswith(last.name)]
