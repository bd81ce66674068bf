"""The bar shows its numbers at any width, and a terminal that goes away costs no run."""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, progress, resume
from keras_genzoo.training.progress import Bar, bar_line
from tests.training import kill

VAE = {"loss": 75.91, "reconstruction_loss": 70.5, "kl_loss": 5.4, "val_loss": 77.21}
GAN = {"discriminator_loss": 1.25, "generator_loss": 0.7, "real_score": 0.4, "fake_score": 0.3}


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize(
    "logs", [GAN, GAN | {"jensen_shannon_estimate": 0.1}, VAE, {"loss": 175.912}]
)
def test_all_numbers_are_shown_at_the_usual_widths(width, logs):
    line = bar_line(width, 5_000, 100_000, 2150, "1:00:12", logs)
    assert len(line) < width
    assert "5%" in line
    assert all(f" {value:.3f}" in line for value in logs.values())
    # First the bar gives way, and then the labels.
    long = logs.keys() == {"loss"} or "D loss" in line or "held-out loss" in line
    assert ("#" in line) <= long


@pytest.mark.parametrize("width", range(1, 200, 7))
def test_no_line_is_wider_than_the_terminal(width):
    assert len(bar_line(width, 10, 100_000, 1e6, "12:00:12", GAN)) < max(width, 1)


def test_the_bar_is_full_at_the_end():
    line = bar_line(120, 100, 100, 9, "00:00", {"loss": 1})
    assert line.startswith("100% " + "#" * 41 + " 100/100")


def test_lines_come_by_time_as_well_as_by_checkpoint(small, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "FIRST_LINE", 0)
    monkeypatch.setattr(progress, "LINES", 0)
    said = []
    run = fit(small("ae", steps=4, checkpoint_every=3), tmp_path / "run", echo=said.append).run
    lines = [line for line in said if line.startswith("step")]
    assert [line.split()[1] for line in lines] == ["1/4", "2/4", "3/4", "3/4", "4/4", "4/4"]
    # The held-out loss is known at checkpoints.
    assert ["held-out loss" in line for line in lines] == [False, False, False, True, False, True]
    assert all(line.endswith(" left") for line in lines)
    # What a person wants to know while nothing happens comes before.
    before = [
        "opening digits, split train",
        f"run folder: {run.path}",
        "held-out loss: of the first 297 images of test",
        "4 steps of 16 images: 0.0 passes over 1,500 images",
        "a checkpoint every 3 steps; Ctrl-C saves and stops",
        "compiling the training step; large models take a minute",
    ]
    assert [line for line in said[: said.index(lines[0])] if line in before] == before
    monkeypatch.undo()
    said.clear()
    resume(run.path, {"steps": 8}, echo=said.append)
    assert [line.split()[1] for line in said if line.startswith("step")] == ["6/8", "8/8"]
    assert [line for line in said if ", 4 of them done:" in line]


def test_a_data_set_that_is_fetched_first_says_so(small, tmp_path):
    said = []
    settings = small("ae", dataset="mnist", data_dir=str(tmp_path), manual_dir=str(tmp_path))
    with pytest.raises(GenzooError, match="mnist"):
        fit(settings, tmp_path / "run", echo=said.append)
    words = "opening mnist, split train: fetched and converted first, once; this takes minutes"
    assert said == [words]


@pytest.fixture
def terminal():
    """The two ends of a terminal of 80 columns: a person's, and a program's."""
    person, program = pty.openpty()
    size(program, 80)
    yield person, program
    for end in (person, program):
        with contextlib.suppress(OSError):  # The test has closed it.
            os.close(end)


def size(end, columns):
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def test_a_line_is_as_wide_as_the_terminal_is_now_and_erases_the_last(terminal):
    person, program = terminal
    with os.fdopen(os.dup(program), "w") as stream:
        bar = Bar(stream)
        bar.show(lambda width: "a" * (width - 1), now=True)
        size(program, 60)
        bar.show(lambda width: "b" * (width - 1), now=True)
        bar.show(lambda width: "not yet")
        bar.close()
    shown = b""
    while not shown.endswith(b"\n"):
        shown += os.read(person, 1000)
    # The cursor waits at the beginning: all that is below goes, however the line was broken.
    erase = "\r\x1b[J"
    assert shown.decode().split(erase) == ["", "a" * 79 + "\r", "b" * 59 + "\r", "b" * 59 + "\r\n"]


@pytest.mark.slow
def test_a_terminal_that_closes_leaves_a_saved_run(tmp_path, terminal):
    person, program = terminal
    arguments = [*kill.SMALL["ae"].split(), "--steps", "100000", "--checkpoint-every", "100"]
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_genzoo", "fit", "ae", *arguments, "--out", tmp_path / "run"],
        stdin=program,
        stdout=program,
        stderr=program,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(program)
    shown = b""
    while b"left" not in shown:
        shown += os.read(person, 1000)
    os.close(person)
    assert process.wait(60) == 128 + signal.SIGHUP
    run = Run.open(tmp_path / "run")
    step = run.last_step()
    assert 0 < step < 100_000
    said = []
    assert resume(run.path, {"steps": step + 1}, echo=said.append).finished
    assert f"resuming {run.path} at step {step}" in said
