"""The commands that draw images from a finished run, and the one that shows it."""

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.data import open_source
from keras_genzoo.training import Settings, load_model
from keras_genzoo.training.contents import check_only_own
from keras_genzoo.training.run import Run
from tests.cli.conftest import SMALL

# The quick ones stand for all in a quick loop.
ALL = [
    name if name in ("ae", "gan") else pytest.param(name, marks=pytest.mark.slow) for name in SMALL
]


def picture(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize("model", ALL)
def test_samples(genzoo, trained, tmp_path, model):
    run = trained(model)
    ended = genzoo("sample -n 12 --columns 4 --seed 3 --out a.png", run)
    lines = ended.output.splitlines()
    assert (ended.code, lines.pop()) == (0, "a.png"), ended.errors
    in_turn = ["classes in turn, from the left: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"]
    assert lines == (in_turn if model == "cgan" else [])
    genzoo("sample -n 12 --columns 4 --seed 3 --out b.png", run)
    genzoo("sample -n 12 --columns 4 --seed 4 --out c.png", run)
    a, b, c = (picture(tmp_path / f"{name}.png") for name in "abc")
    assert (a == b).all()
    assert not (a == c).all()
    # 3 rows and 4 columns of 16 pixels, three times as large, 2 pixels between them; above each
    # image of a conditional model stands its class.
    head = (len(a) + 2) // 3 - 50 if model == "cgan" else 0
    assert a.shape == (3 * (50 + head) - 2, 4 * 50 - 2)
    genzoo("sample -n 12 --seed 3 --out a.npz", run)
    with np.load(tmp_path / "a.npz") as arrays:
        images = arrays["images"]
        assert ("labels" in arrays.files) == (model == "cgan")
    assert (images.shape, images.dtype) == ((12, 16, 16, 1), np.uint8)
    assert (images[0, :, :, 0].repeat(3, 0).repeat(3, 1) == a[head : head + 48, :48]).all()


@pytest.mark.slow
def test_samples_of_a_class(genzoo, trained, tmp_path):
    run = trained("cgan")
    model = load_model(Run.open(run))
    for label in (2, 7):
        genzoo(f"sample -n 5 --class {label} --seed 1 --out {label}.npz", run)
        with np.load(tmp_path / f"{label}.npz") as arrays:
            assert arrays["labels"].tolist() == [label] * 5
            np.testing.assert_array_equal(
                arrays["images"], model.generate(5, class_labels=label, seed=1)
            )
    genzoo("sample -n 20 --out all.npz", run)
    with np.load(tmp_path / "all.npz") as arrays:
        assert arrays["labels"].tolist() == [*range(10)] * 2
    genzoo("sample -n 20 --out all.png", run)
    height, width = picture(tmp_path / "all.png").shape
    assert width == 10 * 50 - 2
    names = height - (2 * 50 - 2)
    assert 10 < names < 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "rows", "line"),
    [("", 7, None), ("-n 33", 4, "40 images, not 33: as many of each class"), ("-n 20", 2, None)],
)
def test_rows_of_all_classes_are_whole(genzoo, trained, tmp_path, count, rows, line):
    ended = genzoo(f"sample {count} --out a.png", trained("cgan"))
    made = picture(tmp_path / "a.png")[-(rows * 50 - 2) :]
    # The last image is an image, as is the one before it: none is white.
    assert all((part < 255).any() for part in (made[-48:, -48:], made[-48:, -98:-50]))
    assert [text for text in ended.output.splitlines() if " not " in text] == [line] * bool(line)


@pytest.mark.slow
def test_a_second_call_takes_the_next_free_name(genzoo, copy, refused):
    run = copy("ae")
    for command in ("sample", "reconstruct", "interpolate"):
        names = [f"{command}.png", f"{command}-2.png", f"{command}-3.png"]
        for name in names:
            ended = genzoo(f"{command} run")
            assert ended.output.splitlines()[-1] == f"run/{name}", ended.errors
        before = [(run / name).stat().st_mtime_ns for name in names]
        assert genzoo(f"{command} run --force").output.splitlines()[-1] == f"run/{names[0]}"
        after = [(run / name).stat().st_mtime_ns for name in names]
        assert [a == b for a, b in zip(before, after, strict=True)] == [False, True, True]
        # What a person names is never taken for another name.
        assert "exists; choose another --out" in refused(f"{command} run --out run/{names[0]}")
    check_only_own(run)


@pytest.mark.parametrize("model", ["ae", pytest.param("vae", marks=pytest.mark.slow)])
def test_reconstructions(genzoo, trained, tmp_path, model):
    run = trained(model)
    for name, options in {"a": "", "b": "", "c": "--seed 1", "d": "--split train"}.items():
        ended = genzoo(f"reconstruct -n 20 {options} --out {name}.png", run)
        assert (ended.code, ended.output) == (0, f"{name}.png\n"), ended.errors
    a, b, c, d = (picture(tmp_path / f"{name}.png") for name in "abcd")
    assert a.shape == (4 * 50 - 2, 16 * 50 - 2)
    assert (a == b).all()
    assert not (a == c).all()
    assert not (a == d).all()
    # Below 16 real images and their reconstructions are 4 more, and white.
    assert (a[100:, 4 * 50 :] == 255).all()
    real = a[:48:3, :48:3][None, ..., None]
    made = load_model(Run.open(run)).reconstruct(real)
    assert np.abs(made[0, ..., 0].astype(int) - a[50:98:3, :48:3]).max() <= 1


def test_reconstructions_of_chosen_images(genzoo, trained, tmp_path):
    ended = genzoo("reconstruct --images 3,0 --out a.png", trained("ae"))
    assert ended.output.splitlines() == [
        "from the left: image 3 of digits, split test (class 6); image 0 of digits, split test "
        "(class 1)",
        "a.png",
    ], ended.errors
    made = picture(tmp_path / "a.png")
    real = open_source("digits", "test", image_size=16).fetch(np.array([3, 0]))[0][..., 0]
    np.testing.assert_array_equal(made[:48:3, :48:3], real[0])
    np.testing.assert_array_equal(made[:48:3, -48::3], real[1])


@pytest.mark.parametrize(
    ("ends", "numbers"), [("--images 0,1", (0, 1)), ("--from 7 --to 2", (1, 28))]
)
def test_interpolations_between_chosen_images(genzoo, trained, tmp_path, ends, numbers):
    run = trained("ae")
    ended = genzoo(f"interpolate {ends} --steps 4 --out a.png", run)
    [line, _] = ended.output.splitlines()
    first, last = numbers
    assert line.startswith(f"from image {first} of digits, split test (class ")
    assert f" to image {last} of digits, split test (class " in line
    model = load_model(Run.open(run))
    images, labels = open_source("digits", "test", image_size=16).fetch(np.array(numbers))
    if ends.startswith("--from"):
        assert labels.tolist() == [7, 2]
    made = model.interpolate(*images, 4)
    # At the left stand the names of the classes.
    grid = picture(tmp_path / "a.png")[:, -(4 * 50 - 2) :]
    np.testing.assert_array_equal(grid[:48:3, :48:3], made[0, ..., 0])
    np.testing.assert_array_equal(grid[:48:3, -48::3], made[-1, ..., 0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("interpolate AE --images 0", "--images takes two images for each row, such as 0,1"),
        ("interpolate AE --images 0,297", "has no image 297; its images are 0 to 296"),
        ("interpolate AE --from 7", "--from names a class; name the other end, too: --to"),
        ("interpolate AE --to 7", "--to names a class; name the other end, too: --from"),
        ("interpolate AE --from 7 --to 7", "--from and --to are both 7; name two classes"),
        ("interpolate AE --from 7 --to 12", "unknown class '12'"),
        ("interpolate AE --from 7 --to 2 --images 0,1", "give --images, or --from and --to"),
        ("interpolate AE --rows 2 --images 0,1", "--rows is of ends chosen at random"),
        ("reconstruct AE -n 3 --images 0,1", "(-n) or the images (--images), not both"),
        ("reconstruct AE --images -1", "has no image -1; its images are 0 to 296"),
        ("interpolate GAN --images 0,1", "a gan has no encoder, and interpolates between points"),
        (
            "interpolate GAN --from 7 --to 2",
            "--images, --from, --to and --split are for models that",
        ),
    ],
)
def test_images_that_cannot_be_chosen(refused, trained, tmp_path, arguments, words):
    command, model, options = arguments.split(maxsplit=2)
    assert words in refused(f"{command} {options} --out a.png", trained(model.lower()))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("method", ["linear", "spherical"])
@pytest.mark.parametrize("model", ALL)
def test_interpolations(genzoo, trained, tmp_path, model, method):
    run = trained(model)
    arguments = f"interpolate --rows 2 --steps 5 --method {method} --seed 3"
    for name in "ab":
        ended = genzoo(f"{arguments} --out {name}.png", run)
        lines = ended.output.splitlines()
        assert (ended.code, lines.pop()) == (0, f"{name}.png"), ended.errors
        rows = ["classes of the rows, from the top: 0, 1"]
        assert lines == (rows if model == "cgan" else [])
    a, b = (picture(tmp_path / f"{name}.png") for name in "ab")
    assert (a == b).all()
    # The rows of a conditional model have the names of their classes at the left.
    names = a.shape[1] - (5 * 50 - 2)
    assert (10 < names < 40) if model == "cgan" else names == 0
    assert len(a) == 2 * 50 - 2
    ends = a[:48, names : names + 48], a[:48, -48:]
    assert not (ends[0] == ends[1]).all()


def test_interpolations_take_the_models_own_method(genzoo, trained, tmp_path):
    for model, method in (("ae", "linear"), ("gan", "spherical")):
        run = trained(model)
        genzoo(f"interpolate --out {model}.png", run)
        genzoo(f"interpolate --method {method} --out {method}.png", run)
        assert (picture(tmp_path / f"{model}.png") == picture(tmp_path / f"{method}.png")).all()


@pytest.mark.slow
def test_interpolations_of_a_class(genzoo, trained, tmp_path):
    run = trained("cgan")
    for name, options in {"a": "--class 3", "b": "--class 3", "c": "--class 4"}.items():
        assert genzoo(f"interpolate --rows 1 {options} --out {name}.png", run).code == 0
    a, b, c = (picture(tmp_path / f"{name}.png") for name in "abc")
    assert (a == b).all()
    assert not (a == c).all()


def test_show(genzoo, trained):
    run = trained("gan")
    lines = genzoo("show", run).output.splitlines()
    assert {"model: gan", "latent_dim: 4", "steps: 6", "steps: 6 of 6"} <= set(lines)
    row = Run.open(run).read_history()[-1]
    assert f"generator_loss: {row['generator_loss']:.4f}" in lines
    assert f"model: {run / 'model.keras'}" in lines
    assert f"sample grid: {run / 'samples' / 'step-00000006.png'}" in lines
    assert lines[0] == "gan on digits, latent size 4, 6 steps"
    recipe = "recipe: gan-digits, with batch_size 16, steps 6, checkpoint_every 3, latent_dim 4"
    assert lines[1].startswith(recipe)
    assert lines[2].startswith("begun: 2")
    # Neither was given: the model and the data decide.
    assert {"loss: non_saturating", "beta_1: 0.5", "channels: 1"} <= set(lines)
    assert not [line for line in lines if line.endswith("None")]


@pytest.mark.parametrize(
    ("settings", "conditional"),
    [
        (Settings("gan"), False),
        (Settings("gan", conditioning="concat"), True),
        (Settings("cgan"), True),
        (Settings("vae"), False),
    ],
)
def test_show_names_the_rows_of_every_conditional_model(genzoo, tmp_path, settings, conditional):
    data = {
        "image_shape": [8, 8, 1],
        "num_images": 10,
        "num_classes": 2,
        "class_names": ["cat", "dog"],
        "fingerprint": "0",
    }
    Run.create(settings, data, tmp_path / "run")
    lines = genzoo("show run").output.splitlines()
    assert "classes: cat, dog" in lines
    assert ("rows of the sample grids: these classes, from the top" in lines) == conditional


def test_list(genzoo):
    output = genzoo("list").output
    for name in ("dcgan", "celeb_a", "vae-mnist-10d", "squared_error", "non_saturating"):
        assert name in output
