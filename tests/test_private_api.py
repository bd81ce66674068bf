"""What of Keras and TensorFlow the package uses that is not public, in one list.

A release of either may change it without notice: whoever raises an upper bound of ``setup.cfg``
finds here what is gone, and where it is used.
"""

import ast
import importlib
import inspect
from pathlib import Path

import keras
import pytest
import tensorflow as tf

import keras_genzoo

VERSIONS = f"Keras {keras.__version__}, TensorFlow {tf.__version__}"

# Functions by import path, with their signatures.
FUNCTIONS = {
    # networks/seeding.py, models/size.py: Keras' own random seed, and variables not yet allocated.
    "keras.src.backend.common.global_state:get_global_attribute": (
        "(name, default=None, set_to_default=False)"
    ),
    "keras.src.backend.common.global_state:set_global_attribute": "(name, value)",
    # models/size.py: whether a model is being measured.
    "keras.src.backend.common.stateless_scope:in_stateless_scope": "()",
    # models/checking.py, models/combinations.py, export/networks.py: all layers, nested ones too.
    "keras.layers:Layer._flatten_layers": "(self, include_self=True, recursive=True)",
    # models/base.py overrides it: it would build models that are built, on uint8 images.
    "keras:Model._maybe_symbolic_build": "(self, iterator=None, data_batch=None)",
    # models/adam.py: which moments are those of a variable.
    "keras.optimizers:Optimizer._get_variable_index": "(self, variable)",
    "keras.optimizers:Adam.update_step": "(self, gradient, variable, learning_rate)",
    # networks/seeding.py: TensorFlow's global seed.
    "tensorflow.python.eager.context:context": "()",
    # export/litert.py: the card inside of a .tflite file.
    "tensorflow.lite.tools.flatbuffer_utils:convert_bytearray_to_object": "(model_bytearray)",
    "tensorflow.lite.tools.flatbuffer_utils:convert_object_to_bytearray": (
        "(model_object, extra_buffer=b'')"
    ),
    "tensorflow.lite.python.schema_py_generated:BufferT": "(data=None, offset=0, size=0)",
    "tensorflow.lite.python.schema_py_generated:MetadataT": "(name=None, buffer=0)",
}
# Names under which Keras keeps global values.
NAMES = {
    # networks/seeding.py
    "keras.src.random.seed_generator:GLOBAL_SEED_GENERATOR": "global_seed_generator",
    "keras.src.utils.rng_utils:GLOBAL_RANDOM_SEED": "global_random_seed",
}


def _adam():
    optimizer, variable = keras.optimizers.Adam(0.1), keras.Variable([1.0])
    optimizer.build([variable])
    return optimizer


def _uninitialized():
    from keras.src.backend.common import global_state

    # As models/size.py does: it leaves what the scope has put off in a list of this name.
    kept = list(global_state.get_global_attribute("uninitialized_variables", []))
    with keras.StatelessScope(initialize_variables=False):
        keras.layers.Dense(3).build((None, 2))
    found = global_state.get_global_attribute("uninitialized_variables")[len(kept) :]
    global_state.set_global_attribute("uninitialized_variables", kept)
    return [tuple(variable.shape) for variable in found]


def _learning_rate():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    return keras.optimizers.Adam(schedule)._learning_rate is schedule


def _history():
    inputs = keras.Input((2,))
    operation, node_index, _ = keras.layers.Dense(3)(inputs)._keras_history
    return operation._inbound_nodes[node_index].input_tensors[0] is inputs


def _cached_evaluation():
    # models/base.py leaves calls with this argument alone: they come from inside of ``fit``.
    return '"_use_cached_eval_dataset"' in inspect.getsource(keras.Model.evaluate)


def _seeds():
    from tensorflow.python.eager import context

    eager = context.context()
    before = eager._seed, getattr(eager, "_rng", None)
    try:
        tf.random.set_seed(5)
        return eager._seed == 5 and hasattr(eager._rng, "getstate")
    finally:
        eager._seed, eager._rng = before


# Attributes that only objects have, each with what shows that it is what it was.
ATTRIBUTES = {
    # models/adam.py
    "_momentums": lambda: _adam()._momentums[0].value.handle.dtype == tf.resource,
    "_velocities": lambda: _adam()._velocities[0].value.handle.dtype == tf.resource,
    # models/optimizers.py: whether a learning rate follows a schedule; read by its public name, a
    # schedule gives the rate of this step.
    "_learning_rate": _learning_rate,
    # models/outputs.py: which activation a functional network ends in.
    "_keras_history": _history,
    "_inbound_nodes": _history,
    # networks/seeding.py
    "_seed": _seeds,
    "_rng": _seeds,
    # models/base.py
    "_use_cached_eval_dataset": _cached_evaluation,
    # models/size.py
    "uninitialized_variables": lambda: _uninitialized() == [(2, 3), (3,)],
}


def found(path):
    """What an import path with attributes of attributes names."""
    module, _, names = path.partition(":")
    try:
        value = importlib.import_module(module)
        for name in names.split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError) as error:
        pytest.fail(
            f"Keras {keras.__version__}, TensorFlow {tf.__version__}: {path} is gone: {error}"
        )
    return value


@pytest.mark.parametrize("path", FUNCTIONS)
def test_a_private_function_has_the_signature_that_is_relied_on(path):
    signature = str(inspect.signature(found(path)))
    assert signature == FUNCTIONS[path], f"{VERSIONS}: {path} has another signature"


@pytest.mark.parametrize("path", NAMES)
def test_a_private_name_is_what_it_was(path):
    assert found(path) == NAMES[path]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_private_attribute_is_what_it_was(name):
    try:
        assert ATTRIBUTES[name]()
    except (AttributeError, TypeError, ValueError) as error:
        pytest.fail(f"{VERSIONS}: {name}: {error}")


@pytest.mark.slow
def test_nothing_private_is_used_that_the_list_lacks():
    listed = {part for path in (*FUNCTIONS, *NAMES) for part in path.replace(":", ".").split(".")}
    listed |= set(ATTRIBUTES)
    trees = {
        file: ast.parse(file.read_text(encoding="utf-8"))
        for file in Path(keras_genzoo.__file__).parent.rglob("*.py")
    }
    own = {"_asdict"} | {name for tree in trees.values() for name in _defined(tree)}
    missing = [
        f"{file.name}: {name}"
        for file, tree in trees.items()
        for name in _private(tree)
        if name not in own and name.rpartition(".")[2] not in listed
    ]
    assert not missing, f"list in {Path(__file__).name}: {', '.join(missing)}"


def _defined(tree):
    """Yield the names that a module of the package defines itself."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            # As in self.__dict__["_settings"].
            yield node.slice.value
        elif isinstance(getattr(node, "ctx", None), ast.Store):
            name = getattr(node, "id", None)
            of_self = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
            yield node.attr if of_self else name


def _private(tree):
    """Yield the private attributes, and what is imported from private modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr[:1] == "_" and node.attr[:2] != "__":
            yield node.attr
        module = getattr(node, "module", None) or ""
        if {"src", "python", "tools"} & set(module.split(".")[1:]):
            yield from (f"{module}.{name.name}" for name in node.names)
