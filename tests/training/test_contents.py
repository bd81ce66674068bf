"""Whose files are in a run folder: what is replaced with it, and what is not followed."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import Run, contents, settings_for
from keras_genzoo.training.run import locked

DATA = {
    "image_shape": [8, 8, 1],
    "num_images": 10,
    "num_classes": None,
    "class_names": None,
    "fingerprint": "0",
}


def new_run(place, **options):
    return Run.create(settings_for("ae", steps=9), dict(DATA), place, **options)


@pytest.fixture
def run(tmp_path):
    return new_run(tmp_path / "run")


def all_of(folder):
    """The content of every file of a folder, by a hash, and where every link points to."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.is_symlink():
            found[str(path)] = os.readlink(path)  # noqa: PTH115
        elif path.is_file():
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def written_by_the_package(run):
    for folder, patterns in contents._FILES.items():
        (run.path / folder).mkdir(exist_ok=True)
        for pattern in patterns:
            if pattern != "config.json":
                name = (
                    pattern.replace(8 * "[0-9]", "00000005").replace("[0-9]", "2").replace("*", "0")
                )
                (run.path / folder / name).write_text("x")
    for file in list((run.path / "export").iterdir()):
        file.with_name(f"{file.name}.json").write_text("{}")
    # What killed processes of this version and of earlier ones left.
    (run.path / ".tmp-file-a1b2c3_d").mkdir()
    (run.path / ".tmp-a1b2c3_d.png").touch()


@pytest.mark.parametrize("has_marker", [True, False])
def test_force_replaces_a_whole_run_of_any_version(run, has_marker):
    written_by_the_package(run)
    file = run.path / "config.json"
    config = json.loads(file.read_text())
    assert config["made_by"] == "keras_genzoo"
    if not has_marker:
        # As in a run of a time before it.
        config = {name: config[name] for name in ("settings", "data", "versions")}
        file.write_text(json.dumps(config))
    new = new_run(run.path, force=True)
    assert sorted(path.name for path in new.path.iterdir()) == [
        "checkpoints",
        "config.json",
        "samples",
    ]
    assert [path.name for path in run.path.parent.iterdir()] == ["run"]


@pytest.mark.parametrize(
    "config",
    [
        {"settings": {"theme": "dark"}},
        {"settings": {"model": "gan", "dataset": "digits"}},
        {"settings": {"model": "gan", "dataset": "digits"}, "data": {}, "versions": {}},
        {"settings": {"model": "gan", "dataset": "digits"}, "data": DATA, "versions": {"app": "1"}},
        {"settings": {"theme": "dark"}, "data": DATA, "made_by": "keras_genzoo"},
    ],
)
def test_force_leaves_folders_of_other_programs(tmp_path, config):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "config.json").write_text(json.dumps(config))
    (tmp_path / "app" / "letters.txt").write_text("years of work")
    before = all_of(tmp_path)
    with pytest.raises(GenzooError, match=r"app is not a run: .*choose another --out"):
        new_run(tmp_path / "app", force=True)
    assert all_of(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("notes.txt", "notes.txt"),
        ("photos/a.jpg", "photos"),
        ("sample-mine.png", "sample-mine.png"),
        ("checkpoints/thesis.npz", "checkpoints/thesis.npz"),
        ("checkpoints/step-00000005-good.npz", "checkpoints/step-00000005-good.npz"),
        ("samples/holiday.png", "samples/holiday.png"),
        (".tmp-notes.txt", ".tmp-notes.txt"),
        (".tmp-work/notes.txt", ".tmp-work"),
        ("samples/.tmp-holiday.png", "samples/.tmp-holiday.png"),
        ("figures/mine.png", "figures/mine.png"),
        ("figures/more/curves.png", "figures/more"),
        ("umap/notes.md", "umap/notes.md"),
        ("logs/mine/log.txt", "logs/mine"),
        # Without the card that lies beside every export.
        ("export/weights.keras", "export/weights.keras"),
    ],
)
def test_force_leaves_a_run_that_holds_files_of_a_person(run, name, named):
    written_by_the_package(run)
    (run.path / name).parent.mkdir(exist_ok=True)
    (run.path / name).write_text("years of work")
    before = all_of(run.path)
    with pytest.raises(GenzooError, match=f"{run.path} holds {named}, which is not part of a run"):
        new_run(run.path, force=True)
    assert all_of(run.path) == before


@pytest.fixture
def outside(tmp_path):
    """A folder of somebody else, with names such as a run has, and a file of theirs."""
    folder = tmp_path / "outside"
    folder.mkdir()
    for name in (".tmp-a", "step-00000001.npz", "step-00000001.png", "umap.json", "secret"):
        (folder / name).write_text("theirs")
    return folder


FOLDERS = ["checkpoints", "samples", "logs", "figures", "umap", "export"]
FILES = [
    "config.json",
    "history.csv",
    "model.keras",
    ".lock",
    "evaluation.json",
    "report.html",
    "checkpoints/step-00000001.npz",
    "samples/step-00000001.png",
    "umap/umap.json",
    "logs/deep/events.out.tfevents.1",
]


def put_link(run, name, outside):
    link = run.path / name
    link.parent.mkdir(parents=True, exist_ok=True)
    if link.is_dir():
        link.rmdir()
    link.unlink(missing_ok=True)
    link.symlink_to(outside if name in FOLDERS else outside / "secret")


@pytest.mark.parametrize("name", [*FOLDERS, *FILES])
def test_no_part_of_a_run_may_be_a_link(run, outside, name):
    put_link(run, name, outside)
    before = all_of(outside)
    with pytest.raises(GenzooError, match=f"{run.path / name} is a link to .*: put what it points"):
        Run.open(run.path)
    with pytest.raises(GenzooError):
        new_run(run.path, force=True)
    assert all_of(outside) == before
    assert (run.path / name).is_symlink()


def test_links_to_a_run_and_beside_it_are_not_its_own(run, outside):
    (run.path.parent / "latest").symlink_to(run.path)
    (run.path / "notes").symlink_to(outside)
    assert Run.open(run.path.parent / "latest").settings == run.settings


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_run_that_cannot_be_read_is_named(run):
    run.path.chmod(0)
    try:
        with pytest.raises(GenzooError, match=f"cannot read the run {run.path}: Permission denied"):
            Run.open(run.path)
    finally:
        run.path.chmod(0o755)


def test_a_lock_that_is_a_link_is_not_opened(run, outside):
    put_link(run, ".lock", outside)
    with pytest.raises(GenzooError, match=r"\.lock is a link or not a file"), locked(run.path):
        pass
    assert (outside / "secret").read_text() == "theirs"


def test_a_lock_that_is_another_name_of_a_file_is_not_opened(run, outside):
    (outside / "secret").chmod(0o600)
    (run.path / ".lock").hardlink_to(outside / "secret")
    with pytest.raises(GenzooError, match=r"\.lock is a link or not a file"), locked(run.path):
        pass
    assert (outside / "secret").read_text() == "theirs"
    assert (outside / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", FILES)
def test_no_part_of_a_run_may_be_a_pipe_that_is_waited_for(run, name):
    (run.path / name).parent.mkdir(parents=True, exist_ok=True)
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    with pytest.raises(GenzooError, match=f"{run.path / name} is neither a file nor a folder"):
        Run.open(run.path)


def test_sweeping_removes_links_and_not_what_they_point_to(run, outside):
    (run.samples / ".tmp-file-aaaaaaaa").symlink_to(outside)
    (run.samples / ".tmp-bbbbbbbb").symlink_to(outside / "secret")
    (run.samples / ".tmp-file-cccccccc" / "d").mkdir(parents=True)
    (run.samples / ".tmp-notes").touch()
    before = all_of(outside)
    run.sweep()
    assert [path.name for path in run.samples.iterdir()] == [".tmp-notes"]
    assert all_of(outside) == before


def test_pictures_are_those_that_training_draws(run):
    for name in ("step-00000005.png", "step-100000000.png", "step-x.png", "step-1\x1b.png"):
        (run.samples / name).touch()
    assert [path.name for path in run.sample_grids()] == ["step-00000005.png", "step-100000000.png"]
