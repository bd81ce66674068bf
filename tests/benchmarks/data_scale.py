"""Whether a folder of a million images costs more than one of ten thousand: start, rate, memory.

    python -m tests.benchmarks.data_scale

The files are hard links to 2,000 JPEGs of 178x218, so that a million fit on any disk; each folder
is read by a process of its own, decoded and cropped to 64x64, and not kept.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

DISTINCT, FOLDERS, BATCH = 2_000, 100, 100


def make_images(folder: Path) -> list[Path]:
    """Write the distinct images: smooth noise, of about the size in bytes of a photograph."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    paths = []
    for number in range(DISTINCT):
        small = Image.fromarray(rng.integers(0, 256, (28, 23, 3), "uint8"))
        paths.append(folder / f"{number}.jpg")
        small.resize((178, 218), Image.Resampling.BICUBIC).save(paths[-1], quality=90)
    return paths


def make_folder(folder: Path, images: list[Path], count: int) -> None:
    """Link ``count`` files into class folders."""
    for number in range(FOLDERS):
        (folder / f"{number:03}").mkdir(parents=True)
    for number in range(count):
        target = folder / f"{number % FOLDERS:03}" / f"{number:07}.jpg"
        os.link(images[number % DISTINCT], target)


def read(folder: str, seconds: float) -> dict[str, float]:
    """Return what reading a folder costs: seconds to the first batch, images a second, memory."""
    import tensorflow as tf

    from keras_genzoo.data import open_source, training_stream

    tf.zeros(())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    source = open_source(folder, image_size=64)
    batches = iter(training_stream(source, BATCH, with_labels=True, cache=False))
    next(batches)
    first = time.perf_counter() - began
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        next(batches)
        count += BATCH
    rate = count / (time.perf_counter() - began)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first": first, "rate": rate, "memory": (peak - before) / 1024, "peak": peak / 1024}


def main() -> None:
    """Print a row for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--read", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(options.read, options.seconds)))
        return
    print("| images | first batch, s | images/s | MiB beyond TensorFlow | MiB in all |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as root:
        images = make_images(Path(root, "distinct"))
        for count in options.counts:
            folder = Path(root, str(count))
            make_folder(folder, images, count)
            command = [sys.executable, "-m", "tests.benchmarks.data_scale", "--read", str(folder)]
            ended = subprocess.run(
                [*command, "--seconds", str(options.seconds)],
                check=True,
                capture_output=True,
                text=True,
            )
            found = json.loads(ended.stdout.splitlines()[-1])
            print(
                f"| {count:,} | {found['first']:.1f} | {found['rate']:,.0f} | "
                f"{found['memory']:.0f} | {found['peak']:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
