"""Carries out a bench: a process for each run, one after the other; the results after each."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from keras_genzoo.bench.budget import within_budget
from keras_genzoo.bench.checking import check_entries
from keras_genzoo.bench.entries import Entry, Request, requested_entries
from keras_genzoo.bench.figure import draw_bench
from keras_genzoo.bench.plan import FILE, Plan
from keras_genzoo.bench.records import change_record, read_record
from keras_genzoo.bench.summary import Summary, summarize
from keras_genzoo.bench.table import write_tables
from keras_genzoo.bench.working import timing_work, training_work
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import next_free, writing_folder
from keras_genzoo.reading import read_json
from keras_genzoo.text import shown
from keras_genzoo.training.run import locked
from keras_genzoo.training.settings import Settings
from keras_genzoo.training.signals import STOP_SIGNALS, stop_signals_handled

Echo = Callable[[str], None]
# A process for a run imports from the same places as this one.
_COMMAND = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); "
    "from keras_genzoo.cli.main import main; main()"
)


@dataclasses.dataclass(frozen=True)
class BenchOutcome:
    """How a bench ended.

    Args:
        plan: the plan.
        summary: what was measured.
        signal: the number of the signal that stopped it, if any.
    """

    plan: Plan
    summary: Summary
    signal: int | None = None

    @property
    def failed(self) -> list[str]:
        """Runs that failed for a reason that may pass, each with the reason; resuming tries them.

        A run that collapsed is none of them: it would collapse again.
        """
        return [f"{one.name}: {one.error}" for one in self.summary.runs if one.error]


def new_bench(
    request: Request,
    out: str | os.PathLike | None = None,
    *,
    imports: Sequence[str] = (),
    echo: Echo = lambda line: None,
) -> BenchOutcome:
    """Train, score and compare recipes; write a new folder.

    The folder has the plan and all numbers in ``bench.json``, a table in ``bench.md``, the numbers
    of each run in ``bench.csv``, a figure in ``bench.png`` and ``bench.svg``, and the run folders
    in ``runs``. Scores in CSV and JSON are as ``evaluation.json`` has them; the table says what it
    multiplies them by. A run whose training cannot go on is a row that says so.

    Args:
        request: what is compared.
        out: the folder; by default ``bench``, or the next free one of ``bench-2``, ...
        imports: modules with components of a person's own, which every process imports.
        echo: called with lines of progress.

    Raises:
        GenzooError: if the request cannot be met, or the folder exists; nothing is written then.
    """
    out = next_free(Path("bench")) if out is None else Path(out)
    _check_free(out)
    entries = requested_entries(request)
    checked = check_entries(entries, request.options, echo)
    with _Processes(imports) as processes:
        budget = within_budget(
            request, checked.entries, lambda settings: _time_step(settings, processes, echo)
        )
    plan = Plan(
        out,
        budget.entries,
        list(request.seeds),
        checked.options,
        request.points,
        budget.images,
        budget.minutes,
        [*budget.notes, *checked.notes],
    )
    with writing_folder(out) as fresh:
        (fresh / "runs").mkdir()
        dataclasses.replace(plan, path=fresh).write()
    echo(f"bench folder: {shown(out)}")
    for note in plan.notes:
        echo(shown(note))
    return resume_bench(out, imports=imports, echo=echo)


def resume_bench(
    path: str | os.PathLike,
    *,
    imports: Sequence[str] = (),
    echo: Echo = lambda line: None,
) -> BenchOutcome:
    """Go on with the bench in a folder: nothing that is trained or scored is so again.

    Args:
        path: the folder.
        imports: modules with components of a person's own, which every process imports.
        echo: called with lines of progress.

    Raises:
        GenzooError: if it is no bench, a file in it is damaged, or it cannot be written.
    """
    plan = Plan.read(Path(path))
    runs = plan.runs()
    with locked(plan.path), _Processes(imports) as processes:
        summary = _write_results(plan)
        left = [run for run in runs if plan.next_step(*run) is not None]
        if not left:
            echo(f"{shown(plan.path)} is finished: all {len(runs)} runs have ended")
        elif len(left) < len(runs):
            echo(f"{len(runs) - len(left)} of {len(runs)} runs have ended already")
        for entry, seed in left:
            _carry_out(plan, entry, seed, processes, echo)
            summary = _write_results(plan)
            if processes.signal is not None:
                break
    return BenchOutcome(plan, summary, processes.signal)


def _carry_out(plan: Plan, entry: Entry, seed: int, processes: "_Processes", echo: Echo) -> None:
    """Train and score a run to its end, or until it fails or a signal comes."""
    runs, file = plan.runs(), plan.record_file(entry, seed)
    which = f"run {runs.index((entry, seed)) + 1} of {len(runs)}: {entry.name}, seed {seed}"
    while (step := plan.next_step(entry, seed)) is not None:
        echo(shown(f"{which}, to step {step:,} of {entry.settings.steps:,}"))
        work = training_work(plan, entry, seed, step)
        code = processes.run(["bench", "--work", work], echo)
        if processes.signal is not None:
            return
        if code:
            reason = _reason(file, code)
            echo(shown(f"{entry.name}, seed {seed}: {reason}"))
            return


def _reason(file: Path, code: int) -> str:
    """Return why the process of a run has failed; note it in the record if that has no reason."""
    if (reason := read_record(file).reason) is not None:
        return reason
    reason = _ended(code)
    change_record(file, lambda record: setattr(record, "error", reason))
    return reason


def _ended(code: int) -> str:
    if code == -signal.SIGKILL:
        return "its process was killed, as the system does when the memory is exhausted"
    return f"its process ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"


def _write_results(plan: Plan) -> Summary:
    """Write the table, the numbers and the figure of what is measured so far.

    Raises:
        GenzooError: if the runs were scored by different protocols, or a file cannot be written.
    """
    summary = summarize(plan)
    plan.write(summary.numbers())
    write_tables(plan, summary)
    draw_bench(plan, summary)
    return summary


def _time_step(settings: Settings, processes: "_Processes", echo: Echo) -> float:
    """Return the milliseconds that a step takes, measured in a process of its own.

    Raises:
        GenzooError: if it cannot be measured.
        KeyboardInterrupt: at a signal.
    """
    echo(f"measuring how long a step of {settings.model} takes")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "time.json"
        code = processes.run(["bench", "--work", timing_work(settings, out)], echo)
        if processes.signal is not None:
            raise KeyboardInterrupt
        measured: dict[str, Any] = read_json(out) if out.exists() else {"error": _ended(code)}
    if "error" in measured:
        raise GenzooError(f"a step of {settings.model} cannot be timed: {measured['error']}")
    return measured["ms"]


def _check_free(out: Path) -> None:
    """Check that a new bench may be written to a folder.

    Raises:
        GenzooError: if something is there.
    """
    if (out / FILE).exists():
        raise GenzooError(
            f"{out} holds another bench; go on with that by genzoo bench --resume {out}, or choose "
            "another --out"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise GenzooError(f"{out} exists; choose another --out")


class _Processes:
    """Runs commands one after the other, and passes Ctrl-C and other signals on to them.

    Use it as a context manager.

    Args:
        imports: modules that each command imports first.

    Attributes:
        signal: the number of the signal that stopped a command, if any.
    """

    def __init__(self, imports: Sequence[str]):
        self.imports = [word for module in imports for word in ("--import", module)]
        self.signal: int | None = None
        self._process: subprocess.Popen | None = None
        self._handled = stop_signals_handled(self._receive)

    def __enter__(self) -> "_Processes":
        self._handled.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._handled.__exit__(*error)

    def _receive(self, number: int, frame: object) -> None:
        self.signal = number
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def run(self, arguments: Sequence[str], echo: Echo) -> int:
        """Run a command of genzoo; return its exit code, negative for a signal that ended it."""
        if self.signal is not None:
            return 128 + self.signal
        command = [sys.executable, "-c", _COMMAND, json.dumps(sys.path), *self.imports, *arguments]
        # In a process group of its own Ctrl-C reaches it once, from here: the second time would
        # end it without saving.
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            errors="backslashreplace",
            process_group=0,
        ) as process:
            self._process = process
            if self.signal is not None:
                self._receive(self.signal, None)
            assert process.stdout is not None  # A pipe was asked for.
            for line in process.stdout:
                echo(f"  {line.rstrip()}")
        self._process = None
        stopped_by = process.returncode - 128
        if self.signal is None and stopped_by in STOP_SIGNALS:
            self.signal = stopped_by
        return process.returncode
