"""One piece of work of a bench, in a process of its own: train a run to a step, and score it.

A process of its own begins with a clean state, and its memory is that of one run.
"""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from keras_genzoo.bench.entries import Entry
from keras_genzoo.bench.plan import Plan
from keras_genzoo.bench.records import change_record
from keras_genzoo.bench.timing import StepTimer, time_step
from keras_genzoo.errors import GenzooError, TrainingStoppedError
from keras_genzoo.evaluation import Options, update_results
from keras_genzoo.files import write_json
from keras_genzoo.training import Run, fit, resume
from keras_genzoo.training.declared import PACE, PLACE
from keras_genzoo.training.settings import Settings

Echo = Callable[[str], None]
# Why a work has ended, as the exit code of its process.
DONE, STOPPED, FAILED = 0, 1, 2


def do_work(work: str, echo: Echo = lambda line: None) -> int:
    """Do one piece of work, and return the exit code of this process.

    Args:
        work: as JSON, what ``training_work`` or ``timing_work`` gives.
        echo: called with lines of progress.

    Returns:
        0: it is done; 1: training cannot go on; 2: it has failed, for a reason that may pass. The
        reason is in the record of the run. 128 + number: a signal has stopped it.
    """
    asked = json.loads(work)
    if "time" in asked:
        return _time(Settings.from_dict(asked["time"]), Path(asked["out"]))
    plan = Plan.read(Path(asked["bench"]))
    entry, seed = plan.entries[asked["entry"]], asked["seed"]
    file = plan.record_file(entry, seed)

    def note(**reason: str | None) -> None:
        change_record(file, lambda record: record.__dict__.update(reason))

    note(error=None)
    try:
        return _train_and_score(plan, entry, seed, asked["step"], echo)
    except TrainingStoppedError as error:
        note(stopped=str(error))
        return STOPPED
    except GenzooError as error:
        note(error=str(error))
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def training_work(plan: Plan, entry: Entry, seed: int, step: int) -> str:
    """Return the work to train a run to a step and to score it there."""
    number = plan.entries.index(entry)
    return json.dumps({"bench": str(plan.path), "entry": number, "seed": seed, "step": step})


def timing_work(settings: Settings, out: Path) -> str:
    """Return the work to time a step of settings, and to write ``ms`` or ``error`` to a file."""
    return json.dumps({"time": settings.to_dict(), "out": str(out)})


def stop_without_parent() -> None:
    """Save and stop, as at SIGTERM, when the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _time(settings: Settings, out: Path) -> int:
    try:
        write_json(out, {"ms": time_step(settings)})
    except (GenzooError, TrainingStoppedError) as error:
        write_json(out, {"error": str(error)})
        return FAILED
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return DONE


def _train_and_score(plan: Plan, entry: Entry, seed: int, step: int, echo: Echo) -> int:
    """Train a run to a step, and score it.

    Raises:
        GenzooError: if either is impossible, or the run folder is another's.
        TrainingStoppedError: if training cannot go on.
    """
    path, record = plan.run_path(entry, seed), plan.record_file(entry, seed)
    settings = entry.settings.replace(seed=seed)
    timer = StepTimer(record)
    if path.exists():
        _check_own(Run.open(path), settings)
        outcome = resume(path, {"steps": step}, callbacks=[timer], echo=echo)
    else:
        outcome = fit(
            settings.replace(steps=step),
            path,
            # A plan that came from elsewhere chooses no place to write to.
            download=settings.data_dir is None,
            recipe=entry.recipe,
            callbacks=[timer],
            echo=echo,
        )
    if outcome.signal is not None:
        return 128 + outcome.signal
    options = plan.options
    asked = Options(entry.scores, options.features, options.count, options.split, seed=options.seed)
    result = update_results(path, asked, echo=echo)
    change_record(record, lambda one: one.points.append({"step": step, "result": result}))
    return DONE


def _check_own(run: Run, settings: Settings) -> None:
    """Check that a run folder is that of the entry: that no setting with an effect differs.

    Raises:
        GenzooError: if one does.
    """
    for name, value in settings.to_dict().items():
        free = settings.setting(name).role in (PLACE, PACE) or name == "dataset"
        there = run.settings.to_dict().get(name)
        if not free and there != value:
            raise GenzooError(
                f"{run.path} is not a run of this bench: {name} is {there}, not {value}; move it "
                "away, and it is trained anew"
            )
