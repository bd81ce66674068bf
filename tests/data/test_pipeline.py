import subprocess
import sys
from itertools import chain

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_genzoo.data import ArraySource, load_dataset, open_source, training_stream
from keras_genzoo.errors import GenzooError

# The same examples in every run; the first call of an operation is slow, so there is no deadline.
examples = settings(deadline=None, derandomize=True, max_examples=12)


def indexed(n):
    """A source whose image i is of brightness i, with label i."""
    images = np.arange(n, dtype=np.uint8)[:, None, None, None]
    return ArraySource(np.broadcast_to(images, (n, 2, 2, 1)), np.arange(n))


def seen(dataset):
    """The numbers of the images, batch by batch."""
    return [batch.numpy()[:, 0, 0, 0].tolist() for batch in dataset]


def test_batches_are_uint8_with_static_shapes():
    stream = training_stream(indexed(20), 4, with_labels=True)
    images, labels = stream.element_spec
    assert (images.shape, images.dtype) == ((4, 2, 2, 1), "uint8")
    assert (labels.shape, labels.dtype) == ((4,), "int32")
    for images, labels in stream.take(3):
        np.testing.assert_array_equal(images[:, 0, 0, 0], labels)


@examples
@given(n=st.integers(3, 60), batch_size=st.integers(1, 20), seed=st.integers(-5, 2**40))
def test_an_epoch_holds_every_image_once(n, batch_size, seed):
    options = {"batch_size": min(n, batch_size), "seed": seed, "drop_remainder": False}
    epoch = chain(*seen(load_dataset(indexed(n), shuffle=True, **options)))
    assert sorted(epoch) == list(range(n))


@examples
@given(
    n=st.integers(5, 40), batch_size=st.integers(1, 5), seed=st.integers(0, 99),
    start=st.integers(0, 30),
)  # fmt: skip
def test_a_stream_from_a_step_equals_the_stream_after_it(n, batch_size, seed, start):
    source = indexed(n)
    whole = training_stream(source, batch_size, seed=seed)
    late = training_stream(source, batch_size, seed=seed, start_step=start)
    assert seen(late.take(6)) == seen(whole.skip(start).take(6))


def test_the_stream_goes_through_epochs_each_in_its_own_order():
    batches = seen(training_stream(indexed(10), 3).take(6))
    first, second = list(chain(*batches[:3])), list(chain(*batches[3:]))
    # The last, smaller batch of each epoch is left out.
    assert len(set(first)) == len(set(second)) == 9
    assert first != second


def test_both_functions_share_the_orders():
    source = indexed(12)
    dataset = load_dataset(source, batch_size=4, seed=5)
    assert seen(dataset) + seen(dataset) == seen(training_stream(source, 4, seed=5).take(6))


def test_orders_follow_the_seed_alone():
    runs = [seen(load_dataset(indexed(30), batch_size=10, seed=seed)) for seed in (1, 1, 2)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_any_whole_number_is_a_seed():
    def order(seed):
        return seen(load_dataset(indexed(30), batch_size=10, seed=seed))

    assert order(-1) == order(2**64 - 1) == order(np.int64(-1)) == order(-1 - 2**80)
    assert order(np.uint8(7)) == order(7.0) == order(7) != order(-7)


def test_a_float_that_is_whole_is_a_batch_size():
    assert load_dataset(indexed(9), batch_size=3.0).element_spec.shape == (3, 2, 2, 1)


def test_the_order_is_this_one_on_every_machine():
    assert seen(load_dataset(indexed(8), batch_size=8, seed=7)) == [[2, 0, 3, 5, 1, 7, 4, 6]]


def test_test_images_come_in_order_with_the_last_small_batch():
    dataset = load_dataset("digits", "test", batch_size=100)
    assert [len(batch) for batch in dataset] == [100, 100, 97]
    assert len(dataset) == 3
    expected = open_source("digits", "test").fetch(np.arange(100))[0]
    np.testing.assert_array_equal(next(iter(dataset)), expected)


@pytest.mark.parametrize("cache", [True, False, "auto"])
def test_the_cache_changes_nothing(numbered, cache):
    source = open_source(numbered(9))
    stream = seen(training_stream(source, 4, cache=cache).take(8))
    assert stream == seen(training_stream(indexed(9), 4).take(8))


def test_the_cache_reads_each_file_once(numbered):
    path = numbered(6)
    dataset = load_dataset(path, batch_size=6)
    first = sorted(seen(dataset)[0])
    for file in path.iterdir():
        file.unlink()
    assert sorted(seen(dataset)[0]) == first == list(range(6))


def test_arrays_and_pairs_are_data():
    images = np.zeros((6, 4, 4), np.uint8)
    assert load_dataset(images, batch_size=6).element_spec.shape == (6, 4, 4, 1)
    pair = load_dataset((images, np.arange(6)), batch_size=6, with_labels=True)
    assert sorted(next(iter(pair))[1].numpy()) == list(range(6))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: load_dataset(indexed(5), batch_size=6), "larger than .* at most 5"),
        (lambda: load_dataset(indexed(5), batch_size=0), "at least 1"),
        (lambda: load_dataset(indexed(5), batch_size=2.5), "batch size .* whole number, not 2.5"),
        (lambda: load_dataset(indexed(5), batch_size="2"), "batch size .* whole number, not '2'"),
        (lambda: load_dataset(indexed(5), batch_size=5, seed=None), "seed .* whole number"),
        (lambda: training_stream(indexed(5), 5, seed=0.5), "seed .* whole number, not 0.5"),
        (lambda: training_stream(indexed(5), 5, start_step=0.5), "first step .* whole number"),
        (lambda: load_dataset(indexed(5), image_size=9), "open already"),
        (lambda: load_dataset(indexed(5), batch_size=5, cache="some"), "True, False or 'auto'"),
        (lambda: training_stream(indexed(5), 5, start_step=-1), "first step is 0"),
        (lambda: load_dataset(np.zeros((2, 4, 4), np.uint8), "test"), "one split, 'train'"),
        (
            lambda: load_dataset(np.zeros((2, 4, 4), np.uint8), batch_size=2, with_labels=True),
            "no class labels",
        ),
    ],
)
def test_mistakes_are_named(call, words):
    with pytest.raises(GenzooError, match=words):
        call()


def test_two_replicas_share_each_batch():
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    stream = training_stream(indexed(20), 4)
    pairs = iter(strategy.experimental_distribute_dataset(stream))
    for whole in seen(stream.take(7)):
        halves = strategy.experimental_local_results(next(pairs))
        assert [half.numpy()[:, 0, 0, 0].tolist() for half in halves] == [whole[:2], whole[2:]]


def test_no_end_of_training_waits_for_tf_data_to_tune_itself():
    for data in (load_dataset("digits"), training_stream(open_source("digits"), 16)):
        assert data.options().autotune.enabled is False


def test_a_stream_can_be_dropped_while_it_reads_ahead(numbered):
    source = open_source(numbered(64, size=128))
    for step in range(5):
        next(iter(training_stream(source, 16, start_step=step, cache=False)))


STREAM = """
import sys
from keras_genzoo.data import open_source, training_stream
stream = iter(training_stream(open_source(sys.argv[1]), 4, cache=False))
next(stream)
"""


@pytest.mark.slow
def test_a_process_ends_though_its_stream_does_not(numbered):
    command = [sys.executable, "-c", STREAM, str(numbered(64, size=256))]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def test_shares_of_a_batch_are_its_rows_and_meet_in_no_image():
    images = np.arange(37, dtype="uint8")[:, None, None] * np.ones((1, 2, 2), "uint8")
    source = ArraySource(images)
    whole = list(training_stream(source, 12, seed=3, start_step=2).take(4).as_numpy_iterator())
    first = training_stream(source, 12, seed=3, start_step=2, shares=range(2), num_shares=3)
    last = training_stream(source, 12, seed=3, start_step=2, shares=range(2, 3), num_shares=3)
    assert first.element_spec.shape == last.element_spec.shape == (4, 2, 2, 1)
    parts = list(first.take(8).as_numpy_iterator())
    for step, rest in enumerate(last.take(4).as_numpy_iterator()):
        joined = np.concatenate([parts[2 * step], parts[2 * step + 1], rest])
        np.testing.assert_array_equal(joined, whole[step])
    with pytest.raises(GenzooError, match="a batch of 12 does not divide into 5 shares"):
        training_stream(source, 12, num_shares=5)
