"""``genzoo figures`` and ``genzoo latent``: what they draw, and that it shows the data."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from keras_genzoo.data import open_source
from keras_genzoo.images import save_png
from keras_genzoo.models import VAE, Autoencoder
from keras_genzoo.training import Run, load_model
from keras_genzoo.training.chosen import images_by_number
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization import (
    latent_manifold,
    latent_map,
    training_animation,
    training_curves,
)
from keras_genzoo.visualization.figures import reconstructions_and_interpolation
from keras_genzoo.visualization.latent import Codes
from tests.cli.conftest import SMALL, small

pytestmark = pytest.mark.slow

EVERY = {"curves", "real_and_generated"}
OWN = {
    "ae": {"reconstructions_and_walk", "latent_map", "latent_manifold"},
    "vae": {"reconstructions_and_walk", "latent_map", "latent_manifold"},
    "cgan": {"classes"},
}
ALL = [
    name if name in ("vae", "cgan") else pytest.param(name, marks=pytest.mark.slow)
    for name in SMALL
]


def hashes(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.mark.parametrize("model", ALL)
def test_a_run_shows_what_its_model_can(genzoo, trained, tmp_path, model):
    ended = genzoo("figures --out first", trained(model))
    assert ended.code == 0, ended.errors
    names = EVERY | OWN.get(model, set())
    expected = {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")}
    files = {path.name for path in (tmp_path / "first").iterdir()}
    assert files == expected | {"training.gif", "figures.json"}
    facts = json.loads((tmp_path / "first" / "figures.json").read_text())
    run = Run.open(trained(model))
    assert (facts["step"], facts["weights_digest"]) == (6, weights_digest(load_model(run)))
    assert set(ended.output.split()) == {f"first/{name}" for name in files}
    for name in names:
        picture = np.asarray(Image.open(tmp_path / "first" / f"{name}.png").convert("L"))
        assert picture.std() > 5, name
        # Nothing is cut off: the border is white all around.
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (border == 255).all(), name
        svg = (tmp_path / "first" / f"{name}.svg").read_text()
        assert svg.count("<svg") == 1
        # Curves are of all steps.
        assert (f"{model} on digits, latent size" in svg and ", step 6" in svg) or name == "curves"


def test_the_same_figures_are_the_same_files(genzoo, trained, tmp_path):
    for out in ("a", "b"):
        genzoo(f"figures --out {out}", trained("vae"))
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_a_latent_map_tells_how_many_codes_lie_outside():
    points = np.random.default_rng(0).uniform(-3, 3, (2000, 2))
    points[0] = 1000
    texts = [text.get_text() for text in latent_map([Codes("", points, None)]).axes[0].texts]
    assert texts == ["1 of 2,000 outside"]


def test_the_animation_shows_every_sample_grid(genzoo, tmp_path):
    genzoo(small("gan", "--sample-every 3 --out run"))
    run = tmp_path / "run"
    pictures = sorted((run / "samples").glob("*.png"))
    genzoo("figures --out first", run)
    with Image.open(tmp_path / "first" / "training.gif") as film:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(film)]
    assert len(frames) == len(pictures) == 3  # the untrained model, and both checkpoints
    for frame, path in zip(frames, pictures, strict=True):
        np.testing.assert_allclose(frame[22:], np.asarray(Image.open(path).convert("L")), atol=8)


def test_figures_that_fail_leave_the_old_ones_as_they_were(genzoo, refused, tmp_path):
    genzoo(small("gan", "--sample-every 3 --out run"))
    run = tmp_path / "run"
    genzoo("figures run")
    before = hashes(run / "figures")
    picture = run / "samples" / "step-00000006.png"
    whole = picture.read_bytes()
    # Drawn last: all other figures are there by then.
    picture.write_bytes(b"damaged")
    assert "step-00000006.png is damaged" in refused("figures run --force")
    assert hashes(run / "figures") == before
    assert not list(run.glob(".tmp-*"))
    picture.write_bytes(whole)
    assert genzoo("figures run --force --seed 1").code == 0
    assert hashes(run / "figures").keys() == before.keys()
    assert hashes(run / "figures") != before


def test_the_first_images_stand_in_their_order_with_their_interpolation():
    source = open_source("digits", "test")
    first = images_by_number(source, range(10)).images
    np.testing.assert_array_equal(first, source.fetch(np.arange(10))[0])
    model = VAE((8, 8, 1), latent_dim=2, hidden_units=(4,), seed=0)
    grid = reconstructions_and_interpolation(model, first).axes[0].get_images()[0].get_array()
    rows = [model.reconstruct(first), model.interpolate(first[0], first[1], 10)]
    for row, images in enumerate([first, *rows]):
        for column, image in enumerate(images):
            top, left = 9 * row, 9 * column
            np.testing.assert_array_equal(grid[top : top + 8, left : left + 8], image[..., 0])


def test_an_animation_begins_at_the_first_grid_whatever_the_sizes(tmp_path):
    files = []
    for step, side in ((0, 20), (1, 30)):
        files.append(tmp_path / f"step-{step:08}.png")
        save_png(files[-1], np.full((side, side, 1), 100 * step, np.uint8))
    training_animation(files, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as animation:
        frames = [np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(animation)]
    assert [frame.shape for frame in frames] == [(52, 30)] * 2
    assert (frames[0][22:42, :20] < 9).all()
    assert (frames[0][42:] > 250).all()


def test_maps_of_two_runs_share_their_axes(genzoo, trained, tmp_path):
    ended = genzoo("latent -n 100 --out map.png", trained("ae"), trained("vae"))
    assert (ended.code, ended.output.split()) == (0, ["map.png", "map.svg"]), ended.errors
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 100)
    wide, narrow = (
        Codes(name, scale * rng.normal(size=(100, 2)), labels)
        for name, scale in (("wide", 20), ("narrow", 1))
    )
    figure = latent_map([wide, narrow])
    left, right = figure.axes
    assert left.get_xlim() == right.get_xlim()
    assert left.get_ylim() == right.get_ylim()
    [offsets] = [part.get_offsets() for part in left.collections]
    np.testing.assert_array_equal(offsets, wide.points)
    # What is too small to see is drawn once more, and there the classes have their names.
    [magnified] = right.child_axes
    assert magnified.get_xlim()[1] < left.get_xlim()[1] / 3
    assert {text.get_text() for text in magnified.texts} == {str(n) for n in range(10)}
    assert {text.get_text() for text in left.texts} >= {str(n) for n in range(10)}
    assert not latent_map([wide]).axes[0].child_axes
    # It has no numbers that would read as those of the axes around, which have a frame for it.
    assert not magnified.get_xticks().size + magnified.get_yticks().size
    [legend] = figure.legends
    assert "circles of radius 1, 2 and 3" in legend.get_texts()[0].get_text()


def test_names_of_classes_do_not_hide_one_another():
    rng = np.random.default_rng(0)
    # All classes have the same median, nearly.
    codes = Codes("one place", rng.normal(size=(2000, 2)), rng.integers(0, 10, 2000))
    figure = latent_map([codes], [f"class {number}" for number in range(10)])
    figure.draw_without_rendering()
    names = [text for text in figure.axes[0].texts if text.get_text().startswith("class")]
    boxes = [name.get_window_extent() for name in names]
    assert len(boxes) == 10
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert figure.axes[0].get_window_extent().contains(*box.min)


def test_codes_of_more_dimensions_are_drawn_by_their_main_components(genzoo, tmp_path):
    arguments = "fit vae --latent-dim 5 --hidden-units 16 --steps 4 --checkpoint-every 4"
    assert genzoo(f"{arguments} --out run").code == 0
    ended = genzoo("figures run --out first")
    assert ended.code == 0, ended.errors
    files = {path.stem for path in (tmp_path / "first").iterdir()}
    assert "latent_map" in files
    assert "latent_manifold" not in files
    assert "main component 1" in (tmp_path / "first" / "latent_map.svg").read_text()


@pytest.mark.parametrize("model_class", [Autoencoder, VAE])
def test_a_manifold_is_laid_out_as_the_map_is(model_class):
    model = model_class((8, 8, 1), latent_dim=2, hidden_units=(4,))
    codes = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    axes = latent_manifold(model, codes, side=5).axes[0]
    grid = axes.get_images()[0].get_array()
    # The upper right image is that of the largest z_1 and z_2.
    if model_class is VAE:
        corner = np.full((1, 2), 1.2815515594)
    else:
        corner = np.quantile(codes, 0.99, axis=0)[None]
    np.testing.assert_array_equal(grid[:8, -8:], model.decode(corner)[0, :, :, 0])
    right, top = axes.get_xticklabels()[-1], axes.get_yticklabels()[0]
    assert [right.get_text(), top.get_text()] == [f"{value:.2f}" for value in corner[0]]
    assert 36 < axes.get_xticks()[-1] < grid.shape[1]
    assert 0 < axes.get_yticks()[0] < 8
    with pytest.raises(ValueError, match="latent space of 2 dimensions; this model has 3"):
        latent_manifold(model_class((8, 8, 1), latent_dim=3, hidden_units=(4,)), codes)


def test_curves_are_those_of_the_history():
    rows = [
        {"step": step, "discriminator_loss": 1.0 / step, "generator_loss": step, "real_score": 0.7,
         "fake_score": 0.3}
        for step in (1, 2, 3)
    ]  # fmt: skip
    losses, scores = training_curves(rows).axes
    np.testing.assert_allclose(losses.lines[0].get_xydata(), [[1, 1], [2, 1 / 2], [3, 1 / 3]])
    assert [line.get_label() for line in scores.lines] == ["D(x)", "D(G(z))"]
    assert scores.get_title(loc="left") == "D(x) and D(G(z))"
    _, scores = training_curves(rows, optimum=0.5).axes
    assert list(scores.lines[2].get_ydata()) == [0.5, 0.5]
    assert scores.get_title(loc="left") == "D(x) and D(G(z)): both 0.5 at the optimum"
    with pytest.raises(ValueError, match="nothing has been trained"):
        training_curves([])


def test_held_out_losses_are_drawn_beside_those_of_training():
    rows = [{"step": step, "loss": 1.0 / step, "val_loss": np.nan} for step in (1, 2, 3)]
    rows[1]["val_loss"], rows[2]["val_loss"] = 0.75, 0.5
    [axes] = training_curves(rows).axes
    assert [line.get_label() for line in axes.lines] == ["loss", "loss, held out"]
    np.testing.assert_array_equal(axes.lines[1].get_xydata(), [[2, 0.75], [3, 0.5]])
    figure = training_curves(rows)
    figure.draw_without_rendering()
    # The legend stands where no line can be.
    box = figure.axes[0].get_legend().get_window_extent()
    assert box.y0 >= figure.axes[0].get_window_extent().y1
    for rows in ([{"step": 1, "loss": 1.0, "val_loss": ""}], [{"step": 1, "loss": 1.0}]):
        assert len(training_curves(rows).axes[0].lines) == 1


def test_figures_of_an_unfinished_run_say_of_which_step(genzoo, trained, tmp_path):
    import shutil

    run = shutil.copytree(trained("gan"), tmp_path / "run")
    (run / "model.keras").unlink()
    ended = genzoo("figures run")
    assert "run has no finished model; taking its checkpoint of step 6" in ended.output


def test_bad_requests(genzoo, refused, trained, tmp_path):
    run = trained("gan")
    assert "has no encoder; a latent map takes a model that has one, such as" in refused(
        "latent", run
    )
    assert "is not a run" in refused("figures nowhere")
    assert "has none of the suffixes .png" in refused("latent --out map.svg", trained("ae"))
    (tmp_path / "kept.svg").write_text("mine")
    assert "kept.svg exists" in refused("latent --out kept.png", trained("ae"))
    genzoo("figures --out first", run)
    assert "first exists; choose another --out" in refused("figures --out first", run)
    (tmp_path / "first" / "note.txt").write_text("mine")
    words = "first holds note.txt, which this command did not write"
    assert words in refused("figures --out first --force", run)
    assert "which this command did not write" in refused("figures --force --out", run, run)
    (tmp_path / "first" / "note.txt").unlink()
    assert genzoo("figures --out first --force", run).code == 0
    other = "fit ae --image-size 8 --hidden-units 16 --latent-dim 2 --steps 2 --checkpoint-every 2"
    genzoo(f"{other} --out other")
    assert "were trained on other data" in refused("latent --out m.png", trained("ae"), "other")
    assert not (tmp_path / "m.png").exists()
