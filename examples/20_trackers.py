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
# # Trackers: TensorBoard, MLflow, Weights & Biases
#
# A run folder has its numbers in `history.csv` and its samples as PNG, and `genzoo report` makes
# one page of them. If your team keeps its experiments in a tracker, a run reports there by a
# callback: `training.fit(..., callbacks=[...])` takes any callback of Keras.

# %%
import importlib.util

import keras

import keras_genzoo as genzoo

settings = genzoo.training.Settings(
    "vae", "digits", latent_dim=2, batch_size=50, steps=90, checkpoint_every=30
)

# %% [markdown]
# ## What a callback sees
#
# An *epoch* of Keras is here the interval between two checkpoints, and `on_epoch_end` is called
# when the checkpoint is written: what a tracker has seen, a resumed run has, too. Its `logs` are
# the row of `history.csv`: means of the interval, and the losses of held-out images as `val_...`.
# `self.model.step` is the number of steps done, which is what a tracker should have as its x-axis:
# it goes on counting when the run is resumed.


# %%
class Tracker(keras.callbacks.Callback):
    """Hands the numbers of each interval to a function ``(numbers, step)``."""

    def __init__(self, send):
        super().__init__()
        self.send = send

    def on_epoch_end(self, epoch, logs=None):
        numbers = {name: float(value) for name, value in logs.items()}
        self.send(numbers, int(self.model.step))


def show(numbers, step):
    """Print what a tracker would get."""
    print(step, {name: round(value, 1) for name, value in numbers.items()})


outcome = genzoo.training.fit(settings, "run", callbacks=[Tracker(show)])

# %% [markdown]
# ## MLflow and Weights & Biases
#
# Both take a function of numbers and a step, so the callback above is all that is needed.
# `settings.to_dict()` has the settings; the sample grids are files in the run folder.
#
# ```python
# import mlflow
#
# mlflow.set_experiment("digits")
# with mlflow.start_run(run_name="vae"):
#     mlflow.log_params(settings.to_dict())
#     tracker = Tracker(lambda numbers, step: mlflow.log_metrics(numbers, step=step))
#     outcome = genzoo.training.fit(settings, callbacks=[tracker])
#     mlflow.log_artifacts(outcome.run.samples, "samples")
# ```
#
# ```python
# import wandb
#
# with wandb.init(project="digits", config=settings.to_dict()) as tracked:
#     tracker = Tracker(lambda numbers, step: tracked.log(numbers, step=step))
#     outcome = genzoo.training.fit(settings, callbacks=[tracker])
#     grids = outcome.run.sample_grids()
#     tracked.log({"samples": wandb.Image(str(grids[-1]))}, step=outcome.step)
# ```
#
# A tracker only reads: weights, history and files of a run are the same without it. If it raises an
# error, training ends with that error, and the checkpoint of the interval is there. Other callbacks
# may act: `keras.callbacks.EarlyStopping("val_loss", patience=5)` stops the run, which is saved as
# after Ctrl-C.
#
# ## TensorBoard
#
# For TensorBoard no callback is needed: `genzoo fit vae --tensorboard`, or `tensorboard=True`,
# writes events into `logs` of the run (`pip install 'keras_genzoo[tensorboard]'`), and
# `tensorboard --logdir runs` shows all runs together.

# %%
if importlib.util.find_spec("tensorboard"):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    outcome = genzoo.training.fit(settings, "with_events", tensorboard=True)
    events = EventAccumulator(str(outcome.run.path / "logs")).Reload()
    for tag in events.Tags()["tensors"]:
        print(tag, "at steps", *(event.step for event in events.Tensors(tag)))

# %% [markdown]
# ## Resumed runs
#
# `training.resume(path, callbacks=[...])` takes callbacks, too. They begin anew: a tracker that
# shall go on with its own run needs its name (`mlflow.start_run(run_id=...)`, `wandb.init(id=...,
# resume="must")`). Write that name into a file beside the run, not into the run folder, which
# holds only what genzoo wrote.

# %%
again = genzoo.training.resume("run", {"steps": 120}, callbacks=[Tracker(show)])
print(f"{again.step} steps")

# %% [markdown]
# ## Without a tracker
#
# `genzoo compare` sets runs side by side: settings that differ, scores, curves over one another,
# and images of the same noise, as one page.
#
# ```text
# genzoo compare runs/vae-digits-*
# ```
#
# This was the last guide. Reference: {py:func}`keras_genzoo.training.fit`.
