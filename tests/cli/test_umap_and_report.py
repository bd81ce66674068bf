"""``genzoo umap`` and ``genzoo report``: what they measure, and that their pages work."""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from keras_genzoo.training import Run, load_model
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization import Study, study
from keras_genzoo.visualization.interactive import map_page
from keras_genzoo.visualization.study import (
    BACKGROUND_IN_WORDS,
    SPARSE_IN_WORDS,
    background_colour,
    explained_by_neighbours,
    where_sparse,
)
from keras_genzoo.visualization.study_figures import choose_part, galleries, magnified, maps
from keras_genzoo.visualization.style import head
from keras_genzoo.visualization.umap_study import image_notes, load_studies
from tests.cli.conftest import CHROMIUM, FLAGS

pytestmark = pytest.mark.slow


def faces(n, seed=0):
    """Images whose left and right edge has a colour of its own, and a shape in the middle."""
    rng = np.random.default_rng(seed)
    images = np.empty((n, 24, 24, 3), "uint8")
    images[:] = rng.integers(0, 256, (n, 1, 1, 3))
    for image, size in zip(images, rng.integers(3, 8, n), strict=True):
        image[12 - size : 12 + size, 12 - size : 12 + size] = 128
    return images


@pytest.fixture
def chromium(tmp_path):
    """A function that opens a page and returns its DOM once its scripts have run."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")

    def run(page, *more):
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [CHROMIUM, *FLAGS, profile, *more, page.absolute().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout

    return run


# Measures --------------------------------------------------------------------------------------


def test_of_points_of_the_same_distribution_a_tenth_lies_where_it_is_sparse():
    rng = np.random.default_rng(0)
    real, same = rng.normal(size=(2, 4000, 2))
    assert where_sparse(real, same).mean() == pytest.approx(0.1, abs=0.03)
    assert where_sparse(real, 3 * same).mean() > 0.5
    assert not where_sparse(real, 0.1 * same).any()


def test_background_is_explained_by_a_map_that_follows_it_and_by_no_other():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(800, 1))
    following = np.concatenate([values, rng.normal(size=(800, 1)) / 100], axis=1)
    assert explained_by_neighbours(following, values) > 0.95
    assert abs(explained_by_neighbours(rng.normal(size=(800, 2)), values)) < 0.15
    assert explained_by_neighbours(following, np.ones((800, 1))) == 0


def test_background_is_the_colour_of_the_edges():
    images = faces(5)
    np.testing.assert_allclose(background_colour(images), images[:, 0, 0])


@pytest.mark.slow
def test_the_map_of_pixels_follows_the_background_and_that_of_structure_does_not():
    real, generated = faces(300), faces(20, seed=1)
    by_pixels, by_structure = (study(real, generated, name) for name in ("pixels", "ssim"))
    assert by_pixels.follows_background > 0.8
    assert by_structure.follows_background < by_pixels.follows_background - 0.2
    np.testing.assert_array_equal(study(real, generated, "pixels").generated, by_pixels.generated)


# The commands ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_umap_of_a_run(genzoo, trained, tmp_path):
    arguments = "umap --distance pixels,ssim -n 100 -m 9 --out map"
    ended = genzoo(arguments, trained("gan"))
    assert ended.code == 0, ended.errors
    names = {"maps", "galleries-pixels", "galleries-ssim", "magnified-pixels", "magnified-ssim"}
    files = {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")}
    folder = tmp_path / "map"
    assert {p.name for p in folder.iterdir()} == files | {"map.html", "umap.json", "umap.npz"}
    numbers = json.loads((folder / "umap.json").read_text())
    assert numbers["real"] == "digits, split test"
    assert numbers["weights"] == "the finished model, of step 6"
    assert numbers["step"] == 6
    assert numbers["weights_digest"] == weights_digest(load_model(Run.open(trained("gan"))))
    assert set(numbers["maps"]) == {"pixels", "ssim"}
    one = numbers["maps"]["pixels"]
    assert (one["num_real"], one["num_generated"]) == (100, 9)
    share = f"{one['share_where_sparse']:.1%}"
    assert f"pixels: {share} of the generated images lie where" in ended.output
    studies, real, generated = load_studies(folder)
    assert (real.shape, generated.shape) == ((100, 16, 16, 1), (9, 16, 16, 1))
    assert studies[0].where_sparse.mean() == one["share_where_sparse"]
    for name in names:
        picture = np.asarray(Image.open(folder / f"{name}.png").convert("L"))
        assert picture.std() > 3, name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("umap RUN --distance pixel", "unknown distance 'pixel'; did you mean 'pixels'?"),
        ("umap RUN -n 10", "a map needs 16 real images or more, not 10; give -n 16 or more"),
        ("umap RUN -n 20 --num-neighbours 30", "needs 31 real images or more, not 20; give -n 31"),
        ("umap RUN -n 5000", "5000 images were asked for"),
        ("umap RUN --features model:none.keras", "there is no feature network none.keras"),
        ("umap nowhere", "is not a run"),
        ("report nowhere", "is not a run"),
        ("report RUN --out page.txt", "page.txt has none of the suffixes .html"),
    ],
)
def test_bad_requests(refused, trained, tmp_path, arguments, words):
    assert words in refused(arguments.replace("RUN", str(trained("gan"))))
    assert not list(tmp_path.iterdir())


def test_small_images_have_maps_without_structure(genzoo, refused, tmp_path):
    arguments = "fit ae --image-size 8 --hidden-units 16 --steps 2 --checkpoint-every 2"
    assert genzoo(f"{arguments} --out run").code == 0
    ended = genzoo("umap run -n 60 -m 5 --features pixels")
    assert ended.code == 0, ended.errors
    assert set(json.loads((tmp_path / "run/umap/umap.json").read_text())["maps"]) == {
        "pixels",
        "features",
    }
    assert "at least 11 pixels" in refused("umap run -n 60 --distance ssim --out other")


def test_a_study_is_not_replaced_unasked(genzoo, refused, trained, tmp_path):
    (tmp_path / "map").mkdir()
    (tmp_path / "map" / "note.txt").write_text("mine")
    assert "map exists; choose another --out" in refused("umap --out map", trained("gan"))
    assert "map holds note.txt" in refused("umap --out map --force", trained("gan"))
    (tmp_path / "map" / "note.txt").unlink()
    arguments = "umap --distance pixels -m 9 --out map -n"
    assert genzoo(f"{arguments} 100", trained("gan")).code == 0
    assert genzoo(f"{arguments} 50 --force", trained("gan")).code == 0
    studies, real, _ = load_studies(tmp_path / "map")
    assert len(studies[0].real) == len(real) == 50


def a_study(sparse):
    rng = np.random.default_rng(0)
    return Study("pixels", rng.normal(size=(60, 2)), rng.normal(size=(4, 2)), np.array(sparse), 0.5)


@pytest.mark.parametrize("sparse", [[True] * 4, [False] * 4, [True, False, False, True]])
def test_figures_of_a_study_wherever_its_images_lie(sparse):
    one = a_study(sparse)
    both = galleries(one, faces(4))
    # Warns of a figure too small for what it holds.
    both.draw_without_rendering()
    left, right = both.axes
    assert left.get_title("left") == f"where real images are sparse ({sum(sparse)})"
    assert right.get_title("left") == f"where real images are dense ({4 - sum(sparse)})"
    titles = [axes.get_title("left") for axes in maps([one, one]).axes]
    assert titles == ["pixels", "pixels", ""]
    assert magnified(one, faces(60), faces(4)).axes[0].artists


def test_a_map_frames_its_magnified_part_and_says_what_its_words_mean():
    one = a_study([True, False, False, True])
    figure = maps([one], ["Real: 60 images of faces."])
    middle, side, _ = choose_part(one)
    [frame] = figure.axes[0].patches
    assert (frame.get_width(), frame.get_height()) == (side, side)
    np.testing.assert_allclose(frame.get_xy(), middle - side / 2)
    below = " ".join(figure.get_supxlabel().split())
    for words in ("Real: 60 images of faces.", SPARSE_IN_WORDS, BACKGROUND_IN_WORDS):
        assert words in below
    for other in (galleries(one, faces(4)), magnified(one, faces(60), faces(4))):
        assert SPARSE_IN_WORDS in " ".join(other.get_supxlabel().split())
    assert "Distance between images: pixels." in galleries(one, faces(4)).get_supxlabel()
    page = map_page("A title", [one], faces(60), faces(4), ["Real: <60> images."])
    assert "<p>Real: &lt;60&gt; images.</p>" in page
    assert html.escape(SPARSE_IN_WORDS) in page


@pytest.mark.parametrize("count", [1, 3])
def test_nothing_on_a_map_hides_anything_else(count):
    one = a_study([True, False, False, True])
    figure = maps([one] * count, ["Real: 60 images of faces."])
    head(figure, "gan on faces, latent size 100, step 12,000")
    figure.draw_without_rendering()
    texts = [figure._suptitle, figure._supxlabel, figure.axes[-1].get_legend()]
    texts += [part for axes in figure.axes[:-1] for part in (axes.xaxis.label, axes._left_title)]
    boxes = [text.get_window_extent() for text in texts]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i]), texts[i]


def test_maps_of_training_images_say_so():
    numbers = {
        "real": "digits, split train",
        "weights": "the finished model, of step 6",
        "on_training_images": True,
        "maps": {"pixels": {"num_real": 1000, "num_generated": 64}},
    }
    real, generated, training = image_notes(numbers)
    assert real == "Real: 1,000 images of digits, split train."
    assert generated == "Generated: 64 images, by the finished model, of step 6."
    assert training.startswith("The real images of these maps are training images; scores compare")
    assert len(image_notes(numbers | {"on_training_images": False})) == 2
    # What earlier versions have written.
    assert image_notes({"maps": {"pixels": {"distance": "pixels"}}}) == []


# The pages ---------------------------------------------------------------------------------------


def test_pointing_at_a_dot_shows_its_image(chromium, tmp_path):
    one = a_study([True, False, False, True])
    page = map_page("A <title>", [one, one], faces(60), faces(4))
    probe = """<script>
    const canvas = document.querySelectorAll("canvas")[1], box = canvas.getBoundingClientRect();
    const ink = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    document.body.dataset.ink = ink.filter((v, i) => i % 4 == 3 && v > 0).length;
    const seen = {};
    for (let x = 0; x < box.width; x += 6) for (let y = 0; y < box.height; y += 6) {
      canvas.dispatchEvent(new PointerEvent("pointermove",
        {clientX: box.left + x, clientY: box.top + y}));
      const tip = document.getElementById("tip");
      if (tip.style.display === "block") seen[tip.children[1].textContent] =
        tip.children[0].style.backgroundPosition;
    }
    document.body.dataset.seen = JSON.stringify(seen);
    </script></body>"""
    file = tmp_path / "page.html"
    file.write_text(page.replace("</body>", probe))
    dom = chromium(file, "--window-size=1366,900", "--dump-dom")
    assert "<title>A &lt;title&gt;</title>" in dom
    assert int(re.search(r'data-ink="(\d+)"', dom).group(1)) > 500
    seen = json.loads(re.search(r'data-seen="([^"]*)"', dom).group(1).replace("&quot;", '"'))
    assert set(seen) == {
        "real",
        "generated, where real images are dense",
        "generated, where real images are sparse",
    }
    assert len(set(seen.values())) == 3


# Tells the page around it what a browser makes of a report.
PROBE = r"""<script>addEventListener("load", () => {
const all = selector => [...document.querySelectorAll(selector)];
all("img").forEach(image => image.loading = "eager");
all("details").forEach(part => part.open = true);
const broken = [];
all("th,td").forEach(cell => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/\S+/g)) {
    const range = document.createRange();
    range.setStart(texts.currentNode, word.index);
    range.setEnd(texts.currentNode, word.index + word[0].length);
    if (range.getClientRects().length > 1) broken.push(word[0]);
  }
});
// Up to which share of its width each section holds something.
const used = all("section").map(section => {
  const box = section.getBoundingClientRect();
  const right = one => one.getBoundingClientRect().right - box.left;
  return Math.max(...[...section.querySelectorAll("img,canvas,td")].map(right)) / box.width;
});
parent.postMessage({width: innerWidth, wide: document.documentElement.scrollWidth - innerWidth,
  missing: all("img").filter(image => !image.src).length, broken, used,
  tables: all(".table").filter(part => part.scrollWidth > part.clientWidth).length,
  step: document.getElementById("step").textContent}, "*");
});</script></body>"""

# A window without a head is no narrower than 500 pixels; a frame in it is.
FRAME = """<body><iframe src="probe.html" width="WIDTH" height="900" style="border:0"></iframe>
<script>addEventListener("message", event => {
document.body.dataset.found = JSON.stringify(event.data); });</script></body>"""


@pytest.fixture
def probed(chromium, tmp_path):
    """A function that gives what a browser makes of a report at a width."""

    def probe(page, width):
        (tmp_path / "probe.html").write_text(page.replace("</body>", PROBE))
        (tmp_path / "frame.html").write_text(FRAME.replace("WIDTH", str(width)))
        dom = chromium(tmp_path / "frame.html", "--window-size=1400,1000", "--dump-dom")
        return json.loads(html.unescape(re.search(r'data-found="([^"]*)"', dom)[1]))

    return probe


@pytest.mark.parametrize("model", ["vae", pytest.param("cgan", marks=pytest.mark.slow)])
def test_a_report_is_one_page_that_fits_laptop_and_phone(genzoo, probed, trained, tmp_path, model):
    run = shutil.copytree(trained(model), tmp_path / "run")
    genzoo("umap run --distance pixels -n 100 -m 9")
    ended = genzoo("report run")
    assert ended.code == 0, ended.errors
    assert ended.output.splitlines()[-1] == "run/report.html"
    assert (run / "evaluation.json").exists()
    page = (run / "report.html").read_text()
    # No address but those inside of the page.
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "http" not in re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", page)
    titles = re.findall(r"<h2[^>]*>(.*?)</h2>", page)
    expected = ["Samples", "Training", "Scores", "Inside the real images?"]
    expected = ["Reconstructions", *expected, "Latent space"] if model == "vae" else expected
    assert titles == [*expected, "Nearest training images", "Settings"]
    for width in (1366, 420):
        found = probed(page, width)
        assert (found["width"], found["step"]) == (width, "step 6")
        assert found["wide"] <= 0
        assert (found["missing"], found["broken"], found["tables"]) == (0, [], 0)
        assert min(found["used"]) > 0.7, dict(zip(titles, found["used"], strict=True))
    assert f"<title>{model} on digits, latent size " in page
    assert "report.html exists" in genzoo("report run").errors


def test_a_report_never_shows_numbers_of_another_step_as_those_of_its_images(
    genzoo, trained, tmp_path
):
    run = shutil.copytree(trained("gan"), tmp_path / "run")
    assert genzoo("evaluate run --scores fid,kid --features pixels").code == 0
    assert genzoo("umap run --distance pixels -n 100 -m 9").code == 0
    assert genzoo("fit --resume run --steps 9").code == 0
    assert genzoo("report run --no-measure").code == 0
    page = (run / "report.html").read_text()
    stale = "of step 6; the images above are of step 9"
    assert len(re.findall(rf"<td>[^<]+ <small>{stale}</small></td>", page)) >= 2
    assert '"stale":"the maps are of step 6, and the model is of step 9"' in page
    assert "no scores of these weights" in page
    # Measured again; what there was is kept, and the maps are drawn as they were.
    assert genzoo("report run --force").code == 0
    page = (run / "report.html").read_text()
    assert page.index("Inception Score") < page.index(stale)
    assert '"stale":""' in page
    maps = json.loads((run / "umap" / "umap.json").read_text())
    assert (list(maps["maps"]), maps["step"]) == (["pixels"], 9)
    assert maps["maps"]["pixels"]["num_real"] == 100


def test_a_report_without_measuring_shows_what_there_is(genzoo, trained, tmp_path):
    ended = genzoo("report --no-measure --out page.html", trained("gan"))
    assert ended.code == 0, ended.errors
    page = (tmp_path / "page.html").read_text()
    assert "<title>gan on digits, latent size 4, step 6" in page
    assert "Scores" not in page
    assert "64 images generated by the finished model, of step 6" in page
    assert "Nearest training images" in page
    assert not (trained("gan") / "umap").exists()
