"""Samples go to their file as they are made."""

import tracemalloc

import numpy as np
import pytest

from keras_genzoo.errors import GenzooError
from keras_genzoo.images import check_grid
from keras_genzoo.models import GAN
from keras_genzoo.training import waiting
from keras_genzoo.training.sampling import generated, write_arrays


@pytest.fixture(scope="module")
def model():
    return GAN((8, 8, 1), 4, generator_units=(4,), discriminator_units=(4,))


def test_arrays_are_those_of_numpy(model, tmp_path):
    labels, names = np.arange(300, dtype="int32"), np.array(["a", "b"])
    path = tmp_path / "a.npz"
    batches = generated(model, 300, None, 1, print)
    write_arrays(path, batches, (300, 8, 8, 1), labels=labels, class_names=names)
    with np.load(path) as arrays:
        assert arrays.files == ["images", "labels", "class_names"]
        np.testing.assert_array_equal(arrays["images"], model.generate(300, seed=1))
        np.testing.assert_array_equal(arrays["labels"], labels)
        assert arrays["class_names"].tolist() == ["a", "b"]


def test_any_number_of_images_takes_the_memory_of_a_batch(model, tmp_path):
    rows = 40_000
    batches = generated(model, rows, None, 0, print)
    tracemalloc.start()
    try:
        write_arrays(tmp_path / "a.npz", batches, (rows, 8, 8, 1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < rows * 64 / 3


def test_samples_tell_how_far_they_are(model, monkeypatch):
    monkeypatch.setattr(waiting, "FIRST_SECONDS", 0)
    monkeypatch.setattr(waiting, "LINE_SECONDS", 0)
    lines = []
    list(generated(model, 600, None, 0, lines.append))
    starts = [f"samples: {done} of 600 images, " for done in (256, 512, 600)]
    assert [line.startswith(start) for line, start in zip(lines, starts, strict=True)] == [True] * 3


def test_a_file_of_samples_is_whole_or_not_there(model, tmp_path):
    def broken():
        yield model.generate(2)
        raise GenzooError("stopped")

    with pytest.raises(GenzooError, match="stopped"):
        write_arrays(tmp_path / "a.npz", broken(), (4, 8, 8, 1))
    with pytest.raises(GenzooError, match="at least 1"):
        generated(model, 0, None, 0, print)
    assert not list(tmp_path.iterdir())


def test_a_grid_beyond_what_readers_take_is_refused():
    check_grid(20_000, (66, 66))
    with pytest.raises(GenzooError, match=r"50,000 images has 168 million pixels, .* 89 million"):
        check_grid(50_000, (58, 58))
