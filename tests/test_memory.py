"""A few bytes can declare any size: what does not fit is refused in one line, unread."""

import io
import json
import struct
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from keras_genzoo import memory, reading
from keras_genzoo.data import images, open_source
from keras_genzoo.data.tables import Table
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.features import KerasNetwork
from keras_genzoo.models import CGAN, DCGAN, GAN, VAE, Autoencoder, load_model, size
from keras_genzoo.models.size import variable_bytes
from keras_genzoo.reading import (
    MOST_JSON,
    MOST_ROWS,
    MOST_TABLE,
    parse_json,
    read_arrays,
    read_rows,
)
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


def test_arrays_that_are_packed_a_thousandfold(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_PACKED", 1000)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros(1001, np.uint8))
    with pytest.raises(ValueError, match="it claims to hold more than"):
        read_arrays(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", images=np.zeros(1001, np.uint8))
    assert len(read_arrays(tmp_path / "a.npz")["images"]) == 1001


def test_peak_memory_is_that_of_one_process_alone():
    block = np.ones(2**25)
    assert memory.peak_memory() > block.nbytes
    # The system's own count of a process includes what the process that started it held.
    code = "from keras_genzoo.memory import peak_memory; print(peak_memory())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 2**20 < int(ended.stdout) < block.nbytes / 2


def test_memory_that_others_have_taken_is_not_free():
    assert 0 < memory.free_memory() <= memory.usable_memory()


@pytest.mark.parametrize("struct", [True, False])
def test_a_value_that_many_rows_name_is_in_memory_once(tmp_path, struct):
    rows = pa.array([0] * 2000, pa.int32())
    images = pa.DictionaryArray.from_arrays(rows, pa.array([bytes(2**20)], pa.binary()))
    if struct:
        images = pa.StructArray.from_arrays([images], ["bytes"])
    # In the file that is some kilobytes, and 2 GiB if each row had its own.
    others = [bytes([n % 256, n // 256]) for n in range(2000)]
    parquet.write_table(
        pa.table({"image": images, "other": others}),
        tmp_path / "a.parquet",
        compression="zstd",
        store_schema=False,
        dictionary_pagesize_limit=2**22,
    )
    table = Table([tmp_path / "a.parquet"])
    assert table.image(1999) == bytes(2**20)
    assert table._kept_bytes < 2**21


def test_a_label_that_is_no_name(tmp_path):
    columns = {"image": [b"a", b"b"], "label": ["cat", "x" * 20_000]}
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    with pytest.raises(GenzooError, match=r"a label in .* has 20,000 letters"):
        _ = Table([tmp_path / "a.parquet"]).labels


@pytest.mark.parametrize(("side", "at_once"), [(8, 4), (9, 1)])
def test_of_large_images_one_is_decoded_at_a_time(monkeypatch, side, at_once):
    monkeypatch.setattr(images, "LARGE", 80)
    buffer = io.BytesIO()
    Image.new("L", (side, side)).save(buffer, "PNG")
    all_there, most, now = threading.Barrier(at_once), 0, []
    fit = images._fit

    def counted(*args):
        nonlocal most
        now.append(1)
        most = max(most, len(now))
        all_there.wait(30)
        now.pop()
        return fit(*args)

    monkeypatch.setattr(images, "_fit", counted)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(images.decode, [buffer.getvalue()] * 4))
    assert most == at_once


def test_one_large_label_is_one_class(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=pixels, labels=np.array([0, 2**30, 0, 0]))
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


def test_a_table_of_very_many_rows(tmp_path):
    (tmp_path / "history.csv").write_text("step\n" + "1\n" * (2 * MOST_ROWS + 1))
    with pytest.raises(ValueError, match="more than 500,000 rows"):
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


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Autoencoder(hidden_units=(10**9,)), "the encoder"),
        (lambda: VAE(latent_dim=10**9), "the encoder"),
        (lambda: GAN(latent_dim=10**9), "the generator"),
        (lambda: GAN((10**6, 10**6, 3)), "the generator"),
        (lambda: DCGAN((16, 16, 1), discriminator_filters=10**7), "the discriminator"),
        (lambda: CGAN((16, 16, 1), num_classes=10**9), "the generator"),
    ],
)
def test_models_of_a_script_that_no_memory_holds(build, words):
    with pytest.raises(GenzooError, match=rf"{words} takes .* GiB in memory"):
        build()


def test_a_model_that_is_measured_has_the_weights_that_it_would_have(monkeypatch):
    weights = []
    for wide in (10**9, 1):
        monkeypatch.setattr(size, "WIDE", wide)
        keras.utils.set_random_seed(0)
        model = GAN((8, 8, 1), generator_units=(8,), discriminator_units=(8,))
        weights.append([variable.numpy() for variable in model.trainable_variables])
    for plain, measured in zip(*weights, strict=True):
        np.testing.assert_array_equal(plain, measured)


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


def test_a_feature_network_that_describes_more_than_memory(tmp_path):
    inputs = keras.Input((8, 8, 1))
    keras.Model(inputs, keras.layers.Dense(7)(inputs)).save(tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        config = archive.read("config.json").replace(b'"units": 7', b'"units": 10000000000000')
    rewritten(tmp_path / "a.keras", {"config.json": config})
    with pytest.raises(GenzooError, match=r"the model .* takes .* GiB in memory"):
        KerasNetwork(str(tmp_path / "a.keras"))
