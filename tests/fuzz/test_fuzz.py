import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
def test_mangled_files_end_in_one_line_and_change_nothing_outside():
    """A hundred cases; ``python -m tests.fuzz --count 10000`` runs as many as one likes."""
    ended = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--count", "100", "--seed", "7"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "100 cases, 0 faults" in ended.stdout
