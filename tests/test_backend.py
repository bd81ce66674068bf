import os

import pytest

from keras_genzoo.backend import config_file, configured, require_tensorflow
from keras_genzoo.errors import GenzooError


@pytest.fixture
def keras_json(tmp_path, monkeypatch):
    """The path of the keras.json that counts."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "keras.json"


def test_the_default(keras_json):
    assert configured() == "tensorflow"
    require_tensorflow()


def test_the_environment_comes_before_the_file(keras_json, monkeypatch):
    keras_json.write_text('{"backend": "torch"}')
    assert configured() == "torch"
    with pytest.raises(GenzooError, match=r"set to 'torch'; set KERAS_BACKEND=tensorflow"):
        require_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    require_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(GenzooError, match="set to 'jax'"):
        require_tensorflow()


@pytest.mark.parametrize("name", ["TensorFlow", "TENSORFLOW", " tensorflow"])
def test_the_name_of_the_backend_may_be_written_in_other_letters(keras_json, monkeypatch, name):
    keras_json.write_text(f'{{"backend": "{name}"}}')
    monkeypatch.setenv("KERAS_BACKEND", "")
    require_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", name)
    require_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


@pytest.mark.parametrize("text", ["", "{}", '{"backend"', "\xff"])
def test_a_file_that_says_nothing_counts_for_nothing(keras_json, text):
    keras_json.write_text(text, encoding="latin-1")
    assert configured() == "tensorflow"
    require_tensorflow()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "is not a JSON object"),
        ('{"floatx": "float8"}', "sets Keras's floatx to 'float8'; it may be float16, float32"),
        ('{"floatx": ["float32"]}', r"floatx to \['float32'\]"),
        ('{"image_data_format": "x"}', "image_data_format to 'x'; it may be channels_last, "),
        ('{"epsilon": 1}', "epsilon to 1, which is not a float"),
        ('{"backend": 3}', "it is set to '3'"),
    ],
)
def test_what_keras_would_refuse_is_refused_in_a_line(keras_json, text, words):
    keras_json.write_text(text)
    with pytest.raises(GenzooError, match=words):
        require_tensorflow()


def test_a_file_that_cannot_be_read(keras_json):
    keras_json.mkdir()
    with pytest.raises(GenzooError, match=r"cannot read .*keras.json.*Is a directory"):
        require_tensorflow()


@pytest.mark.parametrize("variable", ["KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"])
@pytest.mark.parametrize("value", ["1", "x"])
def test_nothing_cuts_training_short(keras_json, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(GenzooError, match=f"{variable} is set to '{value}'.*--steps"):
        require_tensorflow()


def test_the_place_is_the_one_where_keras_looks(tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_file() == tmp_path / ".keras" / "keras.json"
    monkeypatch.setenv("HOME", "/nonexistent")
    assert str(config_file()) == "/tmp/.keras/keras.json"
