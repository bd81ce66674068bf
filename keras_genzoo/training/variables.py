"""The variables that training changes, each by a path that is the same in every process.

Keras' own paths are not: ``dense_3/kernel`` is ``dense_8/kernel`` in a process that has built
other models before. Here the role of the network or the optimizer comes first, and layers of one
name are counted within it: ``generator/dense_1/kernel``, and its momentum
``generator_optimizer/adam/generator/dense_1/kernel/momentum``.
"""

import hashlib
import re
from collections.abc import Iterable

import keras


def variables_by_path(model) -> dict[str, keras.Variable]:
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


def weights_digest(model) -> str:
    """Return 16 hexadecimal digits that tell the weights of a model's networks from all others.

    What is measured or drawn of a model keeps them, so that it is not taken for another step's.
    The step itself and the optimizers are left out: a checkpoint and the finished model of the
    same step have one digest, in every process.

    Args:
        model: a compiled model of the zoo.

    >>> from keras_genzoo.models import Autoencoder
    >>> model = Autoencoder((8, 8, 1), hidden_units=(4,), seed=0)
    >>> model.compile()
    >>> digest = weights_digest(model)
    >>> model.step.assign(5), weights_digest(model) == digest  # doctest: +ELLIPSIS
    (..., True)
    """
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
    """Note the paths of the variables of a role that have none yet.

    Args:
        variables: those of one network, optimizer or metric.
        role: what the paths begin with.
        paths: the paths by the variables' ids.
        scope: a first part that is left out.
        weights: the weights' paths, by the names under which an optimizer keeps their slots.
    """
    # By what stands before a part, and the part without its counter: the parts in their order.
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
            # A person may give several layers one name.
            path += "'"
        taken.add(path)
        paths[id(variable)] = path


def _slot(name: str, weights: dict[str, str]) -> tuple[str, ...]:
    """Return the weight that an optimizer's variable belongs to, and what it is of that.

    >>> _slot("dense_12_kernel_momentum", {"dense_12_kernel": "encoder/dense/kernel"})
    ('encoder/dense/kernel', 'momentum')
    """
    own = [weight for weight in weights if name.startswith(f"{weight}_")]
    if not own:
        return (name,)
    weight = max(own, key=len)
    return weights[weight], name.removeprefix(f"{weight}_")


def _flat(path: str) -> str:
    return path.replace("/", "_")
