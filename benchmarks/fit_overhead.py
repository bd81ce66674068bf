"""What a run costs beside its steps: ``fit`` with everything on against bare steps, in one run.

Everything: the pipeline, progress, history, a checkpoint and a picture in every stretch, which is
more often than any recipe draws.
"""

import argparse
import tempfile
from pathlib import Path

# The first of all: it sets the environment before TensorFlow comes.
from benchmarks.pairs import compare, same_batch

import numpy as np  # isort: skip

from keras_genzoo.data import ArraySource, training_stream  # isort: skip
from keras_genzoo.training import Run, build_model, settings_for  # isort: skip
from keras_genzoo.training.callbacks import Recorder  # isort: skip
from keras_genzoo.training.progress import Progress  # isort: skip
from keras_genzoo.training.stopping import StopOnSignal  # isort: skip


def main() -> None:
    """Measure DCGAN by the recipe for MNIST, on arrays of MNIST's size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100, help="of a stretch")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    steps = arguments.steps
    images = np.random.default_rng(0).integers(0, 256, (60_000, 28, 28, 1), "uint8")
    stream = training_stream(ArraySource(images), 50, seed=0)
    settings = settings_for("dcgan", "mnist", checkpoint_every=steps, sample_every=steps)
    model = build_model(settings, (28, 28, 1), None)

    batches = iter(same_batch(images[:50]))
    model.make_train_function()

    def bare():
        for _ in range(steps):
            logs = model.train_function(batches)
        logs["generator_loss"].numpy()

    data = {"image_shape": [28, 28, 1], "num_images": 60_000, "num_classes": None}
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(settings, data, Path(folder) / "run")
        recorder, progress = Recorder(run, 0, images[:32]), Progress(run, 0, lambda line: None)

        def everything():
            callbacks = [recorder, progress, StopOnSignal(model.distribute_strategy)]
            model.fit(stream, steps_per_epoch=steps, callbacks=callbacks, verbose=0)

        everything()
        bare()
        compare("fit with everything on", everything, bare, steps, arguments.pairs)


if __name__ == "__main__":
    main()
