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
# # Export, and a server
#
# A trained model is of use where this package, and even Keras, is not installed. The form for
# servers is TensorFlow's SavedModel: a folder with the graph and the weights, which TF Serving, a
# C++ program or plain TensorFlow opens.

# %%
import json
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import keras_genzoo as genzoo

# %% [markdown]
# ## A version
#
# `export_run` takes a run or a preset; on the command line it is:
#
# ```text
# genzoo export dcgan_digits --verify
# ```
#
# It writes `savedmodels/<name>/<version>/`, the layout that TF Serving polls: a server finds
# version 2 by itself, goes over to it, and no version is ever replaced. `check=True` (`--verify`)
# sends the same inputs through the file and through the model before anything is put in place, and
# refuses a file that differs by more than 1e-5.

# %%
(version,) = genzoo.export.export_run("dcgan_digits", check=True)
print(version)
for path in sorted(version.parent.rglob("*")):
    if path.is_file():
        print(f"  {path.relative_to(version.parent)!s:40s} {path.stat().st_size:>9,} bytes")

# %% [markdown]
# ## Its signatures
#
# A signature is a function with named inputs and outputs. Images are floats from 0 to 1, whatever
# range the model was trained in, but where a name ends in `uint8`. `generate` takes the noise `z`
# itself. `generate_seeded` takes a number for each image and draws the noise in the graph, so that
# a caller needs no random generator, and the same seed gives the same image for ever. The card
# beside the graph says what each takes and gives, where the model comes from, and how well the
# file agrees with it.

# %%
card = json.loads((version / "assets.extra" / "card.json").read_text())
for name, ends in card["signatures"].items():
    print(name)
    for side in ("inputs", "outputs"):
        for each, tensor in ends[side].items():
            print(f"  {side[:-1]:6s} {each}: {tensor['dtype']} {tensor['shape']}")
print("terms of the data:", card["facts"]["terms of the data"])
print("verified:", card["verified"]["generate"]["images"]["max"] <= 1e-5)

# %% [markdown]
# ## Without this package
#
# Another process, which is not allowed to import `keras` or `keras_genzoo`, opens the version with
# TensorFlow alone and asks for twenty digits.

# %%
Path("client.py").write_text(
    """
import sys

sys.modules["keras"] = sys.modules["keras_genzoo"] = None  # an import of these would fail

import numpy as np
import tensorflow as tf

model = tf.saved_model.load(sys.argv[1])
generate = model.signatures["generate_seeded"]
images = generate(
    seed=tf.range(20, dtype="int64"), class_labels=tf.constant(np.arange(20) % 10, "int32")
)["images"].numpy()
print(images.shape, images.dtype, f"from {images.min():.1f} to {images.max():.1f}")
np.save("digits.npy", images)
"""
)
ended = subprocess.run(
    [sys.executable, "client.py", str(version)], capture_output=True, text=True, check=True
)
print(ended.stdout)

# %%
images = np.rint(255 * np.load("digits.npy")).astype("uint8")
plt.figure(figsize=(7, 1.6), layout="constrained")
plt.imshow(genzoo.images.image_grid(images, columns=10), cmap="gray")
_ = plt.axis("off")

# %% [markdown]
# ## A server
#
# Beside the versions lie a `README.md` with the calls for this very model, and the server's
# settings; they say which requests are put together into one batch. The server is a container:

# %%
readme = (version.parent / "README.md").read_text()
print(readme[readme.index("## Serve") : readme.index("gRPC, with")])

# %% [markdown]
# A request names a signature and its inputs. Rows of several requests may run in one batch; each
# has its own seed, so that the answer does not depend on its neighbours. The first request of a
# version is slow, since TensorFlow then prepares the graph: `--batch-sizes 1,8,32` adds requests
# by which the server warms up before it answers anyone (`pip install 'keras_genzoo[serving]'`).
#
# `python savedmodels/make.py` in the source writes five presets, with one configuration for a
# server of all.
#
# ## Other forms
#
# ```text
# genzoo export dcgan_digits --format onnx --verify   # ONNX Runtime
# genzoo export dcgan_digits --format keras           # a .keras file of Keras' own layers alone
# genzoo export dcgan_digits --format preset          # a folder to give away, with a card
# ```
#
# ONNX needs `pip install 'keras_genzoo[onnx]'`. A flow is exported with the steps of its solver
# written out, so that the graph has no loop: `--solver-steps 4` makes it small and fast. `genzoo
# playground dcgan_digits` writes one HTML page in which the model runs.
#
# Next: [a model on a phone](17_litert.py). Reference:
# {py:func}`keras_genzoo.export.export_saved_model`.
