"""Several workers train like one, end together, and leave the run folder to the chief."""

import json
import os
import signal
import socket
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, make_strategy, resume
from keras_genzoo.training.run import list_checkpoints
from keras_genzoo.training.workers import check_tf_config
from tests.conftest import ROOT
from tests.training import kill
from tests.training.cluster import tf_configs

SHORT = "--batch-size 16 --checkpoint-every 10"
SMALL = {name: f"{kill.SMALL[name]} --image-size 16 {SHORT}" for name in ("gan", "dcgan")}


def start(tmp_path, *commands):
    """Start a worker for each command, on free ports, each in an empty folder of its own."""
    processes = []
    for index, (command, config) in enumerate(
        zip(commands, tf_configs(len(commands)), strict=True)
    ):
        folder = tmp_path / f"worker-{index}"
        folder.mkdir(exist_ok=True)
        environment = os.environ | {
            "TF_CONFIG": config,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        processes.append(kill.genzoo(*command.split(), cwd=folder, env=environment))
    return processes


def finish_all(processes):
    """Return exit code, output and errors of each, ended within a minute or so."""
    try:
        return [
            (process.returncode, *output)
            for process in processes
            if (output := process.communicate(timeout=90))
        ]
    finally:
        for process in processes:
            process.kill()


def weights_of(run):
    """The numbers of the finished model; not what optimizers keep of small differences."""
    arrays = kill.arrays_of(run)
    found = {name: arrays[name] for name in arrays if "/vars/" in name and "optim" not in name}
    assert found
    return found


def assert_close(run, other):
    ours, theirs = weights_of(run), weights_of(other)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        np.testing.assert_allclose(theirs[name], array, rtol=0, atol=1e-5, err_msg=name)
    for row, same in zip(Run.open(run).read_history(), Run.open(other).read_history(), strict=True):
        assert row == pytest.approx(same, rel=1e-4)


DCGAN = f"fit dcgan {SMALL['dcgan']} --steps 20"


@pytest.fixture(scope="module")
def without_workers(tmp_path_factory):
    """The folder of a run of one process."""
    out = tmp_path_factory.mktemp("one") / "run"
    kill.run_here(*DCGAN.split(), "--out", out)
    return out


@pytest.mark.slow
def test_two_workers_train_like_one(without_workers, tmp_path):
    command = f"{DCGAN} --strategy multi_worker --out two"
    ended = finish_all(start(tmp_path, command, command))
    assert [code for code, *_ in ended] == [0, 0], ended
    chief = tmp_path / "worker-0" / "two"
    assert_close(without_workers, chief)
    assert (chief / "samples" / "step-00000020.png").exists()
    assert not list((tmp_path / "worker-1").iterdir())
    assert all(line.startswith("waiting for") for line in ended[1][1].splitlines())
    assert not ended[1][2]


@pytest.mark.slow
def test_one_worker_trains_like_none(without_workers, tmp_path):
    ended = finish_all(start(tmp_path, f"{DCGAN} --strategy multi_worker --out one"))
    assert ended[0][0] == 0, ended
    assert_close(without_workers, tmp_path / "worker-0" / "one")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_a_worker_that_waits_for_others_says_so_and_can_be_stopped(tmp_path, number, code):
    command = f"fit gan {SMALL['gan']} --strategy multi_worker"
    worker, other = start(tmp_path, command, "--version")
    assert worker.stdout.readline().startswith("waiting for localhost:")
    worker.send_signal(number)
    _, errors = worker.communicate(timeout=90)
    other.communicate()
    assert worker.returncode == code
    assert "Traceback" not in errors
    assert not list((tmp_path / "worker-0").iterdir())


@pytest.mark.slow
def test_a_worker_that_is_frozen_ends_the_others(tmp_path):
    out = tmp_path / "run"
    command = f"fit gan {SMALL['gan']} --steps 100000 --strategy multi_worker --out {out}"
    chief, other = start(tmp_path, command, command)
    kill.wait_for(10, out, chief)
    other.send_signal(signal.SIGSTOP)
    try:
        _, errors = chief.communicate(timeout=90)
    finally:
        other.kill()
        other.communicate()
    assert chief.returncode == 1
    assert errors.startswith("Error: another worker has stopped, or cannot be reached; go on")


@pytest.mark.slow
def test_a_mistake_of_one_worker_ends_the_others_without_a_run(tmp_path):
    command = f"fit gan {SMALL['gan']} --steps 20 --strategy multi_worker"
    ended = finish_all(start(tmp_path, f"{command} --dataset nowhere", command))
    assert ended[0][0] == 2, ended
    assert "unknown data set 'nowhere'" in ended[0][2]
    assert ended[1][0] == 1, ended
    assert ended[1][2].endswith("see what it said, and start all of them again\n")


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_is_killed_ends_the_others_and_the_run_goes_on(tmp_path, victim):
    out = tmp_path / "run"
    command = f"fit gan {SMALL['gan']} --steps 100000 --strategy multi_worker --out {out}"
    processes = start(tmp_path, command, command)
    kill.wait_for(10, out, processes[victim])
    processes[victim].send_signal(signal.SIGKILL)
    began = time.monotonic()
    code, _, errors = finish_all(processes)[1 - victim]
    assert time.monotonic() - began < 60
    assert code == 1, errors
    assert errors == (
        "Error: another worker has stopped, or cannot be reached; go on, on these workers or on "
        f"others, with: genzoo fit --resume {out}\n"
    )
    if victim == 0:
        return
    step = Run.open(out).last_step()
    # On one worker, then on two again.
    assert resume(out, {"steps": step + 5, "strategy": "one"}).finished
    command = f"fit --resume {out} --strategy multi_worker --steps {step + 10}"
    ended = finish_all(start(tmp_path, command, command))
    assert [code for code, *_ in ended] == [0, 0], ended
    assert f"resuming {out} at step {step + 5}" in ended[0][1]
    whole = f"fit gan {SMALL['gan']} --steps {step + 10} --out {tmp_path / 'whole'}"
    kill.run_here(*whole.split())
    assert_close(tmp_path / "whole", out)


@pytest.mark.slow
def test_a_signal_to_one_worker_stops_all_after_a_checkpoint(tmp_path):
    out = tmp_path / "run"
    command = f"fit gan {SMALL['gan']} --steps 100000 --strategy multi_worker --out {out}"
    processes = start(tmp_path, command, command)
    kill.wait_for(10, out, processes[0])
    processes[1].send_signal(signal.SIGTERM)
    ended = finish_all(processes)
    assert [code for code, *_ in ended] == [128 + signal.SIGTERM] * 2, ended
    step = Run.open(out).last_step()
    assert step % 10 == 0
    assert Run.open(out).read_history()[-1]["step"] == step
    assert f"stopped and saved at step {step} of 100000" in ended[0][1]


@pytest.mark.slow
def test_workers_that_disagree_do_not_begin(tmp_path):
    command = f"fit gan {SMALL['gan']} --steps 20 --strategy multi_worker --out {tmp_path / 'run'}"
    ended = finish_all(start(tmp_path, command, f"{command} --generator-learning-rate 0.1"))
    assert [code for code, *_ in ended] == [2, 2], ended
    for _, _, errors in ended:
        assert "the workers were started with different settings, data or checkpoints" in errors
    assert not list_checkpoints(tmp_path / "run" / "checkpoints")


@pytest.mark.slow
def test_workers_are_told_which_type_to_compute_in(tmp_path):
    command = f"fit gan {SMALL['gan']} --strategy multi_worker --mixed-precision auto"
    [(code, _, errors)] = finish_all(start(tmp_path, command))
    assert code == 2
    assert "several might disagree; give float32, bfloat16 or float16" in errors


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "needs the variable TF_CONFIG; set it on each worker, such as"),
        ("{", "TF_CONFIG cannot be read"),
        ("[]", "TF_CONFIG cannot be read"),
        ('{"cluster": {}}', "TF_CONFIG cannot be read"),
        (
            '{"cluster": {"worker": ["a", "b:1"]}, "task": {"type": "worker", "index": 1}}',
            "TF_CONFIG cannot be read",
        ),
        (
            '{"cluster": {"worker": ["a:99999"]}, "task": {"type": "worker", "index": 0}}',
            "99999 is not a port",
        ),
        ('{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}', "cannot be read"),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "TF_CONFIG names a task 'ps'; there are only chief and worker",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "TF_CONFIG has no task worker 1 among its workers",
        ),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "chief", "index": 0}}',
            "TF_CONFIG has no task chief 0 among its workers",
        ),
    ],
)
def test_tf_config_that_names_no_worker(text, words):
    with pytest.raises(GenzooError, match=words):
        check_tf_config(text)


def test_workers_cannot_be_joined_once_tensorflow_has_begun(monkeypatch):
    tf.constant(0) + 1
    with socket.create_server(("", 0)) as other:
        config = {"cluster": {"worker": ["localhost:0", f"localhost:{other.getsockname()[1]}"]}}
        config["task"] = {"type": "worker", "index": 0}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        with pytest.raises(GenzooError, match="the workers of TF_CONFIG cannot be joined"):
            make_strategy("multi_worker")


def test_a_port_that_is_taken_is_named(monkeypatch):
    with socket.create_server(("", 0)) as taken:
        own = f"localhost:{taken.getsockname()[1]}"
        config = {"cluster": {"worker": [own, "localhost:1"]}}
        config["task"] = {"type": "worker", "index": 0}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        with pytest.raises(GenzooError, match=f"{own}: .*Address already in use"):
            make_strategy("multi_worker")


def test_workers_that_come_are_waited_for_no_longer(monkeypatch):
    said = []
    with socket.create_server(("", 0)) as here:
        addresses = ["localhost:0", f"localhost:{here.getsockname()[1]}", "[::1]:9"]
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}}

        def echo(line):
            said.append(line)
            raise KeyboardInterrupt

        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        with pytest.raises(KeyboardInterrupt):
            make_strategy("multi_worker", echo=echo)
    assert said == ["waiting for [::1]:9"]


def test_workers_take_one_step_at_a_time(small, tmp_path):
    settings = small("ae", strategy="multi_worker", steps_per_execution=5)
    with pytest.raises(GenzooError, match="several workers take one step at a time"):
        fit(settings, tmp_path / "run")
    assert not list(tmp_path.iterdir())
