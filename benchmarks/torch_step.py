"""The training step against PyTorch's, with the same networks, batch and optimizers.

    python -m benchmarks.torch_step --rival-python PYTHON

PYTHON has torch installed. Both take their turns in one run, each with two threads.
"""

import argparse
import subprocess
from pathlib import Path

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import compare_seconds, same_batch, seconds

import keras  # isort: skip
import numpy as np  # isort: skip
import tensorflow as tf  # isort: skip

from keras_genzoo.models import DCGAN, VAE  # isort: skip
from keras_genzoo.networks import layers_under  # isort: skip

# As many as the rival takes.
THREADS = 2
# Steps of one turn.
CASES = {
    "dcgan28": {"batch": 50, "steps": 20},
    "dcgan64": {"batch": 100, "steps": 2},
    "vae-dense": {"batch": 128, "steps": 400},
    "vae-convolutional": {"batch": 128, "steps": 40},
}
SHAPES = {"dcgan64": (64, 64, 3)}


def convolutional_vae_networks() -> dict[str, keras.Model]:
    """Return encoder and decoder of keras.io's VAE; the decoder gives logits."""
    layers = keras.layers
    images = keras.Input((28, 28, 1))
    x = layers.Conv2D(32, 3, 2, "same", activation="relu")(images)
    x = layers.Conv2D(64, 3, 2, "same", activation="relu")(x)
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    encoder = keras.Model(images, [layers.Dense(2)(x), layers.Dense(2)(x)])
    z = keras.Input((2,))
    x = layers.Reshape((7, 7, 64))(layers.Dense(7 * 7 * 64, activation="relu")(z))
    x = layers.Conv2DTranspose(64, 3, 2, "same", activation="relu")(x)
    x = layers.Conv2DTranspose(32, 3, 2, "same", activation="relu")(x)
    decoder = keras.Model(z, layers.Conv2DTranspose(1, 3, padding="same")(x))
    return {"encoder": encoder, "decoder": decoder}


def ours(case: str, precision: str, jit_compile: bool):
    """Return a compiled model."""
    shape = SHAPES.get(case, (28, 28, 1))
    with layers_under("mixed_bfloat16" if precision == "bfloat16" else "float32"):
        if case.startswith("dcgan"):
            model = DCGAN(shape)
        elif case == "vae-dense":
            model = VAE(shape, 20, hidden_units=(400,))
        else:
            model = VAE(shape, 2, **convolutional_vae_networks())
        model.compile(jit_compile=jit_compile)
    return model


def measure(case: str, precision: str, options: argparse.Namespace) -> None:
    """Print the figures of one case."""
    settings = CASES[case]
    # As a run chooses.
    model = ours(case, precision, jit_compile=(case, precision) == ("vae-dense", "float32"))
    shape = (settings["batch"], *SHAPES.get(case, (28, 28, 1)))
    data = same_batch(np.random.default_rng(0).integers(0, 256, shape, "uint8"))
    program = Path(__file__).with_name("torch_rival.py")
    rival = subprocess.Popen(
        [options.rival_python, program, case, precision],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def our_turn(steps: int) -> float:
        return seconds(lambda: model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False))

    def rival_turn(steps: int) -> float:
        print(steps, file=rival.stdin, flush=True)
        return float(rival.stdout.readline())

    steps = settings["steps"]
    for turn in (our_turn, rival_turn):
        turn(max(3, steps // 4))
    name = f"{case}, {precision}, batch {settings['batch']}"
    compare_seconds(name, lambda: our_turn(steps), lambda: rival_turn(steps), steps, options.pairs)
    rival.stdin.close()
    rival.wait()


def main() -> None:
    """Measure the cases asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival-python", required=True)
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument(
        "--precisions", nargs="+", default=["float32"], choices=("float32", "bfloat16")
    )
    parser.add_argument("--pairs", type=int, default=7)
    options = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    for precision in options.precisions:
        for case in options.cases:
            measure(case, precision, options)


if __name__ == "__main__":
    main()
