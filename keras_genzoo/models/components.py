"""Parts of a model that are chosen by name, with options that its constructor takes beside its own.

An architecture is one: ``VAE(architecture="dense", hidden_units=(64,))``.
"""

import inspect
from typing import Any

import keras

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.registry import Registry

# Arguments of Keras' own constructor, which saved models hold.
_OF_KERAS = ("dtype", "trainable", "autocast")


def component(choice: Any, registry: Registry, kind: type, *arguments: Any) -> Any:
    """Return what a registered name stands for, made with arguments, or a person's own object.

    Args:
        choice: a name in the registry, an object, or None for none.
        registry: the names, each of a class.
        kind: what the object must be.
        *arguments: those of the class that a name stands for.

    Raises:
        GenzooError: if the name is unknown, or the object is of another kind.
    """
    if isinstance(choice, str):
        choice = registry[choice](*arguments)
    if choice is not None and not isinstance(choice, kind):
        raise GenzooError(
            f"a {registry.kind} is a {kind.__name__} or one of {', '.join(registry)}, "
            f"not {choice!r}"
        )
    return choice


def with_options(
    choice: Any, registry: Registry, kind: type, options: dict[str, Any], owner: Any
) -> tuple[Any, dict[str, Any]]:
    """Return what a name stands for, made with its own options, and the options that are left.

    Args:
        choice: a name in the registry, or an object, which has its options already.
        registry: the names, each of a class that is declared by its constructor's arguments.
        kind: what the object must be.
        options: options by name.
        owner: the class of the model, with its ``arguments``.

    Raises:
        GenzooError: if the name is unknown, the object is of another kind, or there is no such
            option.
    """
    known: list[str] = []
    if isinstance(choice, str):
        made = registry[choice]
        known = _arguments(made)
        choice = made(**{name: options[name] for name in known if name in options})
    elif not isinstance(choice, kind):
        raise GenzooError(
            f"the {registry.kind} must be of class {kind.__name__}, or one of "
            f"{', '.join(registry)}, not {choice!r}"
        )
    left = {name: value for name, value in options.items() if name not in known}
    for name in left:
        if name not in _OF_KERAS:
            foreign = {option for other in registry for option in _arguments(registry[other])}
            own = [argument for argument in owner.arguments() if argument not in foreign]
            raise unknown(
                f"argument of {owner.__name__} with the {registry.kind} {type(choice).__name__}",
                name,
                [*own, *known, "dtype"],
            )
    return choice, left


def _arguments(made: type) -> list[str]:
    return list(inspect.signature(made).parameters)


def saved_component(component: Any, registry: Registry) -> tuple[Any, dict[str, Any]]:
    """Return what stands for a component in a configuration, and its own arguments.

    A registered one is its name; a person's own is serialised, and holds its arguments itself.
    """
    if component is None:
        return None, {}
    name = registry.name_of(type(component))
    if name is None:
        return keras.saving.serialize_keras_object(component), {}
    return name, component.get_config()
