import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_genzoo.data import (
    PreparedSource,
    Source,
    check_prepared,
    find_manual_files,
    open_source,
    training_stream,
)
from keras_genzoo.errors import GenzooError
from tests.data.files import encoded

CELEBA = {
    "img_align_celeba.zip",
    "list_eval_partition.txt",
    "list_attr_celeba.txt",
    "list_landmarks_align_celeba.txt",
    "identity_CelebA.txt",
}


@pytest.mark.parametrize(
    ("name", "near"), [("minst", "mnist"), ("fashion-mnist", "fashion_mnist"), ("a b", None)]
)
def test_an_unknown_name_is_answered_with_the_nearest(name, near):
    hint = rf" did you mean '{near}'\?" if near else " known: celeb_a"
    with pytest.raises(GenzooError, match=f"unknown data set '{name}';{hint}"):
        open_source(name)


def test_a_data_set_without_images_is_refused(tmp_path):
    with pytest.raises(GenzooError, match="no image data set"):
        open_source("iris", data_dir=tmp_path, download=False)


def test_what_is_not_prepared_is_named(tmp_path):
    with pytest.raises(GenzooError, match="run genzoo data prepare mnist"):
        open_source("mnist", data_dir=tmp_path, download=False)


def test_the_five_files_of_celeba_are_looked_for(tmp_path):
    (tmp_path / "list_attr_celeba.txt").write_text("not the real one")
    found = find_manual_files("celeb_a", tmp_path, tmp_path)
    assert {file.name for file in found} == CELEBA
    assert {file.name for file in found if not file.problem} == {"list_attr_celeba.txt"}
    checked = {file.name: file.problem for file in check_prepared("celeb_a", tmp_path, tmp_path)}
    assert checked["list_attr_celeba.txt"] == "has 16 bytes, expected 26,721,026"
    assert checked["img_align_celeba.zip"] == "missing"


def record(image, label=None):
    """The bytes of a record as tensorflow-datasets writes them, with or without a label."""
    from tensorflow.train import BytesList, Example, Feature, Features, Int64List

    features = {"image": Feature(bytes_list=BytesList(value=[encoded(image)]))}
    if label is not None:
        features["label"] = Feature(int64_list=Int64List(value=[label]))
    return Example(features=Features(feature=features)).SerializeToString()


def test_a_record_without_a_label_is_skipped():
    source = PreparedSource.__new__(PreparedSource)
    Source.__init__(source)
    source.name, source.split, source.image_shape, source._crop = "some", "train", (4, 4, 1), None
    source._image_key, source._label_key = "image", "label"
    images = [np.full((4, 4), number, np.uint8) for number in range(3)]
    source._records = [record(images[0], 7), record(images[1]), record(images[2], 9)]
    source.num_images = 3
    fetched, labels = source.fetch(np.arange(3))
    np.testing.assert_array_equal(fetched[:, 0, 0, 0], [0, 2, 2])
    np.testing.assert_array_equal(labels, [7, 9, 9])
    ((which, reason),) = source.skipped
    assert which == "image 1 of some, split train"
    assert "damaged record" in reason


@pytest.mark.real_data
def test_a_file_with_another_checksum_is_refused_by_name(test_data, tmp_path):
    by_hand = tmp_path / "by hand"
    shutil.copytree(test_data / "mnist", by_hand, copy_function=shutil.copyfile)
    by_hand.chmod(0o755)
    damaged = by_hand / "t10k-labels-idx1-ubyte.gz"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    with pytest.raises(GenzooError, match=r"cannot prepare mnist .*t10k-labels-idx1-ubyte\.gz"):
        open_source("mnist", data_dir=tmp_path, manual_dir=by_hand)
    found = {file.name: file.problem for file in check_prepared("mnist", tmp_path, by_hand)}
    assert [name for name in found if found[name]] == [damaged.name]


@pytest.mark.real_data
def test_celeba_is_cropped_and_resized_to_64(test_data):
    source = open_source("celeb_a", data_dir=test_data / "tensorflow_datasets")
    assert (source.num_images, source.image_shape) == (4560, (64, 64, 3))
    assert source.num_classes is None
    images, _ = source.fetch(np.arange(100))
    assert 90 < images.mean() < 150
    assert source.skipped == []


@pytest.mark.real_data
def test_celeba_agrees_with_tensorflow_datasets(test_data):
    tfds = pytest.importorskip("tensorflow_datasets")
    place = test_data / "tensorflow_datasets"
    reference = tfds.load("celeb_a", data_dir=place, split="validation[5:8]", download=False)
    source = open_source("celeb_a", "validation[5:8]", data_dir=place)
    for index, example in enumerate(reference):
        centre = example["image"].numpy()[35:183, 15:163].reshape(37, 4, 37, 4, 3).mean((1, 3))
        ours = open_source("celeb_a", "validation[5:8]", data_dir=place, image_size=37)
        assert np.abs(ours.fetch(np.array([index]))[0][0] - centre).mean() < 6
    assert source.num_images == 3


@pytest.mark.slow
@pytest.mark.real_data
def test_opening_a_data_set_says_nothing(test_data):
    code = "import sys, keras_genzoo.data as data; from keras_genzoo.cli.tensorflow import *\n"
    code += "start_tensorflow(); data.open_source('celeb_a', data_dir=sys.argv[1]).fetch([0])"
    # Its log goes to the standard error of a process that has not set up logging.
    said = subprocess.run(
        [sys.executable, "-c", code, test_data / "tensorflow_datasets"],
        capture_output=True,
        text=True,
    )
    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")


def test_attributes_of_celeba_are_those_of_tensorflow_datasets(test_data):
    tfds = pytest.importorskip("tensorflow_datasets")
    place = test_data / "tensorflow_datasets"
    reference = tfds.load("celeb_a", data_dir=place, split="validation[5:8]", download=False)
    source = open_source("celeb_a", "validation[5:8]", data_dir=place)
    assert len(source.attribute_names) == 40
    for index, example in enumerate(reference):
        known = {name: int(value) for name, value in example["attributes"].items()}
        ours = dict(zip(source.attribute_names, source.read_attributes(index), strict=True))
        assert ours == known
    digits = open_source("digits")
    assert digits.attribute_names is None
    with pytest.raises(GenzooError, match="digits has no attributes"):
        digits.read_attributes(0)


@pytest.mark.real_data
def test_a_stream_of_records_starts_anywhere(test_data):
    source = open_source("celeb_a", data_dir=test_data / "tensorflow_datasets", image_size=16)
    late = training_stream(source, 8, start_step=60, cache=False)
    whole = training_stream(source, 8, cache=False)
    for ours, theirs in zip(late.take(2), whole.skip(60).take(2), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.real_data
def test_splits_of_celeba_are_listed(test_data):
    with pytest.raises(GenzooError, match="it has: train, validation, test"):
        open_source("celeb_a", "valid", data_dir=test_data / "tensorflow_datasets")


@pytest.mark.real_data
def test_a_damaged_record_is_found_and_skipped(test_data, tmp_path):
    place = tmp_path / "celeb_a" / "2.1.0"
    shutil.copytree(test_data / "tensorflow_datasets" / "celeb_a" / "2.1.0", place,
                    copy_function=shutil.copyfile)  # fmt: skip
    place.chmod(0o755)
    file = place / "celeb_a-test.tfrecord-00000-of-00001"
    damaged = bytearray(file.read_bytes())
    damaged[40:4000] = bytes(3960)
    file.write_bytes(damaged)
    problems = {one.name: one.problem for one in check_prepared("celeb_a", tmp_path)}
    assert "damaged" in problems.pop(file.name)
    assert set(problems.values()) == {None}
    source = open_source("celeb_a", "test", data_dir=tmp_path)
    source.fetch(np.arange(3))
    assert [which for which, _ in source.skipped] == ["image 0 of celeb_a, split test"]
    file.write_bytes(damaged[:-100])
    with pytest.raises(GenzooError, match="cut short"):
        open_source("celeb_a", "test", data_dir=tmp_path)


@pytest.mark.real_data
def test_damaged_facts_of_a_prepared_data_set_are_named(test_data, tmp_path):
    shutil.copytree(test_data / "tensorflow_datasets" / "celeb_a", tmp_path / "celeb_a",
                    copy_function=shutil.copyfile)  # fmt: skip
    facts = tmp_path / "celeb_a" / "2.1.0" / "dataset_info.json"
    facts.write_text(facts.read_text().replace("{DATASET}", "{DATATASET}"))
    for use in (open_source, check_prepared):
        with pytest.raises(GenzooError, match="facts of the prepared data set are damaged"):
            use("celeb_a", data_dir=tmp_path)


@pytest.mark.slow
@pytest.mark.real_data
def test_mnist_is_prepared_from_files_fetched_by_hand(test_data, tmp_path):
    source = open_source("mnist", data_dir=tmp_path, manual_dir=test_data / "mnist")
    assert (source.num_images, source.image_shape, source.num_classes) == (60_000, (28, 28, 1), 10)
    images, labels = source.fetch(np.arange(20_000))
    assert abs(images.mean() - 33.3) < 0.5
    np.testing.assert_array_equal(np.unique(labels), np.arange(10))
    assert open_source("mnist", "test[:100]", data_dir=tmp_path).num_images == 100


@pytest.mark.slow
@pytest.mark.real_data
def test_the_first_image_of_mnist_is_the_first_of_its_file(test_data, tmp_path):
    place = {"data_dir": tmp_path, "manual_dir": test_data / "mnist"}
    prepared = open_source("mnist", "test", **place)
    published = open_source(test_data / "mnist", "test")
    numbers = np.arange(published.num_images)
    images, labels = published.fetch(numbers)
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    in_order = prepared.as_published
    for ours, theirs in zip(in_order.fetch(numbers), (images, labels), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert in_order.label(0) == 7
    # Of a part it is not known which images it holds.
    part = open_source("mnist", "test[:100]", **place)
    assert part.as_published is part
    without = open_source("mnist", "test", labels="none", **place).as_published
    np.testing.assert_array_equal(without.fetch(numbers[:10])[0], images[:10])
