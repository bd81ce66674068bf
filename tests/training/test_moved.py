"""A run whose images have moved goes on where they lie now, if they are proved to be the same."""

import shutil

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, reconstruct, resume
from tests.cli.test_bad_input import write_images
from tests.training.kill import differences


@pytest.fixture
def moved(small, tmp_path):
    """A run of ten steps, and the place that its images were moved to."""
    old, new = tmp_path / "faces", tmp_path / "archive" / "faces"
    write_images(old / "a", 24)
    write_images(old / "b", 24)
    settings = small("ae", dataset="faces", image_size=None, steps=10, checkpoint_every=5)
    run = fit(settings, tmp_path / "run").run
    new.parent.mkdir()
    old.rename(new)
    return run, new


def test_a_run_whose_images_are_gone_says_where_they_were(moved):
    run, _ = moved
    words = rf"the images of this run were in {run.settings.dataset}, which is gone; .*--dataset"
    for use in (lambda: resume(run.path, {"steps": 20}), lambda: reconstruct(run.path)):
        with pytest.raises(GenzooError, match=words):
            use()


def test_a_run_goes_on_where_its_images_lie_now(moved, small, tmp_path, monkeypatch):
    run, new = moved
    settings = small("ae", dataset=str(new), image_size=None, steps=20, checkpoint_every=5)
    whole = fit(settings, tmp_path / "whole").run
    monkeypatch.chdir(new.parent)
    assert resume(run.path, {"steps": 20, "dataset": "faces"}).finished
    assert Run.open(run.path).settings.dataset == str(new)
    assert not differences(whole.path, run.path)
    # It has noted the place.
    assert resume(run.path, {"steps": 25}).finished


def test_other_images_in_that_place_are_refused(moved, tmp_path):
    run, new = moved
    before = (run.path / "config.json").read_text()
    other = shutil.copytree(new, tmp_path / "other")
    next(other.rglob("*.png")).unlink()
    words = f"{other} holds other data than {run.path} began with: num_images was 48, here it is 47"
    with pytest.raises(GenzooError, match=words):
        resume(run.path, {"steps": 20, "dataset": str(other)})
    with pytest.raises(GenzooError, match="there is no folder or file nowhere; name the place"):
        resume(run.path, {"steps": 20, "dataset": "nowhere"})
    # A data set of a name is never looked for, and so not fetched.
    with pytest.raises(GenzooError, match="there is no folder or file mnist"):
        resume(run.path, {"steps": 20, "dataset": "mnist"})
    assert (run.path / "config.json").read_text() == before


def test_a_data_set_of_a_name_has_no_place(small, tmp_path):
    run = fit(small("ae", steps=2, checkpoint_every=1), tmp_path / "run").run
    write_images(tmp_path / "faces", 24)
    with pytest.raises(GenzooError, match=r"was trained with dataset digits, not faces; it has no"):
        resume(run.path, {"steps": 3, "dataset": "faces"})
    assert resume(run.path, {"steps": 3, "dataset": "digits"}).finished
