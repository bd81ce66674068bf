"""Functions of a batch as graphs: what generating, encoding and decoding in Python run.

Layer by layer, most of the time of a small batch goes to Python. A function is traced once for
batches of any size, as an exported signature is, and again when the model has changed.
"""

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from keras_genzoo.losses.tensors import Tensor

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras import Model as Joined
else:
    Joined = object

Spec = Callable[[tf.Tensor], tf.TensorSpec]
# Attributes that Keras sets in every training, and that say nothing of what a model computes.
_OF_TRAINING = frozenset({"history", "stop_training"}) | {
    f"{name}_function" for name in ("train", "test", "predict")
}
# Functions of one model that are kept; each call with other options is another one.
MOST_KEPT = 32


def any_rows(tensor: tf.Tensor) -> tf.TensorSpec:
    """Return the spec of tensors like this one with any number of rows."""
    shape = tensor.shape if tensor.shape.rank == 0 else [None, *tensor.shape[1:]]
    return tf.TensorSpec(shape, tensor.dtype)


class Tracing(Joined):
    """What ``ImageModel`` adds to run its functions of a batch as graphs."""

    _graphs: "Graphs"

    def traced(self, function: Callable, spec: Spec = any_rows, **options: Any) -> Callable:
        """Return a function of batches that runs ``function`` as a graph, traced where needed.

        It takes arrays and tensors, by position or by name. Weights that change are seen; it is
        traced anew when a public attribute of the model is set, or a layer gets another variable or
        another dtype policy. Of a model with ``run_eagerly``, inside of a ``tf.function``, of
        symbolic tensors, and where tracing fails, as in a network that asks for values, the
        function itself is called.

        Args:
            function: a method of the model or of one of its layers; its graph is kept.
            spec: returns what a tensor may be without tracing anew; by default the number of rows
                is free.
            **options: other arguments of the function, the same in each call.
        """
        return self._graphs.of(self, function, spec, options)


class Graphs:
    """The graphs of a model's functions, which hold on to what the model is made of.

    A plain object: Keras and TensorFlow do not look for weights in it, nor save it.
    """

    def __init__(self) -> None:
        self.kept: dict[tuple, Graph] = {}
        self.made_of: list[Any] = []

    def of(
        self, model: keras.Model, function: Callable, spec: Spec, options: dict[str, Any]
    ) -> "Graph":
        """Return the graph of a function; those of a model that has changed since are dropped."""
        now = _made_of(model)
        if len(now) != len(self.made_of) or any(map(operator.is_not, now, self.made_of)):
            self.kept, self.made_of = {}, now
        eagerly = model.run_eagerly or tf.config.functions_run_eagerly()
        key = (function, spec, eagerly, *sorted(options.items()))
        if key not in self.kept:
            if len(self.kept) >= MOST_KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = Graph(function, spec, options, eagerly)
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
        spec: of a tensor, what another one may be without tracing anew.
        options: other arguments of the function.
        eagerly: whether to call the function itself.
    """

    def __init__(self, function: Callable, spec: Spec, options: dict[str, Any], eagerly: bool):
        self.function, self.spec, self.options, self.eagerly = function, spec, options, eagerly
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
        inputs, named = keras.tree.pack_sequence_as(arguments, tensors)
        return self.function(*inputs, **named, **self.options)

    def _graph(self, arguments: tuple, tensors: list[tf.Tensor]) -> Callable | None:
        specs = [self.spec(tensor) for tensor in tensors]
        key = (len(arguments[0]), *arguments[1], *specs)
        if key not in self.graphs:
            self.graphs[key] = self._traced(arguments, specs)
        return self.graphs[key]

    def _traced(self, arguments: tuple, specs: list[tf.TensorSpec]) -> Callable | None:
        def flat(*tensors):
            inputs, named = keras.tree.pack_sequence_as(arguments, tensors)
            return self.function(*inputs, **named, **self.options)

        graph = tf.function(flat, input_signature=specs, autograph=False)
        try:
            graph.get_concrete_function()
        except Exception:  # A person's own network may fail in any way, and still run eagerly.
            return None
        return graph
