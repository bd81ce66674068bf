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
# # Evaluation that can be trusted
#
# "FID 20" is not a number yet. It depends on the network whose features are compared, on how many
# images, on how they were resized, and on which real images they were held against. Two FIDs
# compare only if all of these agree. This guide shows how much each of them does, on presets that
# come with the package.

# %%
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo
from keras_genzoo.evaluation import (
    Options,
    evaluate_run,
    feature_statistics,
    find_network,
    frechet_distance,
    kernel_distance,
    manifold_scores,
    table,
    wilson_interval,
)

# %% [markdown]
# ## A score with its protocol
#
# `evaluate_run` (on the command line `genzoo evaluate RUN`) scores a run or a preset against images
# that were held out. Beside each number stands the same number for *other real images*, what a
# perfect generator would get: the floor. No score is good or bad without it. Below, the pixels
# themselves are the features.

# %%
options = Options(scores=["fid", "kid", "prdc"], features="pixels")
print(table(evaluate_run("dcgan_digits", options)))

# %% [markdown]
# By FID and KID of pixels this preset is as good as other real images. Its recall says what is
# missing: it makes less than half of the variety of real digits. One number is never enough.
#
# ## The number of images
#
# Real digits against other real digits: the true distance is 0. The Fréchet distance of few images
# is far from it, since the covariance of a sample is not that of its distribution; it falls as
# $1/N$ and depends on $N$ more than on most differences between models. KID
# ([1801.01401](https://arxiv.org/abs/1801.01401)) has no such bias: it scatters around 0. With few
# images take KID, and always name $N$.

# %%
real = genzoo.data.open_source("digits", "train", image_size=16)
splits = genzoo.data.Splits(lambda split: genzoo.data.open_source("digits", split, image_size=16))
pixels = find_network("pixels", splits)
order = real.sample(real.num_images, seed=0)[0]
features = pixels.compute(order).features
counts, fids, kids = (50, 100, 200, 400, 750), [], []
for count in counts:
    one, other = features[:count], features[count : 2 * count]
    fids.append(frechet_distance(feature_statistics(one), feature_statistics(other)))
    kids.append(1000 * kernel_distance(one, other).mean)
    print(f"N = {count:3d}: FID {fids[-1]:5.2f}, KID x 1,000 {kids[-1]:6.2f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.8), layout="constrained")
left.plot(counts, fids, "o-")
left.set(xlabel="images", ylabel="FID", title="real against real, FID", ylim=(0, None))
right.plot(counts, kids, "o-")
right.axhline(0, color="0.7")
_ = right.set(xlabel="images", ylabel="KID x 1,000", title="the same, KID")

# %% [markdown]
# ## The features
#
# Features decide what counts as a difference, and how much. Below, sets of 297 real digits with a
# fault each, in pixels and in the features of a small classifier, which genzoo trains once on the
# data set's own labels and keeps. The last column is how many times the distance of faultless
# digits it is.

# %%
test = splits.held_out.sample(297, seed=0)[0]
others = splits.fifths[1].sample(297, seed=0)[0]  # kept from the classifier's training
noise = np.random.default_rng(0).normal(0, 25, others.shape)
soft = (others.astype("float32") + np.roll(others, 1, axis=1) + np.roll(others, 1, axis=2)) / 3
sets = {
    "other real digits": others,
    "with noise": np.clip(others + noise, 0, 255).astype("uint8"),
    "blurred": np.rint(soft).astype("uint8"),
    "shifted by a pixel": np.roll(others, 1, axis=2),
    "seen in its training": splits.fifths[0].sample(297, seed=0)[0],
}
classifier = find_network("classifier", splits)
print(f"the classifier is right on {classifier.details['test_accuracy']:.1%} of held-out images")
for network in (pixels, classifier):
    base, floor = feature_statistics(network.compute(test).features), None
    for name, images in sets.items():
        distance = frechet_distance(base, feature_statistics(network.compute(images).features))
        floor = floor or distance
        print(f"{network.name:10s} {name:20s} FID {distance:6.2f}, {distance / floor:4.1f} times")

# %% [markdown]
# To the pixels a shift by one pixel is far worse than a blur; to the classifier, which reads digits
# wherever they stand, it is hardly worse. Neither is wrong: they answer other questions.
#
# The last row of each is of faultless digits again, of those that the classifier was trained on. To
# the pixels they are like any others. The classifier knows them, and sets them apart: images of a
# network's training must never be what others are measured against, and `genzoo evaluate` takes
# others.
#
# For numbers that stand beside published ones take `--features inception`: the frozen network of
# 2015, which is fetched once. Never compare scores across feature networks; `genzoo` notes the
# network's checksum with each number.
#
# ## Two questions, two scores
#
# FID mixes two faults. *Precision* is the share of generated images that lie among real ones,
# *recall* the share of real images that lie among generated ones
# ([1904.06991](https://arxiv.org/abs/1904.06991)); density and *coverage* ask the same more
# robustly ([2002.09797](https://arxiv.org/abs/2002.09797)). Below, a model that forgets half of the
# classes, and one that remembers all and draws badly.

# %%
train = real.sample(1200, seed=1)
reference = pixels.compute(test).features
half = train[0][train[1] < 5][:297]
noisy = np.clip(train[0][:297] + 2 * noise, 0, 255).astype("uint8")
asked = np.arange(297) % 10
made = genzoo.models.from_preset("cvae_digits").generate(297, class_labels=asked, seed=0)
for name, images in {
    "other real digits": train[0][:297],
    "only 0 to 4": half,
    "all digits, noisy": noisy,
    "the preset cvae_digits": made,
}.items():
    scores = manifold_scores(reference, pixels.compute(images).features)
    print(
        f"{name:22s} precision {scores.precision:.2f}, recall {scores.recall:.2f}, "
        f"coverage {scores.coverage:.2f}"
    )

# %% [markdown]
# The model that forgets loses recall, the one that draws badly precision. `cvae_digits` has a
# higher precision than real digits: it draws the typical ones, and pays for that with recall.
#
# ## Are the classes right?
#
# Of a model with classes, label accuracy (GAN-test, [1807.09499](https://arxiv.org/abs/1807.09499))
# is the share of images in which a classifier of real images sees the class that was asked for. A
# share of few images is uncertain: the interval (95 %, Wilson's) belongs to it.

# %%
seen = classifier.compute(made).logits.argmax(axis=1)
for count in (30, 297):
    share = wilson_interval(int((seen[:count] == asked[:count]).sum()), count)
    print(f"{count} images: {share.share:.1%}, between {share.low:.1%} and {share.high:.1%}")

# %% [markdown]
# ## The rules
#
# - Against images that were held out, and never those of the classifier's training.
# - As many generated images as real ones, and the same number for all models.
# - Beside the floor of other real images.
# - Over several random seeds of the *training*: two runs of one recipe differ, often by more than
#   two recipes. `genzoo bench` trains and measures them, and `genzoo compare` refuses scores of
#   different protocols.
# - Look at the images.
#
# Next: [export and serving](16_serving.py). Reference: {py:mod}`keras_genzoo.evaluation`.
