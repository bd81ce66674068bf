"""A few bytes can declare any size: what does not fit is refused in one line, unread."""

import json
import struct
import zipfile

import keras
import numpy as np
import pytest

from keras_genzoo.data import open_source
from keras_genzoo.errors import GenzooError
from keras_genzoo.models import GAN, load_model
from keras_genzoo.models.size import variable_bytes
from keras_genzoo.reading import MOST_JSON, MOST_TABLE, parse_json, read_arrays, read_rows
from keras_genzoo.training import Run, Settings
from keras_genzoo.training.build import build_model


def header(shape, dtype="|u1"):
    """The beginning of an array in NumPy's format."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def rewritten(path, changed):
    """Replace members of an archive, with the right checksums."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | changed
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def model_file(tmp_path):
    GAN((8, 8, 1), generator_units=(8,), discriminator_units=(8,)).save(tmp_path / "gan.keras")
    return tmp_path / "gan.keras"


# Arrays --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2**45, 8, 8, 3), (2**62, 2**62), (10**30,), (-1, 8, 8)])
def test_arrays_that_say_to_be_larger_than_their_file(tmp_path, shape):
    content = header(shape) + bytes(64)
    (tmp_path / "a.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", content)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(GenzooError, match=f"cannot read .*{name}: it is cut short: an array"):
            open_source(tmp_path / name)
    with pytest.raises(ValueError, match="it is cut short"):
        read_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("text", [b"{'descr': " + b"(" * 3000, b"{'a", b"", b"9" * 9000])
def test_headers_that_are_no_headers(tmp_path, text):
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(GenzooError, match=r"cannot read .*: its header is damaged"):
        open_source(tmp_path / "a.npy")


def test_elements_of_no_size_are_counted(tmp_path):
    (tmp_path / "a.npy").write_bytes(header((2**40,), "<U0") + bytes(64))
    with pytest.raises(GenzooError, match="it is cut short"):
        open_source(tmp_path / "a.npy")


def test_one_large_label_is_one_class(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.array([0, 2**30, 0, 0]))
    assert open_source(tmp_path / "a.npz").class_names == ["0", str(2**30)]


# Text ----------------------------------------------------------------------------------------


def test_json_that_is_deep_or_large():
    for text in ('{"a":' * 100_000, "[" * 300 + "]" * 300):
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(text)
    with pytest.raises(ValueError, match="larger than 16 MiB"):
        parse_json(" " * (MOST_JSON + 1))


def test_configurations_that_are_deep_or_large(tmp_path):
    for text in ("[" * 100_000, " " * (MOST_JSON + 1)):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(GenzooError, match=r"config.json is damaged: it is (nested|larger)"):
            Run.open(tmp_path)


def test_a_table_that_is_large(tmp_path):
    with (tmp_path / "history.csv").open("wb") as file:
        file.truncate(MOST_TABLE + 1)
    with pytest.raises(ValueError, match="larger than 64 MiB"):
        read_rows(tmp_path / "history.csv")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_classes", 10**9),
        ("class_names", 7),
        ("class_names", ["a"] * 3),
        ("image_shape", [10**9, 10**9, 3]),
        ("image_shape", "a"),
        ("num_images", -1),
    ],
)
def test_what_no_run_has_noted_of_its_data(tmp_path, name, value):
    data = {"image_shape": [8, 8, 1], "num_images": 9, "num_classes": 2, "class_names": ["a", "b"]}
    data |= {"fingerprint": "0", name: value}
    (tmp_path / "config.json").write_text(json.dumps({"settings": {}, "data": data}))
    with pytest.raises(GenzooError, match=f"config.json is damaged: '{name}' of 'data' is"):
        Run.open(tmp_path)


# Models --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("ae", "hidden_units", (10**9,)),
        ("vae", "latent_dim", 10**9),
        ("gan", "generator_units", (10**6, 10**6)),
        ("dcgan", "generator_filters", 10**9),
        ("cgan", "discriminator_filters", 10**6),
    ],
)
def test_sizes_that_no_memory_holds(model, name, value):
    settings = Settings(model=model, **{name: value})
    with pytest.raises(GenzooError, match=rf"a {model} of these settings takes .* GiB in memory"):
        build_model(settings, (16, 16, 1), 10)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("latent_dim", 2**31, "latent_dim must be at most 2147483647, not 2147483648"),
        ("learning_rate", 10**400, "'learning_rate' must be of type float, not 1000"),
        ("steps", 10**400, "steps must be at most 2147483647, not 1000"),
        ("discriminator_steps", 10**9, "discriminator_steps must be at most 10000"),
        ("steps_per_execution", 10**9, "steps_per_execution must be at most 10000"),
    ],
)
def test_numbers_that_are_a_mistake(name, value, words):
    model = "ae" if name == "learning_rate" else "gan"
    with pytest.raises(GenzooError, match=words):
        Settings.from_dict({"model": model, name: value})


def test_images_of_a_size_that_no_memory_holds():
    with pytest.raises(GenzooError, match="the image size must be at most 16384 pixels"):
        open_source("digits", image_size=10**9)
    with pytest.raises(GenzooError, match=r"1,500 images of 16000x16000 takes .* GiB in memory"):
        open_source("digits", image_size=16_000)


def test_measuring_a_model_changes_nothing():
    def build():
        return GAN((8, 8, 1), generator_units=(8,), discriminator_units=(8,))

    first = keras.layers.Dense(1).name
    model = build()
    # The counter of names goes on as if the model had not been measured.
    count = sum(v.shape.num_elements() * v.dtype.size for v in map(tensor, model.variables))
    second = keras.layers.Dense(1).name
    assert variable_bytes(build) == pytest.approx(count, rel=0.01)
    third = keras.layers.Dense(1).name
    assert [name.rpartition("_")[0] for name in (second, third)] == ["dense"] * 2
    assert int(third.rpartition("_")[2]) == int(second.rpartition("_")[2]) + 1
    assert first != second


def tensor(variable):
    return variable.value


def test_a_model_file_whose_configuration_is_large(model_file):
    rewritten(model_file, {"config.json": b" " * (MOST_JSON + 1)})
    with pytest.raises(GenzooError, match=r"cannot load .*: config.json is larger than 16 MiB"):
        load_model(model_file)


def test_a_model_file_that_describes_more_than_memory(model_file):
    with zipfile.ZipFile(model_file) as archive:
        config = json.loads(archive.read("config.json"))
    config["config"]["generator_units"] = [10**9]
    text = json.dumps(config).replace('"units": 8', '"units": 1000000000')
    rewritten(model_file, {"config.json": text})
    with pytest.raises(GenzooError, match=r"the model .* takes .* GiB in memory"):
        load_model(model_file)
