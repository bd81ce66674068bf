"""Where the time of a training step goes, by TensorFlow's profiler.

    python -m benchmarks.profile_step

Times are those of single operations, summed over the threads: operations that run at once share
the cores, so that shares tell more than milliseconds.
"""

import argparse
import collections
import re
import tempfile
from pathlib import Path

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import same_batch

import numpy as np  # isort: skip
import tensorflow as tf  # isort: skip
from tensorflow.tsl.profiler.protobuf import xplane_pb2  # isort: skip

from benchmarks.torch_step import CASES, SHAPES, ours  # isort: skip

# The first that is found in an operation's name names its kind.
KINDS = {
    "optimizer": r"ResourceApplyAdam|/adam(_\d+)?/",
    "convolutions and products": r"Conv2D(Backprop|$)|MatMul$",
    "batch normalisation": r"FusedBatchNorm|batch_normalization",
    "activations": r":(_Mkl\w*)?(Leaky)?Relu(Grad)?$|Tanh|Softplus|Sigmoid",
    "biases": r":BiasAdd",
    "casts": r":Cast$",
}
# What waits for others, or holds them.
FRAMES = r"^(Executor|ThreadpoolListener|.*ParallelFor|.*::)|:(While|If|PartitionedCall)"


def main() -> None:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    options = parser.parse_args()
    print(f"| case | {' | '.join(KINDS)} | rest |")
    print("|" + "---|" * (len(KINDS) + 2))
    for case in options.cases:
        times = _times(case, options.precision)
        total = sum(times.values())
        shares = (f"{times[kind] / total:.0%}" for kind in (*KINDS, "rest"))
        print(f"| `{case}`, {options.precision} | {' | '.join(shares)} |", flush=True)


def _times(case: str, precision: str) -> collections.Counter:
    """Return the time of each kind of operation; nothing is compiled by XLA, which fuses them."""
    model = ours(case, precision, jit_compile=False)
    shape = (CASES[case]["batch"], *SHAPES.get(case, (28, 28, 1)))
    data = same_batch(np.random.default_rng(0).integers(0, 256, shape, "uint8"))
    steps = CASES[case]["steps"]

    def train():
        model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    train()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            train()
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    times = collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            if plane.name == "/host:CPU" and not line.name.startswith("python"):
                for event in line.events:
                    name = plane.event_metadata[event.metadata_id].name
                    if ":" in name and not re.search(FRAMES, name):
                        times[_kind(name)] += event.duration_ps
    return times


def _kind(name: str) -> str:
    return next((kind for kind, pattern in KINDS.items() if re.search(pattern, name)), "rest")


if __name__ == "__main__":
    main()
