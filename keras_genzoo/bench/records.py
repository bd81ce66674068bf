"""What a bench has measured of one run, in a JSON file beside the run folder."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.files import write_json
from keras_genzoo.reading import read_json


@dataclasses.dataclass
class Record:
    """What a bench has measured of one run.

    Args:
        trained: for each process that trained it: the step at which it began (``first``) and the
            last checkpoint (``last``), the ``steps`` that were timed and their ``seconds``, the
            peak ``memory`` in bytes, the ``machine`` and the ``versions`` of the packages.
        points: for each time it was scored: the ``step`` and the ``result`` of the evaluation.
        stopped: why training cannot go on, such as a collapse; None if it can.
        error: why the last process failed; None if it did not. It is tried again.
    """

    trained: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    points: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    stopped: str | None = None
    error: str | None = None

    @property
    def scored_steps(self) -> list[int]:
        """The steps at which it was scored."""
        return [point["step"] for point in self.points]

    @property
    def reason(self) -> str | None:
        """Why it has not ended well, None if nothing has gone wrong."""
        return self.stopped or self.error

    @property
    def ms_a_step(self) -> float | None:
        """Milliseconds that a step of training took; None if none was timed."""
        steps = sum(part["steps"] for part in self.trained)
        return 1000 * sum(part["seconds"] for part in self.trained) / steps if steps else None

    @property
    def memory(self) -> int | None:
        """Peak memory of training in bytes; None if it was not measured."""
        return max((part["memory"] for part in self.trained if part["memory"]), default=None)

    @property
    def places(self) -> list[tuple[str, str]]:
        """The machines on which it was trained, with the versions of the packages."""
        return [(part["machine"], part["versions"]) for part in self.trained]


def read_record(file: Path) -> Record:
    """Read a record; an empty one if there is no file.

    Raises:
        GenzooError: if the file is damaged.
    """
    if not file.exists():
        return Record()
    try:
        record = Record(**read_json(file))
        for part in record.trained:
            numbers = [part[name] for name in ("first", "last", "steps", "seconds")]
            texts = [part["machine"], part["versions"]]
            _check(numbers, int | float)
            _check(texts, str)
            _check([part["memory"]], int | None)
        for point in record.points:
            _check([point["step"]], int)
            _check([point["result"]["protocol"], point["result"]["scores"]], dict)
        _check([record.stopped, record.error], str | None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise GenzooError(f"{file} is damaged ({error}); remove it to measure anew") from error
    return record


def change_record(file: Path, change: Callable[[Record], None]) -> None:
    """Read a record, change it and write it, whole or not at all.

    Raises:
        GenzooError: if the file is damaged or cannot be written.
    """
    record = read_record(file)
    change(record)
    write_json(file, dataclasses.asdict(record))


def _check(values: list[Any], kind: Any) -> None:
    for value in values:
        if not isinstance(value, kind) or isinstance(value, bool):
            raise ValueError(f"{value!r:.20} has another type")
