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
# # A model of your own
#
# A species of this zoo is one file and one line: a class, and its registration. From the class come
# its flags on the command line, its checks, its place in `config.json`; by its name it is trained,
# resumed, sampled, scored, drawn and exported, and no other file is touched.
#
# `zoo_of_mine.py` in `examples/` is such a file, with one component of each kind in 250 lines. This
# guide imports it and walks through the parts.

# %%
import inspect
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt

import keras_genzoo as genzoo

sys.path.append(str(Path(genzoo.__file__).parents[1] / "examples"))
import zoo_of_mine

registries = {
    "models": genzoo.models.MODELS,
    "architectures": genzoo.networks.ARCHITECTURES,
    "augmentations": genzoo.networks.AUGMENTATIONS,
    "losses": genzoo.losses.ADVERSARIAL_LOSSES,
    "penalties": genzoo.losses.PENALTIES,
    "sources of images": genzoo.data.SOURCES,
    "scores": genzoo.evaluation.SCORES,
    "export formats": genzoo.export.EXPORT_FORMATS,
    "recipes": genzoo.training.RECIPES,
}
for kind, registry in registries.items():
    print(f"{kind}: {', '.join(list(registry)[-1:])}, beside {len(registry) - 1} others")

# %% [markdown]
# ## The constructor is the interface
#
# An architecture builds the networks of a GAN. `widths` is an argument with an annotation and a
# line in the docstring: that makes it the flag `--widths` with a help, a default and a check, and a
# setting that a run keeps.

# %%
print(inspect.getsource(zoo_of_mine.Shallow))
settings = genzoo.training.Settings("gan", architecture="shallow", widths=(8, 8))
print("widths of a run:", settings.widths)
try:
    genzoo.training.Settings("gan", architecture="shallow", widths=(0, 8))
except ValueError as error:
    print("Error:", error)

# %% [markdown]
# ## The model
#
# The smallest generative model there is: pixels that are normal and independent, each with a mean
# and a spread, fitted by maximum likelihood. A model is a `keras.Model` with a few methods more:
# `compile` takes the optimizers, `train_step` is one update, `decode` turns latents into images,
# and `signatures` are the networks that an export contains.

# %%
model = zoo_of_mine.Pixels
for name in ("compile", "train_step", "decode", "signatures"):
    print(inspect.getsource(getattr(model, name)))

# %% [markdown]
# Three lines of `train_step` are worth a look. `self.to_range(images)` brings uint8 to the range of
# the model, and refuses floats of another range. `self.noise(...)` is a function of the seed, the
# step and the row of the batch: so a run repeats, resumes bit for bit and spreads over several
# devices. And `loss / self.num_replicas` is the share of this device, since TensorFlow sums the
# gradients of all.
#
# What it can do, it says by attributes and methods; nothing outside asks for its name.
# `has_held_out_loss` gives it a held-out loss at every checkpoint, `prior_signature` a seeded
# export. The docstring of {py:class}`keras_genzoo.models.ImageModel` lists them.
#
# ## Trained and used
#
# The one line: `MODELS.register("pixels", Pixels)`. After it, all that takes a model takes this
# one. The recipe `pixels-digits` of the same file has 40 steps.

# %%
recipe, values = genzoo.training.find_recipe("pixels", "digits", None)
values |= {"steps": 300, "learning_rate": 0.02, "checkpoint_every": 100}
outcome = genzoo.training.fit(genzoo.training.Settings(**values), "pixels")
print("files:", *sorted(path.name for path in outcome.run.path.iterdir()))
print("losses held out:", [round(row["val_loss"], 3) for row in outcome.run.read_history()])

# %%
trained = genzoo.models.load_model(outcome.run.model_file)
images = trained.generate(24, seed=0)
plt.figure(figsize=(7, 1.4), layout="constrained")
plt.imshow(genzoo.images.image_grid(images, columns=12), cmap="gray")
_ = plt.axis("off")

# %% [markdown]
# Clouds, not digits: the model knows how bright each pixel is, and nothing of how they hang
# together. A score of the same file measures it, beside other real images; the export writes the
# format `means`.

# %%
options = genzoo.evaluation.Options(scores=["contrast", "fid"], features="pixels", count=200)
result = genzoo.evaluation.evaluate_run("pixels", options)
print(json.dumps({name: result[name] for name in ("scores", "floor")}, indent=1))
(file,) = genzoo.export.export_run("pixels", "means", places=2)
print(file, file.read_text(), sep="\n")

# %% [markdown]
# On the command line it is the same module:
#
# ```text
# genzoo --import zoo_of_mine fit pixels --dataset digits --spread 0.25 --steps 300
# genzoo --import zoo_of_mine report runs/pixels-digits-1
# ```
#
# An installed package needs no `--import` if it names its module in an entry point of the group
# `keras_genzoo.components`.
#
# ## In the package itself
#
# A species for everybody is the same file in `keras_genzoo/models/`, a line in the registry, a line
# in `tests/models/cases.py`, and a recipe. That line sends it through the tests that every model
# passes: saved and loaded, resumed bit for bit, two replicas like one, exported and verified.
# `CONTRIBUTING.md` says which kind of component goes where.
#
# Next: [few images](14_few_images.py).
