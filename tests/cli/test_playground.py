"""``genzoo playground`` in a browser, opened as a file: what a person does, and what it shows."""

import json
import re
import shlex
import shutil

import numpy as np
import pytest

from keras_genzoo.models.averaging import last_weights
from keras_genzoo.training import Run, load_model
from tests.cli.conftest import CHROMIUM, FLAGS

pytestmark = pytest.mark.slow

HOSTILE = ["</script><script>document.title = '$(run)'</script>", '"><img src=x onerror=alert(1)>']


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by Playwright."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


class Page:
    """An open page, with what it asked for and complained of."""

    def __init__(self, browser, file, **options):
        options = {"viewport": {"width": 1366, "height": 900}, "locale": "en-GB"} | options
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda line: line.type == "error" and self.errors.append(line.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(file.as_uri())
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=120_000)
        self.settled()

    def settled(self):
        """Wait until all that was asked for is drawn."""
        self.page.wait_for_selector("main:not([aria-busy=true])", timeout=60_000)
        return self

    def image(self, name, channels=1):
        """The pixels of a canvas, uint8 ``(height, width, channels)``."""
        self.settled()
        found = self.page.evaluate(
            f"""(() => {{ const canvas = document.getElementById("{name}");
            const {{ width, height }} = canvas;
            const pen = canvas.getContext("2d");
            return [height, width, [...pen.getImageData(0, 0, width, height).data]]; }})()"""
        )
        return np.array(found[2], "uint8").reshape(*found[:2], 4)[..., :channels]

    def press(self, where, *keys):
        """Press keys, one after the other, on an element."""
        self.page.focus(where)
        for key in keys:
            self.page.keyboard.press(key)
        return self.settled()


def alike(drawn, expected):
    """Whether a drawn image is that of the model, within 2 of 255 for the half precision."""
    np.testing.assert_allclose(drawn.astype(int), expected.astype(int), atol=2)


@pytest.fixture(scope="module")
def written(trained, package, tmp_path_factory):
    """A function that gives the file of a page, and its model; of ``cgan`` with hostile names."""
    pages = {}

    def get(name):
        if name not in pages:
            from keras_genzoo import export

            folder = tmp_path_factory.mktemp("playground") / "run"
            shutil.copytree(trained(name), folder)
            if name == "cgan":
                config = json.loads((folder / "config.json").read_text())
                config["data"]["class_names"][:2] = HOSTILE
                (folder / "config.json").write_text(json.dumps(config))
            file = export.write_playground(folder, runtime=package)
            pages[name] = file, load_model(Run.open(folder))
        return pages[name]

    return get


@pytest.fixture
def opened(browser, written):
    """A function that opens the page of a model, and returns it with the model."""
    pages = []

    def run(name, **options):
        file, model = written(name)
        pages.append(Page(browser, file, **options))
        return pages[-1], model

    yield run
    for page in pages:
        assert page.errors == []
        assert page.requests == [page.page.url]
        page.context.close()


def test_a_seed_and_a_class_give_the_image_that_sample_gives(opened):
    page, model = opened("cgan")
    alike(page.image("image"), model.generate(1, 0, seed=0)[0])
    page.page.fill("#seed", "17")
    page.page.click("#classes button >> nth=3")
    alike(page.image("image"), model.generate(1, 3, seed=17)[0])
    assert page.page.inner_text("#command") == "genzoo sample run -n 1 --seed 17 --class 3"
    assert page.page.get_attribute("#image", "aria-label") == "Generated image: Seed 17, class 3"
    # The small images of the classes are of the same z.
    thumbs = page.page.query_selector_all("#classes canvas")
    assert len(thumbs) == model.num_classes
    page.page.click("#many")
    page.settled()
    cells = page.page.query_selector_all("#grid button")
    cells[5].click()
    alike(page.image("image"), model.generate(1, 3, seed=22)[0])
    assert page.page.input_value("#seed") == "22"


def test_an_exported_saved_model_has_a_page_too(browser, trained, package, tmp_path, monkeypatch):
    from keras_genzoo import export

    monkeypatch.chdir(tmp_path)
    [version] = export.export_run(trained("cgan"), "saved_model", name="tiny")
    file = export.write_playground(version.parent, runtime=package)
    assert str(file) == "runs/tiny-v1/playground.html"
    page, model = Page(browser, file.absolute()), load_model(Run.open(trained("cgan")))
    page.page.fill("#seed", "17")
    page.page.click("#classes button >> nth=3")
    alike(page.image("image"), model.generate(1, 3, seed=17)[0])
    assert page.errors == []
    assert page.requests == [page.page.url]
    page.context.close()


def test_dice_by_mouse_and_by_keyboard(opened):
    page, model = opened("cgan")
    seeds = ["0"]
    page.page.click("#roll")
    seeds.append(page.page.input_value("#seed"))
    page.press("#image", "Space")
    seeds.append(page.page.input_value("#seed"))
    assert seeds[0] != seeds[1] != seeds[2]
    alike(page.image("image"), model.generate(1, 0, seed=int(seeds[2]))[0])
    page.page.fill("#seed", "7")
    page.press("#image", "ArrowRight", "ArrowRight", "ArrowLeft")
    assert page.page.input_value("#seed") == "8"
    page.page.wait_for_selector("#spoken:has-text('Seed 8')", state="attached")


def test_sliders_move_z_and_are_reset(opened):
    page, model = opened("cgan")
    from keras_genzoo.export.playground.signatures import principal_directions

    network = model.signatures()["generate"]
    directions, _ = principal_directions(network, model.latent_shape)
    z = model.sample_latents(1, 0)
    sliders = page.page.query_selector_all("#directions input")
    assert len(sliders) == len(directions)
    page.press("#directions label:nth-child(2) input", *["ArrowRight"] * 20)
    page.press("#truncation", *["ArrowLeft"] * 50)
    assert page.page.inner_text("#truncation-value") == "0.50"
    alike(page.image("image"), model.decode(0.5 * z + 2 * directions[1], 0)[0])
    assert page.page.is_hidden("#command")
    page.page.click("#reset")
    alike(page.image("image"), model.decode(z, 0)[0])


def test_a_switch_shows_the_weights_of_the_last_step(opened):
    page, model = opened("cgan")
    averaged = page.image("image")
    page.page.click("#last")
    with last_weights(model):
        expected = model.generate(1, 0, seed=0)[0]
    assert abs(averaged.astype(int) - expected).max() > 10
    alike(page.image("image"), expected)
    words = f"Seed 0, class {HOSTILE[0]}, weights of the last step"
    assert page.page.inner_text("#caption") == words
    # The command makes images of the averaged weights.
    assert page.page.is_hidden("#command")
    page.page.click("#averaged")
    np.testing.assert_array_equal(page.image("image"), averaged)
    assert page.page.is_visible("#command")


def test_a_model_that_encodes_has_no_such_switch(opened):
    page, _ = opened("vae")
    assert page.page.is_visible("#image")
    assert page.page.is_hidden("#averaging")


def test_a_page_that_both_weights_would_make_too_large_has_the_averaged_ones(
    copy, package, monkeypatch
):
    from keras_genzoo.export.playground import page

    monkeypatch.setattr(page, "MOST_WITH_BOTH", 4)
    lines = []
    file = page.write_playground(copy("cgan"), runtime=package, echo=lines.append)
    assert re.search(r"those of the last step it would take \d\.\d MB", lines[-2])
    assert '"last":false' in file.read_text()


def test_between_two_pins_lies_the_interpolation(opened):
    page, model = opened("cgan")
    page.page.fill("#seed", "4")
    page.page.click("#set-a")
    page.page.fill("#seed", "5")
    page.page.click("#set-b")
    a, b = (model.sample_latents(1, seed)[0] for seed in (4, 5))
    path = model.interpolate(a, b, 9, class_labels=0)
    alike(page.image("pin-a"), path[0])
    alike(page.image("pin-b"), path[-1])
    page.page.click("#strip canvas:nth-child(3)")
    alike(page.image("image"), path[2])
    page.press("#scrub", "End", *["ArrowLeft"] * 50)
    alike(page.image("image"), path[4])
    page.page.click("#play")
    page.page.wait_for_selector("#caption:not(:has-text('50 %'))")
    page.page.click("#play")


def test_noise_that_is_no_vector_has_dice_and_no_directions(opened):
    page, model = opened("flow")
    page.page.fill("#seed", "3")
    alike(page.image("image"), model.generate(1, 0, seed=3)[0])
    assert page.page.is_hidden("#directions")
    assert page.page.is_hidden("#latent")
    # The image forms step by step, and with more steps it is that of more steps.
    page.press("#solver-taken", "Home")
    noise = np.clip(np.rint((model.sample_latents(1, 3)[0] + 1) * 127.5), 0, 255)
    alike(page.image("image"), noise)
    page.press("#solver-steps", "Home", *["ArrowRight"] * 3)
    assert page.page.is_hidden("#command")
    assert model.solver_steps != 4
    alike(page.image("image"), model.decode(model.sample_latents(1, 3), 0, solver_steps=4)[0])


def test_a_drag_across_the_map_is_followed_by_the_image(opened):
    page, model = opened("vae")
    facts = json.loads(page.page.text_content("#page-data"))
    low, high = np.array(facts["map"]["low"]), np.array(facts["map"]["high"])
    box = page.page.query_selector("#map").bounding_box()
    mouse = page.page.mouse
    mouse.move(box["x"] + 40, box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"], steps=5)
    mouse.up()
    z = low + [0.75, 0.75] * (high - low)
    alike(page.image("decoded"), model.decode(z[None])[0])
    page.press("#map", "ArrowLeft", "Shift+ArrowDown")
    z -= (high - low) * [0.012, 0.06]
    alike(page.image("decoded"), model.decode(z[None])[0])
    x, y = (f"{v:.2f}".replace("-", "−") for v in z)  # noqa: RUF001
    assert page.page.inner_text("#place").startswith(f"({x}, {y})")
    page.page.check("#mosaic")
    page.settled()


def test_what_is_drawn_is_encoded_placed_and_decoded(opened):
    page, model = opened("vae")
    box = page.page.query_selector("#pen").bounding_box()
    mouse = page.page.mouse
    middle = box["x"] + box["width"] / 2
    mouse.move(middle, box["y"] + 0.2 * box["height"])
    mouse.down()
    mouse.move(middle, box["y"] + 0.8 * box["height"], steps=4)
    mouse.up()
    seen = page.image("seen")
    assert seen.max() > 100
    assert (seen > 100).sum() >= 4
    alike(page.image("decoded"), model.decode(model.code(model.encode(seen[None])))[0])
    page.page.click("#clear")
    page.press("#pen", "Space", "ArrowDown", "ArrowDown", "ArrowRight", "Space")
    assert page.image("seen").max() > 100


def test_names_are_shown_as_they_are_and_run_nothing(opened):
    page, _ = opened("cgan")
    assert page.page.inner_text("#classes button >> nth=0").strip() == HOSTILE[0]
    assert page.page.inner_text("#classes button >> nth=1").strip() == HOSTILE[1]
    assert page.page.title() == "run"
    # The command is one of a shell, in which no name begins another command.
    words = shlex.split(page.page.inner_text("#command"))
    assert words == [*shlex.split("genzoo sample run -n 1 --seed 0 --class"), HOSTILE[0]]
    assert not page.page.query_selector_all("img")
    refused = page.page.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')")
    assert refused == "refused"
    page.errors.clear()
    page.requests[1:] = []


def test_a_phone_and_japanese(opened):
    phone = {"width": 420, "height": 800}
    page, model = opened("cgan", viewport=phone, has_touch=True, locale="ja-JP")
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 420
    assert page.page.get_attribute("html", "lang") == "ja"
    page.page.tap("#roll")
    seed = int(page.page.input_value("#seed"))
    assert f"シード {seed}" in page.page.inner_text("#caption")
    alike(page.image("image"), model.generate(1, 0, seed=seed)[0])


def test_a_gan_on_the_plane_is_played_by_hand(genzoo, browser, tmp_path):
    ended = genzoo("theory --interactive --no-open --seed 3")
    assert ended.output == "theory.html\n"
    page = Page(browser, tmp_path / "theory.html")
    for _ in range(2):
        page.page.click("#step")
    assert page.page.inner_text("#steps") == "2"
    page.page.select_option("#loss", "wasserstein")
    assert "only if a penalty" in page.page.inner_text("#theory")
    page.page.select_option("#penalty", "wgan_gp")
    assert page.page.input_value("#weight") == "0.1"
    page.press("#play", "Enter")
    page.page.wait_for_selector("#steps:not(:text-is('2'))")
    page.press("#play", "Enter")
    assert float(page.page.inner_text("#generator-loss"))
    page.page.select_option("#data", "grid")
    assert page.page.inner_text("#modes").endswith("of 25")
    assert page.page.inner_text("#steps") == "0"
    assert page.errors == []
    assert page.requests == [page.page.url]
    page.context.close()


def test_the_command_says_where_the_page_is_and_replaces_none(genzoo, refused, copy, package):
    copy("ae")
    ended = genzoo("playground run --no-open --runtime", package)
    assert ended.code == 0, ended.errors
    size, place = ended.output.splitlines()[-2:]
    assert place == "run/playground.html"
    assert float(size.removesuffix(" MB")) < 6
    line = refused("playground run --no-open --runtime", package)
    assert line.startswith("Error: run/playground.html exists; choose another --out, or --force")
