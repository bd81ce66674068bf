import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_genzoo.data.labels import Classes, fingerprint_of, plain_labels

NUMBERS = st.one_of(st.integers(0, 20), st.integers(0, 2**63 - 1))
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)


@given(st.one_of(st.lists(NUMBERS, min_size=1), st.lists(WORDS, min_size=1)))
def test_the_name_of_a_label_s_class_is_the_label(labels):
    array = plain_labels(np.array(labels), len(labels), "some")
    classes = Classes.among(array)
    numbers = classes.number(array, "some")
    assert numbers.dtype == np.int32
    assert [classes.names[number] for number in numbers] == [str(label) for label in labels]
    assert set(numbers) == set(range(len(classes)))
    ordered = [type(labels[0])(name) for name in classes.names]
    assert ordered == sorted(set(labels))


@given(hnp.arrays(st.sampled_from([np.uint8, np.int32, np.float64, np.uint64]), (7, 1),
                  elements=st.integers(0, 200)))  # fmt: skip
def test_the_type_that_labels_are_kept_in_does_not_matter(labels):
    plain = plain_labels(labels, 7, "some")
    np.testing.assert_array_equal(plain, labels[:, 0].astype(int))
    assert fingerprint_of(plain) == labels[:, 0].astype(np.int32).tobytes()


@pytest.mark.parametrize("labels", [np.array([b"a", "\u00e9".encode()]), np.array(["a", "\u00e9"])])
def test_words_may_be_bytes(labels):
    assert plain_labels(labels, 2, "some").tolist() == ["a", "\u00e9"]


def test_truth_values_are_two_classes():
    array = plain_labels(np.array([True, False]), 2, "some")
    assert Classes.among(array).names == ["0", "1"]
