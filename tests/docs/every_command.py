"""Runs every command of the README and the guide in one empty folder.

    python -m tests.docs.every_command FOLDER

As printed, but for three things: trainings are cut to a few steps and benches to a few images;
words such as RUN stand for what the folder has; what needs other machines must be refused. The
data sets mnist and celeb_a must be prepared, as tensorflow-datasets does that.
The log of each command lies in FOLDER/logs. Exits with 1 if a command does not end as it should.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import click
import numpy as np

from keras_genzoo import images
from keras_genzoo.data import open_source
from keras_genzoo.errors import GenzooError
from tests.docs.printed import ROOT, commands, resolved
from tests.docs.test_pages import PAGES, name

# The command, with short recipes.
SHORT = """
import sys
from keras_genzoo.evaluation import classifier
from keras_genzoo.training import RECIPES
from keras_genzoo.cli.main import main
classifier.MAX_EPOCHS = 1
for recipe in map(RECIPES.__getitem__, RECIPES):
    for name in {"steps", "prior_steps"} & recipe.keys():
        recipe[name] = 40
main()
"""
STANDS_FOR = {
    r"\bRUN\|PRESET\b": "vae_mnist",
    r"\bRUN\.\.\.": "runs/dcgan-digits-1 runs/cgan-digits-1",
    r"\bRUN(?= --scores likelihood)": "runs/vae-mnist-1",
    r"\bRUN --dataset NEW": "runs/dcgan-photos-1 --dataset moved",
    r"\bRUN\b": "runs/dcgan-digits-1",
    r"\bPRESET\b": "dcgan_digits",
    r"\bPATH\b": "photos",
    r"--real DIR --fake DIR": "--real photos --fake moved",
    r"--steps \d+": "--steps 40",
    r"--images \d+(?= |$)": "--images 2000",
}
# What this machine need not have, and what is said then, with exit code 2. None is not run: what
# takes long or fetches much, and what only shows how commands look.
REFUSED = {
    "--devices GPU:0,GPU:1": "unknown device 'GPU:0'",
    "--strategy multi_worker": "TF_CONFIG",
    "--stability": None,
    "--features inception": None,
    "bench --seeds 0,1,2": None,
    " ...": None,
    "MODEL": None,
    "MODULE": None,
}
# What the pages take for granted.
FIRST = """
genzoo fit ae --dataset mnist
genzoo fit vae --dataset mnist
genzoo fit vae --recipe vae-mnist-10d
genzoo fit dcgan --dataset mnist
genzoo fit cgan --dataset mnist
genzoo fit vqvae --dataset mnist
genzoo fit dcgan --dataset celeb_a
genzoo fit dcgan
genzoo fit cgan
genzoo fit vae
genzoo fit cvae
genzoo fit dcgan --dataset photos --image-size 16 --steps 40
genzoo fit vae --steps 40 --out stopped
genzoo export cgan_mnist
"""


def main() -> None:
    """Run them, print a line for each, and count those that did not end as they should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.absolute()
    (folder / "logs").mkdir(parents=True)
    prepare(folder)
    wrong = 0
    lines = [("what they need", line) for line in FIRST.strip().splitlines()]
    for page in PAGES:
        lines += [(name(page), line) for line in commands(page) if is_whole(line)]
    done: set[str] = set()
    for page, line in lines:
        asked = filled_in(line)
        if asked in done:
            continue
        done.add(asked)
        words = next((words for part, words in REFUSED.items() if part in line), "")
        if words is None:
            print(f"not run   {page}: {line}", flush=True)
            continue
        refused = any(part in line for part in REFUSED)
        log = folder / "logs" / f"{len(done):03}.txt"
        code, seconds = run(asked, folder, log)
        right = code == (2 if refused else 0) and words in log.read_text()
        wrong += not right
        how = "refused  " if refused and right else "ok       " if right else "WRONG    "
        print(f"{how} {seconds:4.0f} s  {page}: {line}", flush=True)
        if not right:
            print(f"          exit code {code}; {log.read_text()[-300:]}", flush=True)
    print(f"{len(done)} commands, {wrong} wrong")
    sys.exit(bool(wrong))


def prepare(folder: Path) -> None:
    """Write the images that the pages take for granted: a folder, the same moved, and an array."""
    source = open_source("digits")
    for place in ("photos", "moved", "path/to/images"):
        for number in range(500):
            image, label = source.read(number)
            file = folder / place / str(label) / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            images.save_png(file, image)
    train, labels = open_source("digits", image_size=28).sample(600)
    parts = {"train": slice(0, 500), "test": slice(500, 600)}
    arrays = {f"x_{part}": train[rows] for part, rows in parts.items()}
    arrays |= {f"y_{part}": labels[rows] for part, rows in parts.items()}
    np.savez(folder / "few.npz", **arrays)


def is_whole(line: str) -> bool:
    """Whether a line is a command to run, and not one that the text names without what it needs."""
    words = shlex.split(line)[1:]
    if not words or words[0].startswith("-") or "--help" in words:
        return True
    context, word, command, rest = resolved(words)
    try:
        command.make_context(word, list(rest), parent=context)
    except click.MissingParameter:
        return False
    except (click.ClickException, GenzooError):
        return True
    # Without arguments these want a run, a preset or another option.
    return bool(rest) or word in ("theory", "list", "presets")


def filled_in(line: str) -> str:
    """Return a command with what its placeholders stand for."""
    for words, what in STANDS_FOR.items():
        line = re.sub(words, what, line)
    return line


def run(line: str, folder: Path, log: Path) -> tuple[int, float]:
    """Run a command by a shell, as a person would, and return its exit code and seconds."""
    python = f"{shlex.quote(sys.executable)} -c {shlex.quote(SHORT)}"
    paths = os.pathsep.join([str(ROOT / "examples"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths, "BROWSER": "true"}
    start = time.monotonic()
    with log.open("w") as file:
        file.write(f"{line}\n")
        file.flush()
        finished = subprocess.run(
            ["bash", "-c", line.replace("genzoo", python, 1)],
            cwd=folder,
            env=environment,
            check=False,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    return finished.returncode, time.monotonic() - start


if __name__ == "__main__":
    main()
