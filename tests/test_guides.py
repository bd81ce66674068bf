"""The guides run as plain scripts, without a warning."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Guides that train for more than a few seconds run where the guide is built with its pictures, and
# here when all are asked for.
LONG = ("02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "14", "15")
GUIDES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_guide_runs(path, tmp_path):
    if path.name.startswith(LONG) and os.environ.get("GENZOO_TEST_GUIDES") != "all":
        pytest.skip("takes long; GENZOO_TEST_GUIDES=all runs it")
    ignored = "ignore:__array__ implementation:DeprecationWarning"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-W", ignored, str(path)],
        cwd=tmp_path,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
