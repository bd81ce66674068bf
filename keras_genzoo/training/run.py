"""The run folder: creating, locking and opening it, its configuration and its history.

Opening a run imports neither NumPy nor TensorFlow. The content of checkpoints is the matter of
`checkpoints`.
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
from keras_genzoo.training.placed_runs import RUNS
from keras_genzoo.training.preset_runs import run_folder
from keras_genzoo.training.recipes import RECIPES
from keras_genzoo.training.settings import Settings

# A config.json with larger numbers is damaged, or made to exhaust the memory.
MOST_PIXELS, MOST_CLASSES = 2**14, 2**20

# What config.json records of where a run comes from, where there is such.
_ORIGIN = ("recipe", "begun", "held_out", "preset", "saved_model", "start")

_CHECKPOINT = re.compile(r"step-(\d{8})\.npz")
_SAMPLE_GRID = re.compile(r"step-\d{8,}\.png")


@dataclasses.dataclass(frozen=True)
class Run:
    """One run folder: ``config.json``, ``history.csv``, ``checkpoints/``, ``samples/``, a model.

    Args:
        path: the folder.
        settings: the settings.
        data: what is recorded about the data, by the names in ``DATA``.
        versions: the versions of the packages that the run began with, by name.
        resolved: the values of settings that were left to the data and to the machine, such as
            ``jit_compile``; a resumed run keeps them, a repeated one resolves them anew.
        recipe: the name of the recipe that the settings started from, if any.
        begun: when the run began, as ISO 8601 in UTC; None if an earlier version began it, which
            did not record the time.
        held_out: the ``split`` and the number of images of the held-out losses in the history
            (``num_images``); None if there are none.
        preset: ``name`` and ``digest`` of the preset that the model is; None of a run.
        saved_model: the same of the SavedModel that the model is; None of a run.
        start: ``name`` and ``weights_digest`` of the model that training began from; None if it
            began from random weights.
    """

    path: Path
    settings: Settings
    data: dict[str, Any]
    versions: dict[str, str]
    resolved: dict[str, Any] = dataclasses.field(default_factory=dict)
    recipe: str | None = None
    begun: str | None = None
    held_out: dict[str, Any] | None = None
    preset: dict[str, str] | None = None
    saved_model: dict[str, str] | None = None
    start: dict[str, str] | None = None

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
        start: dict[str, str] | None = None,
    ) -> "Run":
        """Create a new run folder with its ``config.json``, complete or not at all.

        Args:
            settings: the settings.
            data: what is recorded about the data.
            out: the folder; by default the next free ``runs/<recipe>-<n>``, or without a recipe for
                the data set ``runs/<model>-<dataset>-<n>``.
            force: replace a run that is there already.
            resolved: the values of settings that are left to the data and the machine.
            recipe: the name of the recipe that the settings started from.
            held_out: which images the held-out losses are measured on.
            start: the model that training begins from.

        Raises:
            GenzooError: if the folder exists, or cannot be written.
        """
        out = Path(out) if out is not None else None
        check_free(out, force)
        begun = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        run = cls(
            out or RUNS,
            settings,
            data,
            versions(),
            resolved or {},
            recipe,
            begun,
            held_out,
            start=start,
        )
        if out is None:
            return dataclasses.replace(run, path=run._write_new())
        with contextlib.ExitStack() as until_placed, writing_folder(out, replace=force) as fresh:
            run._write_into(fresh)
            if out.is_dir() and any(out.iterdir()):
                until_placed.enter_context(locked(out))
                # Check again: files may have been added since the first check.
                check_free(out, force)
        return run

    def _write_new(self) -> Path:
        """Write the new run into a folder with the next free name; return the folder."""
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
        """Return the name of a new folder, without its number.

        It is the recipe's name, unless another data set was taken in place of the recipe's.
        """
        recipe = self.recipe
        if recipe and recipe in RECIPES and RECIPES[recipe]["dataset"] == self.settings.dataset:
            return recipe
        dataset = Path(self.settings.dataset)
        name = dataset.stem if dataset.suffix.lower() in file_suffixes() else dataset.name
        return f"{self.settings.model}-{re.sub(r'[^A-Za-z0-9_.-]', '_', name) or 'data'}"

    def _write_into(self, folder: Path) -> None:
        run = dataclasses.replace(self, path=folder)
        run.checkpoints.mkdir()
        run.samples.mkdir()
        run.write_config()

    @classmethod
    def open(cls, path: str | os.PathLike, *, generates: bool = False) -> "Run":
        """Open the run folder that ``path`` names, as ``run_folder`` says.

        Args:
            path: a run folder, a preset or, for what only generates, a SavedModel.
            generates: whether a model is enough that generates images and does no more.

        Raises:
            GenzooError: if it is none of these, its ``config.json`` is damaged, or a file in it
                is a link, which could lead out of the run folder.
        """
        path = run_folder(path, generates=generates)
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
        # Versions that wrote no "labels" read grey images with a palette as colour images. Keep the
        # number of channels that such a run was trained with.
        if "labels" not in settings and settings.get("channels") is None and shape:
            settings["channels"] = shape[-1]
        resolved = config.get("resolved", {})
        if not isinstance(resolved, dict) or not all(
            isinstance(value, int) for value in resolved.values()
        ):
            raise GenzooError(f"{path / 'config.json'} is damaged: 'resolved' holds no settings")
        origin = {name: config.get(name) for name in _ORIGIN}
        _check_origin(origin, path / "config.json")
        settings = Settings.from_dict(settings)
        return cls(path, settings, data, config.get("versions") or {}, resolved, **origin)

    def write_config(self) -> None:
        """Write ``config.json``, complete or not at all."""
        origin = {name: getattr(self, name) for name in _ORIGIN}
        config = {
            "made_by": MADE_BY,
            **{name: value for name, value in origin.items() if value is not None},
            "settings": nested(self.settings),
            "resolved": self.resolved,
            "data": self.data,
            "versions": self.versions,
        }
        # Files of earlier versions have no "resolved" and hold jit_compile among the settings. They
        # are written as they were read, so that they are still recognised.
        if not self.resolved and self.settings.jit_compile is not None:
            del config["resolved"]
        write_json(self.path / "config.json", config)

    @property
    def jit_compile(self) -> bool:
        """Whether XLA compiles the training step, where that is possible."""
        return bool(self.resolved.get("jit_compile", self.settings.jit_compile))

    @property
    def decided(self) -> dict[str, Any]:
        """The values, in this run, of settings that data and machine decide if none is given.

        They follow from the recorded shape of the images, since earlier versions did not record
        them.
        """
        return resolved_by_data(self.data["image_shape"]) | {"jit_compile": self.jit_compile}

    @property
    def values(self) -> dict[str, Any]:
        """Every setting of the model by name, including the ones that data and machine decided.

        Settings without a value, such as ``binarize`` of a plain VAE, are left out.
        """
        values = self.settings.to_dict() | self.decided
        return {name: values[name] for name in settings_of(self.settings.model) if name in values}

    @property
    def model_and_data(self) -> str:
        """The model and its data, in words.

        >>> Run(Path("run"), Settings("vae", "mnist", latent_dim=10), {}, {}).model_and_data
        'vae on mnist'
        """
        place = Path(self.settings.dataset)
        name = place.name if place.is_absolute() else self.settings.dataset
        return shown(f"{self.settings.model} on {name}")

    @property
    def subject(self) -> str:
        """The model, its data and the size of its latent space, in words.

        >>> Run(Path("run"), Settings("vae", "mnist", latent_dim=10), {}, {}).subject
        'vae on mnist, latent size 10'
        """
        sizes = self.settings.with_role("model")
        size = f", latent size {sizes['latent_dim']}" if "latent_dim" in sizes else ""
        return f"{self.model_and_data}{size}"

    @property
    def title(self) -> str:
        """A line that describes the run: its subject and the number of steps.

        >>> Run(Path("run"), Settings("vae", "mnist", latent_dim=10), {}, {}).title
        'vae on mnist, latent size 10, 1,000 steps'
        """
        return f"{self.subject}, {self.settings.total_steps:,} steps"

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
        """The names of the classes by number; the numbers as text if the data have no names.

        Bytes of a folder's name that are not UTF-8 are escaped, so that every output accepts them.
        """
        names = self.data["class_names"] or range(self.data["num_classes"] or 0)
        return [shown(str(name)) for name in names]

    def check_whole(self) -> None:
        """Check that the run has the whole model, not the generator of a SavedModel alone.

        Raises:
            GenzooError: if it has not.
        """
        if self.saved_model is not None:
            raise GenzooError(
                f"{shown(self.path)} is made of a SavedModel ({shown(self.saved_model['name'])}), "
                "which genzoo sample, interpolate, evaluate and playground take; for all else name "
                "the run or the preset that it was exported from"
            )

    def sample_grids(self) -> list[Path]:
        """Return the files of the sample grids that training drew, oldest first."""
        return sorted(p for p in self.samples.glob("step-*.png") if _SAMPLE_GRID.fullmatch(p.name))

    def last_step(self) -> int | None:
        """Return the step of the last checkpoint, None if there is none."""
        return max(map(checkpoint_step, list_checkpoints(self.checkpoints)), default=None)

    def sweep(self) -> None:
        """Remove temporary files that a killed process left behind."""
        for folder in (self.path, self.checkpoints, self.samples):
            for path in filter(is_temporary, folder.glob(".tmp-*")):
                if path.is_symlink() or not path.is_dir():
                    path.unlink(missing_ok=True)
                # Other temporary folders may belong to a command that is running, such as figures.
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
            # A column that was added later is empty in the rows before.
            rows = [{k: float(v) for k, v in row.items() if v != ""} for row in read_rows(path)]
            rows = [row | {"step": int(row["step"])} for row in rows]
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            raise GenzooError(f"{path} is damaged ({error}); remove it to go on") from error
        return [row for row in rows if up_to is None or row["step"] <= up_to]

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write ``history.csv``, complete or not at all."""
        with (
            writing(self.path / "history.csv") as temporary,
            temporary.open("w", newline="") as file,
        ):
            names = dict.fromkeys(name for row in rows for name in row)
            writer = csv.DictWriter(file, fieldnames=list(names) or ["step"])
            writer.writeheader()
            writer.writerows(rows)


def read_config(path: str | os.PathLike) -> dict[str, Any]:
    """Return the content of a ``config.json``, given the file or the run folder.

    Raises:
        GenzooError: if there is none, or it is not the configuration of a run.
    """
    path = Path(path)
    file = path / "config.json" if path.is_dir() else path
    try:
        config = read_json(file)
    except OSError as error:
        raise GenzooError(
            f"{path} is not a run: cannot read {file} ({error.strerror}); "
            "name a folder that 'genzoo fit' wrote, or a preset: see 'genzoo list presets'"
        ) from error
    except ValueError as error:
        raise GenzooError(f"{file} is damaged: {error}") from error
    if not isinstance(config, dict) or not isinstance(config.get("settings"), dict):
        raise GenzooError(f"{file} is not the configuration of a run: it has no 'settings'")
    try:
        settings = config["settings"] = flat(config["settings"])
    except GenzooError as error:
        raise GenzooError(f"{file}: {error}") from error
    # Earlier versions had no jit_compile, and called mixed_precision "precision".
    if "resolved" not in config:
        settings.setdefault("jit_compile", False)
    if "precision" in settings:
        settings["mixed_precision"] = str(settings.pop("precision")).removeprefix("mixed_")
    return config


def _check_data(data: dict[str, Any], file: Path) -> None:
    """Check the recorded data of a run, before memory is allocated by its numbers.

    Raises:
        GenzooError: if a value is one that this package cannot have written.
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


def _check_origin(origin: dict[str, Any], file: Path) -> None:
    """Check the recorded recipe, time and held-out images of a run.

    Raises:
        GenzooError: if a value is one that this package cannot have written.
    """
    held_out = origin["held_out"]
    sound = {
        "recipe": isinstance(origin["recipe"], str | None),
        "begun": isinstance(origin["begun"], str | None),
        "held_out": held_out is None
        or (
            isinstance(held_out, dict)
            and isinstance(held_out.get("split"), str)
            and isinstance(held_out.get("num_images"), int)
            and held_out["num_images"] > 0
        ),
        "preset": _are_words(origin["preset"], "name", "digest"),
        "saved_model": _are_words(origin["saved_model"], "name", "digest"),
        "start": _are_words(origin["start"], "name", "weights_digest"),
    }
    for name, is_sound in sound.items():
        if not is_sound:
            raise GenzooError(f"{file} is damaged: '{name}' is {reprlib.repr(origin[name])}")


def _are_words(value: Any, *names: str) -> bool:
    return value is None or (
        isinstance(value, dict) and all(isinstance(value.get(name), str) for name in names)
    )


def resolved_by_data(image_shape: Sequence[int]) -> dict[str, int]:
    """Return the settings that follow from the shape of the images if none are given.

    >>> resolved_by_data([28, 28, 1]), resolved_by_data([20, 30, 3])
    ({'image_size': 28, 'channels': 1}, {'channels': 3})
    """
    height, width, channels = image_shape
    # image_size is one number, so it exists for square images only.
    return ({"image_size": height} if height == width else {}) | {"channels": channels}


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder, oldest first."""
    return sorted(p for p in folder.glob("step-*.npz") if _CHECKPOINT.fullmatch(p.name))


def checkpoint_step(checkpoint: Path) -> int:
    """Return the number of steps after which a checkpoint was written.

    >>> checkpoint_step(Path("checkpoints/step-00000250.npz"))
    250
    """
    return int(checkpoint.stem.removeprefix("step-"))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock a folder against training by other processes during the block.

    The operating system releases the lock even if the process is killed.

    Raises:
        GenzooError: if another process trains there, the folder cannot be written, or the lock
            file is a symbolic or hard link.
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
    """Return the versions of the packages that a run's numbers depend on."""
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
    """Rename a new run folder to the next free name; return its path.

    A process that begins a run at the same moment may take that name first: then the next is tried.
    """
    taken = re.compile(rf"{re.escape(name)}-(\d+)")
    while True:
        numbers = [int(m.group(1)) for p in RUNS.iterdir() if (m := taken.fullmatch(p.name))]
        path = RUNS / f"{name}-{max(numbers, default=0) + 1}"
        try:
            return fresh.rename(path)
        except OSError:
            if not path.exists():
                raise
