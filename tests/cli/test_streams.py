"""Standard streams that are closed, full or read by no one cost no run, and end in one line."""

import shlex
import subprocess
import sys

import pytest

from keras_genzoo.training import Run
from tests.cli.conftest import small

GENZOO = f"{shlex.quote(sys.executable)} -m keras_genzoo"


def shell(line, cwd):
    """Run a line of Bash in which GENZOO is the command; return code, output and errors."""
    line = f"set -o pipefail; {line.replace('GENZOO', GENZOO)}"
    ended = subprocess.run(["bash", "-c", line], cwd=cwd, capture_output=True, text=True)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("arguments", ["list", "--help", "fit --help", "--version", "show RUN"])
@pytest.mark.parametrize(
    ("redirected", "code", "errors"),
    [
        (">&-", 0, ""),
        (
            ">/dev/full",
            1,
            "Error: cannot write to the standard output: No space left on device\n",
        ),
        ("| true", 141, ""),
        (">/dev/null 2>&-", 0, ""),
        (">/dev/null 2>/dev/full", 0, ""),
    ],
)
def test_a_command_that_cannot_print_says_so(trained, arguments, redirected, code, errors):
    run = trained("ae") if "RUN" in arguments else None
    line = f"GENZOO {arguments.replace('RUN', str(run))} {redirected}"
    assert shell(line, None) == (code, "", errors)


@pytest.mark.parametrize("redirected", ["2>&-", "2>/dev/full", "2> >(true)"])
def test_a_mistake_keeps_its_exit_code(tmp_path, redirected):
    assert shell(f"GENZOO nonsense {redirected}", tmp_path) == (2, "", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirected", "output", "errors"),
    [
        ("| head -1", "opening digits, split train\n", ""),
        ("<&- >&- 2>&-", "", ""),
        (
            ">/dev/full",
            "",
            "cannot write to the standard output: No space left on device; going on without its "
            "lines\n",
        ),
    ],
)
def test_training_goes_on_without_its_lines(tmp_path, redirected, output, errors):
    code, *said = shell(f"GENZOO {small('ae')} --out run {redirected}", tmp_path)
    assert code == 0
    assert said[1] == errors
    assert said[0] == output
    run = Run.open(tmp_path / "run")
    assert run.model_file.exists()
    assert run.last_step() == 6


def test_nothing_that_is_opened_later_takes_the_place_of_a_closed_stream(tmp_path):
    code = "from keras_genzoo.cli.streams import open_streams; open_streams()\n"
    code += "import os; print(os.open('later', os.O_CREAT), file=open('number', 'w'))"
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&- 2>&-"
    assert shell(line, tmp_path) == (0, "", "")
    assert int((tmp_path / "number").read_text()) > 2


@pytest.mark.parametrize("temporary", ["there", "none"])
@pytest.mark.parametrize("redirected", ["", "2>&-"])
def test_errors_are_held_back_whatever_there_is(tmp_path, temporary, redirected):
    code = "import os, tempfile; from keras_genzoo.quiet import held_back_errors\n"
    if temporary == "none":
        # As where the temporary folders and the current one are read-only.
        code += "tempfile._candidate_tempdir_list = lambda: ['/nonexistent']\n"
    code += "with held_back_errors():\n    os.system('echo held >&2')\n"
    code += "os.system('echo shown >&2')"
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} {redirected}"
    ended, _, errors = shell(line, tmp_path)
    assert (ended, errors) == (0, "" if redirected else "shown\n")


@pytest.mark.slow
def test_tensorflow_starts_where_no_folder_takes_temporary_files(tmp_path):
    code = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nonexistent']\n"
    code += "from keras_genzoo.cli.tensorflow import start_tensorflow; start_tensorflow()\n"
    code += "import os; print(tempfile.gettempdir() == os.path.expanduser('~'))"
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"
    ended, output, _ = shell(line, tmp_path)
    assert (ended, output) == (0, "True\n")


def test_the_module_is_the_command(tmp_path):
    code, output, _ = shell("GENZOO --help", tmp_path)
    assert code == 0
    assert output.startswith("Usage: genzoo [OPTIONS] COMMAND")
