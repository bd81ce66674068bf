"""Components of one's own, from a module outside of the package, through the command line."""

import subprocess
import sys

import pytest

MODULE = '''
import keras
from keras import ops
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, AdversarialLoss, Penalty
from keras_genzoo.networks import AUGMENTATIONS, Augmentation

known = keras.saving.register_keras_serializable("mine")


@known
def discriminator(real, fake):
    return ops.mean(ops.square(real - 1)) + ops.mean(ops.square(fake + 1))


@known
def generator(fake):
    return ops.mean(ops.square(fake))


@known
class Centred(Penalty):
    """Logits of real images around 0."""

    per_image = False

    def __init__(self, weight: float = 0.1):
        super().__init__(weight)

    def __call__(self, critic, real_images, fake_images, draw):
        return self.weight * ops.mean(ops.square(critic(real_images)))


@known
class Flip(Augmentation):
    def __call__(self, images, draw):
        flipped = draw.uniform(ops.shape(images)[0], (1, 1, 1)) < 0.5
        return ops.where(flipped, ops.flip(images, axis=2), images)


ADVERSARIAL_LOSSES.register("symmetric", AdversarialLoss(discriminator, generator))
PENALTIES.register("centred", Centred)
AUGMENTATIONS.register("flip", Flip)
'''
FIT = (
    "fit dcgan --image-size 8 --generator-filters 4 --discriminator-filters 4 --latent-dim 4 "
    "--steps 4 --checkpoint-every 2 --batch-size 8 --loss symmetric --penalty centred "
    "--penalty-weight 0.2 --augmentation flip --out run"
)


@pytest.fixture
def genzoo(tmp_path):
    """Run the command in a process of its own, beside the module."""
    (tmp_path / "mine.py").write_text(MODULE)

    def run(line):
        return subprocess.run(
            [sys.executable, "-m", "keras_genzoo", *line.split()],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip

    return run


def test_own_components_are_named_in_the_help_and_checked(genzoo):
    output = " ".join(genzoo("--import mine fit dcgan --help").stdout.split())
    for name in ("symmetric", "centred", "flip"):
        assert name in output
    ended = genzoo("fit gan --loss symmetric")
    assert ended.returncode == 2
    assert "unknown loss 'symmetric'" in ended.stderr


@pytest.mark.slow
def test_own_components_train_resume_and_are_used(genzoo, tmp_path):
    assert (ended := genzoo(f"--import mine {FIT}")).returncode == 0, ended.stderr
    assert "penalty" in (tmp_path / "run" / "history.csv").read_text()
    ended = genzoo("--import mine fit --resume run --steps 6")
    assert ended.returncode == 0, ended.stderr
    assert genzoo("--import mine sample run").returncode == 0
    # Nothing that a run names is imported unless it is asked for.
    ended = genzoo("fit --resume run --steps 8")
    assert ended.returncode == 2
    assert "unknown loss 'symmetric'" in ended.stderr
    assert "--import" in ended.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("from keras_genzoo.losses import PENALTIES\nPENALTIES.register('r1', 1)",
         "penalty 'r1' is registered already"),
        (None, "No module named 'broken'"),
    ],
)  # fmt: skip
def test_a_module_that_fails_is_one_line(genzoo, tmp_path, text, words):
    if text:
        (tmp_path / "broken.py").write_text(text)
    ended = genzoo("--import broken list")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
