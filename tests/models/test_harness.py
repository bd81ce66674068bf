"""What every registered model must do, with the same words for each."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses import (
    ADVERSARIAL_LOSSES,
    RECONSTRUCTION_LOSSES,
    AdversarialLoss,
    discriminator_loss,
    minimax_generator_loss,
)
from keras_genzoo.models import MODELS
from tests.models.cases import (
    ALGORITHMS,
    CASES,
    DISTINCT,
    FEW,
    SHAPE,
    STEPS,
    build,
    check_loading,
    compiled,
    data,
    images,
    networks_of,
    of,
    optimizers,
    step,
    takes_a_loss,
    weights,
)

every_model, every_network, every_algorithm = of(MODELS), of(DISTINCT), of(ALGORITHMS)
# What the base class does, with labels and without; and what each training step does.
few_models, every_step = of(FEW), of(STEPS)


@pytest.fixture(scope="module")
def untrained():
    """A function that gives a compiled model by name, the same to all tests, which train another.

    What such a test may do is what leaves the weights as they are.
    """
    return functools.cache(compiled)


@every_model
def test_every_registered_model_has_a_case(name):
    assert set(CASES) == set(MODELS)
    defaults = MODELS[name].arguments()
    for argument, value in CASES[name].arguments.items():
        assert defaults[argument].default != value


@every_model
def test_config_holds_every_argument_of_the_constructor(name):
    model = build(name)
    assert set(type(model).arguments()) <= set(model.get_config())
    again = type(model).from_config(model.get_config())
    config = again.get_config()
    assert config == model.get_config()
    for argument, value in CASES[name].arguments.items():
        kept = tuple(config[argument]) if isinstance(value, tuple) else config[argument]
        assert kept == value, argument


@every_model
def test_save_and_load_gives_equal_outputs_and_an_equal_next_step(name, tmp_path):
    check_loading(name, tmp_path / "model.keras")


@of([name for name in STEPS if takes_a_loss(name)])
def test_a_loss_given_as_an_object_is_saved_with_the_model(name, tmp_path):
    model = build(name)
    adversarial = hasattr(model, "generator")
    registry = ADVERSARIAL_LOSSES if adversarial else RECONSTRUCTION_LOSSES
    first = registry[next(iter(registry))]
    own = AdversarialLoss(discriminator_loss, minimax_generator_loss) if adversarial else first
    for loss in (first, own):
        model.compile(loss=loss, run_eagerly=True)
        step(model)
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        assert step(loaded, seed=3) == step(model, seed=3)


@every_algorithm
def test_the_models_own_policy_is_that_of_its_networks(name):
    model = build(name, dtype="mixed_bfloat16")
    layers = [layer for layer in model._flatten_layers() if layer.weights and layer is not model]
    assert {layer.compute_dtype for layer in layers} == {"bfloat16"}
    assert keras.config.dtype_policy().name == "float32"


@every_step
@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "value"), [("floatx", "float64"), ("image_data_format", "channels_first")]
)
def test_other_settings_of_keras_give_the_numbers_of_the_default_ones(name, setting, value):
    weights_before = build(name).get_weights()

    def generated_and_logs():
        model = build(name, dtype=keras.config.floatx())
        model.set_weights(weights_before)
        model.compile(**{role: keras.optimizers.SGD(1e-3) for role in optimizers(name)})
        model.run_eagerly = True
        return model.generate(2, seed=0), step(model, times=2)

    images_before, logs_before = generated_and_logs()
    default = getattr(keras.config, setting)()
    getattr(keras.config, f"set_{setting}")(value)
    try:
        made, logs = generated_and_logs()
    finally:
        getattr(keras.config, f"set_{setting}")(default)
    assert np.abs(made.astype(int) - images_before).max() <= 1
    assert logs == pytest.approx(logs_before, rel=1e-3)


@every_algorithm
def test_own_networks_are_saved_with_the_model(name, tmp_path):
    default = build(name)
    roles = networks_of(name)
    own = {role: keras.models.clone_model(getattr(default, role)) for role in roles}
    model = build(name, **own)
    model.compile(run_eagerly=True)
    step(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert all(loaded.get_config()[role] is not None for role in roles)
    np.testing.assert_array_equal(loaded.generate(4, seed=1), model.generate(4, seed=1))


@few_models
def test_positional_arguments_are_those_of_keras(name):
    model = compiled(name)
    x, y = data(model, 8)
    history = model.fit(x, y, 4, 2, 0)
    assert len(next(iter(history.history.values()))) == 2
    assert model.evaluate(x, y, 4, 0) is not None


@every_algorithm
def test_arguments_that_would_be_ignored_are_refused(untrained, name):
    model = untrained(name)
    x, y = data(model, 8)
    with pytest.raises(GenzooError, match="sample_weight has no meaning"):
        model.fit(x, y, sample_weight=np.ones(8), verbose=0)
    with pytest.raises(GenzooError, match=r"unknown argument of .*compile 'metrics'"):
        model.compile(metrics=["mse"])


@every_step
def test_regularisers_of_own_networks_count(name):
    model, role = build(name), networks_of(name)[-1]
    network = getattr(model, role)

    def regularised(layer):
        config = layer.get_config()
        if "kernel_regularizer" in config:
            config["kernel_regularizer"] = keras.regularizers.L2(1e3)
        return layer.__class__.from_config(config)

    own = keras.models.clone_model(network, clone_function=regularised)
    model = build(name, **{role: own})
    model.compile(run_eagerly=True)
    before = sum(float(np.square(w.numpy()).sum()) for w in own.trainable_variables)
    step(model, times=2)
    after = sum(float(np.square(w.numpy()).sum()) for w in own.trainable_variables)
    assert after < before


@every_algorithm
def test_a_network_of_other_shapes_is_refused(name):
    role = networks_of(name)[-1]
    wrong = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(GenzooError, match=f"the .*{role} must map") as caught:
        build(name, **{role: wrong})
    assert "\n" not in str(caught.value)


@every_network
def test_logs_and_validation_logs_carry_the_same_standard_names(name):
    # With the optimizers that a model has by itself; each algorithm in a graph.
    model = build(name)
    model.compile(run_eagerly=name not in ALGORITHMS)
    x, y = data(model, 16)
    validation = (x, y) if y is not None else (x,)
    history = model.fit(x, y, batch_size=8, validation_data=validation, verbose=0).history
    own = set(model.metric_names)
    assert own <= set(history)
    assert {f"val_{name}" for name in own} <= set(history)
    assert all(np.isfinite(values).all() for values in history.values())


@every_step
def test_evaluation_changes_nothing_and_repeats(name):
    model = compiled(name)
    step(model)
    before = weights(model)
    x, y = data(model, 20)
    first = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    again = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    assert first == again
    for ours, theirs in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@every_algorithm
def test_the_same_run_twice_is_the_same_run_and_another_seed_is_another(name):
    runs = [compiled(name, seed=seed) for seed in (11, 11, 12)]
    first, second, other = (step(model) for model in runs)
    assert first == second
    # An autoencoder's step draws no noise; a codebook's first restarts codes after its loss.
    if name not in ("ae", "vqvae"):
        assert first != other


@every_model
def test_every_weight_moves_and_stays_finite(name):
    model = compiled(name)
    # Of a model that trains in stages, the weights of the first.
    trained = getattr(model, "loss_variables", model.trainable_variables)
    before = [v.numpy() for v in trained]
    # A layer that begins at 0 holds back those before it for a step.
    step(model, times=4)
    # A loss of differences of logits does not depend on what is added to all of them.
    loss = getattr(model, "adversarial_loss", None)
    still = () if loss is None or loss.undecided is not None else ("logits/bias",)
    for variable, old in zip(trained, before, strict=True):
        new = variable.numpy()
        assert np.isfinite(new).all()
        assert (new != old).any() or variable.path.endswith(still), variable.path


@every_step
def test_floats_in_the_range_train_like_the_uint8_they_came_from(name):
    from_uint8, from_float = compiled(name), compiled(name)
    x, y = data(from_uint8, 8)
    floats = from_float.to_range(x).numpy()
    logs = from_uint8.fit(x, y, batch_size=8, shuffle=False, verbose=0).history
    assert from_float.fit(floats, y, batch_size=8, shuffle=False, verbose=0).history == logs


@few_models
def test_grey_images_may_lack_their_channel_axis(name):
    model = compiled(name)
    x, y = data(model, 8)
    model.fit(x[..., 0], y, batch_size=8, verbose=0)


@every_algorithm
def test_bfloat16_trains_with_losses_in_float32(name):
    model = compiled(name, dtype="mixed_bfloat16")
    logs = step(model)
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model.generate(2, seed=0).dtype == np.uint8
    exact = step(compiled(name))
    for metric, value in exact.items():
        assert logs[metric] == pytest.approx(value, rel=0.15, abs=0.1)


@every_algorithm
def test_generated_images_are_uint8_and_keyed_by_the_seed(untrained, name):
    model = untrained(name)
    first = model.generate(5, seed=3)
    assert first.shape == (5, *SHAPE)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, model.generate(5, seed=3))
    assert (first != model.generate(5, seed=4)).any()
    assert (model.generate(5) != model.generate(5)).any()


@every_algorithm
def test_interpolation_begins_and_ends_where_asked(untrained, name):
    model = untrained(name)
    options = {"class_labels": 1} if model.needs_labels else {}
    if hasattr(model, "encoder"):
        a, b = images(2)
        codes = model.code(model.encode(np.stack([a, b])))
    else:
        a, b = codes = model.sample_latents(2, seed=5)
    if model.codes_are_latents:
        ends = model.decode(codes, **options)
    else:
        ends = model.reconstruct(np.stack([a, b]))
    for method in ("linear", "spherical"):
        walk = model.interpolate(a, b, 5, method=method, **options)
        assert walk.shape == (5, *SHAPE)
        for end, expected in zip((walk[0], walk[-1]), ends, strict=True):
            assert np.abs(end.astype(int) - expected).max() <= 1


BAD = {
    "floats out of range": (lambda x: x.astype("float32"), "uint8"),
    "integers of another type": (lambda x: x.astype("int32"), "uint8"),
    "not a number": (lambda x: np.full(x.shape, np.nan, "float32"), "uint8"),
    "another size": (lambda x: x[:, :8], "built for images of shape"),
    "another number of channels": (lambda x: x.repeat(3, axis=-1), "built for images of shape"),
}


@few_models
@pytest.mark.parametrize("container", ["array", "tf.data"])
def test_bad_images_are_refused_in_one_line(untrained, name, container):
    model = untrained(name)
    before = weights(model)
    for spoil, words in BAD.values():
        x, y = data(model, 8)
        x = spoil(x)
        if container == "tf.data":
            x = tf.data.Dataset.from_tensor_slices(x if y is None else (x, y)).batch(8)
            y = None
        with pytest.raises(GenzooError, match=words) as caught:
            model.fit(x, y, verbose=0)
        assert "\n" not in str(caught.value)
    for ours, theirs in zip(before, weights(model), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@few_models
@pytest.mark.slow
def test_a_dataset_a_generator_and_a_pydataset_train_like_arrays(name):
    class Batches(keras.utils.PyDataset):
        def __init__(self, batches):
            super().__init__()
            self.batches = batches

        def __len__(self):
            return len(self.batches)

        def __getitem__(self, index):
            return self.batches[index]

    def logs_of(make, **options):
        model = compiled(name)
        x, y = data(model, 24)
        batches = [
            tuple(part[i : i + 8] for part in (x, y) if part is not None) for i in (0, 8, 16)
        ]
        return model.fit(*make(x, y, batches), verbose=0, shuffle=False, **options).history

    def from_arrays(x, y, batches):
        return tf.data.Dataset.from_tensor_slices(x if y is None else (x, y)).batch(8), None

    expected = logs_of(from_arrays)
    assert logs_of(lambda x, y, batches: (Batches(batches), None)) == expected
    assert (
        logs_of(lambda x, y, batches: ((b for b in batches), None), steps_per_epoch=3) == expected
    )
