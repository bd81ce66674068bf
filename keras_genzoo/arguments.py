"""Arguments of a component as its constructor declares them: name, type, default, bound, help.

A model, a loss, a penalty, an architecture and so on is declared once, by the annotations and the
docstring of its constructor. The settings of a run, the flags of the command line and their help
are read from there.

An argument is a setting if its annotation is ``int``, ``float``, ``bool``, ``str`` or
``Sequence[int]`` (or one of them ``| None``), or ``Annotated[..., choices]`` with a ``Registry`` or
a tuple of names. ``Annotated[int, AT_LEAST_1]`` bounds a number. Its help is the entry in the
section ``Args`` of the docstring, up to the first full stop or semicolon.
"""

import dataclasses
import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from keras_genzoo.errors import GenzooError
from keras_genzoo.registry import Names, Registry

# The largest size accepted; what a model needs of the memory is measured beside it.
MOST = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a number must be.

    Args:
        words: the condition in words, for errors.
        accepts: whether a number satisfies it.
        most: the largest whole number accepted.
    """

    words: str
    accepts: Callable[[float], bool]
    most: float = MOST


FINITE = Bound("finite", lambda value: True)
POSITIVE = Bound("positive", lambda value: value > 0)
NOT_NEGATIVE = Bound("0 or more", lambda value: value >= 0)
AT_LEAST_1 = Bound("at least 1", lambda value: value >= 1)
# How often something is repeated within a step.
REPEATS = Bound("at least 1", lambda value: value >= 1, most=10_000)
SHARE = Bound("at least 0 and at most 1", lambda value: 0 <= value <= 1)
BELOW_1 = Bound("at least 0 and below 1", lambda value: 0 <= value < 1)
SEED = Bound("from 0 to 4294967295", lambda value: 0 <= value < 2**32, most=math.inf)
BOUNDS = {
    "finite": FINITE,
    "positive": POSITIVE,
    "not_negative": NOT_NEGATIVE,
    "at_least_1": AT_LEAST_1,
    "repeats": REPEATS,
    "share": SHARE,
    "below_1": BELOW_1,
    "seed": SEED,
}

Choices = Registry | Names | tuple[str, ...]

_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
# Arguments that a run fills in itself, and Keras' own.
_GIVEN = ("image_shape", "num_classes", "seed", "name", "dtype")
_KINDS = {
    int: int,
    float: float,
    bool: bool,
    str: str,
    Sequence[int]: tuple[int, ...],
    tuple[int, ...]: tuple[int, ...],
    Sequence[str]: tuple[str, ...],
    tuple[str, ...]: tuple[str, ...],
}


@dataclasses.dataclass(frozen=True)
class Argument:
    """One argument of a constructor, or of ``compile``, that a person may set.

    Args:
        name: its name.
        kind: type of its values: ``int``, ``float``, ``bool``, ``str``, ``tuple[int, ...]`` or
            ``tuple[str, ...]``.
        default: its default.
        help: what it is, in a sentence.
        optional: whether None is a value, too.
        bound: what a number must be.
        choices: the names that are accepted; empty for any.
    """

    name: str
    kind: Any
    default: Any
    help: str
    optional: bool = False
    bound: Bound = FINITE
    choices: Choices = ()


def arguments_of(kind: type, method: str = "__init__") -> list[Argument]:
    """Return the arguments of a class that a person may set, in the order that it declares them.

    What a class hands on by ``**arguments`` is declared by the classes above it; a class below may
    change a default, and name in ``left_out`` what it has no use for.

    Args:
        kind: the class.
        method: the method whose arguments they are.

    >>> class Wave:
    ...     '''A wave.
    ...
    ...     Args:
    ...         length: distance between two crests; 1 by default.
    ...     '''
    ...
    ...     def __init__(self, length: Annotated[float, POSITIVE] = 1.0, *, fill=None):
    ...         pass
    >>> [found] = arguments_of(Wave)
    >>> found.name, found.kind, found.default, found.help, found.bound.words
    ('length', <class 'float'>, 1.0, 'Distance between two crests.', 'positive')
    """
    found: dict[str, Argument] = {}
    defaults: dict[str, Any] = {}
    for base in kind.__mro__:
        function = vars(base).get(method)
        if not inspect.isfunction(function):
            continue
        helps = _documented(base if method == "__init__" else function)
        parameters = _parameters(kind, function)
        for name, parameter in parameters.items():
            if parameter.default is not parameter.empty:
                defaults.setdefault(name, parameter.default)
            argument = _argument(parameter, helps.get(name, ""))
            if argument is not None and name not in (*_GIVEN, *getattr(kind, "left_out", ())):
                found.setdefault(name, argument)
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
            break
    return [
        dataclasses.replace(argument, default=_plain(defaults[name]))
        for name, argument in found.items()
        if name in defaults
    ]


def options_of(entry: Any) -> list[Argument]:
    """Return the options of a component: those of a class, or of an instance.

    An instance has options only if its constructor takes nothing else; their defaults are what it
    was made with.

    Raises:
        GenzooError: if an argument of a class has no default.
    """
    kind = entry if inspect.isclass(entry) else type(entry)
    if not inspect.isfunction(kind.__init__):
        return []
    found = arguments_of(kind)
    taken = {
        name: parameter
        for name, parameter in _parameters(kind, kind.__init__).items()
        if name != "self" and parameter.kind not in _VARIABLE
    }
    if inspect.isclass(entry):
        for name, parameter in taken.items():
            if parameter.default is parameter.empty and name not in _GIVEN:
                raise GenzooError(
                    f"the argument '{name}' of {kind.__name__} has no default; a component that is "
                    "chosen by its name needs one for each argument"
                )
        return found
    if [argument.name for argument in found] != list(taken):
        return []
    config = entry.get_config()
    return [dataclasses.replace(option, default=_plain(config[option.name])) for option in found]


def _parameters(kind: type, function: Callable) -> dict[str, inspect.Parameter]:
    """Return the parameters of a function, annotations that are text evaluated.

    Raises:
        GenzooError: if an annotation names nothing.
    """
    try:
        return dict(inspect.signature(function, eval_str=True).parameters)
    except (NameError, AttributeError, SyntaxError) as error:
        raise GenzooError(f"an annotation of {kind.__name__} cannot be read: {error}") from error


def _argument(parameter: inspect.Parameter, text: str) -> Argument | None:
    """Return what a parameter declares; None if it is nothing that a person may set."""
    annotation = parameter.annotation
    marks: list[Any] = []
    if typing.get_origin(annotation) is Annotated:
        annotation, *marks = typing.get_args(annotation)
    members = typing.get_args(annotation) if _is_union(annotation) else (annotation,)
    optional = types.NoneType in members
    kinds = [kind for kind in members if kind is not types.NoneType]
    choices = next((mark for mark in marks if isinstance(mark, Registry | Names | tuple)), ())
    if isinstance(choices, Registry | Names):
        # Settings name a component; in Python the argument takes objects, too.
        kinds = [str]
    if len(kinds) != 1 or kinds[0] not in _KINDS:
        return None
    bound = next((mark for mark in marks if isinstance(mark, Bound)), FINITE)
    kind = _KINDS[kinds[0]]
    return Argument(parameter.name, kind, None, text, optional, bound, choices)


def _is_union(annotation: Any) -> bool:
    return isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union


def _plain(default: Any) -> Any:
    return tuple(default) if isinstance(default, list) else default


def _documented(documented: Any) -> dict[str, str]:
    """Return the first sentence of each entry in the section ``Args`` of a docstring, by name."""
    text = inspect.cleandoc(documented.__doc__ or "")
    section = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE)
    if section is None:
        return {}
    entries = re.findall(
        r"^    (\w+)(?: \([^)]*\))?: (.*?)(?=^    \S|\Z)", section[1], re.DOTALL | re.MULTILINE
    )
    return {name: _sentence(entry) for name, entry in entries}


def _sentence(text: str) -> str:
    """Return the first sentence, with a capital and a full stop.

    >>> _sentence("size of the noise z; 100 by default.")
    'Size of the noise z.'
    """
    text = " ".join(text.replace("``", "").split())
    text = re.split(r"(?<!e\.g)(?<!i\.e)[;.](?: |$)", text)[0]
    return f"{text[:1].upper()}{text[1:]}."
