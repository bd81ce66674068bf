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
# # The variational autoencoder
#
# [An autoencoder](02_autoencoder.py) asks nothing of the places between its codes. A variational
# autoencoder (VAE; [1312.6114](https://arxiv.org/abs/1312.6114), chapter 4 of the thesis) does.
# Its encoder gives no point but a distribution, $q(z|x) = N(\mu, \mathrm{diag}(\sigma^2))$, and
# the decoder has to restore the image from any draw $z = \mu + \sigma \epsilon$ with
# $\epsilon \sim N(0, I)$. Each image so fills a small cloud, and a divergence holds all clouds
# together at $N(0, I)$, from which new codes are drawn.
#
# What is maximised is a lower bound of the log-likelihood, the evidence lower bound (ELBO):
#
# $$\log p(x) \ge E_{q(z|x)} [\log p(x|z)] - KL(q(z|x) \| N(0, I))$$
#
# With a Bernoulli decoder the loss to minimise is $J_{REC} + J_{REG}$: the cross-entropy of the
# autoencoder, of one draw of $z$, and the divergence in closed form,
# $J_{REG} = -\frac12 \sum_j (1 + \log \sigma_j^2 - \mu_j^2 - \sigma_j^2)$.
#
# ## A whole training, in ten lines
#
# Models take uint8 images as they are and give uint8 images back.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
digits = genzoo.data.load_dataset("digits", image_size=16, batch_size=64, seed=0)
model = genzoo.models.VAE(image_shape=(16, 16, 1), latent_dim=2)
model.compile(optimizer=keras.optimizers.Adam(1e-3))
history = model.fit(digits, epochs=60, verbose=0).history
images = model.generate(64, seed=0)
genzoo.images.save_png("vae_digits.png", genzoo.images.image_grid(images, scale=3))
print(f"64 images of {images.shape[1:]}, mean {np.mean(images):.0f}: vae_digits.png")

# %% [markdown]
# The history holds both parts of the loss, means over an epoch in nats an image. Saying something
# about the image costs divergence, and pays only while each nat of it saves more than a nat of
# cross-entropy: from the fifth epoch on, both go their ways, and their sum falls.

# %%
for epoch in (1, 5, 20, 60):
    parts = {name: history[name][epoch - 1] for name in ("reconstruction_loss", "kl_loss", "loss")}
    print(f"epoch {epoch:2d}:", ", ".join(f"{name} {value:.1f}" for name, value in parts.items()))

# %% [markdown]
# The same by hand, with the functions of {py:mod}`keras_genzoo.losses`, for test images. More
# draws of $z$ than one estimate the same ELBO with less noise.

# %%
test = genzoo.data.open_source("digits", split="test", image_size=16)
images, labels = test.sample(test.num_images)
x = images.astype("float32") / 255
z_mean, z_log_var = model.posterior(x)
kl = genzoo.losses.diagonal_gaussian_kl(z_mean, z_log_var)
epsilon = np.random.default_rng(0).standard_normal(z_mean.shape, "float32")
z = genzoo.losses.reparameterize(z_mean, z_log_var, epsilon)
reconstruction = -model.log_probability(x, z)
bound = genzoo.losses.elbo(reconstruction, kl)
print(f"ELBO of {len(x)} test images: {np.mean(bound):.1f} nats, of which the KL {np.mean(kl):.1f}")

# %% [markdown]
# ## The map, beside the autoencoder's
#
# The same networks, trained in the same way without the divergence, on the same data (figures 3.2
# and 4.2 of the thesis). The circles hold 39, 86 and 99 % of $N(0, I)$. The codes of the VAE lie
# around zero, close to each other; those of the autoencoder lie where they happened to fall.

# %%
keras.utils.set_random_seed(0)
plain = genzoo.models.Autoencoder(image_shape=(16, 16, 1), latent_dim=2)
plain.compile(optimizer=keras.optimizers.Adam(1e-3))
plain.fit(digits, epochs=60, verbose=0)
figure, axes = plt.subplots(1, 2, figsize=(10, 4.8), layout="constrained")
for axis, one, title in ((axes[0], plain, "autoencoder"), (axes[1], model, "VAE, z_mean")):
    codes = one.code(one.encode(images))
    points = axis.scatter(*codes.T, c=labels, cmap="tab10", vmin=-0.5, vmax=9.5, s=12)
    for radius in (1, 2, 3):
        axis.add_patch(plt.Circle((0, 0), radius, fill=False, linestyle="--"))
    axis.set(title=title, xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    inside = (np.linalg.norm(codes, axis=1) < 3).mean()
    print(f"{title}: {inside:.0%} of the codes lie within radius 3")
figure.colorbar(points, ticks=range(10)).set_label("digit")

# %% [markdown]
# ## Images of every place
#
# Since $N(0, I)$ covers the codes, its quantiles show all that the decoder can make: each image on
# the left stands for the same probability (1312.6114, figure 4). Beside it, images of random
# $z \sim N(0, I)$. The autoencoder's are those of what happens to lie around zero.

# %%
steps = norm.ppf((np.arange(12) + 0.5) / 12)
z = np.stack(np.meshgrid(steps, -steps), axis=-1).reshape(-1, 2)
figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
grids = {
    "VAE, quantiles of N(0, I)": (model.decode(z), 12),
    "VAE, random z": (model.generate(64, seed=0), 8),
    "autoencoder, random z": (plain.generate(64, seed=0), 8),
}
for axis, (title, (grid, columns)) in zip(axes, grids.items(), strict=True):
    axis.imshow(genzoo.images.image_grid(grid, columns), cmap="gray")
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()

# %% [markdown]
# ## Reconstruction and interpolation
#
# As figure 4.4 of the thesis: test images; their reconstructions, blurred, since one place of the
# map stands for many images; and images of the straight line from the code of a 1 to that of a 0.
# It passes the digits that lie between them on the map.

# %%
one, zero = (images[np.argmax(labels == digit)] for digit in (1, 0))
rows = np.concatenate([images[:10], model.reconstruct(images[:10]), model.interpolate(one, zero)])
figure, axis = plt.subplots(figsize=(8, 2.6), layout="constrained")
axis.imshow(genzoo.images.image_grid(rows, 10), cmap="gray")
axis.set_axis_off()

# %% [markdown]
# ## At full size
#
# The presets `ae_mnist` and `vae_mnist` are the thesis' networks with two latent dimensions; ten
# give sharper images. The Fréchet distance to 10,000 test images, in features of a classifier of
# MNIST, is 491 for the autoencoder, 261 for the VAE of two dimensions and 99.5 for that of ten
# (each trained in two minutes on two cores). A [DCGAN](05_dcgan.py) comes to 5: a decoder that
# gives each pixel a probability of its own answers with the mean of all images that it cannot tell
# apart, and means are blurred.
#
# ```bash
# genzoo sample vae_mnist
# genzoo fit vae --dataset mnist
# genzoo fit vae --recipe vae-mnist-10d
# genzoo figures runs/vae-mnist-10d-1
# genzoo evaluate runs/vae-mnist-10d-1 --scores fid,likelihood
# ```
#
# `--beta`, `--beta-warmup` and `--free-bits` weigh the divergence;
# {py:class}`keras_genzoo.models.IWAE`, {py:class}`keras_genzoo.models.CVAE` and
# {py:class}`keras_genzoo.models.HVAE` are VAEs with a tighter bound, with classes and with two
# levels of latents. Next: [the theory of GANs](04_gan_theory.py), which need no likelihood at all.
