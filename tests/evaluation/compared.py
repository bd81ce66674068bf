"""Runs of tiny models that were never trained, with a history and scores as a test needs them."""

import functools
import shutil

from keras_genzoo.evaluation import write_result
from keras_genzoo.training import Run, settings_for
from keras_genzoo.training.build import build_model
from keras_genzoo.training.variables import weights_digest

STEP = 20
SMALL = {
    "ae": {"hidden_units": [4], "latent_dim": 2},
    "vae": {"hidden_units": [4], "latent_dim": 2},
    "cvae": {"hidden_units": [4], "latent_dim": 2},
    "gan": {"generator_units": [4], "discriminator_units": [4], "latent_dim": 3},
}
DATA = {
    "image_shape": [8, 8, 1],
    "num_images": 1500,
    "num_classes": 10,
    "class_names": [str(number) for number in range(10)],
    "fingerprint": "ab" * 32,
}
MEASURED_WITH = {
    "real": "digits, split test",
    "num_real": 20,
    "num_fake": 20,
    "image_shape": [8, 8, 1],
    "seed": 0,
    "real_images_are": "held out, not trained on",
    "features": {"name": "pixels", "checksum": "12ab", "resize": "none"},
}
PROTOCOL = {"steps": STEP, **MEASURED_WITH}


class Runs:
    """A folder of runs; a model of the same settings is built once for all of ``templates``."""

    def __init__(self, folder, templates):
        self.folder, self.templates = folder, templates

    def make(self, name, model="gan", data=None, **settings):
        """Write a finished run, without scores."""
        settings = settings_for(model, steps=STEP, image_size=8, **{**SMALL[model], **settings})
        data = DATA | (data or {})
        run = Run.create(settings, data, self.folder / name)
        shutil.copy(build(settings, self.templates)[0], run.model_file)
        column = "loss" if model.endswith("ae") else "generator_loss"
        run.write_history([{"step": 10, column: 2.0}, {"step": STEP, column: 1.5}])
        return run.path

    def score(self, path, scores, protocol=None, *, digest=None, **parts):
        """Give a run scores of its weights."""
        digest = digest or self.digest(path)
        whole = PROTOCOL | {"weights_digest": digest} | (protocol or {})
        result = {"protocol": whole, "scores": scores, "warnings": []} | parts
        write_result(result, path / "evaluation.json")
        return result

    def digest(self, path):
        return build(Run.open(path).settings, self.templates)[1]


@functools.cache
def build(settings, templates):
    """Return the file of an untrained model, as of the last step, and the digest of its weights."""
    model = build_model(settings, (8, 8, 1), 10)
    model.step.assign(STEP)
    file = templates / f"{len(list(templates.iterdir()))}.keras"
    model.save(file)
    return file, weights_digest(model)
