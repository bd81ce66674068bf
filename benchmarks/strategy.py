"""What training in step costs: two replicas, and two workers, against one, the same global batch.

Both share the cores of this machine, so that all above the time of one replica is the cost of the
strategy: distribution, sums of gradients, and batch statistics over both; of the workers also that
of two processes, each with all threads.
"""

import argparse
import os
import statistics
import subprocess
import sys

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import compare, same_batch, seconds

import numpy as np  # isort: skip
import tensorflow as tf  # isort: skip

from keras_genzoo.training import build_model, make_strategy, settings_for  # isort: skip
from tests.training.cluster import tf_configs  # isort: skip

STEPS = {"vae-mnist": 100, "dcgan-mnist": 10}


def main() -> None:
    """Measure two recipes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(_worker(options.worker, options.pairs))
        return
    device = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(device, two)
    for name, steps in STEPS.items():
        turns = [_turn(name, make_strategy(strategy)) for strategy in ("one", "mirrored")]
        compare(f"{name}: one replica against two", *turns, steps, options.pairs)
        print(f"{name}: two workers {_workers(name, options.pairs):.1f} ms/step", flush=True)


def _turn(name: str, strategy: tf.distribute.Strategy):
    """Return a function that takes the steps of one turn, taken once already."""
    settings = settings_for(None, recipe=name)
    with strategy.scope():
        model = build_model(settings, (28, 28, 1), None)
    size = settings.batch_size
    images = np.random.default_rng(0).integers(0, 256, (size, 28, 28, 1), "uint8")
    data = same_batch(images)
    if model.on_several_machines:
        share = images[: size // model.num_replicas]
        data = strategy.distribute_datasets_from_function(lambda context: same_batch(share))

    def turn():
        model.fit(data, steps_per_epoch=STEPS[name], verbose=0, shuffle=False)

    turn()
    return turn


def _worker(name: str, turns: int) -> float:
    """Return the median of the milliseconds a step of this worker."""
    turn = _turn(name, make_strategy("multi_worker"))
    return statistics.median(seconds(turn) for _ in range(turns)) / STEPS[name] * 1e3


def _workers(name: str, turns: int) -> float:
    """Return the milliseconds a step of two workers."""
    command = [sys.executable, "-m", "benchmarks.strategy", "--worker", name]
    processes = []
    for config in tf_configs(2):
        environment = os.environ | {"TF_CONFIG": config}
        processes.append(
            subprocess.Popen(
                [*command, "--pairs", str(turns)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
    return max(float(process.communicate()[0].splitlines()[-1]) for process in processes)


if __name__ == "__main__":
    main()
