"""Kill runs with -9 at random moments, resume them, and compare with an uninterrupted one.

    python -m tests.training.kill --tries 10 --model gan -- --steps 300 --checkpoint-every 20

What follows ``--`` goes to ``genzoo fit``. Exits with 1 if anything differs in a single bit.
"""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np

from keras_genzoo.cli.main import main as command
from keras_genzoo.training import Run
from keras_genzoo.training.run import checkpoint_step, list_checkpoints

SMALL = {
    "ae": "--hidden-units 16 --latent-dim 2",
    "vae": "--hidden-units 16 --latent-dim 2 --binarize dynamic",
    "gan": "--generator-units 16,32 --discriminator-units 16 --latent-dim 4 --loss minimax"
    " --ema-decay 0.9",
    **dict.fromkeys(
        ("dcgan", "cgan", "acgan", "lsgan", "wgan_gp", "sngan"),
        "--generator-filters 8 --discriminator-filters 4 --latent-dim 4 --image-size 16"
        " --ema-decay 0.9",
    ),
    "r3gan": "--stage-filters 8,4 --group-filters 4 --latent-dim 4 --image-size 16",
}
TOO_LATE = "too late"
COMMON = "--batch-size 16 --steps 300 --checkpoint-every 20 --sample-every 60"


def genzoo(*arguments: str, **options) -> subprocess.Popen:
    """Start the command."""
    command = [sys.executable, "-m", "keras_genzoo.cli.main", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **(pipes | options))


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Return exit code, output and errors of a command when it has ended."""
    output, errors = process.communicate()
    return process.returncode, output, errors


def run_here(*arguments) -> None:
    """Run the command to its good end in this process, which spares the start of another."""
    try:
        command([str(argument) for argument in arguments])
    except SystemExit as end:
        if end.code:
            raise


def wait_for(step: int, run: Path, process: subprocess.Popen) -> None:
    """Wait until ``run`` has the checkpoint of a step or a later one, or the process has ended."""
    while process.poll() is None:
        if any(checkpoint_step(path) >= step for path in list_checkpoints(run / "checkpoints")):
            return
        time.sleep(0.002)


def arrays_of(run: Path) -> dict[str, np.ndarray]:
    """Return every number of the last checkpoint and of the finished model."""
    last = list_checkpoints(run / "checkpoints")[-1]
    with np.load(last) as archive:
        arrays = {f"{last.name}:{name}": archive[name] for name in archive.files}
    with (
        zipfile.ZipFile(run / "model.keras") as archive,
        archive.open("model.weights.h5") as raw,
        h5py.File(raw) as weights,
    ):

        def keep(name, item):
            if isinstance(item, h5py.Dataset):
                arrays[f"model:{name}"] = item[()]

        weights.visititems(keep)
    return arrays


def differences(run: Path, other: Path) -> list[str]:
    """Return what of two finished runs is not the same, bit by bit."""
    one, two = arrays_of(run), arrays_of(other)
    found = sorted(one.keys() ^ two.keys())
    found += [
        name for name in one.keys() & two.keys() if one[name].tobytes() != two[name].tobytes()
    ]
    names = [run / "history.csv", *(run / "samples").glob("*.png")]
    for path in names:
        same = other / path.relative_to(run)
        if not same.exists() or path.read_bytes() != same.read_bytes():
            found.append(str(path.relative_to(run)))
    found += [str(path) for path in other.rglob(".tmp-*")]
    return found


def kill_somewhere(
    process: subprocess.Popen, run: Path, steps: list[int], chance
) -> tuple[str, int]:
    """Kill a run; return the moment in words, and its last checkpoint.

    Half of the moments lie anywhere, and half in the writing of a checkpoint.
    """
    wait_for(chance.choice(steps), run, process)
    in_writing = chance.random() < 0.5
    if not in_writing:
        time.sleep(chance.uniform(0, 0.1))
    while in_writing and process.poll() is None:
        if next((run / "checkpoints").glob(".tmp-*"), None):
            break
    process.send_signal(signal.SIGKILL)
    code, _, _ = finish(process)
    last = max(map(checkpoint_step, list_checkpoints(run / "checkpoints")), default=0)
    half = any(run.rglob(".tmp-*"))
    where = f"after {last}" + (", a file half-written" if half else "")
    return (where if code == -signal.SIGKILL else TOO_LATE), last


def try_once(number: int, whole: Path, folder: Path, arguments: list[str], chance):
    """Kill a run once or twice, resume it to the end; return a row of the table."""
    run = folder / f"try-{number}"
    steps = [row["step"] for row in Run.open(whole).read_history()]
    moments, resumed = [], []
    process = genzoo("fit", *arguments, "--out", run)
    last = 0
    for _ in range(chance.choice([1, 1, 2])):
        if steps_left := [step for step in steps[:-1] if step > last]:
            moment, last = kill_somewhere(process, run, steps_left, chance)
            moments.append(moment)
            process = genzoo("fit", "--resume", run)
    code, output, errors = finish(process)
    if code:
        return moments, resumed, [f"exit {code}: {errors}"]
    resumed = [line.split()[-1] for line in output.splitlines() if line.startswith("resuming")]
    found = differences(whole, run)
    shutil.rmtree(run)
    return moments, resumed, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--model", choices=SMALL, default="gan")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("fit", nargs="*", help="more arguments for genzoo fit, after --")
    options = parser.parse_args()
    arguments = [options.model, *COMMON.split(), *SMALL[options.model].split(), *options.fit]
    chance = random.Random(options.seed)
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = folder / "whole"
        code, _, errors = finish(genzoo("fit", *arguments, "--out", whole))
        if code:
            sys.exit(errors)
        count = len(arrays_of(whole))
        print(f"genzoo fit {' '.join(arguments)}\n{count} arrays\n")
        print(f"{'try':>3}  {'killed':<62}  {'last resumed at':>15}  result")
        number = 1
        while number <= options.tries:
            moments, resumed, found = try_once(number, whole, folder, arguments, chance)
            if TOO_LATE in moments and not found:
                continue
            failures += bool(found)
            result = f"differs: {found}" if found else "identical"
            print(
                f"{number:>3}  {'; '.join(moments):<62}  {' '.join(resumed):>15}  {result}",
                flush=True,
            )
            number += 1
    print(f"\n{options.tries - failures} of {options.tries} identical")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
