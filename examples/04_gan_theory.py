# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
#     language: python
# ---
# %% [markdown]
# # GANs in theory
#
# A generative adversarial network (GAN; [1406.2661](https://arxiv.org/abs/1406.2661), chapter 5 of
# the thesis) has no likelihood. A generator $G$ makes images of noise $z$, a discriminator $D$
# says with which probability an image is real, and both are trained against each other:
#
# $$\min_G \max_D V(D, G) = E_{p_d}[\log D(x)] + E_z[\log (1 - D(G(z)))]$$
#
# This guide puts the theory to the test where all is known: on points of the line and of the
# plane.
#
# ## The best discriminator
#
# For a fixed generator with density $p_g$ the best answer is
# $D^*(x) = p_d(x) / (p_d(x) + p_g(x))$. Maximising $V$ is nothing but telling two classes apart by
# cross-entropy, so a plain Keras classifier must come near it.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import tensorflow as tf
from scipy.stats import norm

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)


def data(n):
    """Draw from two narrow bumps, the real points."""
    return rng.choice([-0.45, 0.45], n) + 0.12 * rng.standard_normal(n)


def guess(n):
    """Draw from one broad bump, what a generator makes that has learnt little."""
    return 0.3 * rng.standard_normal(n)


x = np.linspace(-1, 1, 1001)
p_d = (norm.pdf(x, -0.45, 0.12) + norm.pdf(x, 0.45, 0.12)) / 2
p_g = norm.pdf(x, 0, 0.3)
best = genzoo.losses.optimal_discriminator(p_d, p_g)

hidden = [keras.layers.Dense(64, activation="tanh") for _ in range(3)]
discriminator = keras.Sequential([keras.Input((1,)), *hidden, keras.layers.Dense(1)])
rate = keras.optimizers.schedules.CosineDecay(5e-3, decay_steps=1600)
cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
discriminator.compile(keras.optimizers.Adam(rate), cross_entropy)
points = np.concatenate([data(20_000), guess(20_000)])[:, None]
is_real = np.repeat([1.0, 0.0], 20_000)[:, None]
discriminator.fit(points, is_real, batch_size=1000, epochs=40, verbose=0)
learnt = np.asarray(keras.ops.sigmoid(discriminator(x[:, None]))[:, 0])

figure, axis = plt.subplots(figsize=(7, 3), layout="constrained")
axis.fill_between(x, p_d / 4, color="C0", alpha=0.3, label="$p_d / 4$")
axis.fill_between(x, p_g / 4, color="C3", alpha=0.3, label="$p_g / 4$")
axis.plot(x, best, color="0.6", linewidth=3, label="$D^*$")
axis.plot(x, learnt, "k--", linewidth=1.2, label="D, trained")
axis.set(xlabel="x", ylim=(0, 1.25))
axis.legend(ncols=4, fontsize=9, loc="upper center")
error = np.average(abs(learnt - best), weights=p_d + p_g)
print(f"mean distance of D from D* over real and generated points: {error:.3f}")

# %% [markdown]
# Where neither of the two has points, at both ends, nothing tells $D$ what to say.
#
# ## The value of the game
#
# Put $D^*$ into $V$ and it becomes $-\log 4 + 2\, JS(p_d \| p_g)$, twice the [Jensen-Shannon
# divergence](01_distances.py) and a constant. It is least, $-\log 4$, where $p_g = p_d$; there
# $D^* = 1/2$ everywhere. $V$ of the trained discriminator, on new points, comes near it from
# below.

# %%
cell = x[1] - x[0]
js = float(genzoo.losses.jensen_shannon_divergence(p_d * cell, p_g * cell))
optimum = float(genzoo.losses.optimal_value(p_d * cell, p_g * cell))
logits = [discriminator(draw(100_000)[:, None]) for draw in (data, guess)]
print(f"JS {js:.4f}, so -log 4 + 2 JS is {-genzoo.losses.LOG_4 + 2 * js:.4f} ({optimum:.4f})")
print(f"V of the trained D: {float(genzoo.losses.adversarial_value(*logits)):.4f}")
print(f"-log 4 is {-genzoo.losses.LOG_4:.4f}")

# %% [markdown]
# ## First trouble: no gradient where it is needed
#
# Early in training $D$ sees through every generated image: $D(G(z))$ is near 0. How hard does each
# loss then pull at the logit of such an image? The minimax loss $\log (1 - D(G(z)))$ by $D(G(z))$,
# which is next to nothing. The *non-saturating* loss $-\log D(G(z))$ has the same fixed point and
# pulls by $1 - D(G(z))$. It is the default of all GANs here; `loss="minimax"` takes the other.

# %%
losses = {
    "minimax": genzoo.losses.minimax_generator_loss,
    "non_saturating": genzoo.losses.non_saturating_generator_loss,
}
for score in (0.001, 0.5, 0.999):
    logit = tf.constant([np.log(score / (1 - score))], tf.float32)
    pulls = []
    for name, loss in losses.items():
        with tf.GradientTape() as tape:
            tape.watch(logit)
            value = loss(logit)
        pulls.append(f"{name} {abs(float(tape.gradient(value, logit)[0])):.3f}")
    print(f"D(G(z)) = {score}: gradient by the logit:", ", ".join(pulls))

# %% [markdown]
# ## Second trouble: mode collapse
#
# The theory has $D$ at its optimum in every step. In practice $D$ takes one step, then $G$ does.
# Eight Gaussians on a circle, twice with the same networks: once $D$ learns four times as fast as
# $G$, once it is the other way round. A point of the plane is an image of 1 x 2 pixels here, so
# that this is the class {py:class}`keras_genzoo.models.GAN` itself, with networks of our own.

# %%
angle = np.arange(8) * np.pi / 4
means = 0.6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
real = means[rng.integers(8, size=50_000)] + 0.09 * rng.standard_normal((50_000, 2))
real = np.clip(real, -1, 1).astype("float32").reshape(-1, 1, 2, 1)


def train(generator_rate, discriminator_rate, steps=3000):
    """Train a GAN on the circle; return points that it makes, and V over the training."""
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense
    generator = [keras.Input((8,)), *[dense(64, "relu") for _ in range(3)], dense(2, "tanh")]
    generator = keras.Sequential([*generator, keras.layers.Reshape((1, 2, 1))])
    discriminator = [keras.Input((1, 2, 1)), keras.layers.Flatten()]
    discriminator += [*[dense(64, "tanh") for _ in range(3)], dense(1)]
    discriminator = keras.Sequential(discriminator)
    gan = genzoo.models.GAN((1, 2, 1), 8, generator=generator, discriminator=discriminator)
    rates = [
        keras.optimizers.schedules.CosineDecay(rate, steps)
        for rate in (generator_rate, discriminator_rate)
    ]
    gan.compile(
        *(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates), steps_per_execution=50
    )
    batches = tf.data.Dataset.from_tensor_slices(real).shuffle(10_000, seed=0).repeat().batch(256)
    history = gan.fit(batches, steps_per_epoch=100, epochs=steps // 100, verbose=0).history
    points = np.asarray(gan(gan.sample_latents(4000, seed=0))).reshape(-1, 2)
    return points, -np.array(history["discriminator_loss"])


def covered(points):
    """Count the Gaussians that have a fifth of their share of the points, or more."""
    distances = np.linalg.norm(points[:, None] - means, axis=2)
    nearest = distances.argmin(axis=1)[distances.min(axis=1) < 0.27]
    return int((np.bincount(nearest, minlength=8) >= len(points) / 40).sum())


figure, axes = plt.subplots(1, 3, figsize=(10, 3.3), layout="constrained")
runs = {"D learns faster": (5e-4, 2e-3), "G learns faster": (2e-3, 5e-4)}
for axis, (name, rates) in zip(axes, runs.items(), strict=False):
    points, values = train(*rates)
    axis.plot(*real[:1500].reshape(-1, 2).T, ".", color="0.8", markersize=3, label="real")
    axis.plot(*points[:1500].T, ".", color="C3", markersize=3, label="generated")
    axis.set(title=f"{name}: {covered(points)} of 8", xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    axes[2].plot(100 * np.arange(1, len(values) + 1), values, label=name)
    print(f"{name}: {covered(points)} of 8 modes, V {values[-1]:.2f} at the end")
axes[2].axhline(-genzoo.losses.LOG_4, color="0.5", linestyle=":", label="-log 4")
axes[2].set(title="V(D, G) in training", xlabel="step", ylabel="nats")
for axis, place in ((axes[0], "center"), (axes[2], "lower right")):
    axis.legend(fontsize=8, loc=place, markerscale=3)

# %% [markdown]
# The second generator puts all its points into one place. It is trained against a $D$ that hardly
# moves, and its best answer to such a $D$ is to make, of whatever noise, the point that $D$
# believes most. The value gives no warning: both runs end near $-\log 4$. $V$ is
# $-\log 4 + 2\, JS$ only where $D$ is at its optimum, and the $D$ of the second run is not. So
# look at the images, and measure them: losses do not tell how good a GAN is.
#
# ## All of it at once
#
# ```bash
# genzoo theory
# genzoo theory --interactive
# genzoo theory --stability
# ```
#
# The first trains on known densities for a minute and draws twelve panels: what this guide shows,
# in two dimensions as well, and the cure of a collapse. The second writes a page in which a GAN of
# the plane trains before your eyes, with the loss and the penalty that you choose. The third
# trains each loss with each penalty on several seeds, which takes 20 minutes of one core; [modern
# GANs](08_modern_gans.py) reads its table. Next: [DCGAN](05_dcgan.py), images instead of points.
