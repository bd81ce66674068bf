"""Whether a million images cost more than ten thousand: seconds to start, images a second, memory.

    python -m benchmarks.data_scale

The files are hard links to 2,000 JPEGs of 178x218, or to one shard of as many in the format of
tensorflow-datasets, so that a million fit on any disk; each data set is read by a process of its
own, decoded and cropped to 64x64, and not kept.
"""

import argparse
import itertools
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


def make_prepared(data_dir: Path, images: list[Path], count: int) -> None:
    """Link one shard as often as ``count`` images take, as tensorflow-datasets prepares them."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(218, 178, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(num_classes=FOLDERS),
        }
    )
    folder = data_dir / "many" / "1.0.0"
    folder.mkdir(parents=True)
    shard, shards = data_dir / "shard", count // DISTINCT
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for number, path in enumerate(images):
            example = {"image": path.read_bytes(), "label": number % FOLDERS}
            writer.write(features.serialize_example(features.encode_example(example)))
    for number in range(shards):
        os.link(shard, folder / f"many-train.tfrecord-{number:05}-of-{shards:05}")
    tfds.folder_dataset.write_metadata(
        data_dir=folder,
        features=features,
        split_infos=[
            tfds.core.SplitInfo(
                name="train",
                shard_lengths=[DISTINCT] * shards,
                num_bytes=0,
                filename_template=tfds.core.ShardedFileTemplate(
                    dataset_name="many", data_dir=folder, split="train", filetype_suffix="tfrecord"
                ),
            )
        ],
        check_data=False,
    )


def read(kind: str, folder: str, seconds: float) -> dict[str, float]:
    """Return what reading costs: seconds to the first batch, images a second, memory."""
    import tensorflow as tf

    from keras_genzoo.data import open_source, training_stream

    tf.zeros(())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if kind == "folder":
        source = open_source(folder, image_size=64)
    else:
        source = open_source("many", image_size=64, data_dir=folder, download=False)
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
    """Print a row for each kind and number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--kinds", nargs="+", default=list(MAKERS), choices=MAKERS)
    parser.add_argument("--read", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read:
        print(json.dumps(read(*options.read, options.seconds)))
        return
    print("| kind | images | first batch, s | images/s | MiB beyond TensorFlow | MiB in all |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as root:
        images = make_images(Path(root, "distinct"))
        for kind, count in itertools.product(options.kinds, options.counts):
            folder = Path(root, f"{kind}-{count}")
            MAKERS[kind](folder, images, count)
            found = _measured(kind, folder, options.seconds)
            print(
                f"| {kind} | {count:,} | {found['first']:.1f} | {found['rate']:,.0f} | "
                f"{found['memory']:.0f} | {found['peak']:.0f} |",
                flush=True,
            )


def _measured(kind: str, folder: Path, seconds: float) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.data_scale", "--read", kind, str(folder)]
    ended = subprocess.run(
        [*command, "--seconds", str(seconds)], check=True, capture_output=True, text=True
    )
    return json.loads(ended.stdout.splitlines()[-1])


MAKERS = {"folder": make_folder, "tfds": make_prepared}


if __name__ == "__main__":
    main()
