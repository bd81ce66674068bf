from keras_genzoo.errors import GenzooError, unknown


def test_a_mistake_is_a_value_error():
    assert issubclass(GenzooError, ValueError)


def test_what_is_known_is_listed():
    assert str(unknown("model", "xyz", ["b", "a"])) == "unknown model 'xyz'; known: a, b"


def test_the_nearest_is_suggested():
    assert "did you mean 'dcgan'?" in str(unknown("model", "dgcan", ["gan", "dcgan"]))


def test_names_need_not_be_text():
    assert str(unknown("model", None, ["a"])) == "unknown model 'None'; known: a"
