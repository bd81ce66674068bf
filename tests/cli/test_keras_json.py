"""A run does not depend on how the machine's ``keras.json`` sets Keras up."""

import json
import os
import subprocess
import sys

import pytest

from tests.cli.conftest import small
from tests.training.kill import differences


def run(arguments, home, cwd):
    """Run the command under a keras.json; return its errors."""
    ended = subprocess.run(
        [sys.executable, "-m", "keras_genzoo", *map(str, arguments)],
        env=os.environ | {"KERAS_HOME": str(home)},
        cwd=cwd,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("model", "floatx"), [("vae", "float16")])
def test_runs_and_their_scores_are_the_same(genzoo, tmp_path, monkeypatch, model, floatx):
    config = {"floatx": floatx, "image_data_format": "channels_first", "backend": "TensorFlow"}
    (tmp_path / "keras.json").write_text(json.dumps(config))
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "one"))
    plain, other = tmp_path / "plain", tmp_path / "other"
    evaluate = ["evaluate", "-n", 100, "--out"]
    assert genzoo(small(model), "--out", plain).code == 0
    assert genzoo(" ".join(map(str, evaluate)), tmp_path / "one.json", plain).code == 0
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "two"))
    said = run([*small(model).split(), "--out", other], tmp_path, tmp_path)
    line = f"keras.json sets floatx to {floatx}; genzoo computes in float32"
    assert line in said
    assert len(said.splitlines()) == 1
    assert not differences(plain, other)
    run([*evaluate, tmp_path / "two.json", other], tmp_path, tmp_path)
    one, two = (
        json.loads((tmp_path / f"{name}.json").read_text())["scores"] for name in ("one", "two")
    )
    assert one.keys() == two.keys()
    for name, value in one.items():
        if isinstance(value, float):
            assert two[name] == pytest.approx(value, rel=1e-3), name
