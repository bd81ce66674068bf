"""What stands beside a SavedModel for those who serve it: requests to warm up, settings, calls."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import Card, signature_table
from keras_genzoo.export.inputs import Arrays, draw_inputs
from keras_genzoo.export.networks import require
from keras_genzoo.files import json_text, writing
from keras_genzoo.models import ImageModel
from keras_genzoo.text import encodable

WARM_UP = Path("assets.extra", "tf_serving_warmup_requests")
# TF Serving refuses more.
MAX_REQUESTS = 1000
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
BATCHING = "batching.config"


def check_warm_up(base: Path, card: Card, batch_sizes: Sequence[int], force: bool) -> None:
    """Check that a server could run the requests that are asked for.

    Raises:
        GenzooError: if a batch size is no positive number or larger than the settings of the
            server allow, there are too many requests, or tensorflow-serving-api is not installed.
    """
    if not batch_sizes:
        return
    require("tensorflow_serving", "serving", "writing requests to warm up with")
    if min(batch_sizes) < 1 or len(batch_sizes) * len(card.signatures) > MAX_REQUESTS:
        raise GenzooError(
            f"batch sizes are positive numbers, few enough for {MAX_REQUESTS} requests in all; "
            f"not {', '.join(map(str, batch_sizes))}"
        )
    settings = base / BATCHING
    if settings.exists() and not force:
        found = re.search(r"max_batch_size\s*{\s*value\s*:\s*(\d+)", settings.read_text())
        if found and max(batch_sizes) > int(found[1]):
            raise GenzooError(
                f"{settings} lets a server take {found[1]} images at once, not {max(batch_sizes)}; "
                "take smaller batch sizes, or --force to write it anew"
            )


def write_warm_up(folder: Path, card: Card, model: ImageModel, batch_sizes: Sequence[int]) -> None:
    """Write a request of each signature and batch size, as records of ``PredictionLog``."""
    from tensorflow_serving.apis import prediction_log_pb2

    with writing(folder / WARM_UP) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
        for batch_size in batch_sizes:
            for name, inputs in served_inputs(model, card, batch_size).items():
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = card.name
                request.model_spec.signature_name = name
                for given, values in inputs.items():
                    request.inputs[given].CopyFrom(tf.make_tensor_proto(values))
                writer.write(log.SerializeToString())


def check_readme(base: Path, force: bool) -> None:
    """Check that ``README.md`` in ``base`` may be written: none is there, or that of an export.

    Raises:
        GenzooError: if a person's is there, and ``force`` is not given.
    """
    file = base / "README.md"
    if file.is_file() and not force and _MARK not in file.read_bytes().decode(errors="replace"):
        raise GenzooError(
            f"{file} was not written by keras_genzoo; choose another --name, or --force to "
            "replace it"
        )


def served_inputs(model: ImageModel, card: Card, count: int) -> dict[str, Arrays]:
    """Return ``count`` rows of input for each served signature."""
    drawn = draw_inputs(model, count)
    known = {name: values for inputs in drawn.values() for name, values in inputs.items()}
    known["seed"] = np.arange(count)
    return {
        name: {given: _cast(known[given], t["dtype"]) for given, t in ends["inputs"].items()}
        for name, ends in card.signatures.items()
    }


def _cast(values: np.ndarray, dtype: str) -> np.ndarray:
    return np.rint(values * 255).astype("uint8") if dtype == "uint8" else values.astype(dtype)


def write_serving_files(
    base: Path, card: Card, version: int, batch_sizes: Sequence[int], force: bool
) -> None:
    """Write ``README.md`` beside the versions, and settings of the server where there are none."""
    settings = {
        "models.config": _models_config(card.name),
        BATCHING: _batching_config(batch_sizes),
    }
    texts = {"README.md": readme(card, version)} | {
        name: text for name, text in settings.items() if force or not (base / name).exists()
    }
    for name, text in texts.items():
        with writing(base / name) as temporary:
            temporary.write_text(encodable(text), encoding="utf-8")


def _models_config(name: str) -> str:
    return f"""model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
  }}
}}
"""


def _batching_config(batch_sizes: Sequence[int]) -> str:
    sizes = sorted({*BATCH_SIZES, *batch_sizes})
    allowed = "\n".join(f"allowed_batch_sizes: {size}" for size in sizes)
    return f"""max_batch_size {{ value: {sizes[-1]} }}
batch_timeout_micros {{ value: 2000 }}
num_batch_threads {{ value: 2 }}
max_enqueued_batches {{ value: 100 }}
{allowed}
"""


def readme(card: Card, version: int) -> str:
    """Return how this model is served and called, and its card, as Markdown."""
    # The first of these that the model has: their inputs are short.
    called = next(name for name in _CALLED if name in card.signatures)
    rows_in = _rows(card.signatures[called])
    request = {"signature_name": called, "inputs": rows_in}
    calls = "\n".join(_call(name, ends) for name, ends in card.signatures.items())
    facts = "\n".join(f"- **{key}**: {value}" for key, value in card.facts.items())
    return _README.format(
        name=card.name,
        model=card.model,
        version=version,
        table=signature_table(card),
        request=json_text(request),
        calls=calls,
        called=called,
        expressions=";".join(f"{key}={rows}" for key, rows in rows_in.items()),
        facts=facts or "- **origin**: not stated by those who exported it",
    )


def _rows(signature: dict[str, Any]) -> dict[str, Any]:
    """Return two rows of input, for JSON: numbers 0 and 1, or arrays of zeros."""
    inputs = {}
    for name, tensor in signature["inputs"].items():
        row: Any = np.zeros(tensor["shape"][1:], "int64" if "int" in tensor["dtype"] else "float64")
        inputs[name] = [0, 1] if row.ndim == 0 else [row.tolist()] * 2
    return inputs


def _call(name: str, signature: dict[str, Any]) -> str:
    """Return a line of Python that calls a signature with two rows."""
    inputs = []
    for given, tensor in signature["inputs"].items():
        shape, dtype = (2, *tensor["shape"][1:]), tensor["dtype"]
        values = (
            f"np.arange(2, dtype={dtype!r})" if len(shape) == 1 else f"np.zeros({shape}, {dtype!r})"
        )
        inputs.append(f"{given}={values}")
    outputs = ", ".join(signature["outputs"])
    return f"call({name!r}, {', '.join(inputs)})  # {outputs}"


# Signatures that the README shows a call of.
_CALLED = ("generate_seeded", "decode", "serving_default")
# A README.md without this text is a person's own.
_MARK = "made with keras_genzoo. Newest version: "
_README = """# {name}

Model: {model}, made with keras_genzoo. Newest version: {version}. The batch is free; batch
normalisation uses the statistics of training. This file is written anew by each export, the
`*.config` files are not.

{table}

## Serve

From the folder of this file:

```sh
docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD:/models/{name}" \\
  tensorflow/serving --model_config_file=/models/{name}/models.config \\
  --enable_batching --batching_parameters_file=/models/{name}/batching.config
```

The server looks for new versions by itself, and goes over to the newest. For several models in one
server, put the `config` blocks of their `models.config` into one list.

## Call

REST:

```sh
curl -d '{request}' \\
  http://localhost:8501/v1/models/{name}:predict
```

gRPC, with `pip install tensorflow-serving-api`; two rows of each signature:

```python
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

channel = grpc.insecure_channel("localhost:8500")
service = prediction_service_pb2_grpc.PredictionServiceStub(channel)


def call(signature, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "{name}"
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    response = service.Predict(request, 30.0)
    return {{name: tf.make_ndarray(value) for name, value in response.outputs.items()}}


{calls}
```

Without a server:

```sh
saved_model_cli show --dir {version} --all
saved_model_cli run --dir {version} --tag_set serve --signature_def {called} \\
  --input_exprs '{expressions}'
```

## Model card

{facts}
"""
