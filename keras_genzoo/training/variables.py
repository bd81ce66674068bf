"""Names every variable that training changes by a path that is the same in every process.

Keras' own paths depend on what the process built before: ``dense_3/kernel`` may be
``dense_8/kernel`` in the next process. A path here begins with the attribute of the model that
holds the network or optimizer, and layers of the same name are numbered within it:
``generator/dense_1/kernel``, and its momentum
``generator_optimizer/adam/generator/dense_1/kernel/momentum``.
"""

import hashlib
import re
from collections.abc import Iterable

import keras


def variables_by_path(model: keras.Model) -> dict[str, keras.Variable]:
    """Return every variable that the next step depends on, each once, in a fixed order.

    Args:
        model: a compiled model of the zoo.

    >>> from keras_genzoo.models import Autoencoder
    >>> model = Autoencoder((8, 8, 1), hidden_units=(4,))
    >>> model.compile(optimizer="sgd")
    >>> list(variables_by_path(model))[:3]
    ['model/step', 'encoder/dense/kernel', 'encoder/dense/bias']
    """
    paths: dict[int, str] = {}
    attributes = vars(model)
    for role, network in attributes.items():
        if isinstance(network, keras.Layer):
            _name(network.variables, role, paths)
    _name(model.variables, "model", paths, scope=model.name)
    variables = list(model.variables)
    weights = {_flat(v.path): paths[id(v)] for v in model.trainable_variables}
    for optimizer in model.optimizers:
        role = next(name for name, value in attributes.items() if value is optimizer)
        _name(optimizer.variables, role, paths, weights=weights)
        variables += optimizer.variables
    for metric in model.metrics:
        _name(metric.variables, "metrics", paths)
        variables += metric.variables
    return {paths[id(variable)]: variable for variable in variables}


def weights_digest(model: keras.Model) -> str:
    """Return a digest of the weights of a model's networks, 16 hexadecimal digits.

    Scores and figures record it, so that it is known which weights they belong to. The step counter
    and the optimizers do not count: a checkpoint and the finished model of the same step have the
    same digest, in every process. A model that was exported keeps the digest that it had.

    Args:
        model: a model of the zoo, or one that was exported.

    >>> from keras_genzoo.models import Autoencoder
    >>> model = Autoencoder((8, 8, 1), hidden_units=(4,), seed=0)
    >>> model.compile()
    >>> digest = weights_digest(model)
    >>> model.step.assign(5), weights_digest(model) == digest  # doctest: +ELLIPSIS
    (..., True)
    """
    if model.digest is not None:
        return model.digest
    weights = {id(weight) for weight in model.weights if weight is not model.step}
    digest = hashlib.sha256()
    for path, variable in variables_by_path(model).items():
        if id(variable) in weights:
            values = keras.ops.convert_to_numpy(variable)
            digest.update(f"{path} {values.dtype} {values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()[:16]


def _name(
    variables: Iterable[keras.Variable],
    role: str,
    paths: dict[int, str],
    *,
    scope: str = "",
    weights: dict[str, str] | None = None,
) -> None:
    """Add the paths of variables to ``paths``; variables that have a path keep it.

    Args:
        variables: the variables of one network, optimizer or metric.
        role: the first part of the paths, such as ``generator``.
        paths: the paths found so far, by the id of the variable; changed in place.
        scope: a first part of Keras' own paths that is left out.
        weights: for an optimizer, the paths of the weights by the name that Keras gives their
            slots, such as ``dense_12_kernel``.
    """
    # Keras' parts such as "dense_3" by (path so far, "dense"), in their order: the place in this
    # list is the number in our path.
    parts_of: dict[tuple[str, str], list[str]] = {}
    taken: set[str] = set()
    for variable in variables:
        if id(variable) in paths:
            continue
        path = role
        *scopes, name = variable.path.removeprefix(f"{scope}/").split("/")
        for part in (*scopes, *_slot(name, weights or {})):
            base = part if "/" in part else re.sub(r"_\d+$", "", part)
            parts = parts_of.setdefault((path, base), [])
            if part not in parts:
                parts.append(part)
            number = parts.index(part)
            path += f"/{base}_{number}" if number else f"/{base}"
        while path in taken:
            # A person's own network may have several layers of one name.
            path += "'"
        taken.add(path)
        paths[id(variable)] = path


def _slot(name: str, weights: dict[str, str]) -> tuple[str, ...]:
    """Split the name of an optimizer's variable into the weight's path and the kind of slot.

    A variable that belongs to no weight, such as the learning rate, keeps its name.

    >>> _slot("dense_12_kernel_momentum", {"dense_12_kernel": "encoder/dense/kernel"})
    ('encoder/dense/kernel', 'momentum')
    """
    matching = [weight for weight in weights if name.startswith(f"{weight}_")]
    if not matching:
        return (name,)
    # "dense_1_kernel" and "dense_1_kernel_2" may both match: the longer name is the right one.
    weight = max(matching, key=len)
    return weights[weight], name.removeprefix(f"{weight}_")


def _flat(path: str) -> str:
    return path.replace("/", "_")
