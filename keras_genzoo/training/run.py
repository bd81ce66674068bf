"""The run folder: where it lies, what it holds, how it is opened again.

Looking into a run imports neither NumPy nor TensorFlow; what checkpoints hold is in `checkpoints`.
"""

import contextlib
import csv
import dataclasses
import datetime as dt
import os
import platform
import re
import reprlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from keras_genzoo._version import __version__
from keras_genzoo.arguments import MOST
from keras_genzoo.data.registry import file_suffixes
from keras_genzoo.errors import GenzooError
from keras_genzoo.files import (
    FILE_PREFIX,
    flush,
    flush_tree,
    private_folder,
    unwritable,
    write_json,
    writing,
    writing_folder,
)
from keras_genzoo.reading import read_json, read_rows
from keras_genzoo.text import shown
from keras_genzoo.training.configuration import flat, nested
from keras_genzoo.training.contents import (
    DATA,
    MADE_BY,
    check_lock,
    check_no_links,
    check_only_own,
    is_run,
    is_temporary,
)
from keras_genzoo.training.declared import settings_of
from keras_genzoo.training.recipes import RECIPES
from keras_genzoo.training.settings import Settings

RUNS = Path("runs")

# More is damage, or made to fill memory.
MOST_PIXELS, MOST_CLASSES = 2**14, 2**20

_CHECKPOINT = re.compile(r"step-(\d{8})\.npz")
_PICTURE = re.compile(r"step-\d{8,}\.png")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run folder: ``config.json``, ``history.csv``, ``checkpoints/``, ``samples/``, a model.

    Args:
        path: the folder.
        settings: the resolved settings.
        data: what was learnt from the data, by the names in ``DATA``.
        versions: of the packages that the run began with.
        resolved: what the settings left to the data and to the machine that the run began on,
            such as ``jit_compile``; a resumed run keeps it, a repeated one resolves it anew.
        recipe: the name of the recipe that the settings started from, if any.
        begun: when the run began, as ISO 8601 in UTC; None of a run of a time before it was kept.
        held_out: the ``split`` and the number of images of the held-out losses in the history
            (``num_images``); None if there are none.
    """

    path: Path
    settings: Settings
    data: dict[str, Any]
    versions: dict[str, str]
    resolved: dict[str, Any] = dataclasses.field(default_factory=dict)
    recipe: str | None = None
    begun: str | None = None
    held_out: dict[str, Any] | None = None

    @classmethod
    def create(
        cls,
        settings: Settings,
        data: dict[str, Any],
        out: str | os.PathLike | None = None,
        force: bool = False,
        resolved: dict[str, Any] | None = None,
        *,
        recipe: str | None = None,
        held_out: dict[str, Any] | None = None,
    ) -> "Run":
        """Make a new run folder with its ``config.json``, whole or not at all.

        Args:
            settings: the resolved settings.
            data: what was learnt from the data.
            out: the folder; by default the next free ``runs/<recipe>-<n>``, without a recipe for
                the data set ``runs/<model>-<dataset>-<n>``.
            force: replace a run that is there already.
            resolved: what the settings leave to the data and the machine.
            recipe: the name of the recipe that the settings started from.
            held_out: of which images the held-out losses are.

        Raises:
            GenzooError: if the folder exists, or cannot be written.
        """
        out = Path(out) if out is not None else None
        check_free(out, force)
        begun = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        run = cls(out or RUNS, settings, data, versions(), resolved or {}, recipe, begun, held_out)
        if out is None:
            return dataclasses.replace(run, path=run._write_new())
        with contextlib.ExitStack() as until_placed, writing_folder(out, replace=force) as fresh:
            run._write_into(fresh)
            if out.is_dir() and any(out.iterdir()):
                until_placed.enter_context(locked(out))
                # Once more: a person may have put something there meanwhile.
                check_free(out, force)
        return run

    def _write_new(self) -> Path:
        """Write the new run into a folder of the next free name; return it."""
        try:
            RUNS.mkdir(parents=True, exist_ok=True)
            with private_folder(RUNS) as private:
                fresh = private / "new"
                fresh.mkdir()
                self._write_into(fresh)
                flush_tree(fresh)
                path = _next_free(fresh, self._folder_name())
                flush(RUNS)
        except OSError as error:
            raise unwritable(RUNS / "new", error) from error
        return path

    def _folder_name(self) -> str:
        """Return the name of a new folder: the recipe's if the data set is the recipe's, too."""
        if self.recipe in RECIPES and RECIPES[self.recipe]["dataset"] == self.settings.dataset:
            return self.recipe
        dataset = Path(self.settings.dataset)
        name = dataset.stem if dataset.suffix.lower() in file_suffixes() else dataset.name
        return f"{self.settings.model}-{re.sub(r'[^A-Za-z0-9_.-]', '_', name) or 'data'}"

    def _write_into(self, folder: Path) -> None:
        run = dataclasses.replace(self, path=folder)
        run.checkpoints.mkdir()
        run.samples.mkdir()
        run.write_config()

    @classmethod
    def open(cls, path: str | os.PathLike) -> "Run":
        """Open the run folder ``path``.

        Raises:
            GenzooError: if it is no run folder, its ``config.json`` is damaged, or part of it is a
                link: what a link points to is not the run's to read, write or delete.
        """
        path = Path(path)
        if path.exists() and not path.is_dir():
            raise GenzooError(f"{path} is not a run: it is a file; name the folder it lies in")
        if path.is_dir():
            check_no_links(path)
        config = read_config(path)
        data = config.get("data")
        if not isinstance(data, dict) or not set(DATA) <= set(data):
            raise GenzooError(f"{path / 'config.json'} is damaged: 'data' lacks what a run records")
        _check_data(data, path / "config.json")
        if names := data["class_names"]:
            data["class_names"] = [shown(str(name)) for name in names]
        settings, shape = config["settings"], data["image_shape"]
        # A run of a time when a palette of greys counted as colour: its images stay as they were.
        if "labels" not in settings and settings.get("channels") is None and shape:
            settings["channels"] = shape[-1]
        resolved = config.get("resolved", {})
        if not isinstance(resolved, dict) or not all(
            isinstance(value, int) for value in resolved.values()
        ):
            raise GenzooError(f"{path / 'config.json'} is damaged: 'resolved' holds no choices")
        facts = {name: config.get(name) for name in ("recipe", "begun", "held_out")}
        _check_facts(facts, path / "config.json")
        settings = Settings.from_dict(settings)
        return cls(path, settings, data, config.get("versions") or {}, resolved, **facts)

    def write_config(self) -> None:
        """Write ``config.json``, whole or not at all."""
        facts = {"recipe": self.recipe, "begun": self.begun, "held_out": self.held_out}
        config = {
            "made_by": MADE_BY,
            **{name: fact for name, fact in facts.items() if fact is not None},
            "settings": nested(self.settings),
            "resolved": self.resolved,
            "data": self.data,
            "versions": self.versions,
        }
        # Without it, a configuration is of a time when that stood among the settings.
        if not self.resolved and self.settings.jit_compile is not None:
            del config["resolved"]
        write_json(self.path / "config.json", config)

    @property
    def jit_compile(self) -> bool:
        """Whether XLA compiles its step, where that is possible."""
        return bool(self.resolved.get("jit_compile", self.settings.jit_compile))

    @property
    def decided(self) -> dict[str, Any]:
        """The settings that data and machine decide where none is given, as they are in this run.

        Of a run of a time before they were noted they follow from the shape of its images.
        """
        return resolved_by_data(self.data["image_shape"]) | {"jit_compile": self.jit_compile}

    @property
    def values(self) -> dict[str, Any]:
        """Every setting by name, with what was decided where none was given.

        One that has no value, such as ``binarize`` of a plain VAE, is left out.
        """
        values = self.settings.to_dict() | self.decided
        return {name: values[name] for name in settings_of(self.settings.model) if name in values}

    @property
    def subject(self) -> str:
        """The model, its data and the size of its latent space, in words.

        >>> Run(Path("run"), Settings("vae", "mnist", latent_dim=10), {}, {}).subject
        'vae on mnist, latent size 10'
        """
        settings = self.settings
        place = Path(settings.dataset)
        name = place.name if place.is_absolute() else settings.dataset
        sizes = settings.with_role("model")
        size = f", latent size {sizes['latent_dim']}" if "latent_dim" in sizes else ""
        return shown(f"{settings.model} on {name}{size}")

    @property
    def title(self) -> str:
        """What tells the run from others in a line.

        >>> Run(Path("run"), Settings("vae", "mnist", latent_dim=10), {}, {}).title
        'vae on mnist, latent size 10, 1,000 steps'
        """
        return f"{self.subject}, {self.settings.steps:,} steps"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """The folder of the sample grids."""
        return self.path / "samples"

    @property
    def model_file(self) -> Path:
        """The finished model."""
        return self.path / "model.keras"

    @property
    def class_names(self) -> list[str]:
        """The names of the classes by number: the numbers where the data have no names.

        They are text for any output: bytes of a folder's name that are not UTF-8 are escaped.
        """
        names = self.data["class_names"] or range(self.data["num_classes"] or 0)
        return [shown(str(name)) for name in names]

    def pictures(self) -> list[Path]:
        """Return the sample grids of the training, oldest first."""
        return sorted(p for p in self.samples.glob("step-*.png") if _PICTURE.fullmatch(p.name))

    def last_step(self) -> int | None:
        """Return the step of the last checkpoint, None if there is none."""
        return max(map(step_of, list_checkpoints(self.checkpoints)), default=None)

    def sweep(self) -> None:
        """Remove the half-written files that a killed process left."""
        for folder in (self.path, self.checkpoints, self.samples):
            for path in filter(is_temporary, folder.glob(".tmp-*")):
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
                # Another folder is another command's, such as figures, which may be at work.
                elif path.name.startswith(FILE_PREFIX):
                    shutil.rmtree(path, ignore_errors=True)

    def read_history(self, up_to: int | None = None) -> list[dict[str, float]]:
        """Return the rows of ``history.csv``, those of the first ``up_to`` steps if given.

        Raises:
            GenzooError: if the file is damaged.
        """
        path = self.path / "history.csv"
        if not path.exists():
            return []
        try:
            # A column that came later has no value in the first rows.
            rows = [{k: float(v) for k, v in row.items() if v != ""} for row in read_rows(path)]
            rows = [row | {"step": int(row["step"])} for row in rows]
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise GenzooError(f"{path} is damaged ({error}); remove it to go without") from error
        return [row for row in rows if up_to is None or row["step"] <= up_to]

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write ``history.csv``, whole or not at all."""
        with (
            writing(self.path / "history.csv") as temporary,
            temporary.open("w", newline="") as file,
        ):
            names = dict.fromkeys(name for row in rows for name in row)
            writer = csv.DictWriter(file, fieldnames=list(names) or ["step"])
            writer.writeheader()
            writer.writerows(rows)


def read_config(path: str | os.PathLike) -> dict[str, Any]:
    """Return what a ``config.json`` holds, given the file or the run folder.

    Raises:
        GenzooError: if there is none, or it is no configuration of a run.
    """
    path = Path(path)
    file = path / "config.json" if path.is_dir() else path
    try:
        config = read_json(file)
    except OSError as error:
        raise GenzooError(
            f"{path} is not a run: cannot read {file} ({error.strerror}); "
            "name a folder that 'genzoo fit' wrote"
        ) from error
    except ValueError as error:
        raise GenzooError(f"{file} is damaged: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("settings"), dict):
        raise GenzooError(f"{file} is not the configuration of a run: it has no 'settings'")
    try:
        settings = config["settings"] = flat(config["settings"])
    except GenzooError as error:
        raise GenzooError(f"{file}: {error}") from error
    # A run of a time before there was the choice, and when another had another name.
    if "resolved" not in config:
        settings.setdefault("jit_compile", False)
    if "precision" in settings:
        settings["mixed_precision"] = str(settings.pop("precision")).removeprefix("mixed_")
    return config


def _check_data(data: dict[str, Any], file: Path) -> None:
    """Check what a run has noted of its data, before anything is made by its numbers.

    Raises:
        GenzooError: if it is nothing that could have been noted.
    """

    def is_number(value: Any, most: int) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= most

    shape, names, count = data["image_shape"], data["class_names"], data["num_classes"]
    are_names = isinstance(names, list) and all(isinstance(name, str) for name in names)
    sound = {
        "image_shape": isinstance(shape, list)
        and len(shape) == 3
        and all(is_number(size, MOST_PIXELS) for size in shape),
        "num_images": is_number(data["num_images"], MOST),
        "num_classes": count is None or is_number(count, MOST_CLASSES),
        "class_names": names is None or (are_names and len(names) == count),
    }
    for name, is_sound in sound.items():
        if not is_sound:
            raise GenzooError(
                f"{file} is damaged: '{name}' of 'data' is {reprlib.repr(data[name])}"
            )


def _check_facts(facts: dict[str, Any], file: Path) -> None:
    """Check what a run has noted beside its settings.

    Raises:
        GenzooError: if it is nothing that could have been noted.
    """
    held_out = facts["held_out"]
    sound = {
        "recipe": isinstance(facts["recipe"], str | None),
        "begun": isinstance(facts["begun"], str | None),
        "held_out": held_out is None
        or (
            isinstance(held_out, dict)
            and isinstance(held_out.get("split"), str)
            and isinstance(held_out.get("num_images"), int)
            and held_out["num_images"] > 0
        ),
    }
    for name, is_sound in sound.items():
        if not is_sound:
            raise GenzooError(f"{file} is damaged: '{name}' is {reprlib.repr(facts[name])}")


def resolved_by_data(image_shape: Sequence[int]) -> dict[str, int]:
    """Return the settings that the shape of the images decides where none is given.

    >>> resolved_by_data([28, 28, 1]), resolved_by_data([20, 30, 3])
    ({'image_size': 28, 'channels': 1}, {'channels': 3})
    """
    height, width, channels = image_shape
    # One number is the side of a square.
    return ({"image_size": height} if height == width else {}) | {"channels": channels}


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first."""
    return sorted(p for p in folder.glob("step-*.npz") if _CHECKPOINT.fullmatch(p.name))


def step_of(checkpoint: Path) -> int:
    """Return the number of steps after which a checkpoint was written.

    >>> step_of(Path("checkpoints/step-00000250.npz"))
    250
    """
    return int(_CHECKPOINT.fullmatch(checkpoint.name).group(1))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from training in a folder; the system frees it at any end.

    Raises:
        GenzooError: if another process trains there, the folder cannot be written, or its lock is
            a link, also a hard one.
    """
    import filelock

    check_lock(path / ".lock")
    lock = filelock.FileLock(path / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise GenzooError(
            f"another process is training in {path}; wait for it or stop it"
        ) from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def versions() -> dict[str, str]:
    """Return the versions of what a run's numbers depend on."""
    import importlib.metadata

    packages = ("keras", "tensorflow", "numpy")
    return {
        "keras_genzoo": __version__,
        "python": platform.python_version(),
        **{package: importlib.metadata.version(package) for package in packages},
    }


def check_free(path: Path | None, force: bool) -> None:
    """Check that a new run may be put at ``path``: nothing there, or a run to be replaced.

    Raises:
        GenzooError: if something else is there, or a run without ``force``.
    """
    if path is None or not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not force:
        raise GenzooError(f"{path} exists; choose another --out, or --force to replace it")
    if not path.is_dir():
        raise GenzooError(f"{path} is a file; --force replaces only a run: choose another --out")
    if not is_run(read_config(path)):
        raise GenzooError(
            f"{path} is not a run: its config.json was not written by this package; --force "
            "replaces only a run: choose another --out"
        )
    check_only_own(path)


def _next_free(fresh: Path, name: str) -> Path:
    """Give a new run the next free name; two that begin at once get two."""
    taken = re.compile(rf"{re.escape(name)}-(\d+)")
    while True:
        numbers = [int(m.group(1)) for p in RUNS.iterdir() if (m := taken.fullmatch(p.name))]
        path = RUNS / f"{name}-{max(numbers, default=0) + 1}"
        try:
            return fresh.rename(path)
        except OSError:
            if not path.exists():
                raise
