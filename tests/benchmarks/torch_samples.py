"""Samples after equal steps: DCGAN of the zoo in float32 and bfloat16, and PyTorch's, on MNIST.

    python -m tests.benchmarks.torch_samples --rival-python PYTHON --manual-dir DIR

Prints the Fréchet distance of 10,000 images of each to the test set, in the features of the zoo's
classifier, and that of another seed, by which chance is judged. No average of the generator.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path

# The first of all: it sets the environment before TensorFlow comes.
from tests.benchmarks.pairs import tf  # noqa: F401

import numpy as np  # isort: skip

from keras_genzoo import data, evaluation  # isort: skip
from keras_genzoo.training import build_model, settings_for  # isort: skip

COUNT = 10_000


def main() -> None:
    """Train, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    parser.add_argument("--steps", type=int, default=1500)
    options = parser.parse_args()
    places = {"data_dir": options.data_dir, "manual_dir": options.manual_dir}
    splits = data.Splits(lambda split: data.open_source("mnist", split, **places))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "samples.npz")
        rows = {
            "ours, float32": lambda: _ours(splits, path, options, "float32", 0),
            "ours, float32, another seed": lambda: _ours(splits, path, options, "float32", 1),
            "ours, bfloat16": lambda: _ours(splits, path, options, "mixed_bfloat16", 0),
            "PyTorch, float32": lambda: _rival(splits, path, options, folder),
        }
        for name, train in rows.items():
            train()
            fake = data.open_source(path)
            scores = evaluation.Options(scores=("fid",), count=COUNT, floor=False)
            result = evaluation.evaluate_images(splits, fake, scores)
            print(f"{name}: {options.steps} steps, FID {result['scores']['fid']:.2f}", flush=True)


def _ours(splits, path: Path, options, precision: str, seed: int) -> None:
    overrides = {"precision": precision, "ema_decay": 0.0, "seed": seed}
    model = build_model(settings_for("dcgan", "mnist", **overrides), (28, 28, 1), None)
    stream = data.training_stream(splits.train, 50, seed=seed)
    model.fit(stream, steps_per_epoch=options.steps, verbose=0)
    np.savez(path, images=model.generate(COUNT, seed=0))


def _rival(splits, path: Path, options, folder: str) -> None:
    file = Path(folder, "train.npy")
    np.save(file, splits.train.fetch(np.arange(splits.train.num_images))[0])
    program = Path(__file__).with_name("torch_rival.py")
    subprocess.run(
        [options.rival_python, program, "dcgan28", "float32", file, path],
        input=f"{options.steps}\n",
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
