"""Whether a file does what the model does: the same inputs through both."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import IMAGES
from keras_genzoo.export.inputs import Arrays, draw_inputs, outputs_of
from keras_genzoo.models import ImageModel

Runner = Callable[[str, Arrays], Arrays]
VERIFIED_ROWS = 32


class Tolerance(NamedTuple):
    """What a file may differ by: the largest (``max``) or the mean error, of the output's range."""

    kind: str
    limit: float


class Difference(NamedTuple):
    """How far an output is from the model's.

    ``max`` and ``mean`` are absolute errors as shares of the output's range: 1 for images, from
    the least to the largest value for codes. ``psnr`` is in dB, infinite for equal outputs.
    """

    max: float
    mean: float
    psnr: float


def difference(name: str, expected: np.ndarray, given: np.ndarray) -> Difference:
    """Compare an output of a file with the model's.

    Args:
        name: of the output; images and reconstructions lie in [0, 1].
        expected: the model's output.
        given: the file's, of the same shape.

    Raises:
        GenzooError: if the shapes differ, or a value is no number.

    >>> difference("images", np.zeros((1, 2)), np.array([[0.0, 0.1]]))[:2]
    (0.1, 0.05)
    """
    if expected.shape != given.shape:
        raise GenzooError(f"'{name}' has the shape {given.shape}, not {expected.shape}")
    if not np.isfinite(given).all():
        raise GenzooError(f"'{name}' holds values that are no numbers")
    expected, given = expected.astype("float64"), given.astype("float64")
    scale = 1.0 if name in IMAGES else max(np.ptp(expected), np.finfo("float32").tiny)
    error = abs(given - expected) / scale
    with np.errstate(divide="ignore"):
        psnr = float(-10 * np.log10((error**2).mean()))
    return Difference(float(error.max()), float(error.mean()), psnr)


def verify(
    model: ImageModel,
    run: Runner,
    tolerance: Tolerance,
    what: str,
    images: np.ndarray | None = None,
    only: str | None = None,
    seed: int = 1,
) -> dict[str, dict[str, dict[str, float]]]:
    """Compare a file with the model on the same inputs.

    Args:
        model: the model, in float32.
        run: (signature, inputs) -> outputs, by the file.
        tolerance: what the file may differ by.
        what: the file, in words, for the error.
        images: real images, for signatures that take images.
        only: the one signature to compare; by default all.
        seed: key of the inputs.

    Returns:
        the fields of ``Difference`` by signature and output.

    Raises:
        GenzooError: if an output differs by more than the tolerance.
    """
    count = VERIFIED_ROWS if images is None else min(VERIFIED_ROWS, len(images))
    networks = model.signatures()
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, inputs in draw_inputs(model, count, seed, images).items():
        if only not in (None, name):
            continue
        expected, given = outputs_of(networks[name], inputs), run(name, inputs)
        found[name] = {}
        for output, values in expected.items():
            result = difference(output, values, given[output])
            found[name][output] = result._asdict()
            error = getattr(result, tolerance.kind)
            if not error <= tolerance.limit:
                raise GenzooError(
                    f"{what} differs from the model: {tolerance.kind} error {error:.2g} of "
                    f"'{output}' in '{name}', where {tolerance.limit:g} is accepted; nothing was "
                    "written"
                )
    return found
