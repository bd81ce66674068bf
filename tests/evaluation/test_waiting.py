"""What takes minutes shows how far it is: a bar on a terminal, elsewhere lines by time."""

import io
import re

import numpy as np
import pytest

from keras_genzoo.data import ArraySource
from keras_genzoo.evaluation.classifier import train_classifier
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.evaluation.likelihood import likelihood_bounds
from keras_genzoo.training import waiting


@pytest.fixture
def at_once(monkeypatch):
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0)
    monkeypatch.setattr(waiting, "LINE_SECONDS", 0)


def of_likelihood(echo):
    x = np.zeros((200, 3), "float32")
    return likelihood_bounds(
        x, lambda x: (x[:, :2], x[:, :2]), lambda x, z: -z.sum(axis=1), 5, echo=echo
    )


def of_features(echo):
    images = np.random.default_rng(0).integers(0, 256, (200, 8, 8, 1), "uint8")
    return Pixels().compute(images, batch_size=80, echo=echo)


@pytest.mark.parametrize("work", [of_likelihood, of_features])
def test_work_tells_images_and_time_left_and_is_the_same_without(work, at_once, capsys):
    lines = []
    told, silent = work(lines.append), work(None)
    for one, other in zip(told, silent, strict=True):
        np.testing.assert_array_equal(one, other)
    counts = [re.search(r": (\d+) of 200 images, \d\d:\d\d left$", line) for line in lines]
    assert [int(match[1]) for match in counts] == [80, 160, 200]
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_classifier_tells_how_far_its_training_is(at_once):
    rng = np.random.default_rng(0)
    source = ArraySource(rng.integers(0, 256, (32, 8, 8, 1), "uint8"), np.arange(32) % 2)
    lines = []
    train_classifier(source, source, lines.append)
    assert lines[-1].startswith("classifier: 1,280 of 1,280 images, 00:00 left")


def test_lines_come_by_time(monkeypatch):
    clock = iter([0.0, 1.0, 14.0, 16.0, 20.0, 31.0])
    monkeypatch.setattr(waiting.time, "monotonic", lambda: next(clock))
    lines = []
    with waiting.waiting("score", 100, lines.append) as show:
        for done in (5, 40, 50, 60, 90):
            show(done)
    assert lines == ["score: 50 of 100 images, 00:16 left", "score: 90 of 100 images, 00:03 left"]


def test_a_terminal_shows_a_bar_of_its_width(at_once, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

        def fileno(self):
            raise OSError

    monkeypatch.setattr(waiting.sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    shown = waiting.Waiting("score", 100, lambda line: None)
    for width in (200, 80, 30, 8, 3):
        assert len(shown._line(width, 50, 12.5, "00:04")) < width
    assert shown._line(60, 50, 12.5, "00:04").startswith("score  50% ###")
