"""Load SavedModels as TF Serving does, by plain TensorFlow, and call every signature.

    python -I served.py FOLDER...

Each folder holds numbered versions and their README.md. Prints, as JSON by folder, what each
signature gave for three rows of what its card says that it takes, and for the request of the
README.
"""

import json
import re
import sys
from pathlib import Path

# TensorFlow itself imports Keras where there is one; a server has none.
MISSING = ("keras", "keras_genzoo")
if __name__ == "__main__":
    sys.modules |= dict.fromkeys(MISSING)

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

ROWS = 3


def given(tensor, rng):
    """Rows of an input in the range that the card names."""
    shape, dtype, words = (ROWS, *tensor["shape"][1:]), tensor["dtype"], tensor["range"]
    bounds = re.match(r"(\d+) to (\d+)", words)
    if dtype == "float32":
        return rng.uniform(size=shape) if bounds else rng.normal(size=shape)
    return rng.integers(0, int(bounds[2]) if bounds else 2**40, shape, endpoint=True)


def called(signature, inputs):
    """What a signature gives for arrays, in words."""
    specs = signature.structured_input_signature[1]
    tensors = {name: tf.constant(values, specs[name].dtype) for name, values in inputs.items()}
    outputs = {name: value.numpy() for name, value in signature(**tensors).items()}
    return {
        name: {
            "shape": list(value.shape),
            "dtype": str(value.dtype),
            "finite": bool(np.isfinite(value).all()),
            "least": float(value.min()),
            "most": float(value.max()),
        }
        for name, value in outputs.items()
    }


def versions(folder):
    return sorted((p for p in folder.iterdir() if p.name.isdecimal()), key=lambda p: int(p.name))


def main(*folders):
    results = {}
    for folder in map(Path, folders):
        [code] = re.findall(r"curl -d '(.*?)'", (folder / "README.md").read_text(), re.DOTALL)
        request, found = json.loads(code), {}
        for version in versions(folder):
            loaded = tf.saved_model.load(str(version), tags=["serve"]).signatures
            card = json.loads((version / "assets.extra/card.json").read_text())
            assert set(loaded) == set(card["signatures"])
            rng = np.random.default_rng(0)
            for name, signature in loaded.items():
                takes = card["signatures"][name]["inputs"]
                inputs = {key: given(tensor, rng) for key, tensor in takes.items()}
                found[f"{version.name}/{name}"] = called(signature, inputs)
            signature = loaded[request["signature_name"]]
            found[f"{version.name}/README"] = called(signature, request["inputs"])
        results[str(folder)] = found
    assert not {name for name, module in sys.modules.items() if module and name.startswith("keras")}
    print(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
