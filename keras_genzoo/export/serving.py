"""What stands beside a SavedModel for those who serve it: requests to warm up, settings, calls."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import Card, signature_table
from keras_genzoo.export.inputs import Arrays, draw_inputs
from keras_genzoo.export.networks import require
from keras_genzoo.files import writing
from keras_genzoo.models import ImageModel

WARM_UP = Path("assets.extra", "tf_serving_warmup_requests")
# More are refused by TF Serving.
MAX_REQUESTS = 1000
BATCH_SIZES = (1, 2, 4, 8, 16, 32)


def write_warm_up(
    folder: Path,
    card: Card,
    model: ImageModel,
    batch_sizes: Sequence[int],
    images: np.ndarray | None = None,
) -> None:
    """Write a request of each signature and batch size, as records of ``PredictionLog``.

    Raises:
        GenzooError: if a batch size is no positive number, there are too many requests, or
            tensorflow-serving-api is not installed.
    """
    require("tensorflow_serving", "serving", "writing requests to warm up with")
    from tensorflow_serving.apis import prediction_log_pb2

    if min(batch_sizes) < 1 or len(batch_sizes) * len(card.signatures) > MAX_REQUESTS:
        raise GenzooError(
            f"batch sizes are positive numbers, few enough for {MAX_REQUESTS} requests in all; "
            f"not {', '.join(map(str, batch_sizes))}"
        )
    with writing(folder / WARM_UP) as temporary, tf.io.TFRecordWriter(str(temporary)) as writer:
        for batch_size in batch_sizes:
            for name, inputs in served_inputs(model, card, batch_size, images).items():
                log = prediction_log_pb2.PredictionLog()
                request = log.predict_log.request
                request.model_spec.name = card.name
                request.model_spec.signature_name = name
                for given, values in inputs.items():
                    request.inputs[given].CopyFrom(tf.make_tensor_proto(values))
                writer.write(log.SerializeToString())


def served_inputs(
    model: ImageModel, card: Card, count: int, images: np.ndarray | None = None
) -> dict[str, Arrays]:
    """Return ``count`` rows of input for each served signature."""
    if images is not None:
        # As many as asked for, whatever there is.
        images = np.resize(images, (count, *images.shape[1:]))
    drawn = draw_inputs(model, count, 0, images)
    known = {name: values for inputs in drawn.values() for name, values in inputs.items()}
    known["seed"] = np.arange(count, dtype="int64")
    served: dict[str, Arrays] = {}
    for name, ends in card.signatures.items():
        own = drawn.get(name, known)
        served[name] = {given: _as(own[given], t["dtype"]) for given, t in ends["inputs"].items()}
    return served


def _as(values: np.ndarray, dtype: str) -> np.ndarray:
    return np.rint(values * 255).astype("uint8") if dtype == "uint8" else values.astype(dtype)


def write_serving_files(base: Path, card: Card, version: str) -> None:
    """Write ``README.md``, ``models.config`` and ``batching.config`` beside the versions."""
    texts = {
        "models.config": _models_config(card.name),
        "batching.config": _batching_config(),
        "README.md": readme(base, card, version),
    }
    for name, text in texts.items():
        with writing(base / name) as temporary:
            temporary.write_text(text)


def _models_config(name: str) -> str:
    return f"""model_config_list {{
  config {{
    name: "{name}"
    base_path: "/models/{name}"
    model_platform: "tensorflow"
  }}
}}
"""


def _batching_config() -> str:
    sizes = "\n".join(f"allowed_batch_sizes {{ value: {size} }}" for size in BATCH_SIZES)
    return f"""max_batch_size {{ value: {BATCH_SIZES[-1]} }}
batch_timeout_micros {{ value: 2000 }}
num_batch_threads {{ value: 2 }}
max_enqueued_batches {{ value: 100 }}
{sizes}
"""


def readme(base: Path, card: Card, version: str) -> str:
    """Return how this model is served and called, and its card, as Markdown."""
    name = card.name
    first = next(iter(card.signatures))
    # Whose inputs fit on a line.
    called = "generate_seeded" if "generate_seeded" in card.signatures else "decode"
    request = {"signature_name": called, "inputs": _example(card.signatures[called])}
    facts = "\n".join(f"- **{key}**: {value}" for key, value in card.facts.items())
    return f"""# {name}

A {card.model} made with keras_genzoo. Newest version: {version}. The batch is free; batch
normalisation uses the statistics of training.

{signature_table(card)}

`serving_default` is `{first}`.

## Serve

From the folder of this file:

```sh
docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD:/models/{name}" \\
  tensorflow/serving --model_config_file=/models/{name}/models.config \\
  --enable_batching --batching_parameters_file=/models/{name}/batching.config
```

The server looks for new versions by itself, and goes over to the newest.

## Call

REST:

```sh
curl -d '{json.dumps(request)}' \\
  http://localhost:8501/v1/models/{name}:predict
```

gRPC, with `pip install tensorflow-serving-api`:

```python
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

channel = grpc.insecure_channel("localhost:8500")
request = predict_pb2.PredictRequest()
request.model_spec.name = "{name}"
request.model_spec.signature_name = "{called}"
{_grpc_inputs(card.signatures[called])}
response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, 30.0)
{_grpc_outputs(card.signatures[called])}
```

Without a server:

```sh
saved_model_cli show --dir {version} --all
saved_model_cli run --dir {version} --tag_set serve --signature_def {called} \\
  --input_exprs '{_expressions(card.signatures[called])}'
```

## Model card

{facts or "- **origin**: not stated by those who exported it"}
"""


def _example(signature: dict[str, Any]) -> dict[str, Any]:
    """Return two rows of input: short ones as they are, images and codes as zeros."""
    inputs = {}
    for name, tensor in signature["inputs"].items():
        row: Any = np.zeros(tensor["shape"][1:], "int64" if "int" in tensor["dtype"] else "float64")
        inputs[name] = [1, 2] if row.ndim == 0 else [row.tolist()] * 2
    return inputs


def _expressions(signature: dict[str, Any]) -> str:
    """Return two rows of input as ``saved_model_cli`` reads them."""
    return ";".join(f"{name}={rows}" for name, rows in _example(signature).items())


def _grpc_inputs(signature: dict[str, Any]) -> str:
    lines = []
    for name, tensor in signature["inputs"].items():
        shape = (2, *tensor["shape"][1:])
        values = f'np.ones({shape}, "{tensor["dtype"]}")'
        lines.append(f'request.inputs["{name}"].CopyFrom(tf.make_tensor_proto({values}))')
    return "\n".join(lines)


def _grpc_outputs(signature: dict[str, Any]) -> str:
    return "\n".join(
        f'{name} = tf.make_ndarray(response.outputs["{name}"])' for name in signature["outputs"]
    )
