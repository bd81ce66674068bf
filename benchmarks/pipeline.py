"""Images/s of the pipeline alone against those that a DCGAN step eats, in one run.

MNIST-sized arrays in memory at batch 50, and a folder of JPEGs of CelebA's size, decoded, cropped
and resized to 64x64 in every epoch, at batch 100.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.pairs import seconds  # sets the environment before TensorFlow comes

import numpy as np  # isort: skip
from PIL import Image  # isort: skip

from keras_genzoo.data import ArraySource, open_source, training_stream  # isort: skip
from keras_genzoo.models import DCGAN  # isort: skip


def rates(source, batch_size: int, batches: int, steps: int, cache: bool) -> tuple[float, float]:
    """Return images/s of the pipeline alone, and of training on it."""
    stream = training_stream(source, batch_size, seed=0, cache=cache)
    iterator = iter(stream)
    for _ in range(min(batches, source.num_images // batch_size)):  # fill the cache, warm up
        next(iterator)

    def drain():
        for _ in range(batches):
            next(iterator)

    alone = batches * batch_size / seconds(drain)
    model = DCGAN(source.image_shape)
    model.compile()
    model.fit(stream, steps_per_epoch=3, verbose=0)
    fit = seconds(lambda: model.fit(stream, steps_per_epoch=steps, verbose=0))
    return alone, steps * batch_size / fit


def report(name: str, alone: float, training: float) -> None:
    """Print a line."""
    print(
        f"{name}: pipeline {alone:,.0f} images/s, training {training:,.0f} images/s, "
        f"ratio {alone / training:.1f}",
        flush=True,
    )


def write_faces(folder: Path, count: int) -> None:
    """Write JPEGs of 178x218 with as much detail as a photograph's."""
    random = np.random.default_rng(0)
    for index in range(count):
        coarse = random.integers(0, 256, (28, 23, 3), "uint8")
        image = Image.fromarray(coarse).resize((178, 218), Image.Resampling.BICUBIC)
        noisy = np.asarray(image, "int16") + random.integers(-12, 13, (218, 178, 3))
        Image.fromarray(noisy.clip(0, 255).astype("uint8")).save(
            folder / f"{index:06d}.jpg", quality=90
        )


def main() -> None:
    """Measure both sources."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20, help="of training at 28x28")
    steps = parser.parse_args().steps
    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), "uint8")
    report("arrays 28x28, batch 50", *rates(ArraySource(images), 50, 1200, steps, True))
    with tempfile.TemporaryDirectory() as folder:
        write_faces(Path(folder), 2000)
        source = open_source(folder, image_size=64)
        report("folder to 64x64, batch 100", *rates(source, 100, 20, max(3, steps // 5), False))


if __name__ == "__main__":
    main()
