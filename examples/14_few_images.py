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
# # Few images
#
# With a hundred images a GAN fails in a way of its own: the discriminator learns them by heart. It
# is then right about every training image for no reason that holds for others, and what it tells
# the generator is noise, or "copy". Three remedies, and two measurements that say whether they
# worked.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

few, labels = genzoo.data.open_source("digits", "train").sample(100, seed=0)
test, test_labels = genzoo.data.open_source("digits", "test").sample(297, seed=0)
print(f"{len(few)} images to train on, {len(test)} held out")

# %% [markdown]
# ## Augmentation of what the discriminator sees
#
# Changing the training images would teach the generator to make changed images. DiffAugment
# ([2006.10738](https://arxiv.org/abs/2006.10738)) changes real *and* generated images, in both
# updates, at random and differentiably: the discriminator never sees an image twice, and the
# generator is only right if its images are right before they are changed.
#
# ADA ([2006.06676](https://arxiv.org/abs/2006.06676)) does so with a probability that it adapts:
# it rises while the mean sign of the logits of real images lies above `target`, which says that
# the discriminator is too sure of them, and falls below. The paper's target is 0.6; this small
# discriminator, which is trained for seconds, gets less. `adaptation_images` says how fast it
# moves; the default is for runs of millions of images.

# %%
augmentations = {
    "none": None,
    "DiffAugment": genzoo.networks.DiffAugment(["translation", "cutout"]),
    "ADA": genzoo.networks.ADA(target=0.2, adaptation_images=10_000),
}
digits = genzoo.data.load_dataset(few, batch_size=50)
generated = {}
for name, augmentation in augmentations.items():
    keras.utils.set_random_seed(0)
    units = {"generator_units": (128,), "discriminator_units": (256, 128)}
    model = genzoo.models.GAN((8, 8, 1), 16, **units)
    model.compile(
        keras.optimizers.Adam(1e-3, beta_1=0.5),
        keras.optimizers.Adam(1e-3, beta_1=0.5),
        augmentation=augmentation,
        steps_per_execution=20,
    )
    model.fit(digits.repeat(250), verbose=0)
    generated[name] = model.generate(297, seed=0)
    on_few, on_test, on_fake = (
        float(keras.ops.mean(model.discriminator(images.astype("float32") / 127.5 - 1)))
        for images in (few, test, generated[name])
    )
    print(
        f"{name:11s} mean logit: training images {on_few:5.2f}, held-out images {on_test:5.2f}, "
        f"generated {on_fake:5.2f}"
    )
print(f"ADA has come to the probability {float(model.augmentation_probability):.2f}")

# %% [markdown]
# Compare the first two columns: a discriminator that had learnt what digits look like would give
# held-out digits the logits of training images. The distance between the two is what it has learnt
# by heart.
#
# ## Do they copy?
#
# The score `memorisation` takes the distance of each generated image to its nearest training
# image, and counts those nearer than all but a hundredth of real held-out images: about 1 %
# without memorisation, 100 % for copies. Measure it whenever the data are few; no other score
# punishes copies, and FID rewards them.

# %%
splits = genzoo.data.Splits(lambda split: genzoo.data.open_source("digits", split))
network = genzoo.evaluation.find_network("pixels", splits)
noise = np.random.default_rng(0).normal(0, 8, few.shape)
generated["copies with noise"] = np.clip(few + noise, 0, 255).astype("uint8")
for name, images in generated.items():
    inputs = genzoo.evaluation.ScoreInputs(test, images, network, train_images=few)
    score = genzoo.evaluation.SCORES["memorisation"].measure(inputs)
    fid = genzoo.evaluation.SCORES["fid"].measure(inputs)["fid"]
    print(f"{name:17s} memorised {score['memorised_share']:4.0%}, FID in pixels {fid:5.2f}")

# %% [markdown]
# None of the three copies. But look at the last row: FID finds the copies best of all.

# %%
figure, axes = plt.subplots(1, 4, figsize=(10, 2.9), layout="constrained")
for axis, (name, images) in zip(axes, {"real": few, **generated}.items(), strict=False):
    axis.imshow(genzoo.images.image_grid(images[:36], columns=6), cmap="gray")
    axis.set_title(name)
    axis.axis("off")

# %% [markdown]
# ## Does the augmentation leak?
#
# If a change is made too often, the generator cannot know that it was not in the data, and makes
# it, too: digits with holes, or shifted ones. `augmentation_leak` trains a small network to see
# such changes, on real images with and without them, and says how many of the generated images
# show each. (It wants 200 real images or more.)

# %%
artefacts = {name: genzoo.evaluation.ARTEFACTS[name] for name in ("translation", "cutout")}
leaks = genzoo.evaluation.augmentation_leak(test, generated["DiffAugment"], artefacts)
for name, leak in leaks.items():
    if leak is None:
        print(f"{name}: real images look like it, too")
    else:
        print(
            f"{name}: in {leak.share:.0%} of the images, standard error {leak.standard_error:.0%}"
        )

# %% [markdown]
# Take flips and quarter turns only if a flipped image is still an image of the data; digits and
# letters are not, which is why ADA leaves them out here unless they are asked for.
#
# ## Beginning with trained weights
#
# Much of what a network knows of strokes is the same for all digits. `genzoo fit --from PRESET`
# begins a run with the weights of another, or of a preset:
#
# ```text
# genzoo fit --from dcgan_mnist --dataset few.npz --augmentation diffaugment --steps 1000
# ```
#
# In Python it is `settings_to_begin` and `start_from`. Here a VAE of MNIST goes on with the
# hundred digits, beside one that begins with random weights. Both print their loss on the held-out
# digits, in nats.

# %%
np.savez("few.npz", x_train=few, y_train=labels, x_test=test, y_test=test_labels)
asked = {"dataset": "few.npz", "steps": 100, "batch_size": 50, "checkpoint_every": 50}
settings = genzoo.training.settings_to_begin("vae_mnist", asked)
for name, start in {"from_scratch": None, "from_preset": "vae_mnist"}.items():
    outcome = genzoo.training.fit(settings, name, start_from=start)
    rows = outcome.run.read_history()
    print(f"{name}: " + ", ".join(f"step {row['step']}: {row['val_loss']:.0f}" for row in rows))

# %% [markdown]
# Trained weights are not always a better start. MNIST has sharp strokes of 28 pixels; these digits
# are of 8 pixels, enlarged and soft, and the preset is still unlearning what it knew when the
# fresh model has caught up. Begin with weights of images like yours, and compare with a fresh
# start, as here. What `--from` keeps, it says: weights of the same name and shape. Optimizers
# begin anew.
#
# Next: [evaluation that can be trusted](15_evaluation.py). Reference:
# {py:class}`keras_genzoo.networks.DiffAugment`, {py:class}`keras_genzoo.networks.ADA`,
# {py:func}`keras_genzoo.evaluation.augmentation_leak`.
