"""The parts of a run's report that show images: samples, reconstructions, training, codes."""

import html
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keras_genzoo.classes import classes_in_words, shown_classes
from keras_genzoo.data import Source
from keras_genzoo.data.splits import Splits
from keras_genzoo.evaluation import nearest_rows
from keras_genzoo.evaluation.features import Pixels
from keras_genzoo.images import image_grid, read_png, readable_scale
from keras_genzoo.markup import data_element, fill
from keras_genzoo.models import ImageModel
from keras_genzoo.training import Run
from keras_genzoo.training.build import adversarial_loss
from keras_genzoo.training.variables import weights_digest
from keras_genzoo.visualization.codes import codebook_figure
from keras_genzoo.visualization.curves import HELD_OUT, training_curves
from keras_genzoo.visualization.figures import MAP_IMAGES
from keras_genzoo.visualization.latent import (
    codes_in_2d,
    latent_manifold,
    latent_map,
    why_no_manifold,
    why_no_map,
)
from keras_genzoo.visualization.pages import drawn_figure, image_figure, png_address
from keras_genzoo.visualization.sampling import path_rows

Echo = Callable[[str], None]
# Training images that generated ones are compared with at most.
MOST_COMPARED = 200_000
MOST_FRAMES = 12


@dataclass(frozen=True)
class Page:
    """What all parts of a page share.

    Args:
        run: the run.
        model: its model.
        weights: which weights the model has, in words.
        splits: the run's images.
        measure: whether to measure missing scores and maps.
        dataset: where the run's images lie now, if they have moved.
        seed: random seed of the noise and of the choice of real images.
        echo: called with a line before each part that takes long.
    """

    run: Run
    model: ImageModel
    weights: str
    splits: Splits
    measure: bool
    dataset: str | os.PathLike | None
    seed: int
    echo: Echo

    @property
    def step(self) -> int:
        """The training step of the weights."""
        return int(self.model.step)

    @property
    def generates(self) -> bool:
        """Whether the model has a prior to draw new images from: a plain autoencoder has none."""
        return self.model.has_prior

    @cached_property
    def digest(self) -> str:
        """The digest of the weights."""
        return weights_digest(self.model)

    def stale(self, weights: str) -> str:
        """Return a remark that a number belongs to other weights, such as ``step 3,000``."""
        if weights == f"step {self.step:,}":
            return f"of other weights than the images above, also of {weights}"
        return f"of {weights}; the images above are of step {self.step:,}"


def noise_to_images(page: Page) -> str:
    """Show noise on its way to images, if the model has a solver."""
    if not page.model.has_solver:
        return ""
    words = f"Noise on its way to images, {page.model.sampling_in_words()}, seed {page.seed}"
    return drawn_figure(path_rows(page.model, page.seed), words)


def reconstructions(page: Page, columns: int = 8, rows: int = 4) -> str:
    """Show held-out images above their reconstructions, if the model has an encoder."""
    if not page.model.has_encoder:
        return ""
    source = page.splits.to_look_at()
    images, _ = source.sample(min(2 * columns * rows, source.num_images), page.seed)
    restored = page.model.reconstruct(images)
    errors = ((images.astype("float32") - restored) ** 2).mean(axis=(1, 2, 3)) / 255**2
    words = f"images of {source.name}, split {source.split}; below each its reconstruction"
    grids = []
    for first in range(0, len(images), columns * rows):
        part = slice(first, first + columns * rows)
        pairs = _in_turn(images[part], restored[part], columns)
        error = f"mean squared error {errors[part].mean():.4f}, pixels in [0, 1]"
        grids.append(image_figure(pairs, f"{len(images[part])} {words}; {error}"))
    note = ""
    if reason := page.model.why_no_samples():
        note = f"<p>There are no samples here: {html.escape(reason)}.</p>"
    elif not page.generates:
        note = (
            "<p>This model compresses images and restores them. Its training does not make the "
            "codes follow a known distribution, so it does not generate: there are no samples "
            "here, no map of them, and no search for copies.</p>"
        )
    return f'{note}<div class="grid">{"".join(grids)}</div>'


def _in_turn(images: np.ndarray, restored: np.ndarray, columns: int) -> np.ndarray:
    """Return a grid of rows of images, each above the row of their reconstructions."""
    blank = np.full((-len(images) % columns, *images.shape[1:]), 255, np.uint8)
    rows = [np.concatenate([part, blank]) for part in (images, restored)]
    rows = [part.reshape(-1, columns, *images.shape[1:]) for part in rows]
    pairs = np.stack(rows, axis=1).reshape(-1, *images.shape[1:])
    return image_grid(pairs, columns, scale=_scale(images))


def samples(page: Page) -> str:
    """Show generated images beside real ones, if the model generates."""
    if not page.generates:
        return ""
    columns, words, labels, model = 8, "", None, page.model
    if model.needs_labels:
        classes = shown_classes(model.num_classes)
        columns = len(classes)
        labels = np.resize(classes, 64 // columns * columns)
        names = classes_in_words(model.num_classes, page.run.class_names)
        words = f"; a column for each class, from the left: {names}"
    count = 64 if labels is None else len(labels)
    # Another seed than that of the sample grids of training: the last of them has these weights,
    # and would show the same images again.
    seed = page.seed + (page.seed == page.run.settings.seed)
    images = model.generate(count, class_labels=labels, seed=seed)
    source = page.splits.to_look_at()
    # Another seed than that of the reconstructions, to show other images.
    real, by_class = _real_images(source, labels, count, page.seed + 1)
    of_classes = ", of the same classes" if by_class else ""
    grids = {
        "Generated": (images, f"{count} images generated by {page.weights}, seed {seed}{words}"),
        "Real": (real, f"{len(real)} images of {source.name}, split {source.split}{of_classes}"),
    }
    figures = [
        image_figure(image_grid(part, columns, scale=_scale(part)), text, title=title)
        for title, (part, text) in grids.items()
    ]
    return f'<div class="grid">{"".join(figures)}</div>'


def _real_images(
    source: Source, labels: np.ndarray | None, count: int, seed: int
) -> tuple[np.ndarray, bool]:
    """Return real images, and whether they have the classes in ``labels``, in that order.

    If some class has too few images among 2,000 that are drawn at random, the images are of any
    class.
    """
    drawn = min(source.num_images, 2000 if labels is not None else count)
    images, classes = source.sample(drawn, seed)
    if labels is not None:
        places = {label: iter(np.flatnonzero(classes == label)) for label in np.unique(labels)}
        chosen = [next(places[label], None) for label in labels]
        found = [place for place in chosen if place is not None]
        if len(found) == len(chosen):
            return images[found], True
    return images[:count], False


def training(page: Page) -> str:
    """Show the curves of the history beside the sample grids of training."""
    history = page.run.read_history()
    if not history:
        return ""
    loss = adversarial_loss(page.run.settings)
    curves = training_curves(history, None if loss is None else loss.optimum)
    words = "Means over the steps between two checkpoints"
    if any(name.startswith(HELD_OUT) for row in history for name in row):
        words += "; dotted: of held-out images, by the weights of each checkpoint"
    parts = [drawn_figure(curves, words)]
    grids = page.run.sample_grids()
    # The first, the last, and grids at equal distances between them.
    chosen = np.unique(np.linspace(0, len(grids) - 1, MOST_FRAMES).round().astype(int))
    frames = [
        {"step": int(path.stem.removeprefix("step-")), "src": png_address(read_png(path))}
        for path in (grids[i] for i in chosen if grids)
    ]
    if frames:
        what = "the same noise" if page.generates else "the same images and their reconstructions"
        parts.append(data_element("frames", frames))
        parts.append(fill(_ANIMATION, LAST=str(len(frames) - 1), WHAT=what))
    return f'<div class="grid">{"".join(parts)}</div>'


def codes(page: Page) -> str:
    """Show what the codes of a codebook stand for, and their use, if the model has such."""
    if page.model.codes_are_latents:
        return ""
    source = page.splits.to_look_at()
    images, _ = source.sample(min(MAP_IMAGES, source.num_images), page.seed)
    words = f"Codes of {len(images):,} images of {source.name}, split {source.split}"
    return drawn_figure(codebook_figure(page.model, images), words)


def latent(page: Page) -> str:
    """Show an interpolation, the codes of real images, and what codes decode to."""
    model = page.model
    if not model.has_encoder:
        return ""
    source = page.splits.to_look_at()
    images, labels = source.sample(min(MAP_IMAGES, source.num_images), page.seed)
    parts = []
    if len(images) > 1:
        between = model.interpolate(images[0], images[1], steps=10)
        ends = np.concatenate([images[:1], between, images[1:2]])
        words = "Interpolation between the codes of two real images, which stand at the ends"
        row = image_grid(ends, len(ends), scale=_scale(ends))
        parts.append(f'<div class="wide">{image_figure(row, words)}</div>')
    if reason := why_no_map(model, len(images)):
        parts.append(f"<p>No map of the codes: {html.escape(reason)}.</p>")
    else:
        known = labels if source.num_classes else None
        codes = codes_in_2d(model, images, known, f"{source.name}, split {source.split}")
        parts.append(drawn_figure(latent_map([codes], source.class_names), "Codes of real images"))
        if reason := why_no_manifold(model):
            parts.append(f"<p>No picture of what places of the map decode to: {reason}.</p>")
        else:
            manifold = latent_manifold(model, codes.points)
            parts.append(drawn_figure(manifold, "Images that the codes of a grid decode to"))
    return f'<div class="grid">{"".join(parts)}</div>'


def neighbours(page: Page, rows: int = 16) -> str:
    """Show generated images beside the nearest training images, where a copy would be seen."""
    if not page.generates:
        return ""
    train = page.splits.train
    compared = min(train.num_images, MOST_COMPARED)
    page.echo(f"looking for copies of {compared:,} training images")
    generated = page.model.generate(rows, seed=page.seed)
    numbers = nearest_images(generated, train, compared, page.seed)
    of = "" if compared == train.num_images else f" of {train.num_images:,}"
    words = (
        f"Left in each row: a generated image. Beside it, the nearest of {compared:,}{of} "
        f"training images by the distance of pixels, {Pixels.resize}: a copy would show."
    )
    grids = []
    for part in np.array_split(np.arange(rows), 2):
        nearest = train.fetch(numbers[part].ravel())[0]
        nearest = nearest.reshape(len(part), -1, *generated.shape[1:])
        images = np.concatenate([generated[part, None], nearest], axis=1)
        grid = image_grid(
            images.reshape(-1, *generated.shape[1:]), images.shape[1], scale=_scale(generated)
        )
        grids.append(image_figure(grid, words, captioned=False))
    return f'<p class="words">{html.escape(words)}</p><div class="grid">{"".join(grids)}</div>'


def nearest_images(
    images: np.ndarray, source: Source, count: int, seed: int = 0, k: int = 6, block: int = 4096
) -> np.ndarray:
    """Return, for each image, the numbers of the nearest images of a source.

    Args:
        images: uint8 ``(n, height, width, channels)``.
        source: the images to search; reading them in blocks limits the memory.
        count: how many of the source's images are compared, drawn at random if not all.
        seed: random seed of their choice.
        k: how many to return for each image; at most ``count``.
        block: images of the source in memory at a time.

    Returns:
        int64 ``(n, k)``, the nearest first, by the distance of ``Pixels``.
    """
    rng, pixels = np.random.default_rng(seed), Pixels()
    # Sources are read fastest in their own order.
    chosen = np.sort(rng.choice(source.num_images, count, replace=False))
    blocks = (
        pixels.compute(source.fetch(chosen[first : first + block])[0]).features
        for first in range(0, count, block)
    )
    numbers, _ = nearest_rows(pixels.compute(images).features, blocks, k=k)
    return chosen[numbers]


def _scale(images: np.ndarray) -> int:
    return readable_scale(images.shape[1])


_ANIMATION = """<figure><img id="frame" class="pixels" alt="%WHAT% over training">
<figcaption><input id="time" type="range" min="0" max="%LAST%" value="%LAST%"
aria-label="step of training"> <span id="step"></span>: %WHAT% over training</figcaption>
</figure><script>
(() => {
const frames = JSON.parse(document.getElementById("frames").textContent);
const time = document.getElementById("time");
const show = () => { const frame = frames[time.value];
  document.getElementById("frame").src = frame.src;
  document.getElementById("step").textContent = "step " + frame.step.toLocaleString("en"); };
time.addEventListener("input", show);
time.hidden = frames.length < 2;
show();
})();
</script>"""
