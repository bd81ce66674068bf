"""The page to play with: what of a model goes into it, its runtime, its texts."""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile

import numpy as np
import pytest
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.inputs import run_network
from keras_genzoo.export.playground import opening, page, parts, runtime, signatures, theory
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES
from keras_genzoo.models import VAE
from tests.models.cases import ALGORITHMS, GANS, build, of

# What of a model a page runs -----------------------------------------------------------------


@of(ALGORITHMS)
def test_a_page_runs_what_makes_images_and_what_encodes_them(name):
    model = build(name)
    if reason := model.why_no_samples():
        with pytest.raises(GenzooError, match=re.escape(reason)):
            signatures.decoder_of(model)
        return
    decoder, encoder = signatures.decoder_of(model), signatures.encoder_of(model)
    assert decoder.takes_labels == model.needs_labels
    z = model.sample_latents(2, 0)
    given = {"z": z, "class_labels": np.array([0, 1], "int32")}
    network = model.signatures()[decoder.name]
    made = run_network(network, {key: given[key] for key in network.input})[decoder.output]
    labels = {"class_labels": [0, 1]} if model.needs_labels else {}
    np.testing.assert_allclose(255 * made, model.decode(z, **labels), atol=0.51)
    assert (encoder is not None) == (model.has_encoder and model.codes_are_latents)
    if encoder is not None:
        images = np.random.default_rng(1).integers(0, 256, (2, *model.image_shape), "uint8")
        given["images"] = images.astype("float32") / 255
        network = model.signatures()[encoder.name]
        inputs = {key: given[key] for key in network.input}
        code = run_network(network, inputs)[encoder.output]
        expected = model.code(model.encode(images, **labels))
        np.testing.assert_allclose(code, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [*GANS, "vae"])
def test_directions_are_those_that_the_first_layer_answers_to(name):
    model = build(name)
    size = model.latent_dim
    network = model.signatures()[model.prior_signature]
    directions, shares = signatures.principal_directions(network, model.latent_shape)
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-5)
    # A layer of fewer outputs than z has numbers answers to no more directions than outputs.
    assert size - 1 <= len(directions) <= size
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 0).all()
    # With weights that see one direction of z alone, the image changes along no other.
    seen = np.arange(1.0, size + 1)
    seen /= np.linalg.norm(seen)
    leaves = signatures._leaves(network)
    kernel = next(layer.kernel for layer in leaves if hasattr(layer, "kernel"))
    values = np.asarray(kernel).copy()
    axis = 0 if values.ndim == 2 else -1
    rows = np.moveaxis(values, axis, 0)
    rows[:size] = np.multiply.outer(seen, rows[:size].sum(axis=0))
    kernel.assign(values)
    directions, shares = signatures.principal_directions(network, model.latent_shape)
    np.testing.assert_allclose(directions[0], seen, atol=1e-4)
    assert shares[0] == pytest.approx(1)
    z = np.stack([np.zeros(size), 2 * directions[0], 2 * directions[1]]).astype("float32")
    given = {"z": z, "class_labels": np.zeros(3, "int32")}
    still, along, across = run_network(network, {key: given[key] for key in network.input})[
        "images"
    ]
    change = abs(along - still).max()
    assert change > 1e-5
    np.testing.assert_allclose(across, still, atol=change / 20)


def test_latents_that_are_no_vectors_have_no_directions():
    model = build("vae")
    directions, shares = signatures.principal_directions(model.signatures()["decode"], (2, 2, 1))
    assert directions.shape == (0, 4)
    assert not len(shares)


def test_a_model_without_a_signature_from_z_to_images_is_refused(monkeypatch):
    model = build("vae")
    networks = {"reconstruct": model.signatures()["reconstruct"]}
    monkeypatch.setattr(VAE, "prior_signature", None)
    monkeypatch.setattr(VAE, "signatures", lambda self, batch_size=None: networks)
    with pytest.raises(GenzooError, match=r"'images' of 'z' alone.*this model has reconstruct"):
        signatures.decoder_of(model)


# Texts ---------------------------------------------------------------------------------------


PAGES = {
    "page.html": ("texts.json", page.SCRIPTS, {"weights", "terms", "runtime"}),
    "theory.html": ("theory_texts.json", theory.SCRIPTS, {"ring", "grid", "pair"}),
}


@pytest.mark.parametrize("template", PAGES)
def test_both_languages_have_all_texts_that_the_page_names(template):
    file, scripts, by_data = PAGES[template]
    texts = json.loads(parts.read(file))
    assert texts["en"].keys() == texts["ja"].keys()
    for name, words in texts["en"].items():
        found = [set(re.findall(r"\{\w+\}", each)) for each in (words, texts["ja"][name])]
        assert found[0] == found[1], name
    markup = parts.read("shell.html") + parts.read(template)
    named = set(re.findall(r'data-(?:text|label)="(\w+)"', markup))
    scripts = "".join(map(parts.read, scripts))
    named |= set(re.findall(r'\btext\("(\w+)"', scripts))
    assert named <= texts["en"].keys()
    elsewhere = {name for name in texts["en"] if f'"{name}"' in scripts}
    assert texts["en"].keys() == named | elsewhere | by_data


# The GAN on the plane ------------------------------------------------------------------------


@pytest.fixture
def node():
    """A function that runs a script after those of the GAN on the plane, and returns its JSON."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("no node on this machine")

    def run(script):
        source = "".join(map(parts.read, ("autodiff.js", "gan.js"))) + script
        ended = subprocess.run([program, "-"], input=source, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


_LOSSES = """
const real = constant(3, 1, [1.5, -0.5, 3]), fake = constant(3, 1, [0.2, -2, 0.7]);
const found = Object.entries(LOSSES).map(([name, loss]) => [name,
  [loss.discriminator(real, fake).value, loss.generator(fake, real).value]]);
console.log(JSON.stringify([Object.fromEntries(found), Object.keys(PENALTIES)]));
"""


def test_the_losses_of_the_page_are_those_of_the_package(node):
    found, penalties = node(_LOSSES)
    assert found.keys() == set(ADVERSARIAL_LOSSES)
    assert penalties == ["none", *penalties[1:]]
    assert set(penalties[1:]) == set(PENALTIES)
    real, fake = np.float32([[1.5], [-0.5], [3]]), np.float32([[0.2], [-2], [0.7]])
    for name, values in found.items():
        loss = ADVERSARIAL_LOSSES[name]
        expected = loss.discriminator(real, fake), loss.generator_loss(fake, real)
        np.testing.assert_allclose(values, expected, rtol=1e-5)


_PENALTIES = """
const random = randomNumbers(3), smooth = (x) => {
  const hidden = tanh(add(product(x, weights[0]), spreadRows(weights[1], x.rows)));
  return softplus(product(hidden, weights[2]));
};
const matrix = (r, c) => constant(r, c, Array.from({ length: r * c }, random.normal));
const weights = [matrix(2, 4), matrix(1, 4), matrix(4, 1)];
const real = matrix(5, 2), fake = matrix(5, 2);
const found = {}, h = 1e-5;
for (const [name, penalty] of Object.entries(PENALTIES)) {
  if (!penalty) continue;
  const term = () => penalty(smooth, real, fake, () => 0.3);
  const exact = gradients(term(), weights).map((g) => [...g.values]).flat(), measured = [];
  for (const { values } of weights)
    for (let i = 0; i < values.length; i += 1) {
      const kept = values[i], ends = [1, -1].map((sign) => {
        values[i] = kept + sign * h;
        return term().value;
      });
      values[i] = kept;
      measured.push((ends[0] - ends[1]) / (2 * h));
    }
  found[name] = { value: term().value, exact, measured };
}
console.log(JSON.stringify({ found, weights: weights.map((w) => [...w.values]),
  real: [...real.values], fake: [...fake.values] }));
"""


def test_the_penalties_of_the_page_are_those_of_the_package(node):
    given = node(_PENALTIES)
    first, bias, last = (np.array(part, "float32") for part in given["weights"])
    real, fake = (np.array(given[name], "float32").reshape(5, 1, 2, 1) for name in ("real", "fake"))

    class Critic:
        def __call__(self, points):
            hidden = tf.tanh(tf.reshape(points, (-1, 2)) @ first.reshape(2, 4) + bias)
            return tf.math.softplus(hidden @ last.reshape(4, 1))

        def gradient(self, points):
            points = tf.convert_to_tensor(points)
            with tf.GradientTape() as tape:
                tape.watch(points)
                logits = self(points)
            return tape.gradient(logits, points)

    class Draw:
        def uniform(self, batch_size, shape=()):
            return np.full((batch_size, *shape), 0.3, "float32")

    for name, found in given["found"].items():
        expected = PENALTIES[name](1.0)(Critic(), real, fake, Draw())
        assert found["value"] == pytest.approx(float(expected), rel=1e-4), name
        # The derivative of a penalty is one of second order.
        np.testing.assert_allclose(found["exact"], found["measured"], rtol=1e-4, atol=1e-7)


_TRAINING = """
const gan = new PlaneGan({ data: "pair", loss: "non_saturating", penalty: "r1", weight: 0.01,
  discriminator_steps: 1, rates: { discriminator: 3e-3, generator: 3e-3 } }, 0);
for (let i = 0; i < 150; i += 1) gan.step();
console.log(JSON.stringify(covered(MIXTURES.pair, gan.fake(500))));
"""


@pytest.mark.slow
def test_the_gan_of_the_page_finds_both_modes_of_a_pair(node):
    assert node(_TRAINING) == 2


# Opening -------------------------------------------------------------------------------------


def test_without_a_display_no_browser_is_asked(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(opening.webbrowser, "open", lambda address: asked.append(address) or True)
    monkeypatch.setattr(opening.sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert not opening.open_page(tmp_path / "page.html")
    assert not asked
    monkeypatch.setenv("DISPLAY", ":0")
    assert opening.open_page(tmp_path / "page.html")
    assert asked == [(tmp_path / "page.html").as_uri()]


# The runtime ---------------------------------------------------------------------------------


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache without the runtime."""
    monkeypatch.setenv("GENZOO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "litert" / f"core-{runtime.VERSION}.tgz"


def test_another_package_is_refused_wherever_it_comes_from(own_cache, serve, tmp_path):
    other = bytes(runtime.SIZE)
    (tmp_path / "other.tgz").write_bytes(other)
    with pytest.raises(GenzooError, match=r"other.tgz is not the package .* sha512 is another"):
        runtime.open_runtime(tmp_path / "other.tgz")
    address, _ = serve(other, "core.tgz")
    with pytest.raises(GenzooError, match=r"core.tgz is not the package .* sha512 is another"):
        runtime.open_runtime(url=address)
    assert not own_cache.exists()


def test_a_runtime_that_is_not_there_is_refused_in_one_line(own_cache, serve, tmp_path):
    with pytest.raises(GenzooError, match=r"cannot read the runtime .*none.tgz .No such file"):
        runtime.open_runtime(tmp_path / "none.tgz")
    with pytest.raises(GenzooError, match=r"cannot read dist/index.js .*name the folder that"):
        runtime.open_runtime(tmp_path)
    address, _ = serve(b"short", "core.tgz")
    for wrong in (address, address + "x", "http://127.0.0.1:1/core.tgz"):
        with pytest.raises(GenzooError, match=r"cannot fetch the runtime of the page .*--runtime"):
            runtime.open_runtime(url=wrong)
    assert not own_cache.exists()


def test_a_changed_file_of_the_folder_is_refused(tmp_path):
    for name in runtime.FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("alert('hello')")
    with pytest.raises(GenzooError, match=r"dist/index.js is not that of .* sha256 is another"):
        runtime.open_runtime(tmp_path)


@pytest.mark.slow
def test_the_runtime_is_fetched_once_and_a_damaged_one_anew(own_cache, serve, package, tmp_path):
    address, requests = serve(package.read_bytes())
    lines = []
    first = runtime.open_runtime(url=address, echo=lines.append)
    assert len(requests) == 1
    assert lines == [f"fetching the runtime of the page, @litertjs/core {runtime.VERSION}, "
                     f"12 MB, once; it is kept in {own_cache}"]  # fmt: skip
    assert runtime.open_runtime(url=address) == first
    assert len(requests) == 1
    own_cache.write_bytes(package.read_bytes()[:-1])
    assert runtime.open_runtime(url=address, echo=lines.append) == first
    assert len(requests) == 2
    assert "is damaged or not what it should be; it is fetched anew" in lines[1]
    # The tarball of a person and the folder that it unpacks to are the same.
    assert runtime.open_runtime(package) == first
    with tarfile.open(package) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    assert runtime.open_runtime(tmp_path / "unpacked") == first
    assert runtime.open_runtime(tmp_path / "unpacked" / "package") == first
    assert hashlib.sha256(first.wasm).hexdigest() == runtime.FILES[
        "wasm/litert_wasm_compat_internal.wasm"
    ]  # fmt: skip


@pytest.mark.slow
def test_the_script_of_the_runtime_is_whole(package):
    taken = runtime.open_runtime(package)
    script = runtime.runtime_script(taken.module)
    for text in (script, taken.glue):
        assert "</script" not in text.lower()
        assert "<!--" not in text
    if node := shutil.which("node"):
        checked = subprocess.run([node, "--check", "-"], input=script.encode(), capture_output=True)
        assert checked.returncode == 0, checked.stderr
    assert not re.search(r"^\s*(import|export)\b", script, re.MULTILINE)
