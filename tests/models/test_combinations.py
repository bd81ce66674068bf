"""Losses, penalties, augmentation and normalisation together: what trains, and what is refused."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, R1, GradientPenalty
from keras_genzoo.models import CGAN, DCGAN, GAN
from keras_genzoo.networks import NORMALIZATIONS, DiffAugment, normal, uniform
from keras_genzoo.training import make_strategy
from tests.models.cases import images, train, weights

SHAPE = (16, 16, 1)
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def meaningful(loss, penalty, normalization, augmentation=None) -> bool:
    """Whether a combination trains; the others are refused, and tested below."""
    if augmentation == "ada" and ADVERSARIAL_LOSSES[loss].undecided is None:
        return False
    if penalty is not None and normalization == "batch":
        return False
    return loss != "wasserstein" or penalty is not None or normalization == "spectral"


# Of all 750, which ``python -m tests.models.matrix`` trains, every other one of those that take
# each penalty with each normalisation; losses, augmentations and types take turns.
COMBINATIONS = []
for _index, (_penalty, _normalization) in enumerate(
    itertools.product([None, *PENALTIES], NORMALIZATIONS)
):
    _losses = [x for x in ADVERSARIAL_LOSSES if meaningful(x, _penalty, _normalization)]
    if _losses:
        _augmentation = (None, "diffaugment")[_index % 2]
        _parts = _losses[_index % len(_losses)], _penalty, _augmentation, _normalization
        COMBINATIONS.append((*_parts, POLICIES[_index % 3]))


def build(loss, penalty, augmentation, normalization, *, kind=DCGAN, graph=False, **arguments):
    keras.utils.set_random_seed(7)
    sizes = {"generator_filters": 4, "discriminator_filters": 4} if kind is not GAN else {
        "generator_units": (8,), "discriminator_units": (8,)}  # fmt: skip
    model = kind(SHAPE, 4, discriminator_normalization=normalization, seed=11, **sizes, **arguments)
    model.compile(
        keras.optimizers.SGD(0.01),
        keras.optimizers.SGD(0.01),
        loss=loss,
        penalty=penalty,
        augmentation=augmentation,
        run_eagerly=not graph,
    )
    return model


def step(model, times=1):
    for seed in range(times):
        logs = train(model, images(8, seed))
    return logs


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [
        *((loss, None) for loss in ADVERSARIAL_LOSSES),
        *(("wasserstein", name) for name in PENALTIES),
    ],
)
def test_every_loss_and_every_penalty_trains(loss, penalty):
    normalization = "spectral" if loss == "wasserstein" and not penalty else "layer"
    model = build(loss, penalty, None, normalization, kind=GAN)
    before = weights(model)
    logs = step(model)
    assert all(np.isfinite(value) for value in logs.values())
    assert ("penalty" in logs) == (penalty is not None)
    assert any((a != b).any() for a, b in zip(before, weights(model), strict=True))


# How far two replicas may end from one: as a share of the farthest that a variable moves in the
# step, and for moves that are themselves below the rounding of a type. Where gradients of eight
# bits nearly cancel, rounding is a quarter of what is left.
TOLERANCES = {
    "float32": (1e-4, 1e-6),
    "mixed_float16": (5e-3, 2e-5),
    "mixed_bfloat16": (0.3, 2e-4),
}


def _lower_loss_scale(model) -> None:
    """Let no gradient of float16 overflow, which makes a step void, and sooner on one replica."""
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer.dynamic_scale.assign(256.0)


def check_on_two_replicas(*combination, policy, kind=DCGAN, graph=True) -> None:
    """Check that a step on two replicas moves the weights as it does on one."""
    one = build(*combination, dtype=policy, kind=kind)
    _lower_loss_scale(one)
    begin = [variable.numpy() for variable in one.variables]
    expected = step(one)
    strategy = make_strategy("mirrored")
    assert strategy.num_replicas_in_sync == 2
    with strategy.scope():
        two = build(*combination, dtype=policy, graph=graph, kind=kind)
        _lower_loss_scale(two)
    share, floor = TOLERANCES[policy]
    assert step(two) == pytest.approx(expected, rel=20 * share, abs=100 * floor)
    for before, ours, theirs in zip(begin, one.variables, two.variables, strict=True):
        moved = abs(ours.numpy().astype("float64") - before).max()
        tolerance = share * moved + floor
        if policy == "float32":
            tolerance = min(tolerance, 1e-5)
        np.testing.assert_allclose(theirs.numpy(), ours.numpy(), rtol=0, atol=tolerance)


def check_goes_on_after_loading(*combination, policy, folder, kind=DCGAN) -> None:
    """Check that a step after saving and loading gives the weights that it gives without."""
    model = build(*combination, dtype=policy, kind=kind)
    step(model)
    model.save(folder / "model.keras")
    loaded = keras.saving.load_model(folder / "model.keras")
    # Losses that are NaN, of a step that float16 leaves out, are equal, too.
    np.testing.assert_equal(step(loaded), step(model))
    for ours, theirs in zip(model.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.slow
@pytest.mark.parametrize(
    "combination", COMBINATIONS[::2], ids=lambda names: "-".join(map(str, names))
)
def test_combinations_train_alike_on_one_and_on_two_replicas(combination):
    *parts, policy = combination
    # The last trains in a graph; the others spare the seconds of tracing it.
    check_on_two_replicas(*parts, policy=policy, graph=combination == COMBINATIONS[::2][-1])


@pytest.mark.parametrize(
    "normalization",
    [
        name if name == "layer" else pytest.param(name, marks=pytest.mark.slow)
        for name in NORMALIZATIONS
    ],
)
def test_a_run_of_many_parts_goes_on_bit_by_bit_after_loading(normalization, tmp_path):
    penalty = None if normalization == "batch" else GradientPenalty(3.0)
    augmentation = DiffAugment(["translation", "color"], background=0.5)
    model = build("relativistic", penalty, augmentation, normalization, ema_half_life=50.0)
    step(model, times=2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.augmentation.get_config() == augmentation.get_config()
    assert loaded.get_compile_config() == model.get_compile_config()
    assert step(loaded) == step(model)
    for ours, theirs in zip(weights(model), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# The step against its equations written out


class Linear(keras.layers.Layer):
    """D(x) = <w, x>, whose slope is w."""

    def build(self, shape):
        self.w = self.add_weight(shape=shape[1:], initializer="random_normal", name="w")

    def call(self, images):
        return keras.ops.sum(images * self.w, axis=(1, 2, 3))[:, None]


def linear_model(*, packing=1, **compile_options):
    keras.utils.set_random_seed(3)
    generator = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(256, activation="tanh"), keras.layers.Reshape(SHAPE)]
    )
    discriminator = keras.Sequential([keras.Input((*SHAPE[:2], packing)), Linear()])
    networks = {"generator": generator, "discriminator": discriminator}
    model = GAN(SHAPE, 4, packing=packing, seed=5, **networks)
    optimizers = keras.optimizers.SGD(0.5), keras.optimizers.SGD(0.5)
    model.compile(*optimizers, run_eagerly=True, **compile_options)
    return model


# Penalties with their value for a slope of norm n, and its derivative in w.
each_penalty = pytest.mark.parametrize(
    ("penalty", "value", "slope"),
    [
        (GradientPenalty(10.0), lambda n: 10 * (n - 1) ** 2, lambda w, n: 20 * (n - 1) * w / n),
        (R1(3.0), lambda n: 1.5 * n**2, lambda w, n: 3.0 * w),
    ],
    ids=["wgan_gp", "r1"],
)


@each_penalty
def test_a_step_with_a_penalty_moves_a_linear_discriminator_as_it_should(penalty, value, slope):
    model = linear_model(loss="wasserstein", penalty=penalty)
    w = model.discriminator.trainable_variables[0].numpy().astype("float64")
    x = images(8)
    real = x.astype("float64") / 127.5 - 1
    fake = model.generator(model.latents(8, 0, 0, 0)).numpy().astype("float64")
    norm = np.sqrt((w**2).sum())
    logs = step(model)
    assert logs["penalty"] == pytest.approx(value(norm), rel=1e-5)
    score = [float((images * w).sum((1, 2, 3)).mean()) for images in (real, fake)]
    assert logs["discriminator_loss"] == pytest.approx(score[1] - score[0], rel=1e-4)
    assert logs["wasserstein_estimate"] == pytest.approx(score[0] - score[1], rel=1e-4)
    expected = w - 0.5 * (fake.mean(0) - real.mean(0) + slope(w, norm))
    moved = model.discriminator.trainable_variables[0].numpy()
    np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=1e-6)


def test_the_relativistic_generator_sees_the_real_logits_through_the_moved_discriminator():
    model = linear_model(loss="relativistic")
    x = images(8)
    real = tf.constant(x.astype("float32") / 127.5 - 1)
    z = model.latents(8, 0, 0, 0)
    generator = model.generator.get_weights()
    logs = step(model)
    w = model.discriminator.trainable_variables[0].numpy()
    kernel, bias = (tf.Variable(value) for value in generator)
    with tf.GradientTape() as tape:
        fake = tf.reshape(tf.tanh(z @ kernel + bias), (-1, *SHAPE))
        gap = tf.reduce_sum((real - fake) * w, axis=(1, 2, 3))
        loss = tf.reduce_mean(tf.math.softplus(gap))
    assert logs["generator_loss"] == pytest.approx(float(loss), rel=1e-5)
    for before, gradient, after in zip(
        (kernel, bias), tape.gradient(loss, [kernel, bias]), model.generator.weights, strict=True
    ):
        np.testing.assert_allclose(after.numpy(), before - 0.5 * gradient, rtol=1e-4, atol=1e-6)


def test_both_updates_see_images_augmented_each_in_its_own_way():
    seen = []

    class Watch(DiffAugment):
        def __call__(self, images, draw):
            changed = super().__call__(images, draw)
            seen.append((images.numpy(), changed.numpy()))
            return changed

    model = linear_model(augmentation=Watch(["translation"]))
    x = images(8)
    step(model)
    real, fake, fake_again = seen
    np.testing.assert_allclose(real[0], x / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(fake[0], fake_again[0])
    for before, after in seen:
        assert (before != after).any()
    assert (fake[1] != fake_again[1]).any()


def test_evaluation_sees_neither_augmentation_nor_penalty():
    plain, full = linear_model(), linear_model(penalty="r1", augmentation="diffaugment")
    results = [model.evaluate(images(8), verbose=0, return_dict=True) for model in (plain, full)]
    assert results[1].pop("penalty") == 0
    assert results[0] == results[1]


def test_a_half_life_in_images_is_a_decay_whatever_the_batch():
    keras.utils.set_random_seed(1)
    model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,), ema_half_life=4.0)
    model.compile(run_eagerly=True)
    expected = [v.numpy().astype("float64") for v in model.generator.variables]
    for count in range(1, 4):
        step(model)
        decay = min(0.5 ** (8 / 4), (1 + count) / (10 + count))
        new = [v.numpy() for v in model.generator.variables]
        expected = [decay * a + (1 - decay) * b for a, b in zip(expected, new, strict=True)]
    for variable, value in zip(model.average_generator.variables, expected, strict=True):
        np.testing.assert_allclose(variable.numpy(), value, rtol=1e-4, atol=1e-6)


# Architecture and conditioning


def test_a_preset_is_a_point_on_the_axes():
    keras.utils.set_random_seed(0)
    preset = CGAN(SHAPE, 4, num_classes=3, generator_filters=4, discriminator_filters=4)
    keras.utils.set_random_seed(0)
    point = GAN(SHAPE, 4, architecture="dcgan", conditioning="concat", num_classes=3,
                generator_filters=4, discriminator_filters=4)  # fmt: skip
    assert point.get_config() | {"name": ""} == preset.get_config() | {"name": ""}
    np.testing.assert_array_equal(
        point.generate(6, class_labels=[0, 1, 2] * 2, seed=0),
        preset.generate(6, class_labels=[0, 1, 2] * 2, seed=0),
    )


def test_a_dense_gan_takes_labels_too():
    model = GAN(SHAPE, 4, conditioning="concat", num_classes=3, generator_units=(8,),
                discriminator_units=(8,))  # fmt: skip
    model.compile(run_eagerly=True)
    history = model.fit(images(6), np.arange(6) % 3, verbose=0).history
    assert np.isfinite(history["generator_loss"]).all()
    assert set(model.signatures()["generate"].input) == {"z", "class_labels"}
    copy = GAN.from_config(model.get_config())
    assert copy.num_classes == 3


# What has no meaning


@pytest.mark.parametrize("penalty", PENALTIES)
def test_a_penalty_of_each_image_is_refused_with_batch_statistics(penalty):
    model = DCGAN(SHAPE, 4, generator_filters=4, discriminator_filters=4)
    with pytest.raises(GenzooError, match="discriminator_normalization='layer', 'spectral' or"):
        model.compile(penalty=penalty)


def test_the_wasserstein_loss_is_refused_where_nothing_bounds_the_slope():
    model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,))
    with pytest.raises(GenzooError, match="bounded slope; take penalty='wgan_gp'"):
        model.compile(loss="wasserstein")
    # A person's own discriminator may be bounded in another way.
    assert linear_model(loss="wasserstein").adversarial_loss.needs_lipschitz


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"penalty": "wgan-gp"}, "penalty 'wgan-gp'.*did you mean 'wgan_gp'"),
        ({"penalty": 10.0}, "a penalty is a Penalty or one of wgan_gp, .*not 10.0"),
        ({"augmentation": "diff"}, "augmentation 'diff'"),
    ],
)
def test_names_of_the_axes_are_checked(arguments, words):
    model = GAN(SHAPE, 4, generator_units=(4,), discriminator_units=(4,))
    with pytest.raises(GenzooError, match=words):
        model.compile(**arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"architecture": "resnet"}, "architecture 'resnet'"),
        ({"conditioning": "concat"}, "num_classes must be at least 2, not None"),
        ({"discriminator_normalization": "instance"}, "normalization 'instance'"),
        ({"ema_decay": 0.9, "ema_half_life": 500.0}, "give one of the two"),
    ],
)
def test_arguments_of_the_axes_are_checked(arguments, words):
    with pytest.raises(GenzooError, match=words):
        GAN(SHAPE, 4, **arguments)


def test_noise_of_an_update_is_another_one_at_each_call_and_the_same_in_each_run():
    from keras_genzoo.models.critic import Draw

    model = linear_model()
    first, again = (Draw(model.noise, 2, 5, 0, 0) for _ in range(2))
    one, two = first.uniform(3, (2,)), first.uniform(3, (2,))
    assert (one.numpy() != two.numpy()).any()
    np.testing.assert_array_equal(again.uniform(3, (2,)), one)
    np.testing.assert_array_equal(again.normal(3), model.noise(normal, 3, (), 2, 5, 0, 0, 2))
    other = Draw(model.noise, 2, 5, 0, 1).uniform(3, (2,))
    assert (other.numpy() != model.noise(uniform, 3, (2,), 2, 5, 0, 0, 1).numpy()).any()
