"""Settings as ``config.json`` holds them: by part, a component beside its options.

``{"run": {"steps": 1000}, "model": {"name": "gan", "latent_dim": 2}, "penalty": {"name": "r1",
"weight": 1.0}}`` stands for the settings ``model gan, steps 1000, latent_dim 2, penalty r1,
penalty_weight 1.0``. The files of version 0.1.0 hold the flat settings themselves.
"""

from typing import Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.registry import MODELS
from keras_genzoo.registry import Registry
from keras_genzoo.training.declared import RUN_SETTINGS, settings_of
from keras_genzoo.training.settings import Settings, checked

PARTS = ("run", "data", "model", "optimizers")


def nested(settings: Settings) -> dict[str, Any]:
    """Return settings by part, ready for JSON.

    >>> nested(Settings("vae", loss="gaussian", variance=0.1))["loss"]
    {'name': 'gaussian', 'variance': 0.1}
    """
    parts: dict[str, Any] = {part: {} for part in PARTS}
    values = settings.to_dict()
    parts["model"]["name"] = values.pop("model")
    for name, value in values.items():
        setting = settings.setting(name)
        choices = setting.argument.choices
        if setting.part_of:
            continue
        if isinstance(choices, Registry):
            options = {
                option.removeprefix(choices.prefix): given
                for option, given in values.items()
                if settings.setting(option).part_of == name
            }
            value = {"name": value, **options}
        if setting.role == "compile":
            place = parts if isinstance(value, dict) else parts["run"]
        else:
            place = parts[setting.group]
        place[name] = value
    return parts


def flat(parts: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that ``nested`` gave, by name; those that are flat as they are.

    Raises:
        GenzooError: if a part is not what ``nested`` gives, or the model is unknown.

    >>> flat(nested(Settings("vae"))) == Settings("vae").to_dict()
    True
    """
    if not isinstance(parts.get("run"), dict):
        return _without_unused_options(parts)
    model = parts.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("name"), str):
        raise GenzooError("'settings' name no model; put the file back as 'genzoo fit' wrote it")
    values: dict[str, Any] = {"model": model["name"]}
    known = settings_of(checked(RUN_SETTINGS[0], model["name"]))
    for part, content in parts.items():
        if not isinstance(content, dict):
            raise GenzooError(f"'{part}' of 'settings' is damaged: it is no group of settings")
        # A part that is no group is a component.
        named = content if part in PARTS else {part: content}
        for name, value in named.items():
            if name == "name" and part == "model":
                continue
            if not isinstance(value, dict):
                values[name] = value
                continue
            choices = known[name].argument.choices if name in known else ()
            prefix = choices.prefix if isinstance(choices, Registry) else ""
            values |= {prefix + option: given for option, given in value.items()}
            values.pop(f"{prefix}name", None)
            values[name] = value.get("name")
    return values


def _without_unused_options(values: dict[str, Any]) -> dict[str, Any]:
    """Return flat settings without the options of components that are not chosen.

    Flat files hold those, too, with their defaults; another value of one is left, and refused.
    """
    model = values.get("model")
    known = settings_of(model) if isinstance(model, str) and model in MODELS else {}

    def is_unused(name: str, value: Any) -> bool:
        setting = known.get(name)
        if setting is None or not setting.part_of:
            return False
        part = known[setting.part_of]
        chosen = values.get(part.name) or part.argument.default
        defaults = [list(d) if isinstance(d, tuple) else d for d in setting.defaults.values()]
        return chosen not in setting.options and value in defaults

    return {name: value for name, value in values.items() if not is_unused(name, value)}
