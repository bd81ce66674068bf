import pytest

from keras_genzoo.bench import Entry, Plan
from keras_genzoo.evaluation import Options
from keras_genzoo.training import settings_for

# A bench of seconds: two GANs of a few weights, scored by their pixels.
TINY = {
    "image_size": 8,
    "generator_units": [16],
    "discriminator_units": [16],
    "latent_dim": 4,
    "batch_size": 16,
    "checkpoint_every": 10,
    "sample_every": 10000,
}
SCORED = {"features": "pixels", "count": 20}
FLAGS = [f"{k}={v[0] if isinstance(v, list) else v}" for k, v in TINY.items()]
TINY_FLAGS = ["--features", "pixels", "-n", "20"]
TINY_FLAGS += [word for flag in FLAGS for word in ("--set", flag)]


@pytest.fixture
def plan(tmp_path):
    """A plan of two tiny entries and three seeds, of 20 steps, in a folder of its own."""
    folder = tmp_path / "bench"
    (folder / "runs").mkdir(parents=True)
    entries = [
        Entry(name, "gan-digits", settings_for("gan", steps=20, loss=loss, **TINY), ("fid", "kid"))
        for name, loss in (("gan-digits", "non_saturating"), ("gan-digits loss=hinge", "hinge"))
    ]
    made = Plan(folder, entries, [0, 1, 2], Options(**SCORED), images=320, begun="2026-01-01")
    made.write()
    return made
