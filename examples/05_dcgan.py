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
# # DCGAN
#
# The networks of the first GANs were dense; with convolutions the training often failed. DCGAN
# ([1511.06434](https://arxiv.org/abs/1511.06434), chapter 6 of the thesis) found rules under which
# it works, and most of them still hold:
#
# 1. convolutions of stride 2 in the discriminator, transposed ones in the generator, no pooling;
# 2. no dense layers;
# 3. batch normalisation, except at the output of the generator and at the input of the
#    discriminator;
# 4. ReLU in the generator, tanh at its output;
# 5. LeakyReLU in the discriminator;
# 6. real images in $[-1, 1]$, the range of tanh.
#
# Can you find them in the networks? They adapt to any square size from 8 pixels.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
model = genzoo.models.DCGAN(
    image_shape=(16, 16, 1),
    latent_dim=16,
    generator_filters=32,
    discriminator_filters=32,
    ema_decay=0.99,
)
for network in (model.generator, model.discriminator):
    print(network.name)
    for layer in network.layers[1:]:
        print(f"  {type(layer).__name__:16} -> {layer.output.shape[1:]}")

# %% [markdown]
# The sixth rule is in no layer: models scale uint8 images themselves. `ema_decay` is no rule of
# the paper: images are made with a running average of the generator's weights
# ([1806.04498](https://arxiv.org/abs/1806.04498)), which moves less from step to step.
#
# ## Training
#
# Each step updates the discriminator on real and on generated images by $-\log D(x) - \log (1 -
# D(G(z)))$, then the generator by the non-saturating $-\log D(G(z))$ (see [the
# theory](04_gan_theory.py)). The same ten points of noise are decoded as training goes on.

# %%
noise = model.sample_latents(10, seed=0)
seen = [(0, model.decode(noise))]


def look(epoch, logs):
    """Keep images of the same noise after some epochs."""
    if epoch + 1 in (1, 5, 15, 30):
        seen.append((epoch + 1, model.decode(noise)))


digits = genzoo.data.load_dataset("digits", image_size=16, batch_size=50, seed=0)
model.compile(
    generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
)
watch = keras.callbacks.LambdaCallback(on_epoch_end=look)
history = model.fit(digits, epochs=30, callbacks=[watch], verbose=0).history
print(f"{int(model.step)} steps of 50 images")

figure, axis = plt.subplots(figsize=(8, 4.2), layout="constrained")
axis.imshow(genzoo.images.image_grid(np.concatenate([row for _, row in seen]), 10), cmap="gray")
axis.set_yticks([8 + 18 * row for row in range(len(seen))], [f"epoch {n}" for n, _ in seen])
axis.set_xticks([])
axis.spines[:].set_visible(False)

# %% [markdown]
# ## What to watch
#
# `real_score` and `fake_score` are the means of $D(x)$ and of $D(G(z))$. Two undecided networks
# have both at 1/2; a discriminator that has won has 1 and 0.

# %%
figure, axes = plt.subplots(1, 2, figsize=(9, 2.8), layout="constrained")
for name in ("real_score", "fake_score"):
    axes[0].plot(history[name], label=name)
axes[0].axhline(0.5, color="0.6", linestyle=":")
axes[0].set(ylim=(0, 1), title="D(x) and D(G(z))")
for name in ("discriminator_loss", "generator_loss"):
    axes[1].plot(history[name], label=name)
axes[1].set(title="losses, nats")
for axis in axes:
    axis.set_xlabel("epoch")
    axis.legend(fontsize=8)
last = {name: round(values[-1], 2) for name, values in history.items()}
print(last)

# %% [markdown]
# Here the discriminator slowly gets the upper hand, and from the fifth epoch on the generator's
# loss rises, while its images get better: each loss is measured against an opponent that learns,
# too. So losses do not say how good the images are. They say when something breaks:
#
# - $D(x)$ at 1 and $D(G(z))$ at 0 for long: $D$ has won, and $G$ learns little from it. Lower the
#   discriminator's learning rate, augment what it sees (`augmentation="diffaugment"` of
#   `compile`), or take a penalty or another loss: [modern GANs](08_modern_gans.py).
# - All images of the grid alike: mode collapse, which the losses do not show.
# - NaN: `genzoo fit` stops there, and names the last good checkpoint.
#
# How good the images are is measured with {py:class}`keras_genzoo.evaluation.FrechetCallback`
# during `fit`, or with `genzoo evaluate` on a finished run; [evaluation that can be
# trusted](15_evaluation.py) says how to read the scores.
#
# ## At full size
#
# ```bash
# genzoo fit dcgan --dataset mnist
# genzoo figures runs/dcgan-mnist-1
# genzoo evaluate runs/dcgan-mnist-1 --scores fid
# ```
#
# The recipe `dcgan-mnist` is that of the thesis, 12,000 steps of 50 images (figure 6.1): 18
# minutes on two cores, for a Fréchet distance of about 5 to the test images, in features of a
# classifier of MNIST. Other real images score 0.4. The preset `dcgan_mnist` is such a run.

# %%
mnist = genzoo.models.from_preset("dcgan_mnist").generate(40, seed=0)
figure, axis = plt.subplots(figsize=(8, 3.3), layout="constrained")
axis.imshow(genzoo.images.image_grid(mnist, 10), cmap="gray")
axis.set_axis_off()

# %% [markdown]
# Without `--dataset`, `genzoo fit dcgan` trains on these digits for two minutes and knows their
# classes. Next: [the conditional GAN](06_cgan.py), which draws the class that is asked for.
