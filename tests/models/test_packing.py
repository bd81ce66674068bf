"""Several images as one for the discriminator: what it sees, what it pays, and what is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import R1
from keras_genzoo.models import GAN
from keras_genzoo.models.packing import packed
from keras_genzoo.training import make_strategy
from tests.models.cases import SHAPE, images, weights
from tests.models.test_architectures import build, step
from tests.models.test_combinations import each_penalty, linear_model


def packing_model(penalty=None):
    """Return a GAN of packs of 2 images, with D(x, x') = <w, (x, x')>."""
    return linear_model(packing=2, loss="wasserstein", penalty=penalty)


@each_penalty
def test_neighbours_are_judged_together_and_a_penalty_is_of_the_whole_pack(penalty, value, slope):
    model = packing_model(penalty)
    w = model.discriminator.trainable_variables[0].numpy().astype("float64")
    real = images(8).astype("float64") / 127.5 - 1
    fake = model.generator(model.latents(8, 0, 0, 0)).numpy().astype("float64")
    packs = [np.concatenate([x[::2], x[1::2]], axis=-1) for x in (real, fake)]
    norm = np.sqrt((w**2).sum())
    logs = step(model)
    assert logs["penalty"] == pytest.approx(value(norm), rel=1e-5)
    scores = [float((x * w).sum((1, 2, 3)).mean()) for x in packs]
    assert logs["real_score"] == pytest.approx(scores[0], rel=1e-4)
    assert logs["fake_score"] == pytest.approx(scores[1], rel=1e-4)
    expected = w - 0.5 * (packs[1].mean(0) - packs[0].mean(0) + slope(w, norm))
    moved = model.discriminator.trainable_variables[0].numpy()
    np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=1e-6)


def test_each_image_of_a_pack_is_augmented_in_its_own_way():
    seen = []

    class Watch(keras.Layer):
        def call(self, inputs):
            seen.append(inputs.numpy())
            return keras.ops.sum(inputs, axis=(1, 2, 3))[:, None]

    model = packing_model()
    model.discriminator = Watch()
    model.compile(augmentation="diffaugment", run_eagerly=True)
    critic = model.critic(None, _Draw(model))
    same = np.repeat(images(1).astype("float32") / 127.5 - 1, 8, axis=0)
    critic(packed(same, 2))
    (packs,) = seen
    assert packs.shape == (4, 16, 16, 2)
    assert (packs[..., 0] != packs[..., 1]).any()


class _Draw:
    def __init__(self, model):
        from keras_genzoo.models.critic import Draw

        self.uniform = Draw(model.noise, 1, 2, 3).uniform


def test_planes_of_a_class_go_along_with_their_image():
    model = GAN(SHAPE, 4, conditioning="concat", num_classes=3, packing=2,
                generator_units=(4,), discriminator_units=(4,))  # fmt: skip
    assert model.discriminator.input_shape == (None, 16, 16, 2 * (1 + 3))
    model.compile(run_eagerly=True)
    assert np.isfinite(step(model, labels=np.arange(8) % 3)["discriminator_loss"])
    assert model.generate(3, class_labels=[0, 1, 2], seed=0).shape == (3, *SHAPE)


def test_a_model_is_saved_with_its_packing_and_goes_on(tmp_path):
    model = build("dcgan", packing=4)
    model.compile(run_eagerly=True)
    step(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.packing == 4
    assert step(loaded, 1) == step(model, 1)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_evaluation_leaves_images_out_that_make_no_pack():
    model = packing_model()
    expected = model.evaluate(images(6), batch_size=8, verbose=0, return_dict=True)
    assert model.evaluate(images(7), batch_size=8, verbose=0, return_dict=True) == expected
    # Six in the first batch, and one that is none in the second.
    assert model.evaluate(images(7), batch_size=6, verbose=0, return_dict=True) == expected


@pytest.mark.slow
def test_replicas_train_as_one():
    def trained():
        model = packing_model(R1(3.0))
        return model, step(model)

    one, expected = trained()
    with make_strategy("mirrored").scope():
        two, logs = trained()
        with pytest.raises(GenzooError, match="a batch of 3 images does not divide by packing=2"):
            two.fit(images(6), batch_size=6, verbose=0)
    assert logs == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for ours, theirs in zip(one.variables, two.variables, strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=1e-5)


def test_a_batch_that_does_not_divide_is_refused():
    model = packing_model()
    with pytest.raises(GenzooError, match="a batch of 5 images does not divide by packing=2"):
        model.fit(images(10), batch_size=5, verbose=0)
    with pytest.raises(GenzooError, match="a batch of 1 images does not divide"):
        model.fit(images(9), batch_size=8, verbose=0)
    dataset = tf.data.Dataset.from_tensor_slices(images(9))
    with pytest.raises(GenzooError, match="a batch of 3 images does not divide"):
        model.fit(dataset.batch(3, drop_remainder=True), verbose=0)
    for graph in (False, True):
        model.run_eagerly = not graph
        with pytest.raises(GenzooError, match="some number of images does not divide") as caught:
            model.fit(dataset.batch(8), verbose=0)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("conditioning", ["projection", "auxiliary_classifier", "embedding"])
def test_images_of_several_classes_have_no_one_logit(conditioning):
    with pytest.raises(GenzooError, match=r"no single class.*take packing=1, or conditioning="):
        build("dense", packing=2, conditioning=conditioning, num_classes=3)


def test_packing_is_at_least_1():
    with pytest.raises(GenzooError, match="packing must be at least 1, not 0"):
        build("dense", packing=0)
