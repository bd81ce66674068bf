"""What a person asks of a bench, and the entries that follow: recipes with their settings."""

import dataclasses
import hashlib
import os
import re
import shlex
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.evaluation.options import Options
from keras_genzoo.models.registry import MODELS
from keras_genzoo.training.declared import Setting, settings_of
from keras_genzoo.training.recipes import RECIPES, find_recipe, settings_for
from keras_genzoo.training.settings import Settings, check_seeds

SEEDS = (0, 1, 2)
# Scores of images that every model has.
SCORES = ("fid", "kid", "prdc")
# Settings that the bench decides, and what to do instead.
_OF_THE_BENCH = {
    "model": "name a recipe of that model, or the model in place of the recipe",
    "seed": "name all seeds by --seeds",
    "steps": "they follow from the budget: give --images or --minutes",
}
_BOOLEANS = {"true": True, "yes": True, "false": False, "no": False}
# Longer names of folders are cut and told apart by a digest.
_LONGEST = 80


@dataclasses.dataclass(frozen=True)
class Request:
    """What a person asks of a new bench.

    Args:
        recipes: the recipes to compare. Each is the name of a recipe or of a model, and may be
            followed by settings of its own: ``"dcgan-mnist loss=hinge penalty=r1"``.
        seeds: the random seeds that each is trained with.
        images: images that each run sees; with neither this nor ``minutes``, as many as the
            shortest of the recipes would see by itself.
        minutes: minutes of training of each run, in place of ``images``.
        dataset: the data set of all recipes, in place of their own.
        overrides: settings of all recipes, by name; text is read as the setting's type.
        options: how they are scored; without names of scores by ``SCORES``.
        points: how often each run is scored, in equal distances of training; the last is its end.

    Raises:
        GenzooError: if a number is out of its bounds, or both budgets are given.
    """

    recipes: Sequence[str]
    seeds: Sequence[int] = SEEDS
    images: int | None = None
    minutes: float | None = None
    dataset: str | os.PathLike | None = None
    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    options: Options = dataclasses.field(default_factory=Options)
    points: int = 1

    def __post_init__(self) -> None:
        if not self.recipes:
            raise GenzooError(f"which recipes? name some of: {', '.join(RECIPES)}")
        check_seeds(self.seeds)
        if self.images is not None and self.minutes is not None:
            raise GenzooError("--images and --minutes exclude each other; give one")
        for name, number in (("images", self.images), ("minutes", self.minutes)):
            if number is not None and not 0 < number < float("inf"):
                raise GenzooError(f"{name} must be positive, not {number}")
        if self.points < 1:
            raise GenzooError(f"points must be at least 1, not {self.points}")


@dataclasses.dataclass(frozen=True)
class Entry:
    """One recipe of a bench, with its settings.

    Args:
        name: what the table calls it, as a person wrote it.
        recipe: the name of the recipe that the settings started from, if any.
        settings: the settings of its runs, but for the seed.
        scores: the names of the scores that can be measured of it.
        parameters: the number of trained weights of all its networks.
    """

    name: str
    recipe: str | None
    settings: Settings
    scores: tuple[str, ...] = ()
    parameters: int = 0

    def run_name(self, seed: int) -> str:
        """Return the name of the run folder with a seed.

        >>> Entry("gan-digits loss=hinge", None, Settings("gan")).run_name(3)
        'gan-digits-loss-hinge-seed-3'
        """
        return f"{_folder_name(self.name)}-seed-{seed}"

    def scored_steps(self, points: int) -> list[int]:
        """Return the steps at which its runs are scored, the last of all included.

        >>> Entry("a gan", None, Settings("gan", steps=100)).scored_steps(3)
        [33, 67, 100]
        """
        steps = self.settings.steps
        return sorted({max(1, round(steps * point / points)) for point in range(1, points + 1)})


def requested_entries(request: Request) -> list[Entry]:
    """Return the entries that a person asks for, each as long as its recipe trains by itself.

    Raises:
        GenzooError: if a recipe or setting is unknown, or a recipe is given twice.
    """
    entries = [entry_of(text, request) for text in request.recipes]
    names = [_folder_name(entry.name) for entry in entries]
    for name, entry in zip(names, entries, strict=True):
        if names.count(name) > 1:
            raise GenzooError(f"the recipe '{entry.name}' is given twice; give each once")
        for seed in request.seeds:
            entry.settings.replace(seed=seed)
    return entries


def entry_of(text: str, request: Request, steps: int | None = None) -> Entry:
    """Return the entry that a text names, such as ``"dcgan-mnist loss=hinge"``.

    Args:
        text: the name of a recipe or of a model, and settings.
        request: the data set and the settings of all entries.
        steps: how long it is trained; by default as long as the recipe says.

    Raises:
        GenzooError: if a recipe or a setting is unknown, or the bench decides it.

    >>> entry = entry_of("gan-digits loss=hinge", Request(["gan-digits"]), steps=50)
    >>> entry.settings.loss, entry.settings.steps
    ('hinge', 50)
    """
    try:
        name, *pairs = shlex.split(text) or [""]
    except ValueError as error:
        raise GenzooError(f"'{text}' is not a recipe with settings: {error}") from error
    if name not in RECIPES and name not in MODELS:
        raise unknown("recipe", name, [*RECIPES, *MODELS])
    model, recipe = (None, name) if name in RECIPES else (name, None)
    found, values = find_recipe(model, request.dataset, recipe)
    known = settings_of(values["model"])
    given = dict(request.overrides) | settings_given(pairs)
    for key in given:
        if key in _OF_THE_BENCH:
            raise GenzooError(f"'{key}' is not a setting of a recipe: {_OF_THE_BENCH[key]}")
    given = {key: _value(known.get(key), value) for key, value in given.items()}
    if given.get("mixed_precision") == "auto":
        raise GenzooError(
            "mixed_precision auto might choose one type for a run of a bench and another for the "
            "next; give float32, bfloat16 or float16"
        )
    if steps is not None:
        given["steps"] = steps
    settings = settings_for(model, given.pop("dataset", request.dataset), recipe, **given)
    if len(settings.stages) > 1:
        stages = ", ".join(str(stage.name) for stage in settings.stages)
        raise GenzooError(
            f"the bench compares models by the steps of one training, and {settings.model} is "
            f"trained in stages: {stages}; train it by genzoo fit"
        )
    return Entry(shlex.join([name, *pairs]), found, settings)


def _split(pair: str) -> tuple[str, str]:
    name, equals, value = pair.partition("=")
    if not (name and equals):
        raise GenzooError(f"write a setting as name=value, such as loss=hinge, not '{pair}'")
    return name.replace("-", "_"), value


def settings_given(pairs: Sequence[str]) -> dict[str, str]:
    """Return settings that are written as ``name=value``, by name.

    Raises:
        GenzooError: if one is not, or is given twice.

    >>> settings_given(["latent-dim=8", "loss=hinge"])
    {'latent_dim': '8', 'loss': 'hinge'}
    """
    given = [_split(pair) for pair in pairs]
    for name, _ in given:
        if [other for other, _ in given].count(name) > 1:
            raise GenzooError(f"the setting '{name}' is given twice; give it once")
    return dict(given)


def _value(setting: Setting | None, text: Any) -> Any:
    """Return a value that is written as text as the type of its setting.

    What cannot be read stays text: the settings take ``none`` where it is a choice, and refuse the
    rest.

    >>> known = settings_of("gan")
    >>> _value(known["generator_units"], "16,32"), _value(known["penalty"], "none")
    ((16, 32), 'none')
    """
    if setting is None or not isinstance(text, str) or text == "none":
        return text
    kind = setting.argument.kind
    if typing.get_origin(kind) is tuple:
        item = typing.get_args(kind)[0]
        return tuple(_number(item, part.strip()) for part in text.split(","))
    if kind is bool:
        return _BOOLEANS.get(text.lower(), text)
    return _number(kind, text)


def _number(kind: type, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text


def _folder_name(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.")
    if len(plain) <= _LONGEST:
        return plain
    return f"{plain[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
