"""Whether a file does what the model does: the same inputs through both."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import IMAGES
from keras_genzoo.export.inputs import Arrays, run_network
from keras_genzoo.text import one_line

Runner = Callable[[str, Arrays], Arrays]


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
        GenzooError: if the shapes differ, or a value is NaN or infinite.

    >>> difference("images", np.zeros((1, 2)), np.array([[0.0, 0.1]]))[:2]
    (0.1, 0.05)
    """
    if expected.shape != given.shape:
        raise GenzooError(f"'{name}' has the shape {given.shape}, not {expected.shape}")
    if not np.isfinite(given).all():
        raise GenzooError(f"'{name}' has NaN or infinite values")
    expected, given = expected.astype("float64"), given.astype("float64")
    scale = 1.0 if name in IMAGES else max(np.ptp(expected), np.finfo("float32").tiny)
    error = abs(given - expected) / scale
    with np.errstate(divide="ignore"):
        psnr = float(-10 * np.log10((error**2).mean()))
    return Difference(float(error.max()), float(error.mean()), psnr)


def verify(
    networks: dict[str, keras.Model],
    inputs: dict[str, Arrays],
    open_file: Callable[[], Runner],
    tolerance: Tolerance,
    what: str,
) -> dict[str, Any]:
    """Compare a file with networks on the same inputs.

    Args:
        networks: by signature, in float32, with a free batch.
        inputs: by signature.
        open_file: returns (signature, inputs) -> outputs, by the file.
        tolerance: what the file may differ by.
        what: the file, in words, for the error.

    Returns:
        for a card: ``tolerance``, and in ``verified`` the fields of ``Difference`` by signature
        and output.

    Raises:
        GenzooError: if the file cannot be run, or an output differs by more than the tolerance.
    """
    found: dict[str, Any] = {}
    run = _tried(what, open_file)
    for name, network in networks.items():
        expected, given = run_network(network, inputs[name]), _tried(what, run, name, inputs[name])
        found[name] = {}
        for output, values in expected.items():
            result = difference(output, values, given[output])
            found[name][output] = result._asdict()
            error = getattr(result, tolerance.kind)
            if not error <= tolerance.limit:
                raise GenzooError(
                    f"{what} differs from the model: {tolerance.kind} error {error:.2g} of "
                    f"'{output}' in '{name}', where {tolerance.limit:g} is accepted"
                )
    return {"tolerance": tolerance._asdict(), "verified": found}


def _tried(what: str, function: Callable, *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:  # A runtime may refuse a file in any way.
        raise GenzooError(f"{what} cannot be run: {one_line(error)[:300]}") from error
