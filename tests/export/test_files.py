"""LiteRT, ONNX and Keras files: what is in them, what they are compared with, what is refused."""

import json

import keras
import numpy as np
import pytest

from keras_genzoo import export
from keras_genzoo.errors import GenzooError
from keras_genzoo.export import litert
from keras_genzoo.export.verify import Tolerance, verify
from keras_genzoo.models import CGAN, DCGAN, MODELS
from keras_genzoo.networks import layers_under
from tests.export.conftest import EXPORTED
from tests.models.cases import GANS, SHAPE, build, images

pytestmark = pytest.mark.slow


def opened(path):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(str(path))


def test_litert_keeps_signatures_and_needs_no_flex_operations(exported):
    for name in EXPORTED:
        for file in exported[name].litert:
            interpreter = opened(file)
            signatures = interpreter.get_signature_list()
            if name == "vae":
                assert set(signatures) == {"reconstruct", "encode", "decode"}
            else:
                assert set(signatures) == {"generate"}
            operations = {part["op_name"] for part in interpreter._get_ops_details()}
            assert not [name for name in operations if name.startswith("Flex")]


def _architecture(name):
    return MODELS[name].arguments()["architecture"].default


# One GAN for each architecture, with labels where it takes some, which to the networks are more
# noise. Of the one without convolutions, another test asks more.
_LABELS_LAST = sorted(GANS, key=lambda name: MODELS[name].needs_labels)
GENERATORS = {_architecture(name): name for name in _LABELS_LAST if _architecture(name) != "dense"}


@pytest.mark.parametrize("name", GENERATORS.values())
def test_every_generator_is_verified_in_every_format(models, tmp_path, name):
    model, options = models[name], {"check": True}
    folder = export.export_saved_model(model, tmp_path / name, **options)
    files = export.export_onnx(model, tmp_path, name, **options)
    files += export.export_keras(model, tmp_path, name, **options)
    # The types in between store weights differently, whatever the network.
    types = ["float32", "int8"]
    files += export.export_litert(model, tmp_path, name, types, calibration=100, **options)
    cards = [file.with_name(f"{file.name}.json") for file in files]
    for card in (*cards, folder / "assets.extra" / "card.json"):
        assert "generate" in json.loads(card.read_text())["verified"]


def test_a_flow_is_verified_in_every_format_its_steps_written_out(tmp_path):
    # Guidance calls the network twice at each of the steps, which all stand in the file.
    guided = {"conditioning": "embedding", "num_classes": 4, "guidance": 2.0}
    model = build("flow", **guided, solver="euler", solver_steps=2)
    rng = np.random.default_rng(3)
    for variable in model.average_network.variables:
        variable.assign(rng.normal(0, 0.2, variable.shape))
    [litert_file] = export.export_litert(model, tmp_path, "flow", check=True)
    files = export.export_keras(model, tmp_path, "flow", check=True)
    # The other formats take seconds for each call of the network.
    model.set_sampling(solver_steps=1)
    folder = export.export_saved_model(model, tmp_path / "flow", check=True)
    files += export.export_onnx(model, tmp_path, "flow", check=True)
    cards = [file.with_name(f"{file.name}.json") for file in (*files, litert_file)]
    for card in (*cards, folder / "assets.extra" / "card.json"):
        assert "generate" in json.loads(card.read_text())["verified"]
    operations = {part["op_name"] for part in opened(litert_file)._get_ops_details()}
    assert not [name for name in operations if name.startswith("Flex") or name == "WHILE"]


def test_normalisation_that_follows_the_class_leaves_as_layers_of_keras(tmp_path):
    model = build("cgan", conditioning="projection")
    rng = np.random.default_rng(3)
    for variable in model.generator.variables:
        if variable.shape:
            variable.assign(rng.uniform(0.5, 2, variable.shape))
    [file] = export.export_keras(model, tmp_path, check=True)
    z, labels = model.sample_latents(4, 0), np.arange(4)
    images = keras.models.load_model(file)({"z": z, "class_labels": labels})["images"]
    np.testing.assert_array_equal(np.rint(np.asarray(images) * 255), model.decode(z, labels))


def test_litert_has_a_static_batch_without_the_operations_of_a_free_one(models, tmp_path):
    [static] = export.export_litert(models["dcgan"], tmp_path, "static", batch_size=4)
    [free] = export.export_litert(models["dcgan"], tmp_path, "free", batch_size=None)
    operations = [
        {part["op_name"] for part in opened(f)._get_ops_details()} for f in (static, free)
    ]
    assert "SHAPE" in operations[1] - operations[0]
    details = opened(static).get_signature_runner("generate").get_input_details()["z"]
    assert tuple(details["shape"]) == (4, 5)
    z = models["dcgan"].sample_latents(6, 0)
    whole = litert.runner(free, None)("generate", {"z": z})["images"]
    parts = litert.runner(static, 4)("generate", {"z": z})["images"]
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_litert_carries_its_card(exported):
    from tensorflow.lite.tools import flatbuffer_utils

    for file in exported["cgan"].litert:
        content = flatbuffer_utils.read_model(str(file))
        [entry] = [e for e in content.metadata if e.name == b"keras_genzoo"]
        card = json.loads(bytes(content.buffers[entry.buffer].data))
        assert card["signatures"]["generate"]["inputs"]["z"] == {
            "shape": [1, 5],
            "dtype": "float32",
            "range": "drawn from N(0, I)",
        }
        assert card["facts"]["type"] in file.name


def test_smaller_types_are_smaller(tmp_path):
    model = build("gan", generator_units=(64, 256))
    files = export.export_litert(model, tmp_path, types=list(export.LITERT_TYPES))
    full, half, dynamic, whole = (file.stat().st_size for file in files)
    assert half < 0.55 * full
    assert max(dynamic, whole) < 0.35 * full


def test_int8_computes_in_integers_and_labels_are_covered(models, tmp_path):
    model = models["cgan"]
    drawn = export.draw_inputs(model, 50)["generate"]
    assert np.bincount(drawn["class_labels"]).tolist() == [13, 13, 12, 12]
    [file] = export.export_litert(model, tmp_path, types=["int8"], calibration=50)
    tensors = opened(file).get_tensor_details()
    convolved = [t for t in tensors if "conv_transpose" in t["name"] and len(t["shape"]) == 4]
    assert convolved
    assert all(t["dtype"] in (np.int8, np.int32) for t in convolved)


def test_verified_figures_stand_beside_the_file(models, tmp_path):
    files = export.export_litert(models["gan"], tmp_path, types=["float32", "float16"], check=True)
    files += export.export_onnx(models["gan"], tmp_path, check=True)
    files += export.export_keras(models["gan"], tmp_path, check=True)
    for file in files:
        card = json.loads(file.with_name(f"{file.name}.json").read_text())
        found = card["verified"]["generate"]["images"]
        assert set(found) == {"max", "mean", "psnr"}
        assert 0 <= found["mean"] <= found["max"] <= card["tolerance"]["limit"]
        assert card["bytes"] == file.stat().st_size
    path = export.export_saved_model(models["gan"], tmp_path / "served", check=True)
    card = json.loads((path / "assets.extra/card.json").read_text())
    assert card["verified"]["generate"]["images"]["max"] <= 1e-5


def test_a_file_that_differs_is_not_written(models, tmp_path, monkeypatch):
    monkeypatch.setitem(litert.LITERT_TYPES, "dynamic", Tolerance("max", 1e-9))
    with pytest.raises(GenzooError, match=r"max error .* of 'images' in 'generate', where 1e-09"):
        export.export_litert(models["gan"], tmp_path, types=["dynamic"], check=True)
    assert not list(tmp_path.iterdir())


def test_all_files_of_an_export_are_put_in_place_or_none(models, tmp_path, monkeypatch):
    [old] = export.export_litert(models["gan"], tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setitem(litert.LITERT_TYPES, "dynamic", Tolerance("max", 1e-9))
    with pytest.raises(GenzooError, match="differs from the model"):
        export.export_litert(models["gan"], tmp_path, types=["float32", "dynamic"], check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert old.exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda images: images + 2e-3, "max error 0.002 of 'images'"),
        (lambda images: images[:, :8], "has the shape"),
        (lambda images: images * np.nan, "NaN or infinite"),
    ],
)
def test_what_differs_is_told(models, change, words):
    model = models["gan"]
    networks = model.signatures()

    def run(name, inputs):
        return {"images": change(np.asarray(networks[name](inputs)["images"]))}

    with pytest.raises(GenzooError, match=words):
        verify(networks, export.draw_inputs(model, 4), lambda: run, Tolerance("max", 1e-3), "it")


def test_a_file_that_no_runtime_opens_is_told(models, tmp_path):
    (tmp_path / "a.tflite").write_bytes(b"nothing")
    networks, inputs = models["gan"].signatures(), export.draw_inputs(models["gan"], 4)
    with pytest.raises(GenzooError, match=r"a\.tflite cannot be run: "):
        verify(
            networks,
            inputs,
            lambda: litert.runner(tmp_path / "a.tflite", 1),
            Tolerance("max", 1),
            "a.tflite",
        )


def test_differences_are_shares_of_the_range():
    expected = np.array([[0.0, 50.0, 100.0]])
    found = export.difference("z", expected, expected + np.array([1.0, 0.0, -2.0]))
    assert found.max == pytest.approx(0.02)
    assert found.mean == pytest.approx(0.01)
    assert found.psnr == pytest.approx(-10 * np.log10((1 + 4) / 1e4 / 3))
    assert export.difference("z", expected, expected).psnr == np.inf


def test_keras_files_hold_plain_layers_only(exported):
    for name in EXPORTED:
        for file in exported[name].keras:
            assert b"keras_genzoo" not in file.read_bytes()


def test_a_network_of_ones_own_leaves_as_well(tmp_path):
    generator = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(256, activation="tanh"),
            keras.layers.Reshape(SHAPE),
        ]
    )
    model = DCGAN(SHAPE, 5, generator=generator, discriminator_filters=4)
    for exporter in (export.export_litert, export.export_onnx, export.export_keras):
        [file] = exporter(model, tmp_path, check=True)
        assert file.exists()


class Doubling(keras.layers.Layer):
    def call(self, inputs):
        return 2 * inputs


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_a_layer_of_ones_own_leaves_as_operations_alone(tmp_path, policy):
    with layers_under(policy):
        layers = [keras.layers.Dense(256), Doubling(), keras.layers.Reshape(SHAPE)]
        generator = keras.Sequential([keras.Input((5,)), *layers])
    model = DCGAN(SHAPE, 5, generator=generator, discriminator_filters=4, dtype=policy)
    for exporter in (export.export_litert, export.export_onnx):
        exporter(model, tmp_path, check=True)
    export.export_saved_model(model, tmp_path / "served", check=True)
    with pytest.raises(GenzooError, match="cannot carry the class Doubling of your own network"):
        export.export_keras(model, tmp_path)


def test_a_network_that_cannot_be_copied_is_told(tmp_path):
    class Applied(keras.layers.Layer):
        def __init__(self, function, **kwargs):
            super().__init__(**kwargs)
            self.function = function

        def call(self, inputs):
            return self.function(inputs)

    with layers_under("mixed_bfloat16"):
        layers = [keras.layers.Dense(256), Applied(lambda x: 2 * x), keras.layers.Reshape(SHAPE)]
        generator = keras.Sequential([keras.Input((5,)), *layers])
    model = DCGAN(SHAPE, 5, generator=generator, discriminator_filters=4, dtype="mixed_bfloat16")
    with pytest.raises(GenzooError, match="give its classes a get_config, or build"):
        export.export_onnx(model, tmp_path)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("gan", {"types": ["int4"]}, "unknown LiteRT type 'int4'"),
        ("gan", {"types": ["int8"], "calibration": 20}, "at least 50 rows .*, not 20"),
        ("vae", {"types": ["int8"]}, "needs 200 images of the data .*, and has 0"),
        ("gan", {"batch_size": 0}, "at least 1, not 0"),
        ("gan", {"types": []}, "name at least one LiteRT type"),
        ("gan", {"name": "a/b"}, "'a/b' is no name"),
        ("vae", {"types": ["int8"], "images": np.zeros((200, 9, 9, 1), "uint8")}, "shape"),
        ("vae", {"types": ["int8"], "images": np.zeros((200, *SHAPE))}, "must be uint8"),
    ],
)
def test_what_litert_refuses(models, tmp_path, name, options, words):
    with pytest.raises(GenzooError, match=words):
        export.export_litert(models[name], tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_inputs_follow_the_distribution_of_use(models):
    shown = images(9)
    drawn = export.draw_inputs(models["ae"], 9, 0, shown)
    np.testing.assert_allclose(drawn["encode"]["images"] * 255, shown, atol=1e-4)
    np.testing.assert_allclose(drawn["decode"]["z"], models["ae"].encode(shown), atol=1e-6)
    normal = export.draw_inputs(models["vae"], 2000, 0)["decode"]["z"]
    assert abs(normal.std() - 1) < 0.05
    with pytest.raises(GenzooError, match="9 images are needed, but there are 4"):
        export.draw_inputs(models["ae"], 9, 0, shown[:4])


@pytest.mark.parametrize("name", ["vae", "cgan"])
def test_keras_own_export_takes_one_signature(models, tmp_path, name):
    models[name].export(tmp_path / "model.tflite", format="litert", signature=None)
    [ends] = opened(tmp_path / "model.tflite").get_signature_list().values()
    assert ends["outputs"] == (["images"] if name == "cgan" else ["reconstructions"])
    with pytest.raises(GenzooError, match="unknown signature 'generat'"):
        models[name].export(tmp_path / "x", signature="generat")
    with pytest.raises(GenzooError, match="leave input_signature out"):
        models[name].export(tmp_path / "x", input_signature=[])


def test_int8_makes_the_class_that_is_asked_for(tmp_path):
    layers = [keras.layers.Dense(256, activation="tanh"), keras.layers.Reshape(SHAPE)]
    generator = keras.Sequential([keras.Input((9,)), *layers])
    # An image is that of its class, with little of the noise.
    kernel = np.random.default_rng(0).normal(0, 1, (9, 256)) * np.array([[0.05]] * 5 + [[1.0]] * 4)
    generator.layers[0].kernel.assign(kernel)
    model = CGAN(SHAPE, 5, num_classes=4, generator=generator, discriminator_filters=4)
    export.export_litert(model, tmp_path, types=["int8"], check=True)


def test_calibration_covers_every_label(models):
    networks = models["cgan"].signatures(8)
    data = litert._calibration(models["cgan"], networks, 50, 8, None)
    labels = np.concatenate([inputs["class_labels"] for _, inputs in data])
    assert len(labels) == 56
    assert max(np.bincount(labels)) - min(np.bincount(labels)) <= 2


def test_autoencoders_are_compared_on_other_images_than_int8_was_calibrated_on(models):
    shown = images(60)
    inputs = litert._inputs_to_compare(models["vae"], 50, shown)
    np.testing.assert_allclose(inputs["encode"]["images"] * 255, shown[50:], atol=1e-4)
