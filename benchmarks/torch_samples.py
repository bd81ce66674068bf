"""Samples after equal steps: DCGAN of the zoo in float32 and bfloat16, and PyTorch's, on MNIST.

    python -m benchmarks.torch_samples --rival-python PYTHON --manual-dir DIR

All have the same networks, initial weights' law, batch and optimizers. Prints the Fréchet distance
of 10,000 images of each to the test set, in the features of the zoo's classifier, a line for each
seed, and the mean and the standard deviation over the seeds. No average of the generator.
"""

import argparse
import statistics
import subprocess
import tempfile
from pathlib import Path

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import tf  # noqa: F401

import numpy as np  # isort: skip

from keras_genzoo import data, evaluation  # isort: skip
from keras_genzoo.training import build_model, settings_for  # isort: skip

COUNT = 10_000
SIDES = ("float32", "bfloat16", "torch", "torch-bfloat16")


def main() -> None:
    """Train, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--data-dir")
    parser.add_argument("--manual-dir")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--sides", nargs="+", default=SIDES[:3], choices=SIDES)
    options = parser.parse_args()
    places = {"data_dir": options.data_dir, "manual_dir": options.manual_dir}
    splits = data.Splits(lambda split: data.open_source("mnist", split, **places))
    for side in options.sides:
        distances = []
        for seed in options.seeds:
            distances.append(_distance(splits, side, seed, options))
            print(
                f"{side}, seed {seed}: {options.steps} steps, FID {distances[-1]:.2f}", flush=True
            )
        if len(distances) > 1:
            mean, spread = statistics.mean(distances), statistics.stdev(distances)
            print(f"{side}: FID {mean:.2f} ± {spread:.2f} over {len(distances)} seeds", flush=True)


def _distance(splits, side: str, seed: int, options: argparse.Namespace) -> float:
    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder, "samples.npz")
        if side.startswith("torch"):
            precision = "bfloat16" if side.endswith("bfloat16") else "float32"
            _train_rival(splits, samples, precision, seed, options)
        else:
            _train_ours(splits, samples, side, seed, options.steps)
        scores = evaluation.Options(scores=("fid",), count=COUNT, floor=False)
        result = evaluation.evaluate_images(splits, data.open_source(samples), scores)
    return result["scores"]["fid"]


def _train_ours(splits, samples: Path, precision: str, seed: int, steps: int) -> None:
    overrides = {"mixed_precision": precision, "ema_decay": 0.0, "seed": seed}
    model = build_model(settings_for("dcgan", "mnist", **overrides), (28, 28, 1), None)
    stream = data.training_stream(splits.train, 50, seed=seed)
    model.fit(stream, steps_per_epoch=steps, verbose=0)
    np.savez(samples, images=model.generate(COUNT, seed=0))


def _train_rival(splits, samples: Path, precision: str, seed: int, options) -> None:
    images = samples.with_name("train.npy")
    np.save(images, splits.train.fetch(np.arange(splits.train.num_images))[0])
    program = Path(__file__).with_name("torch_rival.py")
    subprocess.run(
        [options.rival_python, program, "dcgan28", precision, str(seed), images, samples],
        input=f"{options.steps}\n",
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
