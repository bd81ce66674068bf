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
# # The conditional GAN
#
# A GAN makes images; which ones is left to the noise. A conditional GAN
# ([1411.1784](https://arxiv.org/abs/1411.1784), chapter 7 of the thesis) gets the class $c$, and
# so does its discriminator:
#
# $$\min_G \max_D E[\log D(x|c)] + E[\log (1 - D(G(z|c)))]$$
#
# The generator sees the label one-hot beside the noise. The discriminator sees it as further
# channels of the image, one plane for each class: that of the label all ones, the others zeros. An
# image of the wrong class is then as easy to tell as one that is badly drawn.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.svm import SVC

import keras_genzoo as genzoo

images = np.zeros((1, 28, 28, 1), "float32")
print("D's input:", genzoo.networks.append_label_planes(images, np.array([7]), 10).shape)
print("G's input:", genzoo.networks.append_one_hot(np.zeros((1, 100), "float32"), [7], 10).shape)

# %% [markdown]
# ## Ask for a class
#
# The preset `cgan_mnist` is the thesis' network after its 12,000 steps of 50 images.
# `class_labels` takes one class for all images, or one for each. Five images of each digit (figure
# 7.2 of the thesis) on the left; on the right each row has the same noise in all columns.

# %%
model = genzoo.models.from_preset("cgan_mnist")
free = model.generate(50, class_labels=np.tile(np.arange(10), 5), seed=0)
z = np.repeat(model.sample_latents(5, seed=1), 10, axis=0)
same = model.decode(z, class_labels=np.tile(np.arange(10), 5))
figure, axes = plt.subplots(1, 2, figsize=(10, 2.8), layout="constrained")
titles = ("noise of its own for each image", "the same noise along a row")
for axis, grid, title in zip(axes, (free, same), titles, strict=True):
    axis.imshow(genzoo.images.image_grid(grid, 10), cmap="gray")
    axis.set_title(title, fontsize=10)
    axis.set_axis_off()

# %% [markdown]
# The rows on the right share a style, such as slant and thickness: what the class does not say is
# left to $z$. The command line does the same by the names of classes:
#
# ```bash
# genzoo sample cgan_mnist
# genzoo sample cgan_mnist --class 7
# ```
#
# ## Are they the classes asked for?
#
# The *label accuracy* (GAN-test of [1807.09499](https://arxiv.org/abs/1807.09499)) is the share of
# generated images that a classifier of real ones takes for the class they were asked to be. It
# means something only beside the accuracy on real images that the classifier has not seen. Here a
# support vector machine judges the preset `dcgan_digits`.

# %%
train = genzoo.data.open_source("digits", image_size=20)
test = genzoo.data.open_source("digits", split="test", image_size=20)


def flat(images):
    """Return images as rows of numbers in [0, 1]."""
    return images.reshape(len(images), -1) / 255


x, y = train.sample(train.num_images)
judge = SVC().fit(flat(x), y)


def accuracy(images, labels):
    """Return the label accuracy with its 95 % interval, as text."""
    found = genzoo.evaluation.label_accuracy(judge.decision_function(flat(images)), labels)
    return f"{found.share:.1%} ({found.low:.1%} to {found.high:.1%}) of {found.num_images}"


asked = np.tile(np.arange(10), 100)
digits_model = genzoo.models.from_preset("dcgan_digits")
print("real test images:", accuracy(*test.sample(test.num_images)))
print("dcgan_digits:    ", accuracy(digits_model.generate(1000, class_labels=asked, seed=0), asked))

# %% [markdown]
# More than for real images, and that is no praise: people write digits that a classifier takes for
# others, and the generator draws the typical ones. One perfect image of each class, drawn again
# and again, would have a label accuracy of 100 %. So it is read together with a score of variety,
# such as GAN-train (how well a classifier that is trained on generated images does on real ones)
# or recall.
#
# ## Train one
#
# With labels, `fit` takes pairs of images and integers. In each step the generated images get the
# classes of the real ones, so that rare classes stay rare.

# %%
keras.utils.set_random_seed(0)
pairs = genzoo.data.load_dataset("digits", image_size=20, batch_size=64, with_labels=True, seed=0)
cgan = genzoo.models.CGAN(
    image_shape=(20, 20, 1),
    latent_dim=16,
    num_classes=10,
    generator_filters=32,
    discriminator_filters=32,
    ema_decay=0.99,
)
cgan.compile(
    generator_optimizer=keras.optimizers.Adam(1e-3, beta_1=0.5),
    discriminator_optimizer=keras.optimizers.Adam(5e-4, beta_1=0.5),
)
rows = []
for epochs in (5, 15):
    cgan.fit(pairs, epochs=epochs, verbose=0)
    generated = cgan.generate(1000, class_labels=asked, seed=0)
    print(f"step {int(cgan.step)}: {accuracy(generated, asked)}")
    rows.append(generated[:20])
figure, axis = plt.subplots(figsize=(6, 2.6), layout="constrained")
axis.imshow(genzoo.images.image_grid(np.concatenate(rows), 10), cmap="gray")
axis.set_yticks([20, 64], ["step 115", "step 460"])
axis.set_xticks([])
axis.spines[:].set_visible(False)

# %% [markdown]
# After 115 steps the images of a class are blurred and alike, and already of the right class:
# label accuracy says neither how sharp images are nor how varied.
#
# ## Other ways to tell the discriminator
#
# Planes beside the image are the oldest way. A *projection* discriminator
# ([1802.05637](https://arxiv.org/abs/1802.05637)) has an embedding $e_c$ of each class and gives
# $D(x, c) = l(h) + \langle e_c, h \rangle$ for the features $h$ of the image: one number for each
# class, of which the label chooses. AC-GAN ([1610.09585](https://arxiv.org/abs/1610.09585)) has a
# discriminator that names the class itself. Conditioning is an argument of any GAN:

# %%
for name in genzoo.networks.CONDITIONINGS:
    gan = genzoo.models.DCGAN(
        (20, 20, 1), 16, conditioning=name, num_classes=10, architecture="dcgan"
    )
    shapes = gan.discriminator.input_shape[1:], gan.discriminator.output_shape[1:]
    print(f"{name:20}: D takes {shapes[0]}, gives {shapes[1]}")

# %% [markdown]
# The last layer of AC-GAN gives ten classes and one logit; `embedding` is the way of
# [R3GAN](08_modern_gans.py). `dcgan_digits` was trained with `conditioning="projection"`; `genzoo
# fit dcgan --conditioning projection` and the named models {py:class}`keras_genzoo.models.CGAN`
# and {py:class}`keras_genzoo.models.ACGAN` choose, too.
#
# ## At full size
#
# ```bash
# genzoo fit cgan --dataset mnist
# genzoo figures runs/cgan-mnist-1
# genzoo evaluate runs/cgan-mnist-1 --scores fid,label_accuracy,gan_train
# ```
#
# 12,000 steps, 18 minutes on two cores: a Fréchet distance of 0.8, where other real images score
# 0.4 and a DCGAN without labels about 5, and a label accuracy of 99.5 % of 10,000 images, where
# other real images reach 99.3 %. Next: [faces, and a map of what is
# generated](07_faces_and_umap.py).
