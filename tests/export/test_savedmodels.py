"""``savedmodels/make.py``: trained models of the package as a server takes them."""

import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

SCRIPT = Path(__file__).parents[2] / "savedmodels" / "make.py"


@pytest.mark.slow
def test_the_script_writes_versions_and_one_configuration_for_all(tmp_path):
    (tmp_path / "other/3").mkdir(parents=True)
    (tmp_path / "other/3/saved_model.pb").touch()
    command = [sys.executable, SCRIPT, "dcgan_digits", "--out", tmp_path]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    served = tf.saved_model.load(tmp_path / "dcgan_digits/1").signatures["generate_seeded"]
    assert served(seed=tf.constant([1], "int64"), class_labels=tf.constant([2]))
    config = (tmp_path / "models.config").read_text()
    for name in ("dcgan_digits", "other"):
        assert f'name: "{name}"\n    base_path: "/models/{name}"' in config
    assert not (tmp_path / "runs").exists()
