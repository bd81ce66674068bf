"""Images out of a model in Python against its exported SavedModel, and the memory of many.

Both sides take their turn in every round, with two threads. A call makes one batch of noise into
images: ours into uint8 arrays by ``decode``, the SavedModel into floats in [0, 1]. Time is that of
the clock, and of the process on all cores, which other work on the machine disturbs less.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.pairs import seconds
from keras_genzoo import export
from keras_genzoo.models import CGAN, DCGAN, VAE, Flow, ImageModel

MODELS: dict[str, Callable[[], ImageModel]] = {
    "vae": lambda: VAE((28, 28, 1), 20, hidden_units=(400,)),
    "dcgan": lambda: DCGAN((28, 28, 1), 100),
    "cgan": lambda: CGAN((28, 28, 1), 100, num_classes=10),
    "flow": lambda: Flow((28, 28, 1), solver_steps=4),
}
BATCHES = (1, 32, 256)
THREADS = 2


def main() -> None:
    """Print the table of ratios, or with ``--memory`` the peak memory of many images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--least", type=float, default=0.5, help="seconds of a measurement")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of is not None:
        return _write(options.models[0], options.peak_of)
    if options.memory:
        return _print_memory(options.models)
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    print("ours / SavedModel: by the clock, by the time of the process, ms of ours by each")
    for name in options.models:
        for batch in BATCHES:
            clock, process, ours = _ratios(*_sides(name, batch), options)
            figures = " / ".join(f"{ms:.2f} ms" for ms in ours)
            print(f"{name}, batch {batch}: {clock:.2f}, {process:.2f}, {figures}", flush=True)
    return None


def _sides(name: str, batch: int) -> tuple[Callable, Callable]:
    """Return a call of ours and one of the exported model, which make a batch of images."""
    model = MODELS[name]()
    z = model.sample_latents(batch, seed=0)
    labels = np.arange(batch, dtype="int32") % 10 if model.needs_labels else None
    with tempfile.TemporaryDirectory() as folder:
        loaded = tf.saved_model.load(export.export_saved_model(model, Path(folder, "served")))
    served = loaded.signatures[model.prior_signature]

    def theirs() -> None:
        given = {"z": tf.constant(z)}
        if labels is not None:
            given["class_labels"] = tf.constant(labels)
        served(**given)["images"].numpy()

    of_class = {} if labels is None else {"class_labels": labels}
    return lambda: model.decode(z, **of_class), theirs


def _ratios(ours: Callable, theirs: Callable, options) -> tuple[float, float, list[float]]:
    """Return the median ratios of ours to theirs, and the median milliseconds of ours."""
    sides = (ours, theirs)
    for run in sides:
        run()
    calls = [max(1, int(options.least / seconds(run))) for run in sides]
    rounds = []
    for _ in range(options.rounds):
        taken = []
        for run, times in zip(sides, calls, strict=True):
            began, spent = time.perf_counter(), time.process_time()
            for _ in range(times):
                run()
            ended = time.perf_counter() - began, time.process_time() - spent
            taken.append([part / times for part in ended])
        rounds.append(taken)
    clock, process = (statistics.median(a[i] / b[i] for a, b in rounds) for i in (0, 1))
    return clock, process, [statistics.median(1e3 * a[i] for a, _ in rounds) for i in (0, 1)]


def _print_memory(names: list[str]) -> None:
    for name in names:
        peaks = []
        for count in (256, 50_000):
            command = [sys.executable, "-m", "benchmarks.generating"]
            command += ["--models", name, "--peak-of", str(count)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(int(ended.stdout))
        print(f"{name}: {peaks[0]} MB for 256 images, {peaks[1]} MB for 50,000", flush=True)


def _write(name: str, count: int) -> None:
    """Write an ``.npz`` of images, as ``genzoo sample`` does, and print the peak memory in MB."""
    from keras_genzoo.training.sampling import generated, write_arrays

    model = MODELS[name]()
    with tempfile.TemporaryDirectory() as folder:
        batches = generated(model, count, None, 0, lambda line: None)
        write_arrays(Path(folder, "a.npz"), batches, (count, *model.image_shape))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
