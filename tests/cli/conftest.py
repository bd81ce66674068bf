import functools
import resource
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from keras_genzoo.cli.main import main

# A learning rate at which images differ after a few steps.
CONVOLUTIONAL = (
    "--generator-filters 4 --discriminator-filters 4 --latent-dim 4 --generator-learning-rate 0.05"
    " --ema-decay 0.5"
)
SMALL = {
    "ae": "--hidden-units 16 --latent-dim 2",
    "vae": "--hidden-units 16 --latent-dim 2",
    "gan": "--generator-units 16 --discriminator-units 16 --latent-dim 4",
    "dcgan": f"--conditioning none --image-size 16 {CONVOLUTIONAL}",
    "cgan": f"--image-size 16 {CONVOLUTIONAL}",
}
# Models with tests of their own, which what every model does is not run with again.
OWN = {
    "flow": "--image-size 8 --unet-filters 4,4 --conditioning embedding --solver-steps 2"
    " --learning-rate 0.01 --ema-decay 0.5",
    "cvae": "--image-size 8 --hidden-units 16 --latent-dim 2",
}
# The browser that pages are looked at in, and what keeps it from the network and a display.
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHORT = "--steps 6 --checkpoint-every 3 --batch-size 16"


def small(model, more=""):
    """The arguments of the shortest run of a model."""
    return f"fit {model} {(SMALL | OWN)[model]} {SHORT} {more}"


@pytest.fixture(scope="module", autouse=True)
def short_training_of_classifiers():
    """What is tested here is what commands make of scores, and not how good these are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keras_genzoo.evaluation.classifier.MAX_EPOCHS", 10)
        yield


@pytest.fixture
def genzoo(capsys, tmp_path, monkeypatch):
    """A function that runs the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(arguments, *more):
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main([*arguments.split(), *map(str, more)])
        output, errors = capsys.readouterr()
        return SimpleNamespace(code=stop.value.code or 0, output=output, errors=errors)

    return run


# Runs the command line for each argument until one fails.
_COMMANDS = """
import sys
from keras_genzoo.cli.main import main
for line in sys.argv[1:]:
    try:
        main(line.split())
    except SystemExit as ended:
        if ended.code:
            raise
"""


def run_commands(folder, *lines):
    """Run commands, one after the other until one fails, in one process in a folder."""
    command = [sys.executable, "-c", _COMMANDS, *lines]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def process(tmp_path):
    """A function that runs commands in a process of their own, in the empty folder."""
    return functools.partial(run_commands, tmp_path)


@pytest.fixture
def refused(genzoo):
    """A function that runs the command, which must end in one line and 2; returns the line."""

    def run(arguments, *more):
        ended = genzoo(arguments, *more)
        assert ended.code == 2, ended
        lines = ended.errors.splitlines()
        assert len(lines) == 1, ended.errors
        assert lines[0].startswith("Error: ")
        return lines[0]

    return run


@pytest.fixture(scope="session")
def trained_once(tmp_path_factory):
    """A function that gives the folder of a finished small run, which no test may change."""

    @functools.cache
    def get(model):
        out = tmp_path_factory.mktemp("trained") / model
        with pytest.raises(SystemExit) as stop:
            main([*small(model).split(), "--out", str(out)])
        assert not stop.value.code
        return out

    return get


@pytest.fixture(scope="module")
def trained(trained_once, tmp_path_factory):
    """A function that gives the folder of a finished small run, the same for a whole file."""

    @functools.cache
    def get(model):
        return shutil.copytree(trained_once(model), tmp_path_factory.mktemp("copied") / model)

    return get


@pytest.fixture
def copy(trained, tmp_path):
    """A function that copies a finished run into the empty folder."""

    def make(model, name="run"):
        return shutil.copytree(trained(model), tmp_path / name)

    return make


@pytest.fixture
def small_disk():
    """A function that makes the system refuse to let files grow beyond a size."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
