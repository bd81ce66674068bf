"""What can go wrong around a run costs no more than the steps since its last checkpoint."""

import json
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_genzoo.cli.main import main
from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, reconstruct, repeat, resume
from keras_genzoo.training.run import list_checkpoints
from tests.cli.test_bad_input import write_images
from tests.training import kill


def content(folder):
    """Every file of a run that is written whole, by its name."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Places --------------------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only one who may mount a disk can fill it")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_up_keeps_the_older_checkpoints(small, tmp_path, disk):
    settings = small("ae", steps=40)
    whole = fit(settings, tmp_path / "whole").run
    run = fit(settings.replace(steps=20), disk / "run").run
    before = content(run.checkpoints)
    filler = disk / "filler"

    def fill(line):
        if line.startswith("step 30"):
            filler.write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize))

    with pytest.raises(GenzooError, match=r"cannot write .*No space left on device; free some"):
        resume(run.path, {"steps": 40}, echo=fill)
    assert before.items() <= content(run.checkpoints).items()
    assert run.last_step() == 30
    assert not list(disk.rglob(".tmp-*"))
    filler.unlink()
    assert resume(run.path).finished
    assert not kill.differences(whole.path, run.path)


def test_a_disk_that_is_read_only_is_left_alone(small, finished, disk):
    run = finished("ae", disk / "run")
    before = content(run.path)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(GenzooError, match=r"cannot write .*Read-only file system; choose another"):
        resume(run.path, {"steps": 40})
    with pytest.raises(GenzooError, match=r"cannot write .*Read-only file system; choose another"):
        fit(small("ae"), disk / "other")
    assert content(run.path) == before


# Data ----------------------------------------------------------------------------------------


def test_a_file_that_vanishes_is_named_and_its_place_taken(small, tmp_path):
    faces = write_images(tmp_path / "faces", 40)
    run = fit(small("ae", dataset="faces", image_size=None), tmp_path / "run").run
    said = []

    # Nothing has been read into memory by then but the images of the sample grids.
    def echo(line):
        said.append(line)
        if line.startswith("resuming"):
            (faces / "7.png").unlink()

    outcome = resume(run.path, {"steps": 40}, echo=echo)
    assert outcome.finished
    assert [line for line in said if line.startswith("skipped")] == [
        f"skipped: {faces / '7.png'} (No such file or directory)"
    ]


# Checkpoints ---------------------------------------------------------------------------------


@pytest.mark.parametrize("left", ["model.keras", "history.csv"])
def test_a_run_whose_checkpoints_are_gone_does_not_begin_again(finished, tmp_path, left):
    run = finished("ae", tmp_path / "run")
    for path in list_checkpoints(run.checkpoints):
        path.unlink()
    (run.path / {"model.keras": "history.csv", "history.csv": "model.keras"}[left]).unlink()
    before = content(run.path)
    with pytest.raises(GenzooError, match="has no checkpoint left to go on from"):
        resume(run.path, {"steps": 40})
    assert content(run.path) == before


def test_a_run_killed_before_its_first_checkpoint_begins_again(finished, tmp_path):
    whole = finished("ae", tmp_path / "whole")
    run = Run.create(whole.settings, whole.data, tmp_path / "run")
    run.write_history(whole.read_history(up_to=10))
    assert resume(run.path).finished
    assert not kill.differences(whole.path, run.path)


class Marker:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_in_a_checkpoint_is_not_opened(finished, tmp_path):
    run = finished("ae", tmp_path / "run")
    marker = Marker(tmp_path / "ran")
    pickle.loads(pickle.dumps(marker)).close()
    (tmp_path / "ran").unlink()
    evil = np.empty(1, object)
    evil[0] = marker
    for path in list_checkpoints(run.checkpoints):
        np.savez(path, step=np.array(20), count=np.array(1), **{"00000": evil})
    with pytest.raises(GenzooError, match=r"is damaged .*there is no other"):
        resume(run.path, {"steps": 40})
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_what_a_run_leaves_survives_a_power_cut(tmp_path):
    """Every file is flushed before it gets its name, and the folder of the name after it."""
    if not shutil.which("strace"):
        pytest.skip("strace shows what the system is asked for, and is not there")
    trace, run = tmp_path / "trace", tmp_path / "run"
    calls = "trace=fsync,fdatasync,rename,renameat,renameat2"
    fit = [sys.executable, "-m", "keras_genzoo.cli.main", "fit", "ae", *kill.SMALL["ae"].split()]
    short = ["--steps", "4", "--checkpoint-every", "2", "--out", str(run)]
    command = ["strace", "-f", "-y", "-qq", "-e", calls, "-o", str(trace), *fit, *short]
    done = subprocess.run(command, capture_output=True, text=True)
    if not trace.exists() or "PTRACE" in done.stderr:
        pytest.skip("strace may not look into processes here")
    assert done.returncode == 0, done.stderr
    lines = [line for line in trace.read_text().splitlines() if str(tmp_path) in line]
    renames = [i for i, line in enumerate(lines) if "rename" in line]
    names = []
    for index in renames:
        old, new = re.findall(r'"([^"]+)"', lines[index])
        names.append(os.path.basename(new))  # noqa: PTH119
        assert any(f"<{old}>" in line for line in lines[:index]), lines[index]
        assert f"<{os.path.dirname(new)}>" in lines[index + 1], lines[index]  # noqa: PTH120
    for name in ("run", "config.json", "history.csv", "step-00000004.npz", "model.keras"):
        assert name in names


# Configurations from elsewhere ---------------------------------------------------------------


def configured(run, **settings):
    """Change settings of the data in a ``config.json`` by hand."""
    config = json.loads((run.path / "config.json").read_text())
    config["settings"]["data"].update(settings)
    (run.path / "config.json").write_text(json.dumps(config))
    return run.path


@pytest.mark.parametrize("dataset", ["..", "../..", "../escaped", "/", "a/../../escaped"])
def test_the_name_of_a_data_set_leads_nowhere_else(small, tmp_path, dataset):
    data = {"image_shape": [8, 8, 1], "num_images": 1, "num_classes": None}
    settings = small("ae", dataset=dataset)
    run = Run.create(settings, data | {"class_names": None, "fingerprint": ""})
    assert run.path.resolve().parent == tmp_path / "runs"
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_configuration_has_nothing_fetched_into_a_place_of_its_choice(finished, tmp_path, capsys):
    run = finished("ae", tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    path = configured(run, dataset="mnist", data_dir=str(elsewhere))
    with pytest.raises(GenzooError, match=f"mnist is not prepared in {elsewhere}/"):
        resume(path)
    with pytest.raises(GenzooError, match=f"genzoo data prepare mnist --data-dir {elsewhere}"):
        fit(repeat(path), tmp_path / "other", download=False)
    with pytest.raises(GenzooError, match="mnist is not prepared in"):
        reconstruct(path)
    with pytest.raises(SystemExit):
        main(["fit", "--config", str(path)])
    assert "mnist is not prepared in" in capsys.readouterr().err
    assert sorted(found.name for found in tmp_path.iterdir()) == ["run"]


# Time ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_clock_that_jumps_changes_nothing(small, tmp_path, monkeypatch):
    settings = small("ae", steps=40)
    whole = fit(settings, tmp_path / "whole").run
    chance = random.Random(0)
    monkeypatch.setattr(time, "time", lambda: chance.uniform(0, 4e9))
    run = fit(settings.replace(steps=20), tmp_path / "run").run
    # The oldest by date is the last by number.
    for number, path in enumerate(list_checkpoints(run.checkpoints)):
        os.utime(path, (2e9 - number * 1e8,) * 2)
    said = []
    assert resume(run.path, {"steps": 40}, echo=said.append).finished
    assert f"resuming {run.path} at step 20" in said
    assert not kill.differences(whole.path, run.path)


# Signals -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_evaluation_that_is_stopped_leaves_nothing_half_written(finished, tmp_path, monkeypatch):
    run = finished("ae", tmp_path / "run")
    before = content(run.path)
    cache = tmp_path / "kept"
    monkeypatch.setenv("GENZOO_CACHE", str(cache))
    chance = random.Random(1)
    for _ in range(2):
        process = kill.genzoo("evaluate", run.path, "-n", "100")
        time.sleep(chance.uniform(1, 6))
        process.send_signal(signal.SIGTERM)
        code, _, _ = kill.finish(process)
        assert not list(tmp_path.rglob(".tmp-*"))
        if code == 0:
            json.loads((run.path / "evaluation.json").read_text())
            (run.path / "evaluation.json").unlink()
        else:
            assert code in (-signal.SIGTERM, 128 + signal.SIGTERM)
        assert content(run.path) == before
    code, _, errors = kill.finish(
        kill.genzoo("evaluate", run.path, "-n", "100", "--features", "pixels")
    )
    assert code == 0, errors
    assert json.loads((run.path / "evaluation.json").read_text())["scores"]
