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
# # VQ-VAE: codes in a grid, and a prior that writes them
#
# [A VAE](03_vae.py) ties its codes to $N(0, I)$, and its images are blurred. VQ-VAE
# ([1711.00937](https://arxiv.org/abs/1711.00937)) trains in two stages. First an autoencoder,
# whose code is a small grid of entries of a codebook: whole numbers. Then a prior is fitted to
# these grids, a network that predicts each number from those before it, as a language model does
# with words. To generate, the prior writes a grid, and the decoder paints it.
#
# ## First stage: the autoencoder
#
# The encoder gives a vector $z_e$ at each place of a 4 x 4 grid; the nearest $e$ of 32 codebook
# vectors takes its place. That step has no derivative, so the decoder's gradient is passed on to
# $z_e$ as it is. The loss is $J_{REC} + \frac14 \|z_e - \mathrm{sg}(e)\|^2$, in which sg stops the
# gradient: the encoder commits itself to its codes. The codes themselves follow the vectors that
# they stand for, by running means.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
digits = genzoo.data.load_dataset("digits", image_size=16, batch_size=64, seed=0)
model = genzoo.models.VQVAE(
    image_shape=(16, 16, 1), latent_dim=8, num_codes=32, filters=16, prior_dropout=0.3
)
model.compile()
history = model.fit(digits, epochs=20, verbose=0).history
for epoch in (1, 5, 20):
    parts = {name: history[name][epoch - 1] for name in ("reconstruction_loss", "perplexity")}
    print(f"epoch {epoch:2}:", ", ".join(f"{name} {value:.1f}" for name, value in parts.items()))

# %% [markdown]
# The perplexity says how many codes are in use, as if all of those were used equally often. A code
# that no vector is near any more begins anew at a vector of the batch, so that none dies.
#
# Test images, their codes (each number a colour) and what the decoder makes of the codes. The
# colours have no order: the numbers are names of codebook vectors.

# %%
test = genzoo.data.open_source("digits", split="test", image_size=16)
images, _ = test.sample(10, seed=0)
codes = model.encode(images)
print("codes of the first image:", *codes[0], sep="\n")
figure, axes = plt.subplots(3, 10, figsize=(9, 3), layout="constrained")
for column, (image, grid, restored) in enumerate(
    zip(images, codes, model.decode_codes(codes), strict=True)
):
    axes[0, column].imshow(image, cmap="gray")
    axes[1, column].imshow(grid, cmap="nipy_spectral", vmin=0, vmax=33)
    axes[2, column].imshow(restored, cmap="gray")
for axis in axes.flat:
    axis.set_axis_off()

# %% [markdown]
# ## Why a second stage
#
# Any grid of codes can be decoded, but few are digits. Codes drawn at random, each as often as it
# occurs in the data, make strokes that do not fit together. To say which code follows which is the
# prior's task.

# %%
x, _ = genzoo.data.open_source("digits", image_size=16).sample(1500)
pool = model.encode(x).ravel()
shuffled = np.random.default_rng(0).choice(pool, (10, 4, 4))
independent = model.decode_codes(shuffled)

# %% [markdown]
# ## Second stage: the prior
#
# A small causal transformer learns $-\log P(\text{codes})$; autoencoder and codebook stay as they
# are. In a script one sets `stage`; `genzoo fit vqvae` trains both in turn, and resumes in either.

# %%
model.stage = "prior"
history = model.fit(digits, epochs=20, verbose=0).history
for epoch in (1, 5, 20):
    print(f"epoch {epoch:2}: {history['code_bits'][epoch - 1]:.1f} bits an image")
figure, axis = plt.subplots(figsize=(8, 2.2), layout="constrained")
rows = np.concatenate([independent, model.generate(10, seed=0)])
axis.imshow(genzoo.images.image_grid(rows, 10), cmap="gray")
axis.set_yticks([8, 26], ["independent\ncodes", "codes of\nthe prior"])
axis.set_xticks([])
axis.spines[:].set_visible(False)

# %% [markdown]
# ## Bits
#
# Both stages are in one currency. Sixteen codes of 32 cost $16 \log_2 32 = 80$ bits if nothing is
# known of them; the prior knows more. What is lost in the picture costs the reconstruction loss.
# Together they bound the log-likelihood of the images from below.

# %%
held_out, _ = test.sample(test.num_images)
preset = genzoo.models.from_preset("vqvae_digits")
preset.compile()  # Its loss is the default.
for name, one in (("trained here", model), ("vqvae_digits", preset)):
    found = one.describe_codes(held_out)
    print(
        f"{name}: {found['in_use']} of {found['num_codes']} codes in use, perplexity "
        f"{found['perplexity']:.1f}; bits: {found['bits']:.1f} of codes, "
        f"{found['reconstruction_bits']:.1f} of reconstruction"
    )

# %% [markdown]
# The preset has twice as many filters and was trained for three times as many steps: its codes say
# more, so they cost more bits, and the reconstruction costs fewer. Here the sums hardly differ.
# Either part alone would be misleading: a code that says nothing is free.
#
# The prior can be made more careful without training: a *temperature* below 1 prefers likely
# codes, for cleaner images at the cost of variety.

# %%
rows = [preset.generate(12, seed=0, temperature=temperature) for temperature in (1.0, 0.7)]
figure, axis = plt.subplots(figsize=(9, 2), layout="constrained")
axis.imshow(genzoo.images.image_grid(np.concatenate(rows), 12), cmap="gray")
axis.set_yticks([8, 26], ["temperature 1", "0.7"])
axis.set_xticks([])
axis.spines[:].set_visible(False)

# %% [markdown]
# ## At full size
#
# ```bash
# genzoo fit vqvae
# genzoo fit vqvae --dataset mnist
# genzoo evaluate runs/vqvae-mnist-1 --scores fid,codes
# ```
#
# The first takes the digits of this guide and 1,500 steps for each stage, as the preset had; on
# MNIST the recipe takes 5,000 steps and then 7,000, with a codebook of 64. Next: [flow
# matching](10_flow_matching.py), which learns to generate without a code and without an opponent.
