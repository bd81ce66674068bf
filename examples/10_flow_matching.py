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
# # Flow matching
#
# A GAN maps noise to an image in one step, and must play a game to learn the step. Flow matching
# ([2210.02747](https://arxiv.org/abs/2210.02747), [2209.03003](https://arxiv.org/abs/2209.03003))
# takes many small steps, and each of them is learnt by a regression: a plain mean squared error,
# which falls and does not oscillate.
#
# Join an image $x$ and noise $\varepsilon \sim N(0, I)$ by a straight line,
# $x_t = (1 - t)\,\varepsilon + t\,x$. Its velocity is $x - \varepsilon$. The network sees $x_t$ and
# $t$ alone, and learns to guess that velocity. Many lines cross in one point, so that the best
# guess is their mean, $v(x_t, t) = E[x - \varepsilon \mid x_t]$. Images are then made by following
# $v$ from noise, at time 0, to time 1.

# %%
import itertools

import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.svm import SVC

import keras_genzoo as genzoo

model = genzoo.models.from_preset("flow_digits")
print(f"images {model.image_shape}, latents {model.latent_shape}: the latent is an image of noise")
print(f"{model.network.count_params():,} weights; images by {model.sampling_in_words()}")

# %% [markdown]
# ## From noise to an image
#
# `path` returns what lies on the way. Above: the path of four images. Below: at each time, the
# image at which the network would arrive if it went straight on from there,
# $x_t + (1 - t)\,v(x_t, t)$. At time 0 this is the mean of all digits, whatever the noise: nothing
# is decided yet. Which digit it will be is settled in the first half, and what it looks like in the
# second.

# %%
z = model.sample_latents(4, seed=3)
frames = model.path(z, frames=9)
times = np.linspace(0, 1, 9)
guesses = []
x, velocity = keras.ops.convert_to_tensor(z), model.velocity()
for start, end in itertools.pairwise(times):
    v = velocity(x, start)
    guesses.append(model.to_uint8(np.asarray(x + (1 - start) * v)))
    x = x + (end - start) * v
guesses.append(model.to_uint8(np.asarray(x)))

figure, axes = plt.subplots(2, 1, figsize=(8, 7.4), layout="constrained")
for axis, images, title in zip(
    axes,
    (frames, np.stack(guesses, axis=1)),
    ("$x_t$ from t = 0 to t = 1", "where it would arrive by going straight on"),
    strict=True,
):
    grid = genzoo.images.image_grid(images.reshape(-1, *model.image_shape), columns=9)
    axis.imshow(grid, cmap="gray", vmin=0, vmax=255)
    axis.set_title(title)
    axis.axis("off")

# %% [markdown]
# ## Solvers, and what an image costs
#
# Following $v$ means solving a differential equation. `euler` calls the network once a step,
# `midpoint` and `heun` twice, and their errors fall with the square of the step. What counts is the
# number of network calls: it is the price of an image. The errors below are the mean differences of
# grey values (0 to 255) to the images of the same noise by 20 steps of `midpoint`.

# %%
z = model.sample_latents(4, seed=0)
exact = model.decode(z, solver="midpoint", solver_steps=20).astype("float32")
print("network calls   euler  midpoint   heun")
for calls in (2, 4, 8):
    errors = []
    for solver in ("euler", "midpoint", "heun"):
        steps = calls // genzoo.models.SOLVERS[solver].calls
        images = model.decode(z, solver=solver, solver_steps=steps)
        errors.append(abs(images - exact).mean())
    print(f"{calls:13d} {errors[0]:7.2f} {errors[1]:9.2f} {errors[2]:6.2f}")

# %% [markdown]
# With so few calls `heun` is worse than plain `euler`: it looks ahead by a whole step, to where the
# velocity is another. `midpoint` looks ahead by half of one, and is the default.
#
# The file that leaves for a phone or a server has its solver and its number of steps written into
# it: `model.set_sampling(solver="euler", solver_steps=4)` before an export chooses them, or on the
# command line
#
# ```text
# genzoo sample flow_digits --solver euler --solver-steps 4
# genzoo export flow_digits --solver euler --solver-steps 4
# ```
#
# ## Training one, with classes
#
# A flow is a `keras.Model` like the others. This one is small, knows the classes, and trains for a
# few seconds: the recipe `flow-digits` takes 2,000 steps. A tenth of the labels are dropped in
# training (`label_dropout`), so that it learns the velocity without a class beside that with one.

# %%
keras.utils.set_random_seed(0)
digits = genzoo.data.load_dataset("digits", batch_size=64, with_labels=True)
small = genzoo.models.Flow(
    (8, 8, 1), unet_filters=(16, 32), conditioning="embedding", num_classes=10, ema_decay=0.99
)
small.compile(keras.optimizers.Adam(3e-3))
history = small.fit(digits, epochs=12, verbose=0).history["velocity_loss"]
print(f"velocity loss {history[0]:.3f} in the first epoch, {history[-1]:.3f} in the last")

# %% [markdown]
# The loss does not go to 0: it is the variance of the velocities of the lines that cross in a
# point, and no network can guess which of them is meant. A small difference in the loss may be a
# large one to the eye.
#
# ## Guidance
#
# Classifier-free guidance ([2207.12598](https://arxiv.org/abs/2207.12598)) exaggerates what the
# class changes: $v + g\,(v_{class} - v)$. With $g = 0$ the class is ignored, $g = 1$ is the model
# as it was trained, and more makes images more typical of their class, at the price of variety and
# of two network calls a step. A support vector machine that was trained on real digits says how
# often it sees the class asked for.

# %%
data = load_digits()
judge = SVC().fit(np.rint(data.data[:1500] * 255 / 16), data.target[:1500])
labels = np.arange(100) % 10
rows = []
for guidance in (0, 1, 2, 4):
    images = small.generate(100, class_labels=labels, seed=1, solver_steps=5, guidance=guidance)
    seen = judge.predict(images.reshape(100, -1).astype("float64"))
    by_class = np.stack([images[labels == number] for number in range(10)]).astype("float32")
    print(
        f"guidance {guidance}: seen as asked for {(seen == labels).mean():4.0%}, "
        f"deviation within a class {by_class.std(axis=1).mean():.0f} grey values"
    )
    rows.append(images[:10])
plt.figure(figsize=(8, 3.4), layout="constrained")
plt.imshow(genzoo.images.image_grid(np.concatenate(rows), columns=10), cmap="gray")
plt.title("0 to 9, each column of one noise; rows: guidance 0, 1, 2, 4")
_ = plt.axis("off")

# %% [markdown]
# ## A likelihood
#
# The solver also runs backwards, from an image to its noise. The density of the image is that of
# the noise, changed by how much the flow expands or contracts on the way: the integral of the
# divergence of $v$ ([1806.07366](https://arxiv.org/abs/1806.07366)). A GAN has no such number. The
# divergence needs a gradient for each pixel; Hutchinson's estimate takes one random direction
# instead ([1810.01367](https://arxiv.org/abs/1810.01367)), is right in the mean, and is the default
# for more than 64 pixels. Fewer bits for a pixel mean that the model finds the image more likely; 8
# bits are what any image takes without a model.

# %%
test = genzoo.data.open_source("digits", "test").sample(4, seed=0)[0]
shuffled = np.random.default_rng(0).permuted(test.reshape(4, -1), axis=1).reshape(test.shape)
for name, images, exact in (
    ("held-out digits, exact", test, True),
    ("held-out digits, estimated", test, False),
    ("the same pixels, shuffled", shuffled, False),
):
    nats = small.log_likelihood(images, solver_steps=10, exact=exact)
    print(f"{name:27s} {-nats.mean() / (64 * np.log(2)):6.2f} bits a pixel")

# %% [markdown]
# A likelihood says nothing of how images look to a person, and the score of one model family must
# not be read as that of another (see [evaluation that can be trusted](15_evaluation.py)). On MNIST
# the recipe `flow-mnist` trains a larger U-Net: `genzoo fit flow --dataset mnist`.
#
# Next: [networks of your own](11_own_networks.py). The class is
# {py:class}`keras_genzoo.models.Flow`, the solvers are in {py:data}`keras_genzoo.models.SOLVERS`.
