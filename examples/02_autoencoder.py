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
# # The autoencoder, and why it does not generate
#
# An autoencoder (chapter 3 of the thesis) has two networks. The encoder turns an image into a code
# of few numbers, the decoder turns the code back into an image. With pixels $x_i$ and
# reconstructed pixels $y_i$ in $[0, 1]$, both are trained to make
#
# $$J_{REC} = -\sum_i \left( x_i \log y_i + (1 - x_i) \log (1 - y_i) \right)$$
#
# small. A decoder makes images of codes, so it looks like a generative model: draw a code, decode
# it. This guide shows why that fails.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
digits = genzoo.data.load_dataset("digits", image_size=16, batch_size=64)
model = genzoo.models.Autoencoder(image_shape=(16, 16, 1), latent_dim=2)
model.compile()
losses = model.fit(digits, epochs=80, verbose=0).history["loss"]
print(f"loss: {losses[0]:.1f} nats an image in the first epoch, {losses[-1]:.1f} in the last")

# %% [markdown]
# As a compressor it works, even with two numbers for 256 pixels. Above, test images, which it has
# not been trained on; below, what it makes of them.


# %%
def show(*rows, title=""):
    """Draw rows of images, all of one length."""
    height = 0.9 * len(rows) + (0.3 if title else 0)
    _, axis = plt.subplots(figsize=(8, height), layout="constrained")
    axis.imshow(genzoo.images.image_grid(np.concatenate(rows), len(rows[0])), cmap="gray")
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_axis_off()


test = genzoo.data.open_source("digits", split="test", image_size=16)
images, labels = test.sample(10, seed=0)
show(images, model.reconstruct(images), title="test images, and their reconstructions")

# %% [markdown]
# ## The codes
#
# The codes of the 1,500 training images, coloured by digit (figure 3.2 of the thesis). The encoder
# has never seen a label: digits lie apart because they look different. The circles hold 39, 86 and
# 99 % of $N(0, I)$, the distribution from which one would like to draw.

# %%
train = genzoo.data.open_source("digits", image_size=16)
images, labels = train.sample(train.num_images)
codes = model.encode(images)
figure, axis = plt.subplots(figsize=(6.5, 5.5), layout="constrained")
points = axis.scatter(*codes.T, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=8)
figure.colorbar(points, ticks=range(10), label="digit")
for radius in (1, 2, 3):
    axis.add_patch(plt.Circle((0, 0), radius, fill=False, linestyle="--"))
axis.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
low, high = codes.min(axis=0), codes.max(axis=0)
print(f"z1 from {low[0]:.0f} to {high[0]:.0f}, z2 from {low[1]:.0f} to {high[1]:.0f}")

# %% [markdown]
# Three things are wrong with this map, for anyone who wants to draw from it.
#
# ## 1. Nothing is asked of the places near a code
#
# The loss looks at the codes of training images and nowhere else. If the neighbour of a 3 is a 3,
# too, that is because networks are smooth, not because it was trained. Each row goes in equal
# steps from the code of one training image to that of another digit; what lies between is left to
# chance.

# %%
pairs = [(6, 7), (0, 7)]
rows = []
for first, second in pairs:
    ends = [images[np.argmax(labels == digit)] for digit in (first, second)]
    rows.append(model.interpolate(*ends, steps=10))
show(*rows, title=", and ".join(f"from a {a} to a {b}" for a, b in pairs))

# %% [markdown]
# ## 2. Classes take up areas of different size
#
# Nothing asks the encoder to give each class its share of the plane. The area of a class is here
# that of the ellipse of its covariance, $\pi \sqrt{|\Sigma|}$. A code drawn evenly from the map
# would be of the largest class most often, though all digits are equally frequent in the data.

# %%
areas = {
    digit: np.pi * np.linalg.det(np.cov(codes[labels == digit].T)) ** 0.5 for digit in range(10)
}
for digit, area in sorted(areas.items(), key=lambda pair: pair[1]):
    print(f"{digit}: area {area:7.1f}, {(labels == digit).mean():.0%} of the images")

# %% [markdown]
# ## 3. The space of codes has no bounds, and it has holes
#
# Codes may lie anywhere, and between them are places without any. Of points drawn evenly from the
# rectangle around all codes, how many are farther from any code than 99 % of the codes are from
# their nearest neighbour?

# %%
rng = np.random.default_rng(0)
even = rng.uniform(low, high, (1000, 2)).astype("float32")
_, to_neighbours = genzoo.evaluation.nearest_rows(codes, codes, 2)
_, to_codes = genzoo.evaluation.nearest_rows(even, codes, 1)
limit = np.quantile(to_neighbours[:, 1], 0.99)
print(f"{(to_codes[:, 0] > limit).mean():.0%} of the points lie in empty places")
empty = even[to_codes[:, 0] > limit][:10]
show(model.decode(empty), model.generate(10, seed=0), title="empty places; N(0, I)")

# %% [markdown]
# The first row is decoded from such places: some look like digits, others like none, and nothing
# says beforehand which. The second row is decoded from $z \sim N(0, I)$, which covers a small part
# of the map and shows the same few digits over and over.
#
# ## The same on MNIST
#
# The preset `ae_mnist` is the thesis' autoencoder after 15,000 steps on MNIST: longer training
# does not help, since the loss still asks for nothing but reconstructions.

# %%
mnist = genzoo.models.from_preset("ae_mnist")
show(*mnist.generate(20, seed=0).reshape(2, 10, 28, 28, 1), title="ae_mnist, z from N(0, I)")

# %% [markdown]
# Its Fréchet distance to the test images is 491 (features of a classifier of MNIST; `genzoo list
# presets ae_mnist` prints the protocol); other real images score 0.4. In your own run:
#
# ```bash
# genzoo fit ae --dataset mnist
# genzoo latent runs/ae-mnist-1
# genzoo evaluate runs/ae-mnist-1 --scores fid
# genzoo evaluate runs/ae-mnist-1 --scores fid --sampler mixture --out mixture.json
# ```
#
# The last line draws codes from a mixture of Gaussians that is fitted to the codes of training
# images: a remedy for the second and the third trouble that needs no new training. The first one
# needs another loss. Next: [the variational autoencoder](03_vae.py), which asks for something of
# every place.
