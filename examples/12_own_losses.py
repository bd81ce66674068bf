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
# # Losses and penalties of your own
#
# A GAN is a point on several axes, and the loss is one of them. A loss of your own is two
# functions of logits; a penalty is a class with one method. Each gets a name, under which models,
# files and the command line find it.
#
# ## A loss
#
# One-sided label smoothing ([1606.03498](https://arxiv.org/abs/1606.03498)) asks the discriminator
# for $D(x) = 0.9$ instead of 1 on real images: one that is never quite sure leaves the generator a
# gradient. With $D(x) = \sigma(l)$ the cross-entropy with the target $1 - s$ is
# $\mathrm{softplus}(-l) + s\,l$. Write losses on logits by `softplus`, never by
# `log(sigmoid(...))`, which is infinite where the softplus is only large.

# %%
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops

import keras_genzoo as genzoo
from keras_genzoo.arguments import POSITIVE

saved = keras.saving.register_keras_serializable("my_losses")


@saved
def smoothed_discriminator_loss(real_logits, fake_logits):
    """Cross-entropy with the target 0.9 in place of 1 for real images."""
    real = ops.softplus(-real_logits) + 0.1 * real_logits
    return ops.mean(real) + ops.mean(ops.softplus(fake_logits))


smoothed = genzoo.losses.AdversarialLoss(
    discriminator=smoothed_discriminator_loss,
    generator=genzoo.losses.non_saturating_generator_loss,
    score=genzoo.losses.probability_score,
)
_ = genzoo.losses.ADVERSARIAL_LOSSES.register("smoothed", smoothed)

# %% [markdown]
# Look at a loss before you train with it. The optimum of the real part must lie at the logit of
# 0.9, which is $\log 9 = 2.197$; without smoothing it lies at infinity.

# %%
logits = np.linspace(-2, 6, 801).astype("float32")
nothing = np.full(1, -30, "float32")  # a generated image that D is sure of costs nothing
curves = {
    "cross-entropy": [genzoo.losses.discriminator_loss([x], nothing) for x in logits],
    "smoothed": [smoothed_discriminator_loss(ops.convert_to_tensor([x]), nothing) for x in logits],
}
plt.figure(figsize=(6, 3), layout="constrained")
for name, values in curves.items():
    values = np.asarray(values, "float32")
    plt.plot(logits, values, label=name)
    print(f"{name}: smallest at the logit {logits[values.argmin()]:.2f}")
plt.xlabel("logit of a real image")
plt.ylabel("loss of D")
_ = plt.legend()

# %% [markdown]
# ## A penalty
#
# A penalty is a scalar that is added to the discriminator's loss. It is called with the critic
# (the discriminator as it is used in training, with labels and augmentation), the images of the
# batch, and a source of noise; `critic.gradient(images)` is the slope of each logit by the pixels
# of its image. This one keeps the logits of real images near 0, as the "drift" term of progressive
# GANs does ([1710.10196](https://arxiv.org/abs/1710.10196)).
#
# The annotation of `weight` gives its type and bound, the docstring its help: from these come the
# flag `--penalty-weight`, its check, and its place in `config.json`.


# %%
@saved
class Drift(genzoo.losses.Penalty):
    """Draws the logits of real images to 0.

    Args:
        weight: weight of the penalty.
    """

    per_image = False  # works with batch normalisation: no gradient of single images is taken

    def __init__(self, weight: Annotated[float, POSITIVE] = 0.001):
        super().__init__(weight)

    def __call__(self, critic, real_images, fake_images, draw):
        return self.weight * ops.mean(ops.square(critic(real_images)))


_ = genzoo.losses.PENALTIES.register("drift", Drift)

# %% [markdown]
# ## Trained
#
# Four discriminators, with and without each. The logits that they give real images say what the
# two do: each of them bounds how sure the discriminator becomes, and both together do so most.

# %%
digits = genzoo.data.load_dataset("digits", batch_size=50)
images = genzoo.data.open_source("digits", "test").sample(200, seed=0)[0]
real = images.astype("float32") / 127.5 - 1
for loss in ("non_saturating", "smoothed"):
    for penalty in (None, Drift(0.1)):
        keras.utils.set_random_seed(0)
        model = genzoo.models.GAN((8, 8, 1), 16, generator_units=(64,), discriminator_units=(128,))
        model.compile(
            loss=loss, penalty=penalty, discriminator_optimizer=keras.optimizers.Adam(1e-3)
        )
        model.fit(digits, epochs=8, verbose=0)
        judged = np.asarray(model.discriminator(real))
        print(
            f"{loss:14s} {'drift' if penalty else '-':5s}: logits of held-out images "
            f"{judged.mean():5.2f} in the mean, {judged.max():5.2f} at most"
        )

# %% [markdown]
# A model that was compiled with them is saved with them. Whoever opens the file needs the module
# in which they are registered; without it the error says so.
#
# ## On the command line
#
# In a module, both are known to `genzoo --import MODULE`, with flags and help. Nothing that a run
# folder or a `.keras` file names is imported unless you ask for it. The module `zoo_of_mine.py` in
# `examples/` has a loss `symmetric` and a penalty `centred`, written as above; here it trains for
# 20 steps.

# %%
examples = Path(genzoo.__file__).parents[1] / "examples"
here = os.environ | {"PYTHONPATH": os.pathsep.join([str(examples), *sys.path])}
command = (
    "--import zoo_of_mine fit gan --loss symmetric --penalty centred --penalty-weight 0.2 "
    "--steps 20 --checkpoint-every 20 --out run"
)
print(f"genzoo {command}")
subprocess.run(
    [sys.executable, "-m", "keras_genzoo", *command.split()],
    env=here,
    capture_output=True,
    check=True,
)
settings = json.loads(Path("run/config.json").read_text())["settings"]
print("config.json:", {name: settings[name] for name in ("loss", "penalty")})

# %% [markdown]
# For others to install, name the module in an entry point of the group `keras_genzoo.components`;
# then no `--import` is needed. Compare your loss with those of the zoo by a bench: the same data,
# the same number of images, several seeds:
#
# ```text
# genzoo --import zoo_of_mine bench gan "gan loss=symmetric" --images 100000 --seeds 0,1,2
# ```
#
# Next: [a model of your own](13_own_species.py). Reference: {py:mod}`keras_genzoo.losses`.
