"""What training in step costs: two replicas on this machine against one, the same global batch.

Two logical CPUs share the cores, so that all above the time of one replica is the strategy's own
cost: distribution, sums of gradients, and batch statistics over both.
"""

import argparse

# The first of all: it sets the environment before TensorFlow comes.
from tests.benchmarks.pairs import compare, same_batch

import numpy as np  # isort: skip
import tensorflow as tf  # isort: skip

from keras_genzoo.training import build_model, make_strategy, settings_for  # isort: skip

STEPS = {"vae-mnist": 100, "dcgan-mnist": 10}


def main() -> None:
    """Measure two recipes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    pairs = parser.parse_args().pairs
    device = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(device, two)
    for name, steps in STEPS.items():
        settings = settings_for(None, recipe=name)
        images = np.random.default_rng(0).integers(
            0, 256, (settings.batch_size, 28, 28, 1), "uint8"
        )
        turns = []
        for strategy in ("one", "mirrored"):
            with make_strategy(strategy).scope():
                model = build_model(settings, (28, 28, 1), None)
            data = same_batch(images)

            def turn(model=model, data=data, steps=steps):
                model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

            turn()
            turns.append(turn)
        compare(f"{name}: one replica against two", *turns, steps, pairs)


if __name__ == "__main__":
    main()
