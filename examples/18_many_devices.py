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
# # Many devices
#
# Training on several GPUs, or several machines, changes nothing about a run but its time. That is
# a promise about numbers: the batch size is that of the whole step, the devices share it out, and
# after a step the weights are those that one device would have, up to rounding. This guide shows
# it on two "devices" that any machine has: two logical devices of one processor.

# %%
import keras
import numpy as np
import tensorflow as tf

import keras_genzoo as genzoo

# Before TensorFlow has run anything: one processor as two devices.
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)

strategy = genzoo.training.make_strategy("mirrored")
print(f"{strategy.num_replicas_in_sync} replicas")

# %% [markdown]
# ## The rule
#
# Each replica holds all weights and takes its rows of the batch: of 60 images, 30. Gradients are
# summed over the replicas, and every replica takes the same step. For this to be the step of one
# device, four things must hold, and the models of the zoo see to them:
#
# - losses are means over the *whole* batch, so a replica's share counts for its share;
# - noise belongs to the row of the whole batch, not to the device: a replica that drew its own
#   would train on other noise;
# - batch normalisation takes its statistics from all replicas;
# - averages of weights, and all other state, are moved alike on all of them.


# %%
def train(scope):
    """Train a small GAN for 20 steps of 60 images."""
    keras.utils.set_random_seed(0)
    with scope:
        model = genzoo.models.GAN((8, 8, 1), 16, generator_units=(64,), discriminator_units=(64,))
        model.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05))
    digits = genzoo.data.load_dataset("digits", batch_size=60, seed=0)
    history = model.fit(digits.take(20), verbose=0).history
    return model, history["discriminator_loss"][0]


alone, loss_alone = train(tf.distribute.get_strategy().scope())
shared, loss_shared = train(strategy.scope())
print(f"mean loss of D: {loss_alone:.5f} on one device, {loss_shared:.5f} on two")
apart = max(
    float(np.abs(a.numpy() - b.numpy()).max())
    for a, b in zip(alone.trainable_variables, shared.trainable_variables, strict=True)
)
print(f"largest difference of a weight less than 0.00001: {apart < 1e-5}")

# %% [markdown]
# The noise is the reason that this is possible at all: each replica draws its rows of what one
# device would have drawn.

# %%
noise = alone.latents(6, 0, 1).numpy()
parts = tf.function(lambda: strategy.run(lambda: shared.latents(3, 0, 1)))()
rows = np.concatenate([part.numpy() for part in strategy.experimental_local_results(parts)])
print("noise of 6 rows, drawn as 3 and 3, is the same:", np.array_equal(noise, rows))

# %% [markdown]
# What cannot be shared out is refused, and the message says what would do.

# %%
settings = genzoo.training.Settings("vae", "digits", batch_size=25, steps=10, strategy="mirrored")
try:
    genzoo.training.fit(settings, "run")
except ValueError as error:
    print("Error:", error)

# %% [markdown]
# ## On real machines
#
# ```text
# genzoo fit dcgan --dataset celeb_a                         # all GPUs of the machine
# genzoo fit dcgan --dataset celeb_a --devices GPU:0,GPU:1   # two of them
# genzoo fit dcgan --dataset celeb_a --batch-size 128        # a batch that eight can share
# ```
#
# Several machines run the same command with `--strategy multi_worker`, each with an environment
# variable `TF_CONFIG` that names all of them and says which one it is:
#
# ```text
# export TF_CONFIG='{"cluster": {"worker": ["a:2222", "b:2222"]},
#   "task": {"type": "worker", "index": 0}}'
# genzoo fit dcgan --dataset celeb_a --strategy multi_worker --out /shared/faces
# ```
#
# Worker 0 writes the run folder, which all must see. A worker that is killed ends the others
# within seconds, and `genzoo fit --resume RUN` goes on from the last checkpoint, on as many
# workers as there are then. The scripts for Slurm and Kubernetes are in [From a laptop to several
# machines](../how/devices.md).
#
# Does it pay? Two replicas that share the two cores which one has to itself take 113 ms for a step
# of `dcgan-mnist`, where one takes 83: the price of training in step. Separate devices win that
# back as long as a step takes much longer than sending its gradients does, of which each device
# sends and receives up to twice the bytes; the same page counts it for each recipe.
#
# Next: [resume and reproducibility](19_resume.py). Reference:
# {py:func}`keras_genzoo.training.make_strategy`.
