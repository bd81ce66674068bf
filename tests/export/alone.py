"""Run exported files in a process where what made them cannot be imported.

    python -I alone.py RUNTIME GIVEN.npz RETURNED.npz NAME=FILE...

Arrays are named ``file|call|signature|tensor``; what a call returns has its names, too.
"""

import functools
import sys

import numpy as np

# What each runtime must do without.
MISSING = {
    "saved_model": ("keras", "keras_genzoo"),
    "litert": ("tensorflow", "keras", "keras_genzoo"),
    "onnx": ("tensorflow", "keras", "keras_genzoo", "tf2onnx"),
    "keras": ("keras_genzoo",),
}


def saved_model(path):
    """Return (signature, inputs) -> outputs by plain TensorFlow."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)

    def run(signature, inputs):
        outputs = loaded.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    return run


def litert(path):
    """Return (signature, inputs) -> outputs by LiteRT, a row at a time."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(path)

    def run(signature, inputs):
        runner = interpreter.get_signature_runner(signature)
        count = len(next(iter(inputs.values())))
        rows = [runner(**{k: v[row : row + 1] for k, v in inputs.items()}) for row in range(count)]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return run


def onnx(path):
    """Return (signature, inputs) -> outputs by ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path)

    def run(signature, inputs):
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs), strict=True))

    return run


def keras(path):
    """Return (signature, inputs) -> outputs by Keras."""
    import keras

    network = keras.models.load_model(path)

    def run(signature, inputs):
        return {k: np.asarray(v) for k, v in network(inputs, training=False).items()}

    return run


def main(runtime, given, returned, *files):
    """Run all calls."""
    for name in MISSING[runtime]:
        sys.modules[name] = None
    paths = dict(file.split("=") for file in files)
    load = functools.cache({f.__name__: f for f in (saved_model, litert, onnx, keras)}[runtime])
    calls = {}
    with np.load(given) as arrays:
        for key, values in arrays.items():
            *call, name = key.split("|")
            calls.setdefault(tuple(call), {})[name] = values
    results = {}
    for (file, call, signature), inputs in calls.items():
        for name, values in load(paths[file])(signature, inputs).items():
            results[f"{file}|{call}|{signature}|{name}"] = values
    np.savez(returned, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
