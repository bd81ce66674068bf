"""Signal-to-noise of the encoder's gradient against the number of draws, for IWAE and DReG.

    python -m benchmarks.signal_to_noise RUN --out signal_to_noise.png

RUN is a run of a VAE or IWAE with a Bernoulli likelihood. The ratio is that of 1802.04537: for each
weight of the encoder, |mean| / standard deviation over independent gradients of the bound of the
same images, averaged over the weights. IWAE's falls as 1/sqrt(K), DReG's (1810.04152) does not.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf

from keras_genzoo.evaluation import binarized
from keras_genzoo.models import VAE
from keras_genzoo.models.vae import GRADIENTS
from keras_genzoo.networks import normal
from keras_genzoo.training import Run
from keras_genzoo.training.build import load_model
from keras_genzoo.training.preparing import splits_of


def signal_to_noise(model: VAE, images: np.ndarray, draws: int, repeats: int) -> float:
    """Return the mean ratio over the encoder's weights.

    Args:
        model: the model, with the estimator to measure as its ``gradient``.
        images: float32 in {0, 1}, ``(n, height, width, channels)``.
        draws: K of the bound.
        repeats: independent gradients.
    """
    model.num_samples = draws
    variables = model.encoder.trainable_variables

    @tf.function
    def gradient(seed):
        epsilon = normal((len(images), draws, model.latent_dim), seed)
        with tf.GradientTape() as tape:
            loss, _ = model.losses_of_draws(tf.constant(images), epsilon, training=True)
            loss = tf.reduce_mean(loss)
        parts = tape.gradient(loss, variables)
        return tf.concat([tf.reshape(part, [-1]) for part in parts], axis=0)

    mean, square = 0.0, 0.0
    for repeat in range(repeats):
        sample = gradient(tf.constant([repeat, draws])).numpy().astype("float64")
        mean, square = mean + sample / repeats, square + sample**2 / repeats
    deviation = np.sqrt(np.maximum(square - mean**2, 0) * repeats / (repeats - 1))
    # Weights of pixels that are black in all images have no gradient at all.
    moved = deviation > 0
    return float((np.abs(mean[moved]) / deviation[moved]).mean())


def main() -> None:
    """Measure both estimators, print the numbers, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--draws", type=int, nargs="+", default=[1, 4, 16, 64, 256])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("signal_to_noise.png"))
    arguments = parser.parse_args()
    run = Run.open(arguments.run)
    model = load_model(run, print)
    images, _ = splits_of(run, None).to_look_at().sample(arguments.images, 0)
    x = binarized(images, "dynamic")
    model.objective = "iwae"
    figure, axes = plt.subplots(figsize=(6, 4))
    for name, label in zip(GRADIENTS, ("IWAE", "DReG"), strict=True):
        model.gradient = name
        ratios = []
        for draws in arguments.draws:
            ratios.append(signal_to_noise(model, x, draws, arguments.repeats))
            print(f"{label}, K = {draws}: {ratios[-1]:.4f}", flush=True)
        axes.loglog(arguments.draws, ratios, "o-", label=label)
        if label == "IWAE":
            falling = [ratios[0] * (arguments.draws[0] / k) ** 0.5 for k in arguments.draws]
            axes.loglog(arguments.draws, falling, ":", color="grey", label="1/sqrt(K)")
    floor = np.sqrt(2 / np.pi / arguments.repeats)
    axes.axhline(floor, linestyle="--", color="grey", label="no signal at all, so many gradients")
    axes.set(xlabel="draws K", ylabel="signal-to-noise of the encoder's gradient", title=run.title)
    axes.legend()
    figure.savefig(arguments.out, dpi=150, bbox_inches="tight")
    print(arguments.out)


if __name__ == "__main__":
    main()
