"""What models and their components declare, known without importing Keras or TensorFlow.

``manifest.json`` holds what the package's own components declare, and the classes that Keras saves.
``python -m keras_genzoo.training.manifest`` writes it. A component that a person has registered is
imported already, and read itself.
"""

import dataclasses
import functools
import importlib
import inspect
import json
import pkgutil
from typing import Any

from keras_genzoo import losses, models, networks
from keras_genzoo.arguments import BOUNDS, Argument, arguments_of, options_of
from keras_genzoo.losses import ADVERSARIAL_LOSSES, PENALTIES, RECONSTRUCTION_LOSSES
from keras_genzoo.models.registry import MODELS, SOLVERS
from keras_genzoo.networks.registry import (
    ARCHITECTURES,
    AUGMENTATIONS,
    AUTOENCODER_ARCHITECTURES,
    CONDITIONINGS,
    GRID_ARCHITECTURES,
    NORMALIZATIONS,
)
from keras_genzoo.registry import Registry
from keras_genzoo.serializable import MANIFEST

# The registries whose names are choices of an argument, by kind.
REGISTRIES = {
    registry.kind: registry
    for registry in (
        ARCHITECTURES,
        AUTOENCODER_ARCHITECTURES,
        GRID_ARCHITECTURES,
        CONDITIONINGS,
        NORMALIZATIONS,
        ADVERSARIAL_LOSSES,
        RECONSTRUCTION_LOSSES,
        PENALTIES,
        AUGMENTATIONS,
        SOLVERS,
    )
}
_TYPES = {
    "integer": int,
    "number": float,
    "flag": bool,
    "text": str,
    "integers": tuple[int, ...],
    "names": tuple[str, ...],
}


@dataclasses.dataclass(frozen=True)
class Declaration:
    """What a model declares.

    Args:
        constructor: arguments of its constructor.
        compile: arguments of its ``compile``.
        optimizers: defaults of Adam by the argument of ``compile`` that takes the optimizer.
        needs_labels: whether it trains on class labels, whatever its arguments are.
        stages: the stages of its training; none where all is trained in one.
    """

    constructor: tuple[Argument, ...]
    compile: tuple[Argument, ...]
    optimizers: dict[str, dict[str, float]]
    needs_labels: bool
    stages: tuple[str, ...] = ()


def model_declaration(name: str) -> Declaration:
    """Return what a registered model declares.

    Raises:
        GenzooError: if there is no such model.

    >>> [argument.name for argument in model_declaration("vae").constructor][:2]
    ['latent_dim', 'objective']
    """
    MODELS.check(name)
    known = _manifest()["models"].get(name)
    if known is None:
        return declared_by(MODELS[name])
    return Declaration(
        tuple(map(_from_json, known["constructor"])),
        tuple(map(_from_json, known["compile"])),
        known["optimizers"],
        known["needs_labels"],
        tuple(known["stages"]),
    )


def component_options(registry: Registry, name: str) -> list[Argument]:
    """Return the options of a registered component, such as an architecture or a penalty.

    >>> [option.name for option in component_options(PENALTIES, "r1")][0]
    'weight'
    """
    registry.check(name)
    known = _manifest()["components"].get(registry.kind, {}).get(name)
    return options_of(registry[name]) if known is None else list(map(_from_json, known))


def declared_by(model: Any) -> Declaration:
    """Return what a class of models declares."""
    return Declaration(
        tuple(arguments_of(model)),
        tuple(arguments_of(model, "compile")),
        model.optimizer_defaults,
        model.needs_labels,
        model.stages,
    )


def contents() -> dict[str, Any]:
    """Return what ``manifest.json`` must hold; imports every component of the package."""
    declarations = {name: _declaration_to_json(declared_by(MODELS[name])) for name in MODELS}
    components = {
        kind: {name: list(map(_to_json, options_of(registry[name]))) for name in registry}
        for kind, registry in REGISTRIES.items()
    }
    return {"models": declarations, "components": components, "classes": saved_classes()}


def saved_classes() -> dict[str, str]:
    """Return the module of each class of the package that Keras saves by name."""
    import keras

    for package in (losses, networks, models):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    known = keras.saving.get_custom_objects()
    found = {
        name.partition(">")[2]: kind.__module__
        for name, kind in known.items()
        if name.startswith("keras_genzoo>") and inspect.isclass(kind)
    }
    return dict(sorted(found.items()))


def written(content: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(content, indent=1) + "\n"


@functools.cache
def _manifest() -> dict[str, Any]:
    return json.loads(MANIFEST.read_text(encoding="utf-8"))


def _declaration_to_json(declaration: Declaration) -> dict[str, Any]:
    return {
        "constructor": list(map(_to_json, declaration.constructor)),
        "compile": list(map(_to_json, declaration.compile)),
        "optimizers": declaration.optimizers,
        "needs_labels": declaration.needs_labels,
        "stages": list(declaration.stages),
    }


def _to_json(argument: Argument) -> dict[str, Any]:
    default = argument.default
    choices = argument.choices
    return {
        "name": argument.name,
        "type": next(name for name, kind in _TYPES.items() if kind == argument.kind),
        "default": list(default) if isinstance(default, tuple) else default,
        "help": argument.help,
        "optional": argument.optional,
        "bound": next(name for name, bound in BOUNDS.items() if bound is argument.bound),
        "choices": choices.kind if isinstance(choices, Registry) else list(choices),
    }


def _from_json(values: dict[str, Any]) -> Argument:
    default, choices = values["default"], values["choices"]
    return Argument(
        values["name"],
        _TYPES[values["type"]],
        tuple(default) if isinstance(default, list) else default,
        values["help"],
        values["optional"],
        BOUNDS[values["bound"]],
        REGISTRIES[choices] if isinstance(choices, str) else tuple(choices),
    )


if __name__ == "__main__":
    MANIFEST.write_text(written(contents()), encoding="utf-8")
