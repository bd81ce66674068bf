"""Functions of a batch as graphs: what generating, encoding and decoding in Python run.

Layer by layer, most of the time of a small batch goes to Python. A function is traced once for
batches of any size, as an exported signature is, and again when the model has changed.
"""

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras import Model as Joined
else:
    Joined = object

# From the shape of a tensor to that of all that a graph takes in its place: None is any size.
Shape = list[int | None]
Relax = Callable[[Shape], Shape]
# Attributes that Keras sets in every training, and that say nothing of what a model computes.
_OF_TRAINING = {
    *("history", "stop_training"),
    *("train_function", "test_function", "predict_function"),
}
# Functions of one model that are kept; each call with other options is another one.
MOST_KEPT = 32


def any_rows(shape: Shape) -> Shape:
    """Return a shape with any number of rows.

    >>> any_rows([3, 28, 28, 1]), any_rows([])
    ([None, 28, 28, 1], [])
    """
    return [None, *shape[1:]] if shape else shape


class Tracing(Joined):
    """What ``ImageModel`` adds to run its functions of a batch as graphs."""

    _graphs: "Graphs"

    def traced(self, function: Callable, relax: Relax = any_rows, **options: Any) -> Callable:
        """Return a function of batches that runs ``function`` as a graph, traced where needed.

        It takes arrays and tensors, by position or by name. Weights that change are seen; it is
        traced anew when a public attribute of the model is set, or a layer gets another variable or
        another dtype policy. Of a model with ``run_eagerly``, inside of a ``tf.function``, of
        symbolic tensors, and where tracing fails, as in a network that asks for values, the
        function itself is called.

        Args:
            function: a method of the model or of one of its layers; its graph is kept.
            relax: says of the shape of a tensor which sizes may be others without tracing anew; by
                default the number of rows.
            **options: other arguments of the function, the same in each call.
        """
        return self._graphs.of(self, function, relax, options)


class Graphs:
    """The graphs of a model's functions, which hold on to what the model is made of.

    A plain object: Keras and TensorFlow do not look for weights in it, nor save it.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple, Graph] = {}
        self.made_of: list[Any] = []

    def of(
        self, model: keras.Model, function: Callable, relax: Relax, options: dict[str, Any]
    ) -> "Graph":
        """Return the graph of a function; those of a model that has changed since are dropped."""
        now = _made_of(model)
        if len(now) != len(self.made_of) or any(map(operator.is_not, now, self.made_of)):
            self.kept, self.made_of = {}, now
        eagerly = model.run_eagerly or tf.config.functions_run_eagerly()
        key = (function, relax, eagerly, *sorted(options.items()))
        if key not in self.kept:
            if len(self.kept) >= MOST_KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = Graph(function, relax, options, eagerly)
        return self.kept[key]


def _made_of(model: keras.Model) -> list[Any]:
    """Return the objects of a model that its graphs depend on."""
    attributes = [
        value
        for name, value in vars(model).items()
        if not name.startswith("_") and name not in _OF_TRAINING
    ]
    policies = [layer.dtype_policy for layer in model._flatten_layers()]
    return [*attributes, *policies, *model.variables]


class Graph:
    """A function of batches, traced once for each kind of arguments.

    Args:
        function: takes tensors.
        relax: as for ``Tracing.traced``.
        options: other arguments of the function.
        eagerly: whether to call the function itself.
    """

    def __init__(self, function: Callable, relax: Relax, options: dict[str, Any], eagerly: bool):
        self.function, self.relax, self.options, self.eagerly = function, relax, options, eagerly
        # None where the function cannot be traced.
        self.graphs: dict[tuple, Callable | None] = {}

    def __call__(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Return what the function gives."""
        arguments = (inputs, named)
        flat = keras.tree.flatten(arguments)
        symbolic = any(isinstance(part, keras.KerasTensor) for part in flat)
        if symbolic or not tf.executing_eagerly():
            return self.function(*inputs, **named, **self.options)
        tensors = [tf.convert_to_tensor(part) for part in flat]
        graph = None if self.eagerly else self._graph(arguments, tensors)
        if graph is not None:
            return graph(*tensors)
        return self._called(arguments, tensors)

    def _called(self, arguments: tuple, tensors: Sequence[tf.Tensor]) -> Any:
        """Call the function with tensors in the places of its arguments."""
        inputs, named = keras.tree.pack_sequence_as(arguments, tensors)
        return self.function(*inputs, **named, **self.options)

    def _graph(self, arguments: tuple, tensors: list[tf.Tensor]) -> Callable | None:
        shapes = [tuple(self.relax(tensor.shape.as_list())) for tensor in tensors]
        kinds = [tensor.dtype for tensor in tensors]
        key = (len(arguments[0]), *arguments[1], *kinds, *shapes)
        if key not in self.graphs:
            specs = [tf.TensorSpec(*pair) for pair in zip(shapes, kinds, strict=True)]
            self.graphs[key] = self._traced(arguments, specs)
        return self.graphs[key]

    def _traced(self, arguments: tuple, specs: list[tf.TensorSpec]) -> Callable | None:
        # Of the arguments themselves, which may be large, the graph holds none.
        places = keras.tree.map_structure(lambda part: 0, arguments)
        graph = tf.function(
            lambda *tensors: self._called(places, tensors),
            input_signature=specs,
            autograph=False,
        )
        try:
            # Called without the search for a graph that fits, which takes as long as a small one.
            return graph.get_concrete_function()
        except Exception:  # A person's own network may fail in any way, and still run eagerly.
            return None
