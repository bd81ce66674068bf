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
# # Networks of your own
#
# Every model of the zoo is an algorithm: losses, steps, sampling, saving. The networks that it
# trains are arguments. Give your own, and all else stays: `fit`, `generate`, saved files, replicas,
# exports.
#
# ## A generator and a discriminator
#
# A GAN asks three things of its networks. The generator takes `(batch, latent_dim)` and ends in
# images of the model's range, which is [-1, 1] for GANs: a `tanh` gives that. The discriminator
# ends in one number an image, and has **no** sigmoid: losses here take logits, of which $D(x)$ is
# the sigmoid, because `log(sigmoid(x))` loses its gradient where the logit is large.

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

keras.utils.set_random_seed(0)
latent_dim, shape = 16, (8, 8, 1)
generator = keras.Sequential(
    [
        keras.Input((latent_dim,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64, activation="tanh"),  # images in [-1, 1]
        keras.layers.Reshape(shape),
    ]
)
discriminator = keras.Sequential(
    [
        keras.Input(shape),
        keras.layers.Conv2D(32, 3, activation="leaky_relu"),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.3),
        keras.layers.Dense(1),  # a logit, not a probability
    ]
)
model = genzoo.models.GAN(shape, latent_dim, generator=generator, discriminator=discriminator)
model.compile(keras.optimizers.Adam(1e-3, beta_1=0.5), keras.optimizers.Adam(5e-4, beta_1=0.5))
digits = genzoo.data.load_dataset("digits", batch_size=50)
history = model.fit(digits, epochs=60, verbose=0).history
print(f"D(x) {history['real_score'][-1]:.2f}, D(G(z)) {history['fake_score'][-1]:.2f}")

# %%
plt.figure(figsize=(6, 3), layout="constrained")
plt.imshow(genzoo.images.image_grid(model.generate(32, seed=1), columns=8), cmap="gray")
_ = plt.axis("off")

# %% [markdown]
# Rough digits, by a network of one hidden layer. The scores above are means over the last epoch: at
# 0.5 for both, this discriminator can no longer tell, and a better generator needs a better
# discriminator. Dropout and batch normalisation need no care: the model knows when it trains and
# when it draws.
#
# ## Saved and loaded
#
# The networks are saved with the model, and so are the optimizers and the random state: the loaded
# model makes the same images, and trains on as if it had never been away.

# %%
model.save("own_networks.keras")
again = genzoo.models.load_model("own_networks.keras")
same = (again.generate(4, seed=1) == model.generate(4, seed=1)).all()
print(f"the same images: {same}")
batch = next(iter(digits)).numpy()
before, after = (each.train_on_batch(batch, return_dict=True) for each in (model, again))
print(f"the same next step: {before == after}")

# %% [markdown]
# A layer class of your own must be registered by
# `@keras.saving.register_keras_serializable("my_package")`, so that Keras finds it again when the
# file is opened, and its module must have been imported then. A `Lambda` layer is refused when a
# file is opened: it is code in a file that may come from anybody.
#
# ## What is checked
#
# Mistakes that would train and be silently wrong end in one line, when the model is built or
# compiled.

# %%
too_large = keras.Sequential(
    [keras.Input((latent_dim,)), keras.layers.Dense(256), keras.layers.Reshape((16, 16, 1))]
)
probability = keras.Sequential(
    [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
)
for networks in ({"generator": too_large}, {"discriminator": probability}):
    try:
        genzoo.models.GAN(shape, latent_dim, **networks)
    except ValueError as error:
        print(f"{type(error).__name__}: {error}")

# %% [markdown]
# ## An encoder and a decoder
#
# The same holds for the other families. The encoder of a {py:class}`keras_genzoo.models.VAE` gives
# mean and log-variance, `(batch, latent_dim)` each; its decoder ends in logits of the pixels,
# without a sigmoid, since the likelihood is computed from them. A
# {py:class}`keras_genzoo.models.Flow` takes `network`, a function of images and times. The
# docstring of each class says what it asks for.

# %%
images = keras.Input(shape)
hidden = keras.layers.Conv2D(32, 3, strides=2, activation="relu")(images)
hidden = keras.layers.Flatten()(hidden)
encoder = keras.Model(images, [keras.layers.Dense(8)(hidden), keras.layers.Dense(8)(hidden)])
decoder = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64),  # logits
        keras.layers.Reshape(shape),
    ]
)
vae = genzoo.models.VAE(shape, 8, encoder=encoder, decoder=decoder)
vae.compile(keras.optimizers.Adam(2e-3))
losses = vae.fit(digits, epochs=20, verbose=0).history["loss"]
test = genzoo.data.open_source("digits", "test").sample(8, seed=0)[0]
error = np.abs(vae.reconstruct(test).astype(int) - test).mean()
print(f"loss {losses[0]:.1f} to {losses[-1]:.1f} nats")
print(f"mean error of a held-out pixel {error:.0f} of 255")

# %% [markdown]
# Networks given as objects belong to one script. An *architecture* is the next step: a class that
# builds the networks for any image size, has flags on the command line, and is found by its name:
# `Shallow` in [a model of your own](13_own_species.py).
#
# Next: [losses and penalties of your own](12_own_losses.py).
