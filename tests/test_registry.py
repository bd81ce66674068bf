import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.registry import Registry


def test_names_in_their_order():
    registry = Registry("shape", {"square": 4, "triangle": 3})
    registry.register("line", 2)
    assert list(registry) == ["square", "triangle", "line"]
    assert len(registry) == 3
    assert "line" in registry
    assert "circle" not in registry
    assert registry["triangle"] == 3


def test_duplicates_are_refused():
    registry = Registry("shape", {"square": 4})
    with pytest.raises(GenzooError, match="shape 'square' is registered already"):
        registry.register("square", 5)
    assert registry["square"] == 4


def test_unknown_names_get_the_nearest():
    registry = Registry("shape", {"square": 4, "triangle": 3})
    for look in (registry.check, registry.__getitem__):
        with pytest.raises(GenzooError) as error:
            look("sqare")
        assert str(error.value) == (
            "unknown shape 'sqare'; did you mean 'square'? known: square, triangle"
        )


def test_import_paths_are_followed_on_use():
    registry = Registry("thing", {"join": "posixpath:join", "wrong": "no_such_module:x"})
    assert registry.check("wrong") == "wrong"
    assert registry["join"]("a", "b") == "a/b"
    with pytest.raises(ModuleNotFoundError):
        registry["wrong"]
