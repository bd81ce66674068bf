"""Images a second and size of a generator: Keras' ``predict`` against what is exported.

All take their turn in every round, each with two threads; the figures are medians of the rounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from benchmarks.pairs import seconds
from keras_genzoo import export
from keras_genzoo.models import DCGAN

SHAPES = {28: (28, 28, 1), 64: (64, 64, 3)}
THREADS = 2


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--least", type=float, default=0.5, help="seconds of a measurement")
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    for size, shape in SHAPES.items():
        print(f"DCGAN {size}x{size}\n| | MB | batch 1 | batch 32 |\n|---|---|---|---|")
        model = DCGAN(shape, 100)
        with tempfile.TemporaryDirectory() as folder:
            rates = {
                batch: _rates(_runners(model, Path(folder, str(batch)), batch), batch, options)
                for batch in (1, 32)
            }
            for name, megabytes in _sizes(Path(folder, "1")).items():
                row = " | ".join(f"{rates[batch][name]:,.0f}" for batch in rates)
                print(f"| {name} | {megabytes:.1f} | {row} |", flush=True)


def _runners(model: DCGAN, folder: Path, batch: int) -> dict[str, Callable[[], None]]:
    """Export the model, and return what makes a batch of images, by name."""
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter

    z = np.random.default_rng(0).standard_normal((batch, 100), "float32")
    version = export.export_saved_model(model, folder / "served")
    served = tf.saved_model.load(version).signatures["generate"]
    network = model.signatures()["generate"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    [onnx] = export.export_onnx(model, folder)
    session = onnxruntime.InferenceSession(str(onnx), options)
    export.export_keras(model, folder)
    runners = {
        "Keras `predict`": lambda: network.predict({"z": z}, batch_size=batch, verbose=0),
        "SavedModel": lambda: served(z=tf.constant(z))["images"].numpy(),
    }
    types = list(export.LITERT_TYPES)
    for kind, file in zip(
        types, export.export_litert(model, folder, types=types, batch_size=batch), strict=True
    ):
        interpreter = Interpreter(str(file), num_threads=THREADS)
        signature = interpreter.get_signature_runner("generate")
        runners[f"LiteRT {kind}"] = lambda signature=signature: signature(z=z)
    runners["ONNX Runtime"] = lambda: session.run(None, {"z": z})
    return runners


def _sizes(folder: Path) -> dict[str, float]:
    """Return the megabytes of each export, in the order of the table."""
    files = {
        "Keras `predict`": folder.glob("*.keras"),
        "SavedModel": folder.glob("served/1/**/*"),
        **{f"LiteRT {kind}": folder.glob(f"*-{kind}.tflite") for kind in export.LITERT_TYPES},
        "ONNX Runtime": folder.glob("*.onnx"),
    }
    return {
        name: sum(path.stat().st_size for path in paths if path.is_file()) / 1e6
        for name, paths in files.items()
    }


def _rates(runners, batch: int, options: argparse.Namespace) -> dict[str, float]:
    """Return the median of images a second, by name."""
    calls = {}
    for name, run in runners.items():
        run()
        calls[name] = max(1, int(options.least / seconds(run)))
    found: dict[str, list[float]] = {name: [] for name in runners}
    for _ in range(options.rounds):
        for name, run in runners.items():
            taken = seconds(lambda run=run, name=name: [run() for _ in range(calls[name])])
            found[name].append(batch * calls[name] / taken)
    return {name: statistics.median(rates) for name, rates in found.items()}


if __name__ == "__main__":
    main()
