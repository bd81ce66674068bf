"""What TF Serving finds: numbered versions, named signatures, requests, settings, a card."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo import export
from keras_genzoo.errors import GenzooError
from keras_genzoo.export import saved_model
from keras_genzoo.export.saved_model import runner
from keras_genzoo.networks import SeededNormal
from tests.export.conftest import EXPORTED
from tests.models.cases import ALGORITHMS, GANS, build, images

AE = {"reconstruct", "encode", "decode", "reconstruct_uint8", "encode_uint8"}
GENERATOR = {"generate", "generate_seeded", "serving_default"}
SIGNATURES = {
    "ae": AE | {"serving_default"},
    "vae": AE | {"serving_default", "generate_seeded"},
    **dict.fromkeys(GANS, GENERATOR),
}
INPUTS = {
    "z": ("float32", (None, 5)),
    "class_labels": ("int32", (None,)),
    "seed": ("int64", (None,)),
}


NAMES = [
    name if name in EXPORTED else pytest.param(name, marks=pytest.mark.slow)
    for name in SIGNATURES
    if name in ALGORITHMS
]


@pytest.mark.parametrize("name", NAMES)
def test_signatures(exported, name):
    loaded = tf.saved_model.load(exported[name].saved_model).signatures
    assert set(loaded) == SIGNATURES[name]
    default = "reconstruct" if name.endswith("ae") else "generate"
    for part in ("structured_input_signature", "structured_outputs"):
        mine, theirs = (getattr(loaded[key], part) for key in ("serving_default", default))
        assert str(mine) == str(theirs)


def test_an_encoder_that_needs_class_labels_is_served_with_them():
    model = build("cvae")
    served = saved_model.served_networks(model.signatures(), model.prior_signature)
    assert set(served) == SIGNATURES["vae"]
    assert all("class_labels" in network.input for network in served.values())
    x, labels = images(4), np.arange(4, dtype="int32")
    made = served["reconstruct_uint8"]({"images": x, "class_labels": labels})["reconstructions"]
    np.testing.assert_array_equal(model.to_uint8(made), model.reconstruct(x, labels))
    z = model.sample_latents(4, seed=0)
    made = served["decode"]({"z": z, "class_labels": labels})["images"]
    np.testing.assert_array_equal(model.to_uint8(made), model.decode(z, labels))


def test_inputs_and_outputs_are_named_and_their_batch_is_free(exported):
    loaded = tf.saved_model.load(exported["cgan"].saved_model).signatures
    _, inputs = loaded["generate"].structured_input_signature
    assert {name: (spec.dtype.name, tuple(spec.shape)) for name, spec in inputs.items()} == {
        name: INPUTS[name] for name in ("z", "class_labels")
    }
    _, inputs = loaded["generate_seeded"].structured_input_signature
    assert {name: (spec.dtype.name, tuple(spec.shape)) for name, spec in inputs.items()} == {
        name: INPUTS[name] for name in ("seed", "class_labels")
    }
    images = loaded["generate"].structured_outputs["images"]
    assert (images.dtype.name, tuple(images.shape)) == ("float32", (None, 16, 16, 1))


def test_images_are_those_of_the_model_in_unit_range(exported, models):
    z = models["gan"].sample_latents(4, 0)
    images = runner(exported["gan"].saved_model)("generate", {"z": z})["images"]
    assert 0 <= images.min() < images.max() <= 1
    np.testing.assert_array_equal(np.rint(images * 255), models["gan"].decode(z))


def test_seeded_images_are_those_of_the_noise_of_their_seeds(exported):
    run = runner(exported["gan"].saved_model)
    seeds = np.array([5, 6], "int64")
    z = SeededNormal(5)(seeds).numpy()
    expected = run("generate", {"z": z})
    np.testing.assert_allclose(
        run("generate_seeded", {"seed": seeds})["images"], expected["images"], atol=1e-6
    )


def test_noise_of_seeds_is_normal():
    z = tf.function(SeededNormal(8))(tf.range(4000, dtype=tf.int64)).numpy()
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / z.size)
    assert abs(np.corrcoef(z[1:, 0], z[:-1, 0])[0, 1]) < 4 / np.sqrt(len(z))


@pytest.mark.parametrize("name", EXPORTED)
def test_requests_to_warm_up_with_run_as_a_server_runs_them(exported, name):
    from tensorflow_serving.apis import prediction_log_pb2

    folder = exported[name].saved_model
    loaded = tf.saved_model.load(folder).signatures
    records = tf.data.TFRecordDataset(str(folder / "assets.extra/tf_serving_warmup_requests"))
    seen = []
    for record in records.as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        outputs = loaded[request.model_spec.signature_name](
            **{key: tf.constant(value) for key, value in inputs.items()}
        )
        assert request.model_spec.name == name
        batch = {len(value) for value in (*inputs.values(), *outputs.values())}
        assert len(batch) == 1
        assert all(np.isfinite(value).all() for value in outputs.values())
        seen.append((request.model_spec.signature_name, batch.pop()))
    assert sorted(seen) == sorted((s, n) for s in SIGNATURES[name] for n in (1, 3))


def test_settings_of_the_server_are_what_its_parser_takes(exported):
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    base = exported["cgan"].saved_model.parent
    text = (base / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    [model] = config.model_config_list.config
    assert (model.name, model.base_path) == ("cgan", "/models/cgan")
    text = (base / "batching.config").read_text()
    batching = text_format.Parse(text, batching_parameters())
    sizes = list(batching.allowed_batch_sizes)
    assert sizes == sorted(sizes)
    assert batching.max_batch_size.value == sizes[-1] == 32


def batching_parameters():
    """The message that a server reads, field by field as its session_bundle_config.proto says.

    tensorflow-serving-api does not bring it.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, wrappers_pb2

    file = descriptor_pb2.FileDescriptorProto(name="b.proto", package="b", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    message = file.message_type.add(name="BatchingParameters")
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    for number, name in enumerate(names, 1):
        kind = ".google.protobuf.Int64Value"
        message.field.add(name=name, number=number, type=11, type_name=kind, label=1)
    message.field.add(name="allowed_batch_sizes", number=6, type=3, label=3)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("b.BatchingParameters"))()


@pytest.mark.slow
def test_settings_of_a_person_are_kept(tmp_path):
    model, base = build("gan"), tmp_path / "faces"
    export.export_saved_model(model, base, warm_up=[64])
    assert "max_batch_size { value: 64 }" in (base / "batching.config").read_text()
    (base / "batching.config").write_text("max_batch_size { value: 8 }\n")
    with pytest.raises(GenzooError, match="lets a server take 8 images at once, not 16"):
        export.export_saved_model(model, base, warm_up=[16])
    assert export.export_saved_model(model, base, warm_up=[8]).name == "2"
    assert (base / "batching.config").read_text() == "max_batch_size { value: 8 }\n"
    export.export_saved_model(model, base, force=True)
    assert "max_batch_size { value: 32 }" in (base / "batching.config").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPORTED)
def test_the_call_that_the_readme_shows_runs(exported, name):
    base = exported[name].saved_model.parent
    text = (base / "README.md").read_text()
    [command] = re.findall(r"^saved_model_cli run.*\n.*", text, re.M)
    tool = str(Path(sys.executable).with_name("saved_model_cli"))
    ended = subprocess.run(
        command.replace("saved_model_cli", tool),
        shell=True,
        cwd=base,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "Result for output key images" in ended.stdout


def test_the_python_of_the_readme_is_python(exported):
    text = (exported["cgan"].saved_model.parent / "README.md").read_text()
    [code] = re.findall(r"```python\n(.*?)```", text, re.S)
    assert set(re.findall(r"^call\('(\w+)'", code, re.M)) == SIGNATURES["cgan"]
    compile(code, "README.md", "exec")
    [request] = re.findall(r"curl -d '(.*?)'", text)
    assert json.loads(request) == {
        "signature_name": "generate_seeded",
        "inputs": {"seed": [0, 1], "class_labels": [0, 1]},
    }


def test_weights_are_saved_once(exported, models):
    for name in EXPORTED:
        folder = exported[name].saved_model
        saved = tf.train.list_variables(str(folder / "variables" / "variables"))
        numbers = sum(np.prod(shape, dtype=int) for key, shape in saved if not key.startswith("_C"))
        networks = models[name].signatures()
        weights = {v.path: v for network in networks.values() for v in network.weights}
        assert numbers == sum(np.prod(v.shape, dtype=int) for v in weights.values())


@pytest.mark.slow
def test_versions_are_counted_and_never_replaced(tmp_path):
    model = build("gan")
    assert export.export_saved_model(model, tmp_path / "faces").name == "1"
    assert export.export_saved_model(model, tmp_path / "faces", version=7).name == "7"
    assert export.export_saved_model(model, tmp_path / "faces").name == "8"
    with pytest.raises(GenzooError, match=r"version 7 of .* exists.* 9"):
        export.export_saved_model(model, tmp_path / "faces", version=7)
    export.export_saved_model(model, tmp_path / "faces", version=3)
    assert "Newest version: 8" in (tmp_path / "faces/README.md").read_text()


@pytest.mark.slow
def test_an_export_that_lost_its_number_takes_the_next(tmp_path, monkeypatch):
    model, base = build("gan"), tmp_path / "faces"
    plain = saved_model.write_networks

    def meanwhile(networks, folder):
        monkeypatch.undo()
        export.export_saved_model(model, base)
        plain(networks, folder)

    monkeypatch.setattr(saved_model, "write_networks", meanwhile)
    assert export.export_saved_model(model, base).name == "2"
    assert {path.name for path in base.iterdir() if path.is_dir()} == {"1", "2"}


def test_nothing_is_served_if_what_stands_beside_cannot_be_written(tmp_path):
    (tmp_path / "faces" / "README.md").mkdir(parents=True)
    with pytest.raises(GenzooError, match="cannot write"):
        export.export_saved_model(build("gan"), tmp_path / "faces")
    assert not (tmp_path / "faces" / "1").exists()


def test_the_readme_of_a_person_is_kept(tmp_path):
    readme = tmp_path / "faces" / "README.md"
    readme.parent.mkdir()
    readme.write_text("# Years of work")
    with pytest.raises(GenzooError, match=r"README\.md was not written by keras_genzoo; choose"):
        export.export_saved_model(build("gan"), readme.parent)
    assert readme.read_text() == "# Years of work"
    assert list(readme.parent.iterdir()) == [readme]
    export.export_saved_model(build("gan"), readme.parent, force=True)
    export.export_saved_model(build("gan"), readme.parent)
    assert "Newest version: 2" in readme.read_text()


def test_versions_of_something_else_are_not_joined(exported, models, tmp_path):
    base = exported["gan"].saved_model.parent
    with pytest.raises(GenzooError, match="a GAN, takes or gives something else than this VAE"):
        export.export_saved_model(models["vae"], base)
    foreign = tmp_path / "foreign"
    tf.saved_model.save(tf.Module(), str(foreign / "3"))
    with pytest.raises(GenzooError, match=r"version 3 of .* was not written by keras_genzoo"):
        export.export_saved_model(models["gan"], foreign)
    with pytest.raises(GenzooError, match="is itself a SavedModel"):
        export.export_saved_model(models["gan"], foreign / "3")


def test_the_card_says_what_goes_in_and_comes_out(exported):
    card = json.loads((exported["cgan"].saved_model / "assets.extra/card.json").read_text())
    assert card["model"] == "CGAN"
    generate = card["signatures"]["generate"]
    assert generate["inputs"]["class_labels"] == {
        "shape": ["batch"],
        "dtype": "int32",
        "range": "0 to 3; others stand for no class",
    }
    assert generate["inputs"]["z"]["range"] == "drawn from N(0, I)"
    assert generate["outputs"]["images"]["range"] == "0 to 1"


@pytest.mark.slow
def test_a_model_of_mixed_precision_leaves_in_float32(tmp_path):
    model = build("dcgan", dtype="mixed_bfloat16")
    path = export.export_saved_model(model, tmp_path / "mixed")
    z = model.sample_latents(4, 0)
    images = runner(path)("generate", {"z": z})["images"]
    twin = build("dcgan", dtype="float32")
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(np.rint(images * 255), twin.decode(z))


@pytest.mark.slow
def test_a_killed_export_leaves_no_version(tmp_path):
    code = (
        "from tests.models.cases import GANS, build\n"
        "from keras_genzoo import export\n"
        "model = build('gan', generator_units=(3000, 3000))\n"
        "print('built', flush=True)\n"
        "export.export_saved_model(model, 'killed')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "built\n"
    base = tmp_path / "killed"
    end = time.monotonic() + 60
    while not any(base.glob(".tmp-*/*")) and time.monotonic() < end:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # A server looks for folders whose names are numbers.
    assert not [path for path in base.iterdir() if path.name.isdecimal()]
