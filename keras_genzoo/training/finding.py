"""Several runs by their names: what commands take as RUN, and patterns such as ``runs/vae-*``."""

import glob
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from keras_genzoo.errors import GenzooError
from keras_genzoo.presets import find_preset
from keras_genzoo.presets.hubs import is_address
from keras_genzoo.saved_models import find_version
from keras_genzoo.text import shown
from keras_genzoo.training.preset_runs import run_folder
from keras_genzoo.training.run import Run


class FoundRuns(NamedTuple):
    """The runs that were named, each once, and a line for each other thing that was."""

    runs: list[Run]
    left_out: list[str]


def find_runs(names: Sequence[str | os.PathLike]) -> FoundRuns:
    """Open the runs that names or patterns stand for, in their order.

    What a pattern of the shell or of this function matches beside runs, and runs that are damaged,
    are left out, and said.

    Args:
        names: what ``run_folder`` takes, a SavedModel too, or patterns as ``glob`` takes them.

    Raises:
        GenzooError: if there is nothing of a name, or nothing that a pattern matches.
    """
    runs: dict[Path, Run] = {}
    no_runs, left_out = [], []
    for path in [path for name in names for path in _matches(name)]:
        if not _may_be_run(path):
            no_runs.append(shown(path))
            continue
        try:
            run = Run.open(path, generates=True)
        except GenzooError as error:
            left_out.append(f"{shown(path)} is left out: {error}")
        else:
            runs.setdefault(run.path.resolve(), run)
    if no_runs:
        listed = ", ".join(dict.fromkeys(no_runs))
        left_out.insert(0, f"no run folder, and left out: {listed}")
    return FoundRuns(list(runs.values()), left_out)


def _may_be_run(path: str | Path) -> bool:
    if isinstance(path, str) or (path / "config.json").is_file():
        return True
    return find_preset(path) is not None or find_version(path) is not None


def _matches(name: str | os.PathLike) -> Sequence[str | Path]:
    """Return the paths that a name stands for; an address at a hub is a string.

    Raises:
        GenzooError: if there are none.
    """
    if is_address(name):
        return [os.fspath(name)]
    path = Path(name)
    if path.exists() or find_preset(path) is not None:
        return [path]
    if glob.has_magic(os.fspath(name)):
        if found := sorted(glob.glob(os.fspath(name))):  # noqa: PTH207 - a pattern may be absolute
            return [Path(one) for one in found]
        raise GenzooError(f"no run matches {shown(name)}; 'genzoo fit' writes runs into runs/")
    # It names the preset that is nearest, if one is.
    run_folder(path)
    raise GenzooError(
        f"there is no run {shown(name)}; name a folder that 'genzoo fit' wrote, or a preset: see "
        "'genzoo list presets'"
    )


def short_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each path: its last parts, as many as tell all of them apart.

    >>> short_names([Path("a/vae-1"), Path("a/vae-2")])
    ['vae-1', 'vae-2']
    >>> short_names([Path("/a/runs/vae-1"), Path("/b/runs/vae-1")])
    ['a/runs/vae-1', 'b/runs/vae-1']
    """
    whole = [path.resolve().parts for path in paths]
    for count in range(1, max(map(len, whole), default=0) + 1):
        names = ["/".join(parts[-count:]) for parts in whole]
        if len(set(names)) == len(names):
            break
    return [shown(name.replace("//", "/")) for name in names]
