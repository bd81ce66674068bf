"""A run whose images have moved goes on where they lie now, if they are proved to be the same."""

import shutil

import pytest

from keras_genzoo import evaluation, export, visualization
from keras_genzoo.cli.main import main
from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, fit, interpolate, reconstruct, resume, settings_for
from tests.cli.test_bad_input import write_images
from tests.training.conftest import SMALL
from tests.training.kill import differences


def settings_of(folder, steps):
    small = SMALL["ae"] | {"image_size": None, "batch_size": 16, "checkpoint_every": 5}
    return settings_for("ae", folder, steps=steps, **small)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of ten steps, and the place that its images were moved to."""
    folder = tmp_path_factory.mktemp("moved")
    old, new = folder / "faces", folder / "archive" / "faces"
    write_images(old / "a", 24)
    write_images(old / "b", 24)
    run = fit(settings_of(old, 10), folder / "run").run
    new.parent.mkdir()
    old.rename(new)
    return run, new


@pytest.fixture
def moved(trained, tmp_path):
    """A copy of that run, and the place."""
    run, new = trained
    return Run.open(shutil.copytree(run.path, tmp_path / "run")), new


def test_a_run_whose_images_are_gone_says_where_they_were(moved):
    run, _ = moved
    words = rf"the images of this run were in {run.settings.dataset}, which is gone; .*--dataset"
    for use in (lambda: resume(run.path, {"steps": 20}), lambda: reconstruct(run.path)):
        with pytest.raises(GenzooError, match=words):
            use()


@pytest.mark.slow
def test_a_run_goes_on_where_its_images_lie_now(moved, tmp_path, monkeypatch):
    run, new = moved
    whole = fit(settings_of(new, 20), tmp_path / "whole").run
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


def test_a_named_data_set_cannot_move(small, tmp_path):
    run = fit(small("ae", steps=2, checkpoint_every=1), tmp_path / "run").run
    write_images(tmp_path / "faces", 24)
    with pytest.raises(GenzooError, match=r"was trained with dataset digits, not faces; only a"):
        resume(run.path, {"steps": 3, "dataset": "faces"})
    assert resume(run.path, {"steps": 3, "dataset": "digits"}).finished


QUICK = {"features": "pixels", "count": 20, "scores": ["fid"]}
# What each needs of the data: a function (path, folder, place).
USES = {
    "reconstruct": lambda path, out, place: reconstruct(path, out=out / "a.png", dataset=place),
    "interpolate": lambda path, out, place: interpolate(path, out=out / "b.png", dataset=place),
    "evaluate": lambda path, out, place: evaluation.evaluate_run(
        path, evaluation.Options(**QUICK, dataset=place)
    ),
    "figures": lambda path, out, place: visualization.draw_figures(
        path, out / "figures", dataset=place
    ),
    "latent": lambda path, out, place: visualization.draw_latent_map(
        [path, path], out=out / "latent", dataset=place
    ),
    "umap": lambda path, out, place: visualization.draw_umap(
        path, ["pixels"], num_real=20, num_generated=5, out=out / "umap", dataset=place
    ),
    "export": lambda path, out, place: export.export_run(
        path, "keras", out=out / "export", check=True, dataset=place
    ),
}


@pytest.mark.parametrize(
    "use",
    [
        use if use in ("reconstruct", "evaluate") else pytest.param(use, marks=pytest.mark.slow)
        for use in USES
    ],
)
def test_what_needs_the_images_takes_their_new_place(moved, tmp_path, use):
    run, new = moved
    before = (run.path / "config.json").read_text()
    out = tmp_path / "out"
    with pytest.raises(GenzooError, match="there is no folder or file"):
        USES[use](run.path, out, "nowhere")
    (tmp_path / "other").mkdir()
    write_images(tmp_path / "other" / "a", 24)
    with pytest.raises(GenzooError, match="other holds other data than"):
        USES[use](run.path, out, tmp_path / "other")
    assert not out.exists()
    assert USES[use](run.path, out, new)
    assert (run.path / "config.json").read_text() == before


@pytest.mark.slow
def test_a_report_measures_by_the_images_in_their_new_place(moved):
    run, new = moved
    page = visualization.write_report(run.path, run.path / "report.html", dataset=new)
    assert page.stat().st_size > 10_000
    assert (run.path / "evaluation.json").exists()


@pytest.mark.parametrize(
    "command", ["reconstruct", "interpolate", "evaluate", "figures", "latent", "umap", "report"]
)
def test_the_command_line_takes_the_new_place(moved, capsys, command):
    run, new = moved
    with pytest.raises(SystemExit) as error:
        main([command, str(run.path), "--dataset", str(new.parent / "nowhere")])
    assert error.value.code == 2
    line = capsys.readouterr().err
    assert line.startswith(f"Error: there is no folder or file {new.parent / 'nowhere'}; name")


def test_the_place_is_refused_where_no_images_are_taken(moved, small, tmp_path, capsys):
    run, new = moved
    with pytest.raises(GenzooError, match="this export takes none; leave it out"):
        export.export_run(run.path, "keras", dataset=new)
    gan = fit(small("gan", steps=2, checkpoint_every=1), tmp_path / "gan").run
    with pytest.raises(GenzooError, match="a gan interpolates between points of the noise"):
        interpolate(gan.path, dataset=new)
    for arguments, words in (
        (["--real", "digits", "--fake", "digits", "--dataset", "x"], "--dataset goes with a run"),
        ([str(run.path), "--data-dir", "x"], "--data-dir goes with --real and --fake"),
        ([str(run.path), "--image-size", "8"], "--image-size goes with --real and --fake"),
    ):
        with pytest.raises(SystemExit):
            main(["evaluate", *arguments])
        assert words in capsys.readouterr().err
