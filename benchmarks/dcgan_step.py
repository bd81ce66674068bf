"""The DCGAN step against the plain Keras way, at 28x28 batch 50 and 64x64 batch 100."""

import argparse

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import compare, same_batch

import keras  # isort: skip
import numpy as np  # isort: skip

from keras_genzoo.models import DCGAN  # isort: skip
from benchmarks.plain_dcgan import PlainDCGAN, with_keras_batch_normalization  # isort: skip

CASES = {28: {"batch_size": 50, "channels": 1}, 64: {"batch_size": 100, "channels": 3}}


def measure(size: int, batch_size: int, channels: int, steps: int, pairs: int) -> None:
    """Print the figures of one size."""
    shape = (size, size, channels)
    ours = DCGAN(shape)
    ours.compile()
    plain = PlainDCGAN(
        with_keras_batch_normalization(ours.generator),
        with_keras_batch_normalization(ours.discriminator),
        ours.latent_dim,
    )
    plain.compile(
        keras.optimizers.Adam(2e-4, beta_1=0.5),
        keras.optimizers.Adam(2e-4, beta_1=0.5),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    images = np.random.default_rng(0).integers(0, 256, (batch_size, *shape), "uint8")
    data = same_batch(images)

    def fit(model, count):
        model.fit(data, steps_per_epoch=count, verbose=0, shuffle=False)

    for model in (ours, plain):
        fit(model, 3)
    name = f"DCGAN {size}x{size}, batch {batch_size}"
    compare(name, lambda: fit(ours, steps), lambda: fit(plain, steps), steps, pairs)


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=2.0, help="about, for one of a pair")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        steps = max(2, round(arguments.seconds / (0.1 if size == 28 else 1.3)))
        measure(size, **CASES[size], steps=steps, pairs=arguments.pairs)


if __name__ == "__main__":
    main()
