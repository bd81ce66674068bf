"""How near a training step comes to what the machine can multiply: the share of the ceiling.

Operations are those of convolutions and matrix products, counted by TensorFlow in the graph of the
step; the ceiling is the rate of a matrix product of 2048x2048, taken in turn with the steps.
"""

import argparse
import contextlib
import io
import statistics

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import same_batch, seconds

import numpy as np  # isort: skip
import tensorflow as tf  # isort: skip

from keras_genzoo.training import build_model, make_strategy, settings_for  # isort: skip
from keras_genzoo.training.strategy import choose_jit_compile  # isort: skip

RECIPES = ("ae-mnist", "vae-mnist", "gan-mnist", "dcgan-mnist", "cgan-mnist", "dcgan-celeb_a")
SIDE = 2048


def main() -> None:
    """Print a row for each recipe."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| recipe | GFLOP a step | ms a step | GFLOP/s | ceiling | share |")
    print("|---|---|---|---|---|---|")
    for name in RECIPES:
        _measure(name, options)


def _measure(name: str, options: argparse.Namespace) -> None:
    settings = settings_for(None, recipe=name, mixed_precision=options.precision)
    shape = (64, 64, 3) if name == "dcgan-celeb_a" else (28, 28, 1)
    model = build_model(settings, shape, 10 if settings.model == "cgan" else None)
    model.jit_compile = choose_jit_compile(settings, make_strategy("one"), shape)
    images = np.random.default_rng(0).integers(0, 256, (settings.batch_size, *shape), "uint8")
    labels = np.arange(settings.batch_size, dtype="int32") % 10
    batch = (images, labels) if settings.model == "cgan" else images
    operations = _operations(model, batch)
    steps = max(1, round(5e10 / operations))
    data = same_batch(batch)

    def train():
        model.fit(data, steps_per_epoch=steps, verbose=0, shuffle=False)

    train()
    ceiling = _product(options.precision)
    ceiling()
    times, rates = [], []
    for _ in range(options.rounds):
        times.append(seconds(train) / steps)
        rates.append(2 * SIDE**3 / seconds(ceiling))
    step, rate = statistics.median(times), statistics.median(rates)
    print(
        f"| `{name}` | {operations / 1e9:.2f} | {step * 1e3:.1f} | {operations / step / 1e9:.0f} | "
        f"{rate / 1e9:.0f} | {operations / step / rate:.0%} |",
        flush=True,
    )


def _operations(model, batch) -> float:
    """Return the floating-point operations of products and convolutions in one step."""

    @tf.function(autograph=False)
    def step(data):
        return model.train_step(data)

    graph = step.get_concrete_function(tf.nest.map_structure(tf.constant, batch)).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options = tf.compat.v1.profiler.ProfileOptionBuilder(options).with_empty_output().build()
    with contextlib.redirect_stdout(io.StringIO()), graph.as_default():
        profile = tf.compat.v1.profiler.profile(graph, cmd="op", options=options)
    kinds = ("MatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")
    return sum(child.total_float_ops for child in profile.children if child.name in kinds) or (
        profile.total_float_ops
    )


def _product(dtype: str):
    a, b = (tf.cast(tf.random.normal((SIDE, SIDE)), dtype) for _ in range(2))
    product = tf.function(lambda: tf.reduce_sum(tf.cast(a @ b, "float32")))
    return lambda: product().numpy()


if __name__ == "__main__":
    main()
