"""The plan of a bench: what is trained and how it is scored; kept in ``bench.json``."""

import dataclasses
import datetime as dt
import re
from pathlib import Path
from typing import Any

from keras_genzoo.bench.entries import Entry
from keras_genzoo.bench.records import Record, read_record
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.options import Options
from keras_genzoo.files import write_json
from keras_genzoo.reading import read_json
from keras_genzoo.training.contents import MADE_BY
from keras_genzoo.training.settings import Settings

FILE = "bench.json"
# The parts of the options of an evaluation that a bench fixes; each entry has its own scores.
_OPTIONS = ("features", "count", "split", "seed")


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a bench trains, and how it is scored.

    Args:
        path: the folder of the bench.
        entries: the recipes that are compared.
        seeds: the random seeds that each is trained with.
        options: how the runs are scored, but for the names of the scores.
        points: how often each run is scored.
        images: images that each run sees; None for a budget of time.
        minutes: minutes that each run trains; None for a budget of images.
        notes: what a person should know of the plan, a sentence each.
        begun: when the bench began, as ISO 8601 in UTC.
    """

    path: Path
    entries: list[Entry]
    seeds: list[int]
    options: Options
    points: int = 1
    images: int | None = None
    minutes: float | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    begun: str = ""

    @property
    def budget(self) -> str:
        """The budget of each run, in words."""
        if self.minutes is not None:
            return f"{self.minutes:g} minutes of training"
        return f"{self.images:,} images seen"

    def runs(self) -> list[tuple[Entry, int]]:
        """Return every run as its entry and its seed, in the order in which they are trained.

        All entries come once before the second seed, so that an unfinished bench compares them.
        """
        return [(entry, seed) for seed in self.seeds for entry in self.entries]

    def run_path(self, entry: Entry, seed: int) -> Path:
        """Return the run folder of an entry and a seed."""
        return self.path / "runs" / entry.run_name(seed)

    def record_file(self, entry: Entry, seed: int) -> Path:
        """Return the file of what the bench has measured of a run."""
        return self.path / "runs" / f"{entry.run_name(seed)}.json"

    def record(self, entry: Entry, seed: int) -> Record:
        """Return what the bench has measured of a run.

        Raises:
            GenzooError: if the file is damaged.
        """
        return read_record(self.record_file(entry, seed))

    def next_step(self, entry: Entry, seed: int) -> int | None:
        """Return the step at which a run is scored next; None if it has ended.

        Raises:
            GenzooError: if the file of the record is damaged.
        """
        record = self.record(entry, seed)
        left = [s for s in entry.scored_steps(self.points) if s not in record.scored_steps]
        return None if record.stopped or not left else left[0]

    def write(self, results: dict[str, Any] | None = None) -> None:
        """Write ``bench.json``, whole or not at all.

        Args:
            results: what the table and the figure show, for programs.

        Raises:
            GenzooError: if the file cannot be written.
        """
        write_json(
            self.path / FILE,
            {
                "made_by": MADE_BY,
                "begun": self.begun or dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                "budget": {"images": self.images, "minutes": self.minutes},
                "seeds": self.seeds,
                "points": self.points,
                "options": {name: getattr(self.options, name) for name in _OPTIONS},
                "notes": self.notes,
                "entries": [
                    {
                        "name": entry.name,
                        "recipe": entry.recipe,
                        "settings": entry.settings.to_dict(),
                        "scores": list(entry.scores),
                        "parameters": entry.parameters,
                    }
                    for entry in self.entries
                ],
                "results": results or {},
            },
        )

    @classmethod
    def read(cls, path: Path) -> "Plan":
        """Read the plan of the bench in a folder.

        Raises:
            GenzooError: if the folder holds no bench, or its file is damaged.
        """
        file = path / FILE
        try:
            content = read_json(file)
        except OSError as error:
            raise GenzooError(
                f"{path} is not a bench: cannot read {file} ({error.strerror}); name a folder that "
                "'genzoo bench' wrote"
            ) from error
        except ValueError as error:
            raise GenzooError(f"{file} is damaged: {error}") from error
        try:
            plan = cls(
                path,
                [_entry(values) for values in content["entries"]],
                [int(seed) for seed in content["seeds"]],
                Options(**{name: content["options"][name] for name in _OPTIONS}),
                int(content["points"]),
                **content["budget"],
                notes=[str(note) for note in content["notes"]],
                begun=str(content["begun"]),
            )
            if not plan.entries or not plan.seeds or plan.points < 1:
                raise ValueError("it plans nothing")
            _ = plan.budget
        except GenzooError as error:
            raise GenzooError(f"{file}: {error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise GenzooError(f"{file} is not the plan of a bench, or damaged: {error}") from error
        return plan


def _entry(values: dict[str, Any]) -> Entry:
    entry = Entry(
        str(values["name"]),
        values["recipe"],
        Settings.from_dict(values["settings"]),
        tuple(map(str, values["scores"])),
        int(values["parameters"]),
    )
    # The name of a folder is made from it.
    if not re.match(r"[A-Za-z0-9_]", entry.name):
        raise ValueError(f"'{entry.name}' is not the name of a recipe")
    return entry
