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
# # Resume, and reproduce
#
# A training of days will be interrupted. What then? The usual answer is a checkpoint of the
# weights, and a training that goes on *somehow*: with other noise, images in another order, an
# optimizer without its moments. Here the answer is exact: a run that was stopped and resumed ends
# with the weights of the run that was not, bit for bit on a CPU.

# %%
import json
import os
import signal

import keras
import numpy as np

import keras_genzoo as genzoo

settings = genzoo.training.Settings(
    "gan",
    "digits",
    latent_dim=16,
    generator_units=(64,),
    discriminator_units=(64,),
    batch_size=50,
    steps=60,
    checkpoint_every=20,
    augmentation="ada",
    augmentation_adaptation_images=2000,
)

# %% [markdown]
# ## Stopped
#
# One run to the end, and one that gets SIGTERM after its 33rd step, as from a batch system whose
# time is up. (Ctrl-C is the same.) It completes the step that it is in, saves, and ends.


# %%
class Stop(keras.callbacks.Callback):
    """Sends SIGTERM to this process in one step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_batch_end(self, batch, logs=None):
        self.step -= 1
        if self.step == 0:
            os.kill(os.getpid(), signal.SIGTERM)


whole = genzoo.training.fit(settings, "whole")
stopped = genzoo.training.fit(settings, "stopped", callbacks=[Stop(33)])
print(f"whole: {whole.step} steps, finished {whole.finished}")
print(f"stopped: {stopped.step} steps, finished {stopped.finished}, by signal {stopped.signal}")
print("checkpoints:", *sorted(path.name for path in stopped.run.checkpoints.iterdir()))

# %% [markdown]
# ## Resumed
#
# On the command line it is `genzoo fit --resume stopped`. Everything that training depends on is in
# the checkpoint: the weights, both optimizers, the step, the running averages, the probability of
# the augmentation, and the means of the interval that was cut in two. The order of the images and
# all noise are functions of the seed and the step, and need no state at all.

# %%
resumed = genzoo.training.resume("stopped")
print(f"resumed: {resumed.step} steps, finished {resumed.finished}")
last = f"step-{settings.steps:08d}.npz"
with np.load(whole.run.checkpoints / last) as one, np.load(resumed.run.checkpoints / last) as other:
    names = sorted(one.files)
    same = sum(np.array_equal(one[name], other[name]) for name in names)
print(f"{same} of {len(names)} arrays of the last checkpoint are the same, bit for bit")
histories = [(run.path / "history.csv").read_text() for run in (whole.run, resumed.run)]
print("the same history:", histories[0] == histories[1])
images = [genzoo.models.load_model(o.run.model_file).generate(8, seed=0) for o in (whole, resumed)]
print("the same images:", np.array_equal(*images))

# %% [markdown]
# After `kill -9` or a power failure, the steps since the last checkpoint are done again, to the
# same result: choose `--checkpoint-every` by the minutes that you are ready to lose. Checkpoints
# are written whole or not at all, and are checked when they are read; of a damaged one the run says
# so and takes the one before.
#
# ## Longer
#
# A finished run can be made longer; settings that would change its weights so far are refused.

# %%
longer = genzoo.training.resume("stopped", {"steps": 80})
print(f"{longer.step} steps")
try:
    genzoo.training.resume("stopped", {"batch_size": 25})
except ValueError as error:
    print("Error:", error)

# %% [markdown]
# ## The record
#
# `config.json` holds every setting, also those that were left to the recipe and the machine, the
# random seed, a fingerprint of the data, and the versions of the libraries.
# `genzoo fit --config stopped/config.json` repeats the run; `genzoo show stopped` prints it.

# %%
config = json.loads((resumed.run.path / "config.json").read_text())
print("parts:", *config)
print("settings of the run:", json.dumps(config["settings"]["run"]))
print("data:", config["data"]["num_images"], "images,", config["data"]["fingerprint"][:12])
repeated = genzoo.training.fit(genzoo.training.repeat("whole"), "repeated")
images.append(genzoo.models.load_model(repeated.run.model_file).generate(8, seed=0))
print("a repetition makes the same images:", np.array_equal(images[0], images[-1]))

# %% [markdown]
# ## What is promised, and what is not
#
# | | the same numbers |
# |---|---|
# | the same CPU and versions | bit for bit: repeated, resumed, by other `--steps-per-execution` |
# | several replicas | up to rounding: sums are added in another order |
# | another CPU, another number of cores | up to rounding, which a long training amplifies |
# | a GPU | as above; some of its sums are in no fixed order |
# | other versions of Keras or TensorFlow | the run goes on, and says that they may differ |
#
# A seed is one draw of a distribution. What is to be believed of a recipe is the mean over several:
# `--seed 1`, `--seed 2`, or `genzoo bench --seeds 0,1,2`, which trains and compares them.
#
# Next: [trackers](20_trackers.py). Reference: {py:func}`keras_genzoo.training.resume`.
