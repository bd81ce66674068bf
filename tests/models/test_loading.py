"""A saved model comes back in a process that has seen no class of the zoo."""

import subprocess
import sys

import keras
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.models import load_model
from tests.models.cases import build, compiled, step

LOAD = """
import sys
import keras_genzoo as genzoo
print(type(genzoo.models.load_model(sys.argv[1])).__name__)
"""


@pytest.mark.slow
def test_a_fresh_process_finds_the_class(tmp_path):
    build("cgan").save(tmp_path / "model.keras")
    command = [sys.executable, "-c", LOAD, str(tmp_path / "model.keras")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.stdout == "CGAN\n", ended.stderr


def test_training_goes_on(tmp_path):
    model = compiled("gan")
    step(model)
    model.save(tmp_path / "model.keras")
    assert step(load_model(tmp_path / "model.keras"), seed=1) == step(model, seed=1)


def test_what_is_no_model_of_the_zoo_is_refused(tmp_path):
    with pytest.raises(GenzooError, match=r"cannot load .*absent\.keras"):
        load_model(tmp_path / "absent.keras")
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(GenzooError, match=r"cannot load .*text\.keras"):
        load_model(tmp_path / "text.keras")
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    other.save(tmp_path / "other.keras")
    with pytest.raises(GenzooError, match="holds a Sequential"):
        load_model(tmp_path / "other.keras")
    evil = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    evil.save(tmp_path / "evil.keras")
    with pytest.raises(GenzooError, match="cannot load"):
        load_model(tmp_path / "evil.keras")
