import shutil
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from keras_genzoo.cli.data import command
from keras_genzoo.data import DATASETS
from keras_genzoo.errors import GenzooError


def run(*arguments):
    """What a command prints; raises what it raises."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


@pytest.fixture
def folder(tmp_path):
    """Three images: one sound, one GIF named .jpg, one cut short."""
    image = Image.fromarray(np.random.RandomState(0).randint(0, 255, (32, 32, 3), np.uint8))
    image.save(tmp_path / "a.png")
    image.save(tmp_path / "b.jpg", "GIF")
    image.save(tmp_path / "c.png")
    (tmp_path / "c.png").write_bytes((tmp_path / "c.png").read_bytes()[:500])
    return tmp_path


def test_list_names_every_data_set():
    output = run("list")
    assert all(f"\n{name} " in output for name in DATASETS)
    celeba = next(line for line in output.splitlines() if line.startswith("celeb_a"))
    assert celeba.split()[1:4] == ["218x178x3", "162,770", "-"]


def test_list_and_help_start_without_tensorflow():
    code = (
        "import sys; from click.testing import CliRunner\n"
        "from keras_genzoo.cli.data import command\n"
        "for arguments in (['list'], ['--help'], ['check', '--help'], ['prepare', '--help']):\n"
        "    assert CliRunner().invoke(command, arguments).exit_code == 0\n"
        "assert not {'tensorflow', 'keras', 'PIL'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_check_of_a_sound_folder_succeeds(folder):
    (folder / "c.png").unlink()
    output = run("check", str(folder))
    assert "b.jpg: GIF content named .jpg" in output
    assert "2 files: 0 unusable, 1 unusual but read right" in output
    assert "a.png" not in output


def test_strict_check_fails_at_unusual_files(folder):
    (folder / "c.png").unlink()
    with pytest.raises(GenzooError, match="1 of 2 files are unusual"):
        run("check", str(folder), "--strict")


def test_check_names_the_bad_file_and_fails(folder):
    result = CliRunner().invoke(command, ["check", str(folder)])
    assert "c.png: " in result.output
    assert isinstance(result.exception, GenzooError)
    assert "1 of 3 files are unusable" in str(result.exception)


def test_prepare_says_file_by_file_what_is_missing(tmp_path):
    (tmp_path / "identity_CelebA.txt").write_text("")
    arguments = ["prepare", "celeb_a", "--data-dir", str(tmp_path), "--manual-dir", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert "identity_CelebA.txt: found" in result.output
    assert "img_align_celeba.zip: missing, 1.4 GB" in result.output
    assert isinstance(result.exception, GenzooError)
    assert "img_align_celeba.zip" in str(result.exception)


def test_check_of_a_folder_that_is_not_there_says_so(tmp_path):
    with pytest.raises(GenzooError, match="there is no folder"):
        run("check", str(tmp_path / "faces"))


def test_check_of_a_file_says_what_can_be_checked(tmp_path):
    (tmp_path / "images.txt").write_bytes(b"")
    with pytest.raises(GenzooError, match=r"images\.txt is a file; expected a data set, a folder"):
        run("check", str(tmp_path / "images.txt"))


def test_check_of_an_archive_is_that_of_a_folder(folder, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "more" / "faces"), "zip", folder)
    with pytest.raises(GenzooError, match="1 of 3 files are unusable"):
        run("check", archive)


def test_check_reads_every_split_of_a_file(tmp_path):
    images = np.random.RandomState(0).randint(0, 255, (9, 8, 8), np.uint8)
    labels = np.arange(9) % 3 * 50
    path = tmp_path / "some.npz"
    np.savez(path, x_train=images, y_train=labels, x_test=images[:2], y_test=labels[:2])
    output = run("check", str(path))
    assert "train: 9 images; 3 classes: 0, 50, 100" in output
    assert "test: 2 images" in output
    assert "11 images: 0 unusable" in output
    path.write_bytes(b"text")
    with pytest.raises(GenzooError, match=r"its content is no \.npz file"):
        run("check", str(path))


def test_digits_need_no_preparation():
    assert "nothing to prepare" in run("prepare", "digits")
    assert "nothing to check" in run("check", "digits")


@pytest.mark.real_data
def test_check_verifies_checksums(test_data, tmp_path):
    places = ["--data-dir", str(tmp_path), "--manual-dir", str(test_data / "mnist")]
    output = run("check", "mnist", *places)
    assert output.count(": sound") == 4
    assert "4 files: 0 unusable" in output
