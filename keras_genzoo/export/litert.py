"""LiteRT (TFLite): a model in one file for phones and small machines, without TensorFlow there."""

import tempfile
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError, unknown
from keras_genzoo.export.card import make_card
from keras_genzoo.export.formats import CALIBRATION
from keras_genzoo.export.inputs import Arrays, batches, draw_inputs, inputs_to_verify
from keras_genzoo.export.networks import check_name, float32_networks, require
from keras_genzoo.export.placing import placing, write_card
from keras_genzoo.export.saved_model import write_networks
from keras_genzoo.export.verify import Runner, Tolerance, verify
from keras_genzoo.files import json_text, unwritable
from keras_genzoo.models import ImageModel
from keras_genzoo.quiet import held_back_errors
from keras_genzoo.text import one_line

LITERT_TYPES = {
    "float32": Tolerance("max", 1e-4),
    "float16": Tolerance("max", 1e-2),
    "dynamic": Tolerance("mean", 0.02),
    "int8": Tolerance("mean", 0.02),
}
LEAST_CALIBRATION = 50
METADATA = "keras_genzoo"


def export_litert(
    model: ImageModel,
    folder: str | Path,
    name: str = "model",
    types: Sequence[str] = ("float32",),
    *,
    batch_size: int | None = 1,
    calibration: int = CALIBRATION,
    images: np.ndarray | None = None,
    check: bool = False,
    facts: dict[str, str] | None = None,
) -> list[Path]:
    """Write ``<name>-<type>.tflite`` for each type, and beside it its card, ``.json``.

    All signatures of the model are in each file, under their names, and need no Flex operations.
    Inputs and outputs are floats (labels int32) in every type. ``float16`` keeps the weights in
    half precision; ``dynamic`` keeps them in 8 bits; ``int8`` computes in 8 bits, with ranges
    measured on inputs drawn from the prior of z, the classes in turn. Signatures that choose codes
    on the way are in the ``float32`` file alone (``model.discrete_signatures``).

    Args:
        model: the model.
        folder: where the files go; files of these names are replaced.
        name: beginning of the files' names.
        types: names in ``LITERT_TYPES``.
        batch_size: of every call; None leaves it free, at the cost of more operations.
        calibration: rows of input that int8 measures its ranges on, at least 50.
        images: uint8 images of the data; int8 of an autoencoder measures its ranges on the first
            ``calibration`` of them. Files are compared on those behind, if there are any.
        check: compare each file with the model (needs ai-edge-litert) before they are put in place.
        facts: what is known of the model's origin, for its card.

    Returns:
        the files.

    Raises:
        GenzooError: if a type is unknown, calibration data are too few, the model has layers that
            LiteRT lacks, a file differs from the model by more than its type may, or a package is
            missing.
    """
    types = _checked_types(types)
    check_name(name)
    if batch_size is not None and batch_size < 1:
        raise GenzooError(f"the batch size must be at least 1, not {batch_size}")
    if check:
        require("ai_edge_litert", "litert", "comparing LiteRT files with the model")
    networks = float32_networks(model, batch_size)
    smooth = {k: net for k, net in networks.items() if k not in model.discrete_signatures}
    data = None
    if "int8" in types:
        data = _calibration(model, smooth, calibration, batch_size or 1, images)
    free = float32_networks(model)
    inputs = _inputs_to_compare(model, calibration, images) if check else {}
    folder, files = Path(folder), []
    with placing(folder) as temporary:
        for kind in types:
            file = temporary / f"{name}-{kind}.tflite"
            facts_of_type = {**(facts or {}), "type": kind}
            held = networks if kind == "float32" else smooth
            card = make_card(name, model, held, facts_of_type, images).to_dict()
            file.write_bytes(with_metadata(converted(held, kind, data), card))
            if check:
                what, tolerance = str(folder / file.name), LITERT_TYPES[kind]
                compared = {signature: free[signature] for signature in held}
                card |= verify(compared, inputs, partial(runner, file, batch_size), tolerance, what)
            write_card(file, card)
            files.append(folder / file.name)
    return files


def export_types(
    model: ImageModel, folder: Path, name: str, *, batch_size: int = 1, **options: Any
) -> list[Path]:
    """Write files as ``export_litert`` does; as on the command line, a batch size of 0 is free."""
    return export_litert(model, folder, name, batch_size=batch_size or None, **options)


def _checked_types(types: Sequence[str]) -> list[str]:
    types = [types] if isinstance(types, str) else list(dict.fromkeys(types))
    if not types:
        raise GenzooError(f"name at least one LiteRT type: {', '.join(LITERT_TYPES)}")
    for kind in types:
        if kind not in LITERT_TYPES:
            raise unknown("LiteRT type", kind, LITERT_TYPES)
    return types


def _calibration(
    model: ImageModel,
    networks: dict[str, keras.Model],
    count: int,
    batch_size: int,
    images: np.ndarray | None,
) -> list[tuple[str, Arrays]]:
    """Return batches of input by signature, that int8 measures its ranges on.

    Raises:
        GenzooError: if they are too few to trust the ranges.
    """
    least = max(LEAST_CALIBRATION, getattr(model, "num_classes", 0))
    if count < least:
        raise GenzooError(
            f"int8 needs at least {least} rows of input to measure its ranges on, not {count}"
        )
    of_data = {"images", "codes"}
    takes_images = any(of_data & set(network.input) for network in networks.values())
    if takes_images and (images is None or len(images) < count):
        number = 0 if images is None else len(images)
        raise GenzooError(
            f"int8 needs {count} images of the data to measure its ranges on, and has {number}; "
            "give more images, or ask for fewer with --calibration"
        )
    drawn = draw_inputs(model, count, 0, images)
    return [(name, part) for name in networks for part in batches(drawn[name], batch_size)]


def _inputs_to_compare(
    model: ImageModel, calibration: int, images: np.ndarray | None
) -> dict[str, Arrays]:
    """Return inputs to compare files on: others than int8 was calibrated on, if there are any."""
    if images is not None:
        images = images[calibration:] if len(images) > calibration else images
    return inputs_to_verify(model, images)


def converted(
    networks: dict[str, keras.Model], kind: str, data: list[tuple[str, Arrays]] | None = None
) -> bytes:
    """Return the networks as the content of a ``.tflite`` file.

    Args:
        networks: by signature, of float32.
        kind: a name in ``LITERT_TYPES``.
        data: batches of input by signature, that int8 measures its ranges on.

    Raises:
        GenzooError: if an operation cannot be converted.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            write_networks(networks, Path(folder))
        except OSError as error:
            raise unwritable(folder, error) from error
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(networks))
        if kind != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if kind == "int8":
            assert data is not None  # Ranges cannot be measured without.
            converter.representative_dataset = lambda: iter(data)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        with held_back_errors(show=False), warnings.catch_warnings():
            # TensorFlow measures the ranges by an interpreter that it calls deprecated.
            warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")
            try:
                return converter.convert()
            except Exception as error:  # The converter raises errors of many types.
                raise GenzooError(
                    f"LiteRT cannot hold this model as {kind}: {one_line(error)[:300]}; take "
                    "other layers in your own networks, or another type"
                ) from error


def with_metadata(content: bytes, card: dict) -> bytes:
    """Return a ``.tflite`` file's content with its card inside, as JSON."""
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.tools import flatbuffer_utils

    file = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(json_text(card).encode(), "uint8")
    entry = schema.MetadataT()
    entry.name, entry.buffer = METADATA, len(file.buffers)
    file.buffers.append(buffer)
    file.metadata = [*(file.metadata or []), entry]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(file))


def runner(path: Path, batch_size: int | None) -> Runner:
    """Return (signature, inputs) -> outputs of a file, by LiteRT's own interpreter."""
    from ai_edge_litert.interpreter import Interpreter

    with held_back_errors():
        interpreter = Interpreter(model_path=str(path))

    def run(name: str, inputs: Arrays) -> Arrays:
        signature = interpreter.get_signature_runner(name)
        count = len(next(iter(inputs.values())))
        with held_back_errors():
            parts = [signature(**batch) for batch in batches(inputs, batch_size or count)]
        return {
            output: np.concatenate([part[output] for part in parts])[:count] for output in parts[0]
        }

    return run
