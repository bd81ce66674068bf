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
# # Distances between distributions
#
# A generative model is trained to make its distribution $p_\theta$ like that of the data, $p$.
# What "like" means is a choice, and the choice decides what the model does where it cannot fit the
# data.
#
# The Kullback-Leibler divergence is $\mathrm{KL}(p \| q) = \int p \log (p / q)$, in nats. It is
# not symmetric, and it is infinite where $q$ gives no probability to what $p$ may draw.

# %%
import matplotlib.pyplot as plt
import numpy as np

from keras_genzoo import losses

p, q = [0.5, 0.5, 0.0], [0.25, 0.25, 0.5]
print(f"KL(p, q) = {losses.kl_divergence(p, q):.4f} nats, log 2 = {np.log(2):.4f}")
print(f"KL(q, p) = {losses.kl_divergence(q, p)}")

# %% [markdown]
# The Jensen-Shannon divergence compares both with their mean $m = (p + q) / 2$. It is symmetric
# and at most $\log\,2$, which it reaches if nothing is possible under both.

# %%
print(f"JS(p, q) = {losses.jensen_shannon_divergence(p, q):.4f}")
print(f"JS of what never overlaps: {losses.jensen_shannon_divergence([1, 0], [0, 1]):.4f}")

# %% [markdown]
# ## What each of them wants
#
# Data with two modes, and a model with one: a Gaussian of which we choose mean and deviation.
# Which is the best depends on the divergence. $\mathrm{KL}(p \| q)$ is maximum likelihood: the
# model must cover all of the data, and puts most of its probability where there are none.
# $\mathrm{KL}(q \| p)$ punishes the model for each image that the data would not have: it takes
# one mode and forgets the other. $\mathrm{JS}(p, q)$ is bounded, forgives both, and here sides
# with maximum likelihood. VAEs and flows maximise (a bound of) the likelihood; the minimax game of
# a GAN minimises the Jensen-Shannon divergence, if its discriminator is perfect.

# %%
x = np.linspace(-8, 8, 801)
step = x[1] - x[0]


def normal(mean, deviation):
    """Return the probabilities of the cells around ``x``."""
    density = np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
    return density * step + 1e-30


data = 0.5 * normal(-3, 0.8) + 0.5 * normal(3, 0.8)
candidates = [(m, s) for m in np.linspace(-4, 4, 33) for s in np.linspace(0.4, 5, 47)]
models = np.stack([normal(m, s) for m, s in candidates])
divergences = {
    "KL(p, q), maximum likelihood": np.asarray(losses.kl_divergence(data, models)),
    "KL(q, p)": np.asarray(losses.kl_divergence(models, data)),
    "JS(p, q)": np.asarray(losses.jensen_shannon_divergence(data, models)),
}
figure, axes = plt.subplots(1, 3, figsize=(10, 3), sharey=True, layout="constrained")
for axis, (name, values) in zip(axes, divergences.items(), strict=True):
    best = int(values.argmin())
    mean, deviation = candidates[best]
    axis.fill_between(x, data / step, color="0.85", label="data")
    axis.plot(x, models[best] / step, color="C3", label="model")
    axis.set_title(f"{name}\nmean {mean:.1f}, deviation {deviation:.1f}", fontsize=9)
    print(f"{name}: {values[best]:.3f} nats at mean {mean:.2f}, deviation {deviation:.2f}")
axes[0].legend(fontsize=8)
# %% [markdown]
# ## Between two Gaussians
#
# For $N(\mu_1, \Sigma_1)$ and $N(\mu_2, \Sigma_2)$ the divergence has a closed form. The loss of a
# VAE is the case of a diagonal covariance against $N(0, I)$. A test without a closed form draws
# samples: the mean of $\log p - \log q$ over draws of $p$ comes near it.

# %%
mean, log_var = np.array([[0.5, -1.0]], "float32"), np.array([[0.2, -0.7]], "float32")
exact = losses.diagonal_gaussian_kl(mean, log_var)
draws = mean + np.exp(log_var / 2) * np.random.default_rng(0).standard_normal((100_000, 2))
log_p = -0.5 * ((draws - mean) ** 2 / np.exp(log_var) + log_var).sum(axis=1)
log_q = -0.5 * (draws**2).sum(axis=1)
print(f"closed form {float(exact[0]):.4f}, from 100,000 draws {float((log_p - log_q).mean()):.4f}")

# %% [markdown]
# Both are in {py:mod}`keras_genzoo.losses`, as functions of tensors. Next: [the
# autoencoder](02_autoencoder.py), which minimises none of them.
