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
# # A model on a phone
#
# LiteRT (once TensorFlow Lite) runs a model in one file, on phones, boards and in browsers, by an
# interpreter of a few megabytes. The question there is size and speed, and what they cost. This
# guide runs the files by LiteRT's own interpreter: `pip install 'keras_genzoo[litert]'`.

# %%
import matplotlib.pyplot as plt
import numpy as np
from ai_edge_litert.interpreter import Interpreter

import keras_genzoo as genzoo

model = genzoo.models.from_preset("dcgan_digits")

# %% [markdown]
# ## Four types
#
# | type | weights | computes in |
# |---|---|---|
# | `float32` | 32 bits | 32 bits: the same images, up to rounding |
# | `float16` | 16 bits | 32 bits, or 16 where the device can |
# | `dynamic` | 8 bits | 8 bits for products, whose ranges are measured at each call |
# | `int8` | 8 bits | 8 bits throughout, with ranges measured once, on examples |
#
# On the command line:
#
# ```text
# genzoo export dcgan_digits --format litert --types float32,float16,dynamic,int8 --verify
# ```
#
# For `int8` the ranges are measured on noise from the prior, the classes in turn: `calibration`
# rows of it. An autoencoder is measured on images of its data, which a run has and a preset must
# be given (`images=`).

# %%
types = ("float32", "float16", "dynamic", "int8")
files = genzoo.export.export_litert(model, ".", "digits", types, batch_size=20, check=True)

# %% [markdown]
# `check=True` (`--verify`) compares each file with the model and refuses one that differs by more
# than its type may.
#
# ## Running them
#
# This is all that a program on the device does: open the file, take a signature by its name, hand
# over named arrays. Inputs and outputs are floats in every type, and images are from 0 to 1; an
# `int8` file turns them to 8 bits inside, so that the same program runs all four. A file has a
# fixed batch (1 unless `batch_size` says otherwise), since that spares operations.

# %%
z, labels = model.sample_latents(20, seed=0), np.arange(20, dtype="int32") % 10
expected = model.decode(z, class_labels=labels).astype("float32")
made = {}
for kind, file in zip(types, files, strict=True):
    interpreter = Interpreter(model_path=str(file))
    generate = interpreter.get_signature_runner("generate")
    made[kind] = np.rint(255 * generate(z=z, class_labels=labels)["images"])
    differences = abs(made[kind] - expected)
    print(
        f"{kind:8s} {file.stat().st_size / 1e6:4.2f} MB, difference of a pixel: "
        f"{differences.mean():5.2f} in the mean, {differences.max():3.0f} at most (of 255)"
    )

# %%
figure, axes = plt.subplots(2, 2, figsize=(10, 2.8), layout="constrained")
for axis, (kind, images) in zip(axes.flat, made.items(), strict=True):
    axis.imshow(genzoo.images.image_grid(images.astype("uint8"), columns=10), cmap="gray")
    axis.set_title(kind)
    axis.axis("off")

# %% [markdown]
# What the file says of its inputs, by name:

# %%
for name, details in generate.get_input_details().items():
    print(name, details["shape"], details["dtype"].__name__)

# %% [markdown]
# A DCGAN of 28 x 28 images (4.3 MB in `float32`) makes about 2,000 images a second in `float32`
# and
# 5,200 in 8 bits, one at a time, on two cores of an Intel Xeon (`python -m benchmarks.exports`). On
# a phone expect the ratio rather than the numbers.
#
# ## What to know
#
# - No Flex operations are needed: the interpreter of the phone's system is enough. Layers of your
#   own that LiteRT lacks are refused by name at the export.
# - Signatures that choose codes on the way, as those of a `vqvae`, are in the `float32` file alone:
#   rounding would choose others.
# - The card is inside the file, as metadata, and beside it as JSON.
# - A flow calls its network once or more for each step of the solver: export it with few
#   (`--solver-steps 4`).
#
# ## In a browser
#
# ```text
# genzoo playground dcgan_digits
# ```
#
# writes one HTML page in which the model runs by LiteRT.js, in half precision, without a server:
# dice, classes, directions of the latent space. Put it on any web page, or send it by mail.
#
# Next: [many devices](18_many_devices.py). Reference:
# {py:func}`keras_genzoo.export.export_litert`.
