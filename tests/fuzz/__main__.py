"""Run mangled inputs through the commands, each in a process of its own under a memory limit.

A case is decided by its seed and number alone: ``--only NUMBER`` repeats one and shows what it
printed. Whatever is read: the exit code is 0, or 2 with one line (1 where training stopped), there
is no traceback, and nothing outside the case's folder changes.
"""

import argparse
import contextlib
import gc
import hashlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import numpy as np

# The address space that a case may take beyond what TensorFlow's libraries reserve by being loaded.
MEMORY = 4 * 2**30
# Of computing, and of waiting for a machine on which others work.
SECONDS, PATIENCE = 60, 400


def main() -> None:
    """Parse the arguments, run the cases, print the counts; exit with 1 if there are faults."""
    parser = argparse.ArgumentParser("python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    parser.add_argument("--only", type=int, help="repeat one case")
    parser.add_argument("--kind", help="cases of one kind only")
    options = parser.parse_args()
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "COLUMNS": "80"}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        work = Path(name).resolve()
        os.environ |= {"GENZOO_CACHE": str(work / "cache"), "HOME": str(work / "home")}
        faults = Cases(work, options).run()
    sys.exit(1 if faults else 0)


class Cases:
    """The cases: a folder ``sound`` of what is copied, ``outside`` that stays as it is."""

    def __init__(self, work: Path, options: argparse.Namespace):
        from tests.fuzz.inputs import make_inputs, make_records

        self.sound, self.outside, self.case = work / "sound", work / "outside", work / "case"
        self.log, self.options = work / "log", options
        for folder in (self.sound, self.outside / "deep", work / "home"):
            folder.mkdir(parents=True)
        _preload()
        (self.outside / "secret.txt").write_text("nobody's business\n")
        (self.outside / "deep/step-00000001.npz").write_bytes(b"not a checkpoint of the run")
        (self.outside / "deep/.tmp-old").write_bytes(b"another's")
        self.files = make_inputs(self.sound, self._sound_command)
        (self.sound / "records").mkdir()
        pid = os.fork()
        if not pid:
            # TensorFlow's threads would not outlive a fork: they begin in children only.
            make_records(self.sound / "records")
            os._exit(0)
        os.waitpid(pid, 0)
        records = self.sound / "records"
        self.files["records"] = sorted(
            f"records/{path.relative_to(records)}" for path in records.rglob("*") if path.is_file()
        )
        self.limit = _address_space() + MEMORY

    def run(self) -> int:
        """Run all cases; return the number of faults."""
        from tests.fuzz.commands import SHARES

        kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
        done, ended, faults = Counter(), Counter(), self._check_sound()
        begun, before = time.monotonic(), self._hashes()
        only = self.options.only
        for number in range(self.options.count) if only is None else (only,):
            random = np.random.default_rng([self.options.seed, number])
            kind = kinds[int(random.integers(len(kinds)))]
            if self.options.kind not in (None, kind):
                continue
            words, code, problem = self._one(kind, random)
            if (after := self._hashes()) != before:
                problem, before = f"changed outside: {sorted(after ^ before)}", after
            done[kind] += 1
            ended[kind, code] += 1
            if problem:
                faults += 1
                print(f"FAULT {number} {kind}: {words}: {problem}", flush=True)
            if only is not None:
                print(f"{kind}: {words}: exit code {code}\n{self.log.read_text(errors='replace')}")
            if sum(done.values()) % 100 == 0:
                took = time.monotonic() - begun
                print(f"{sum(done.values())} cases, {faults} faults, {took:.0f} s", flush=True)
            if time.monotonic() - begun > self.options.seconds:
                break
        for kind in done:
            codes = {code: count for (of, code), count in sorted(ended.items()) if of == kind}
            print(f"{kind:12} {done[kind]:6} cases, by exit code: {codes}")
        took = time.monotonic() - begun
        print(f"{sum(done.values())} cases, {faults} faults, {took:.0f} s")
        return faults

    def _check_sound(self) -> int:
        """Run the first command of each kind on what is not mangled; return how many fail."""
        from tests.fuzz.commands import COMMANDS

        faults = 0
        for kind, commands in COMMANDS.items():
            _, command = commands[0]
            self._copy(kind)
            if code := self._in_child(command):
                faults += 1
                print(f"FAULT of a sound {kind}: {command.words}: exit code {code}")
                print(self.log.read_text(errors="replace"), flush=True)
        return faults

    def _copy(self, kind: str) -> None:
        from tests.fuzz.commands import RECORDS

        shutil.rmtree(self.case, ignore_errors=True)
        self.case.mkdir()
        source = self.sound / (kind if (self.sound / kind).is_dir() else "run")
        place = self.case / RECORDS if kind == RECORDS else self.case
        shutil.copytree(source, place, dirs_exist_ok=True)

    def _one(self, kind: str, random: np.random.Generator) -> tuple[str, int, str | None]:
        """Make a case and run it; return it in words, its exit code, and what is wrong."""
        from tests.fuzz.commands import choose
        from tests.fuzz.mangling import mangle

        self._copy(kind)
        files = self.files[kind]
        file = files[int(random.integers(len(files)))]
        words = f"{file} ({mangle(self.case / file, self.case, self.outside, random)})"
        if kind == "checkpoint":
            (self.case / "run/model.keras").unlink()
        command = choose(kind, random)
        code = self._in_child(command)
        text = self.log.read_text(errors="replace")
        return f"{words}, {command.words}", code, _problem(code, text)

    def _in_child(self, command) -> int:
        """Run a command in a fork of this process; return its exit code, negative for a signal."""
        pid = os.fork()
        if not pid:
            self._child(command)
        end = time.monotonic() + PATIENCE
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return -signal.SIGALRM
            time.sleep(0.005)

    def _child(self, command) -> None:
        code = 70
        try:
            os.chdir(self.case)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            resource.setrlimit(resource.RLIMIT_AS, (self.limit, self.limit))
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(log, 2)
            command()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _sound_command(self, words: list[str], folder: Path) -> None:
        """Run a command that makes a sound input.

        Raises:
            RuntimeError: if it fails.
        """
        from tests.fuzz.commands import arguments

        self.case, self.limit = folder, resource.RLIM_INFINITY
        if self._in_child(arguments(" ".join(words))):
            raise RuntimeError(self.log.read_text())
        self.case = self.sound.parent / "case"

    def _hashes(self) -> set[tuple[str, str]]:
        """Return the files of what must not change, each with the hash of its content."""
        found = set()
        for folder in (self.outside, self.sound):
            for path in sorted(folder.rglob("*")):
                kind = "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
                found.add((str(path), f"{kind} {path.stat().st_mode}"))
        return found


def _problem(code: int, errors: str) -> str | None:
    """Say what is wrong with how a command ended, None if nothing is."""
    lines = errors.splitlines()
    last = " | ".join(lines[-4:])[-900:]
    if "Traceback" in errors:
        return f"traceback, exit code {code}: {last}"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}: {last}"
    if code == 0:
        return None
    if code not in (1, 2):
        return f"exit code {code}: {last}"
    if len(lines) != 1 or not lines[0].startswith("Error: "):
        return f"{len(lines)} lines instead of one: {last}"
    return None


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _preload() -> None:
    """Import once what every child would import."""
    from keras_genzoo.cli.tensorflow import start_tensorflow

    start_tensorflow()
    import keras_genzoo.cli.main
    import keras_genzoo.data.checking
    import keras_genzoo.data.idx
    import keras_genzoo.data.parquet
    import keras_genzoo.training.checkpoints
    import keras_genzoo.training.train
    import keras_genzoo.visualization.report  # noqa: F401
    from keras_genzoo.cli.main import COMMANDS, cli
    from keras_genzoo.data.kinds import formats

    formats()
    for name in COMMANDS:
        cli.get_command(None, name)
    import tensorflow_datasets  # noqa: F401

    # What is there now is not looked at again, so that children share its memory.
    gc.freeze()


if __name__ == "__main__":
    main()
