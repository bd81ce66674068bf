import errno
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.placing import placing
from keras_genzoo.files import new_folder, unwritable, write_json, writing, writing_folder


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with writing(path) as temporary:
        assert path.parent in temporary.parents
        assert temporary.suffix == ".txt"
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_old_content_stays_when_writing_fails(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with writing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_such_that_every_reader_takes_it(tmp_path):
    value = {"psnr": float("inf"), "all": [float("nan"), (1.5, -float("inf"))], "name": "caf\udce9"}
    write_json(tmp_path / "a.json", value)

    def no_json(constant):
        raise AssertionError(constant)

    text = (tmp_path / "a.json").read_bytes().decode("ascii")
    read = json.loads(text, parse_constant=no_json)
    assert read == {"psnr": None, "all": [None, [1.5, None]], "name": "caf\udce9"}


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "a.json", {"a": [1, None]})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [1, None]}


@pytest.mark.parametrize("place", ["file/a.json", "folder"])
def test_places_that_cannot_be_written(tmp_path, place):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(GenzooError, match=f"cannot write {tmp_path / place}: .*choose another"):
        write_json(tmp_path / place, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def _folder(path, **files):
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def _content(path):
    return {file.name: file.read_text() for file in path.iterdir()}


def test_a_folder_appears_whole(tmp_path):
    path = tmp_path / "new" / "folder"
    with writing_folder(path) as temporary:
        assert path.parent in temporary.parents
        (temporary / "a").write_text("1")
        assert not path.exists()
        (temporary / "b").write_text("2")
    assert _content(path) == {"a": "1", "b": "2"}
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    path = _folder(tmp_path / "a", old="1", both="1")
    with writing_folder(path, replace=True) as temporary:
        (temporary / "both").write_text("2")
        assert _content(path) == {"old": "1", "both": "1"}
    assert _content(path) == {"both": "2"}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("replace", [False, True])
def test_the_old_folder_stays_when_writing_fails(tmp_path, error, replace):
    path = _folder(tmp_path / "a", old="1")

    def fail():
        with writing_folder(path, replace=replace) as temporary:
            (temporary / "new").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert _content(path) == {"old": "1"}
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_put_there(tmp_path):
    path = _folder(tmp_path / "a", old="1")

    def lose():
        with writing_folder(path, replace=True) as temporary:
            temporary.rmdir()

    with pytest.raises(GenzooError, match=f"cannot write {path}"):
        lose()
    assert _content(path) == {"old": "1"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_killed_writer_leaves_the_old_folder(tmp_path):
    path = _folder(tmp_path / "a", old="1")
    killed = """
import os, signal, sys
from keras_genzoo.files import writing_folder
with writing_folder(sys.argv[1], replace=True) as temporary:
    (temporary / "new").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", killed, path])
    assert done.returncode == -9
    assert _content(path) == {"old": "1"}


def test_a_folder_that_holds_something_is_not_replaced_unasked(tmp_path):
    path = _folder(tmp_path / "a", old="1")
    with (
        pytest.raises(GenzooError, match=f"cannot write {path}: .*choose another place"),
        writing_folder(path) as temporary,
    ):
        (temporary / "new").write_text("2")
    assert _content(path) == {"old": "1"}
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_folder_and_a_link_to_one_are_filled(tmp_path):
    path = _folder(tmp_path / "a")
    link = tmp_path / "link"
    link.symlink_to(path, target_is_directory=True)
    with writing_folder(link) as temporary:
        (temporary / "new").write_text("1")
    assert link.is_symlink()
    assert _content(path) == {"new": "1"}


def test_a_folder_has_the_permissions_that_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        with writing_folder(tmp_path / "a"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o750


@pytest.mark.parametrize("replace", [False, True])
def test_a_folder_does_not_take_the_place_of_a_file(tmp_path, replace):
    (tmp_path / "file").write_text("1")
    for place in (tmp_path / "file", tmp_path / "file" / "a"):
        with (
            pytest.raises(GenzooError, match=f"cannot write {place}: .*choose another"),
            writing_folder(place, replace=replace),
        ):
            pass
    assert _content(tmp_path) == {"file": "1"}


def test_only_what_a_command_wrote_is_replaced(tmp_path):
    (tmp_path / "file").touch()
    empty = _folder(tmp_path / "empty")
    own = _folder(tmp_path / "own", **{"a.png": "1", "map-1.svg": "2"})
    patterns = "a.png", "map-*.svg"
    for path in (tmp_path / "new", empty):
        assert new_folder(path, False, *patterns) == path
    assert new_folder(own, True, *patterns) == own
    for path, force in [(own, False), (tmp_path / "file", False), (tmp_path / "file", True)]:
        with pytest.raises(GenzooError, match=f"{path} exists; choose another --out"):
            new_folder(path, force, *patterns)
    (own / "mine.png").touch()
    with pytest.raises(GenzooError, match=r"own holds mine\.png, which this command did not write"):
        new_folder(own, True, *patterns)
    (own / "mine.png").unlink()
    (own / "map-2.svg").mkdir()
    with pytest.raises(GenzooError, match=r"own holds map-2\.svg"):
        new_folder(own, True, *patterns)


@pytest.fixture
def disk(monkeypatch):
    """What is asked of the disk, in order: (flush or rename, the file's name)."""
    asked = []
    fsync, replace, rename = os.fsync, os.replace, os.rename

    def note(kind, name):
        asked.append((kind, os.path.basename(name)))  # noqa: PTH119

    def fsync_noted(descriptor):
        note("flush", os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115
        fsync(descriptor)

    def replace_noted(old, new):
        note("rename", new)
        replace(old, new)

    def rename_noted(old, new):
        note("rename", new)
        rename(old, new)

    monkeypatch.setattr(os, "fsync", fsync_noted)
    monkeypatch.setattr(os, "replace", replace_noted)
    monkeypatch.setattr(os, "rename", rename_noted)
    return asked


linux = pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="reads /proc")  # noqa: PTH110


@linux
def test_a_file_is_on_the_disk_before_its_name_and_the_name_after(tmp_path, disk):
    with writing(tmp_path / "a.txt") as temporary:
        temporary.write_text("1")
    assert disk == [("flush", temporary.name), ("rename", "a.txt"), ("flush", tmp_path.name)]


@linux
def test_a_folder_is_on_the_disk_before_its_name_and_the_name_after(tmp_path, disk):
    with writing_folder(tmp_path / "a") as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner" / "1").write_text("1")
    flushed = [("flush", name) for name in ("1", "inner", temporary.name)]
    assert disk == [*flushed, ("rename", "a"), ("flush", tmp_path.name)]


@linux
@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EIO])
def test_a_file_system_that_cannot_flush_is_written_to_and_a_broken_one_is_named(
    tmp_path, monkeypatch, number
):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    if number == errno.EIO:
        with pytest.raises(GenzooError, match=f"cannot write {path}: Input/output error"):
            write_json(path, 1)
        assert path.read_text() == "old"
    else:
        write_json(path, 1)
        assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]


WRITE = """
import sys, time
from keras_genzoo.files import writing
with writing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print("begun", flush=True)
    time.sleep(60)
"""


def test_nothing_half_written_is_left_when_the_process_is_stopped(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    command = [sys.executable, "-c", WRITE, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        assert len(list(tmp_path.iterdir())) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_signal_that_others_await_is_theirs(tmp_path):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        with writing(tmp_path / "a.txt"):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert received == [signal.SIGTERM]
    assert (tmp_path / "a.txt").exists()


# Others in the same folder -------------------------------------------------------------------


def _of_another(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("theirs")
    victim.chmod(0o600)
    return victim


def _is_unharmed(victim):
    return victim.read_text() == "theirs" and stat.S_IMODE(victim.stat().st_mode) == 0o600


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_what_is_put_under_a_temporary_name_is_neither_changed_nor_put_in_place(tmp_path, link):
    victim, path = _of_another(tmp_path), tmp_path / "shared" / "a.txt"

    def swap():
        with writing(path) as temporary:
            temporary.write_text("ours")
            temporary.unlink()
            link(victim, temporary)

    with pytest.raises(GenzooError, match=f"cannot write {path}"):
        swap()
    assert _is_unharmed(victim)
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("begin", [writing, writing_folder])
def test_no_one_can_put_a_folder_of_links_under_a_temporary_name(tmp_path, begin):
    victim, shared = _of_another(tmp_path), tmp_path / "shared"
    shared.mkdir()

    def swap():
        with begin(shared / "a.txt") as temporary:
            # All that others can do in a shared folder: rename what lies there.
            (seen,) = shared.iterdir()
            assert stat.S_IMODE(seen.stat().st_mode) == 0o700
            seen.rename(tmp_path / "elsewhere")
            seen.mkdir()
            (seen / temporary.name).symlink_to(victim)
            (seen / "file").symlink_to(victim)
            file = temporary if begin is writing else temporary / "file"
            file.write_text("ours")

    with pytest.raises(GenzooError, match="cannot write"):
        swap()
    assert _is_unharmed(victim)
    # Nor does tidying up delete what others put there.
    assert len(list(shared.glob("*/*"))) == 2


def test_a_link_at_the_place_is_replaced_and_not_followed(tmp_path):
    victim, path = _of_another(tmp_path), tmp_path / "a.json"
    path.symlink_to(victim)
    write_json(path, 1)
    assert not path.is_symlink()
    assert _is_unharmed(victim)


def test_a_link_in_a_folder_is_not_one_of_its_writers_files(tmp_path):
    own = _folder(tmp_path / "own")
    (own / "map.svg").symlink_to(_of_another(tmp_path))
    with pytest.raises(GenzooError, match=r"own holds map\.svg, which this command did not write"):
        new_folder(own, True, "map.svg")


@pytest.mark.parametrize("give", [writing_folder, placing])
def test_a_full_disk_is_said_of_the_place_that_was_asked_for(tmp_path, give):
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(GenzooError) as refused, give(tmp_path / "new") as folder:
        raise unwritable(folder / "maps.png", full) from full
    assert str(refused.value).startswith(
        f"cannot write {tmp_path / 'new'}: No space left on device;"
    )
    with pytest.raises(GenzooError, match="no such class"), give(tmp_path / "new"):
        raise GenzooError("no such class")
