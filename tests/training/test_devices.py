"""One line names what trains, and another why a GPU does not."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from keras_genzoo.cli.tensorflow import see_one_gpu
from keras_genzoo.training import fit, make_strategy
from keras_genzoo.training.devices import devices_in_words, unused_gpu


def test_the_cpu_is_named_with_its_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2})
    assert devices_in_words(make_strategy("one")) == "training on the CPU, 3 cores"
    words = devices_in_words(make_strategy("mirrored"))
    assert words == "training on the CPU, 2 replicas, 3 cores"


def test_the_line_is_printed_by_fit(small, tmp_path):
    said = []
    fit(small("ae", steps=10), tmp_path / "run", echo=said.append)
    assert [line for line in said if line.startswith("training on the CPU, ")]


# No machine of these tests has a GPU: TensorFlow's answers are made up.


def test_a_gpu_is_named_as_its_maker_names_it(monkeypatch):
    gpus = [SimpleNamespace(name=f"/device:GPU:{number}") for number in range(2)]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: gpus)
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["H100", "A100"])
    details = tf.config.experimental
    monkeypatch.setattr(details, "get_device_details", lambda gpu: {"device_name": f"NVIDIA {gpu}"})
    assert devices_in_words(tf.distribute.get_strategy()) == "training on GPU:0 (NVIDIA H100)"


def test_one_device_sees_one(monkeypatch):
    seen = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["first", "second"])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *given: seen.append(given))
    see_one_gpu()
    assert seen == [(["first"], "GPU")]


def test_a_machine_without_a_gpu_is_not_spoken_of(tmp_path):
    assert unused_gpu([str(tmp_path / "nvidia0")]) is None


def test_a_hidden_gpu_is_said_to_be_hidden(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    line = unused_gpu([str(tmp_path)])
    assert "a GPU here, which TensorFlow cannot use: CUDA_VISIBLE_DEVICES='-1' hides it" in line


@pytest.mark.slow
def test_tensorflows_own_reason_is_given(tmp_path, monkeypatch):
    if not tf.sysconfig.get_build_info().get("is_cuda_build"):
        pytest.skip("this TensorFlow is built without CUDA")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    line = unused_gpu([str(tmp_path)])
    assert "\n" not in line
    assert "TensorFlow does not say why" not in line
    assert "cuda" in line.lower()
