import pytest

from keras_genzoo.backend import configured, require_tensorflow
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


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"backend"'])
def test_a_file_that_says_nothing_counts_for_nothing(keras_json, text):
    keras_json.write_text(text)
    assert configured() == "tensorflow"
