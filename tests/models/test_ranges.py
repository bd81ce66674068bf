"""Floats of another range than the model's are refused, whatever way they come in."""

import functools
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.training import make_strategy
from tests.models.cases import SHAPE, build, compiled, images


class Batches(keras.utils.PyDataset):
    def __init__(self, batches, **options):
        super().__init__(**options)
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def halves(x):
    return [(x[:8],), (x[8:],)]


def dataset(x):
    return tf.data.Dataset.from_tensor_slices(x).batch(8)


WAYS = {
    "array": lambda model, x: model.fit(x, verbose=0),
    "tensor": lambda model, x: model.fit(tf.constant(x), verbose=0),
    "tf.data": lambda model, x: model.fit(dataset(x), verbose=0),
    "PyDataset": lambda model, x: model.fit(Batches(halves(x)), verbose=0),
    "PyDataset of arrays": lambda model, x: model.fit(Batches([x]), verbose=0),
    "PyDataset of workers": lambda model, x: model.fit(Batches(halves(x), workers=2), verbose=0),
    "generator": lambda model, x: model.fit(iter_of(halves(x)), steps_per_epoch=2, verbose=0),
    "generator of arrays": lambda model, x: model.fit(iter_of([x]), steps_per_epoch=1, verbose=0),
    "validation arrays": lambda model, x: validated(model, (x,)),
    "validation tf.data": lambda model, x: validated(model, dataset(x)),
    "validation PyDataset": lambda model, x: validated(model, Batches(halves(x))),
    "evaluate": lambda model, x: model.evaluate(x, verbose=0),
    "evaluate tf.data": lambda model, x: model.evaluate(dataset(x), verbose=0),
    "train_on_batch": lambda model, x: model.train_on_batch(x),
    "test_on_batch": lambda model, x: model.test_on_batch(x),
}
# In a graph the step looks at the images, whatever brings them; with XLA, what brings them does.
GRAPHS = [
    *(pytest.param(way, False, marks=pytest.mark.slow) for way in ("tf.data", "evaluate tf.data")),
    *(
        pytest.param(way, True, marks=pytest.mark.slow)
        for way in ("tf.data", "PyDataset", "generator", "evaluate tf.data")
    ),
]


def iter_of(batches):
    yield from batches


def validated(model, validation):
    return model.fit(images(8), validation_data=validation, verbose=0)


@pytest.fixture(scope="module")
def untrained():
    """A function that gives a model, the same to all tests in which it is not trained."""
    return functools.cache(compiled)


@pytest.fixture(scope="module")
def fresh():
    """A function that gives a model before its first step, whatever other tests have taught it."""
    made = functools.cache(compiled)

    def get(name):
        model = made(name)
        model.step.assign(0)
        return model

    return get


def refused(way, model, x) -> str:
    with pytest.raises(GenzooError) as caught:
        WAYS[way](model, x)
    assert "\n" not in str(caught.value)
    assert "Condition" not in str(caught.value)
    return str(caught.value)


def unit(count=16):
    return images(count).astype("float32") / 255


@pytest.mark.parametrize("way", WAYS)
def test_a_gan_refuses_images_in_0_1_and_takes_those_in_its_range(fresh, way):
    message = refused(way, fresh("gan"), unit())
    assert "as if scaled to [0, 1]: " in message
    assert message.endswith("pass np.rint(255 * images).astype('uint8')")
    WAYS[way](fresh("gan"), unit() * 2 - 1)


@pytest.mark.parametrize(("way", "jit_compile"), GRAPHS)
def test_the_same_in_a_graph_and_with_xla(way, jit_compile):
    def model():
        model = build("gan")
        model.compile(jit_compile=jit_compile)
        return model

    assert "as if scaled to [0, 1]: " in refused(way, model(), unit())
    WAYS[way](model(), unit() * 2 - 1)


@pytest.mark.parametrize("way", ["array", "tf.data", "PyDataset", "generator", "train_on_batch"])
def test_an_autoencoder_refuses_images_in_minus_1_1(fresh, way):
    assert "floats in [0, 1]" in refused(way, fresh("ae"), unit() * 2 - 1)
    WAYS[way](fresh("ae"), unit())


@pytest.mark.slow
def test_xla_trains_on_a_checked_data_set_as_on_the_array():
    def losses(x, **options):
        model = build("gan")
        model.compile(jit_compile=True)
        return model.fit(x, epochs=2, shuffle=False, verbose=0, **options).history

    floats = unit() * 2 - 1
    assert losses(dataset(floats)) == losses(floats, batch_size=8)


def test_xla_sees_labels_out_of_range():
    model = build("cgan")
    model.compile(jit_compile=True)
    data = tf.data.Dataset.from_tensors((images(8), np.full(8, 4)))
    with pytest.raises(GenzooError, match=r"class labels must be integers from 0 to 3$"):
        model.fit(data, verbose=0)


def test_what_xla_would_leave_unchecked_is_refused():
    class Loader:
        """Batches of another library, as torch's ``DataLoader`` gives them."""

    model = build("gan")
    model.compile(jit_compile=True)
    with pytest.raises(GenzooError, match="XLA would leave the images of a Loader unchecked"):
        model.fit(Loader(), verbose=0)


@pytest.mark.slow
def test_replicas_see_it_too():
    with make_strategy("mirrored").scope():
        model = build("gan")
        model.compile()
    data = tf.data.Dataset.from_tensor_slices(unit()).batch(8, drop_remainder=True)
    with pytest.raises(GenzooError, match=r"as if scaled to \[0, 1\]"):
        model.fit(data, verbose=0)
    with pytest.raises(GenzooError, match=r"as if scaled to \[0, 1\]"):
        model.fit(Batches(halves(unit())), verbose=0)


@pytest.mark.parametrize("way", ["array", "tf.data", "PyDataset"])
def test_white_images_in_the_right_range_are_taken(fresh, way):
    WAYS[way](fresh("gan"), np.ones((16, *SHAPE), "float32"))


@pytest.mark.parametrize("way", ["tf.data", "PyDataset", "generator"])
def test_a_later_batch_may_be_brighter_than_mid_grey(fresh, way):
    x = unit() * 2 - 1
    x[8:] = np.abs(x[8:]).clip(0.1)
    WAYS[way](fresh("gan"), x)
    # In [0, 1] such a batch has a black pixel.
    x[8:] = unit(8)
    assert "as if scaled to [0, 1]: " in refused(way, fresh("gan"), x)


def test_few_values_prove_nothing():
    tiny = build("gan", image_shape=(4, 4, 1))
    tiny.compile(run_eagerly=True)
    tiny.train_on_batch(np.linspace(0, 1, 32, dtype="float32").reshape(2, 4, 4, 1))


def test_all_of_an_array_is_looked_at():
    x = np.concatenate([unit(300), images(1).astype("float32")])
    for use in (compiled("ae").encode, compiled("ae").reconstruct, compiled("ae").fit):
        with pytest.raises(GenzooError, match=r"float32 in \[0, 255\]: pass np.rint\(images\)"):
            use(x)


@pytest.mark.parametrize("way", ["array", "PyDataset", "generator", "train_on_batch"])
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_values_from_0_to_255_of_another_type_are_to_be_cast_and_not_scaled(untrained, way, dtype):
    message = refused(way, untrained("gan"), images(16).astype(dtype))
    assert f"they are {dtype} in [0, 255]: pass " in message
    assert "255 *" not in message


@pytest.mark.parametrize("dtype", [object, "<U3"])
def test_what_is_no_number_is_refused(untrained, dtype):
    with pytest.raises(GenzooError, match="pass numbers from 0 to 255 as uint8"):
        untrained("gan").fit(images(8).astype(dtype), verbose=0)


@pytest.mark.parametrize("way", [way for way in WAYS if not way.startswith("val")])
def test_masks_of_0_and_1_are_warned_of(fresh, way):
    masks = (images(16) > 127).astype("uint8")
    with pytest.warns(UserWarning, match="the values 0 and 1 only"):
        WAYS[way](fresh("gan"), masks)


@pytest.mark.slow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_masks_in_a_graph_are_warned_of_once(jit_compile):
    model = build("gan")
    model.compile(jit_compile=jit_compile)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        model.fit(dataset((images(16) > 127).astype("uint8")), epochs=2, verbose=0)
    assert len(caught) == 1


WEIGHTS = np.ones(8)


@pytest.mark.parametrize(
    "batch", [(images(8), None, WEIGHTS), (images(8), np.arange(8) % 4, WEIGHTS)]
)
@pytest.mark.parametrize("name", ["ae", "gan", "cgan"])
def test_weights_are_refused_in_whatever_they_come(name, batch):
    model = compiled(name)
    for x in (Batches([batch]), iter_of([batch])):
        with pytest.raises(GenzooError, match="sample_weight has no meaning here"):
            model.fit(x, verbose=0)
        with pytest.raises(GenzooError, match="sample_weight has no meaning here"):
            model.evaluate(Batches([batch]), verbose=0)
    with pytest.raises(GenzooError, match="sample_weight has no meaning here"):
        model.fit(images(8), np.arange(8) % 4, validation_data=batch, verbose=0)


@pytest.mark.parametrize("batch", [{"images": images(8)}, [[images(8)], None], (1, 2, 3, 4)])
def test_batches_of_another_kind_are_refused(untrained, batch):
    for x in (Batches([batch]), iter_of([batch])):
        with pytest.raises(GenzooError, match=r"takes one array of images|a batch is"):
            untrained("gan").fit(x, verbose=0)
    if isinstance(batch, dict):
        with pytest.raises(GenzooError, match="takes one array of images, not a dict"):
            untrained("gan").fit(tf.data.Dataset.from_tensors(batch), verbose=0)


@pytest.mark.parametrize("labels", [np.array(list("abcd")), np.array(list("abcd"), object)])
def test_names_of_classes_are_to_be_mapped_to_numbers(untrained, labels):
    model, x = untrained("cgan"), images(4)
    text = tf.data.Dataset.from_tensors((x, tf.constant(list("abcd"))))
    for data in ((x, labels), (text,), (Batches([(x, labels)]),)):
        with pytest.raises(GenzooError, match=r"integers .*np.unique\(labels, return_inverse"):
            model.fit(*data, verbose=0)
    with pytest.raises(GenzooError, match=r"integers; .*np.unique\(labels, return_inverse"):
        model.generate(4, class_labels=labels)


def test_epochs_reach_a_persons_pydataset():
    class Counting(Batches):
        ended = 0

        def on_epoch_end(self):
            self.ended += 1

    batches = Counting(halves(images(16)))
    compiled("ae").fit(batches, epochs=3, verbose=0)
    assert batches.ended >= 3
