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
# # Faces, and a map of what is generated
#
# Chapter 8 of the thesis trains [DCGAN](05_dcgan.py) on CelebA, 64 x 64 pixels in colour, for
# 50,000 steps of 100 images, and then asks where the generated faces lie among the real ones.
# Nothing but the recipe changes:
#
# ```text
# genzoo data prepare celeb_a --manual-dir DIR
# genzoo fit dcgan --dataset celeb_a
# genzoo umap runs/dcgan-celeb_a-1
# ```
#
# CelebA often cannot be downloaded by a program; the first command says file by file what to put
# into `DIR` by hand. The second takes 14 hours on two cores; with
# `--steps 1000 --mixed-precision bfloat16` there are soft faces after 15 minutes. CelebA is for
# non-commercial research only, and so is what is trained on it. The third draws the study of this
# guide, which we run on digits here: the same functions, no faces needed.
#
# ## The map
#
# UMAP ([1802.03426](https://arxiv.org/abs/1802.03426)) lays out points so that neighbours stay
# neighbours. It is fitted on real images alone; generated ones are then placed where their
# neighbours are. We place test images, too, in the same way: what the map says of images that are
# real for certain is the measure of what it says of generated ones.

# %%
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

train = genzoo.data.open_source("digits", image_size=20)
real, _ = train.sample(1000, seed=0)
test, labels = genzoo.data.open_source("digits", split="test", image_size=20).sample(200, seed=0)
model = genzoo.models.from_preset("dcgan_digits")
generated = model.generate(200, class_labels=labels, seed=0)
placed = np.concatenate([generated, test])
study = genzoo.visualization.study(real, placed, "pixels", seed=0)

figure, axis = plt.subplots(figsize=(7, 5.5), layout="constrained")
axis.scatter(*study.real.T, s=8, color="0.8", label="real, training")
for part, colour, name in ((slice(200), "C3", "generated"), (slice(200, None), "C0", "real, test")):
    axis.scatter(*study.generated[part].T, s=14, color=colour, label=name)
axis.set(xticks=[], yticks=[], title=study.distance)
axis.legend()
print(f"{len(real)} real images, {len(generated)} generated and {len(test)} test images placed")

# %% [markdown]
# ## "At the border"
#
# The thesis found about a third of its faces near the border of the real cloud, and many of them
# broken. By eye, a border is a matter of taste. {py:func}`keras_genzoo.visualization.study` counts
# a point as lying *where real images are sparse* if its 15th nearest real image on the map is
# farther than that of 90 % of the real images. By this rule a tenth of the real images are at the
# border themselves, and so would be about a tenth of perfect images.

# %%
for name, part in (("generated", slice(200)), ("real, test", slice(200, None))):
    sparse = study.where_sparse[part]
    found = genzoo.evaluation.wilson_interval(int(sparse.sum()), len(sparse))
    interval = f"95 % interval {found.low:.0%} to {found.high:.0%}"
    print(f"{name}: {found.share:.0%} where real ones are sparse, {interval}")

# %% [markdown]
# Figures 8.3 and 8.4 of the thesis show what lies there, and what lies inside.

# %%
sparse = study.where_sparse[:200]
parts = {"where real ones are sparse": generated[sparse], "inside": generated[~sparse]}
figure, axes = plt.subplots(1, 2, figsize=(9, 2.5), layout="constrained")
for axis, (title, images) in zip(axes, parts.items(), strict=True):
    axis.imshow(genzoo.images.image_grid(images[:30], 10), cmap="gray")
    axis.set_title(f"generated, {title} ({len(images)})", fontsize=10)
    axis.set_axis_off()

# %% [markdown]
# By this count, generated and test images cannot be told apart: their intervals overlap. Some of
# the images at the border are smudged, but others are good: the border is a place to look first,
# and no verdict. For the faces of a DCGAN after 1,000 steps the same count, by the distance of
# structure below, is 34 %.
#
# ## What it does not say
#
# - Not that an image inside is good: the nearest real images may be near for another reason, and a
#   copy of a training image would lie inside, too. `genzoo evaluate RUN --scores memorisation`
#   looks for copies.
# - Not that all of the data are covered: a generator that makes one perfect digit lies inside with
#   all its images. Recall and coverage are the scores for that (`--scores prdc`).
# - Not more than the distance knows. With Euclidean distance of pixels, photographs of faces are
#   neighbours if their backgrounds have the same colour: the thesis' own criticism. The study
#   measures it, as the share of the variance of the background's colour that neighbours on the map
#   explain.
# - Not how far apart things are: UMAP keeps neighbours, and the distances and gaps between its
#   clusters have no scale.
#
# So the study asks the same with another distance, of structure (SSIM, which needs images of 11
# pixels or more).

# %%
by_structure = genzoo.visualization.study(real, placed, "ssim", seed=0)
for one in (study, by_structure):
    shares = one.where_sparse[:200].mean(), one.where_sparse[200:].mean()
    print(f"{one.distance}: generated {shares[0]:.0%}, test {shares[1]:.0%} where sparse;", end=" ")
    print(f"background explained {one.follows_background:.0%}")

# %% [markdown]
# Digits reach the edges of their images, so that "background" is a part of the digit here, which a
# map may well follow. In photographs it is the wall behind the face.
#
# ## As a command
#
# ```bash
# genzoo umap dcgan_digits --distance pixels,ssim
# ```
#
# It takes a run or a preset, and writes `maps.png`, the galleries, a magnified part of each map
# with the images at their points (figure 8.5 of the thesis), `map.html`, in which a point shows
# its image, and `umap.json` with the numbers. Without `--distance` it adds a third distance, in
# features of a network that knows the classes or attributes of the data. Next: [modern
# GANs](08_modern_gans.py), which change one thing at a time.
