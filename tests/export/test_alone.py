"""Exported files where this package is not installed: batches of 1, 3 and 32, by every runtime."""

import keras
import numpy as np
import pytest

from keras_genzoo.export import LITERT_TYPES, difference, draw_inputs
from tests.export.conftest import EXPORTED
from tests.models.cases import images

pytestmark = pytest.mark.slow

BATCHES = (1, 3, 32)


@pytest.fixture(scope="module")
def calls(models):
    """(model, signature, inputs, the model's own outputs), for each batch size."""
    found = []
    for model in EXPORTED:
        built = models[model]
        networks = built.signatures()
        for signature, drawn in draw_inputs(built, 32, 5, images(32, seed=4)).items():
            for batch in BATCHES:
                inputs = {name: values[:batch] for name, values in drawn.items()}
                outputs = networks[signature](
                    {name: keras.ops.convert_to_tensor(v) for name, v in inputs.items()}
                )
                outputs = {name: np.asarray(values) for name, values in outputs.items()}
                found.append((model, signature, inputs, outputs))
    # Three signatures of the VAE, one of the conditional GAN.
    assert len(found) == (3 + 1) * len(BATCHES)
    return found


def check(results, calls, kind, limit):
    """Compare all outputs; ``kind`` is the field of the difference that has a limit."""
    compared = 0
    for number, (_, signature, _, outputs) in enumerate(calls):
        for name, values in outputs.items():
            [given] = [
                result
                for key, result in results.items()
                if key.endswith(f"|{number}|{signature}|{name}")
            ]
            assert given.dtype == np.float32
            assert getattr(difference(name, values, given), kind) <= limit, (signature, name)
            compared += 1
    assert compared == len(results)


def named(calls, by_signature=False):
    """Name every input as ``alone`` does; some formats have a file for each signature."""
    return {
        f"{model}-{signature}|{number}|{signature}|{name}"
        if by_signature
        else f"{model}|{number}|{signature}|{name}": values
        for number, (model, signature, inputs, _) in enumerate(calls)
        for name, values in inputs.items()
    }


@pytest.fixture(scope="module")
def uint8_calls(calls):
    """The calls that take images, by the signature that takes them as bytes."""
    return [
        (
            model,
            f"{signature}_uint8",
            {"images": np.rint(inputs["images"] * 255).astype("uint8")},
            outputs,
        )
        for model, signature, inputs, outputs in calls
        if "images" in inputs
    ]


SEEDS = np.array([3, -1, 2**40, 3], "int64")


@pytest.fixture(scope="module")
def seeded():
    """Arrays for a call with all seeds, and for one with the third alone."""
    arrays = {}
    for name in EXPORTED:
        for call, rows in (("all", slice(None)), ("one", slice(2, 3))):
            key = f"{name}|{call}|generate_seeded"
            arrays[f"{key}|seed"] = SEEDS[rows]
            if name == "cgan":
                arrays[f"{key}|class_labels"] = np.array([1, 2, 3, 1], "int32")[rows]
    return arrays


@pytest.fixture(scope="module")
def by_tensorflow(exported, alone, calls, uint8_calls, seeded):
    """What one process of plain TensorFlow makes of all calls, each kind by itself."""
    folders = {name: exported[name].saved_model for name in EXPORTED}
    results = alone("saved_model", folders, named(calls) | named(uint8_calls) | seeded)
    kinds = {"plain": {}, "uint8": {}, "seeded": {}}
    for key, values in results.items():
        signature = key.split("|")[2]
        kind = next((kind for kind in kinds if signature.endswith(f"_{kind}")), "plain")
        kinds[kind][key] = values
    return kinds


def test_saved_models_need_plain_tensorflow_only(by_tensorflow, calls):
    check(by_tensorflow["plain"], calls, "max", 1e-5)


@pytest.mark.parametrize("kind", LITERT_TYPES)
def test_litert_files_need_litert_only(exported, alone, calls, kind):
    files = {
        name: next(file for file in exported[name].litert if file.stem == f"{name}-{kind}")
        for name in EXPORTED
    }
    check(alone("litert", files, named(calls)), calls, *LITERT_TYPES[kind])


@pytest.mark.parametrize(("runtime", "limit"), [("onnx", 1e-4), ("keras", 1e-5)])
def test_files_of_one_signature_need_their_runtime_only(exported, alone, calls, runtime, limit):
    files = {file.stem: file for name in EXPORTED for file in getattr(exported[name], runtime)}
    check(alone(runtime, files, named(calls, by_signature=True)), calls, "max", limit)


def test_uint8_images_are_taken_as_they_are(by_tensorflow, uint8_calls):
    check(by_tensorflow["uint8"], uint8_calls, "max", 1e-5)


def test_the_same_seed_is_the_same_image_in_two_processes_and_in_any_batch(
    exported, alone, by_tensorflow, seeded
):
    folders = {name: exported[name].saved_model for name in EXPORTED}
    first, second = by_tensorflow["seeded"], alone("saved_model", folders, seeded)
    for name in EXPORTED:
        made, again = (result[f"{name}|all|generate_seeded|images"] for result in (first, second))
        np.testing.assert_array_equal(made, again)
        np.testing.assert_array_equal(made[0], made[3])
        assert abs(made[0] - made[1]).max() > 1e-3
        # Kernels add up in another order in another batch.
        one = first[f"{name}|one|generate_seeded|images"]
        np.testing.assert_allclose(one[0], made[2], atol=1e-6)
