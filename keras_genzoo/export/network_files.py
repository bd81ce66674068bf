"""One file a signature: ONNX, and Keras files that load without this package."""

import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import make_card
from keras_genzoo.export.inputs import Arrays, inputs_to_verify, run_network
from keras_genzoo.export.networks import check_name, float32_networks, require, with_keras_layers
from keras_genzoo.export.placing import placing, write_card
from keras_genzoo.export.verify import Runner, Tolerance, verify
from keras_genzoo.models import ImageModel
from keras_genzoo.models.exporting import input_specs
from keras_genzoo.networks import randomness_kept
from keras_genzoo.quiet import held_back_errors
from keras_genzoo.text import one_line


class _Format(NamedTuple):
    """How a network becomes a file, how the file is run, and what it may differ by."""

    suffix: str
    write: Callable[[keras.Model, Path], None]
    run: Callable[[Path], Runner]
    tolerance: Tolerance


def export_onnx(
    model: ImageModel,
    folder: str | Path,
    name: str = "model",
    *,
    check: bool = False,
    images: np.ndarray | None = None,
    facts: dict[str, str] | None = None,
) -> list[Path]:
    """Write ``<name>-<signature>.onnx`` for each signature, by Keras' own exporter.

    Args:
        model: the model.
        folder: where the files go; files of these names are replaced.
        name: beginning of the files' names.
        check: compare each file with the model in ONNX Runtime before they are put in place.
        images: real images for that comparison, uint8.
        facts: what is known of the model's origin, for its card.

    Returns:
        the files; beside each stands ``.json``, its card.

    Raises:
        GenzooError: if a package is missing, the model has layers that ONNX lacks, or a file
            differs from the model.
    """
    require("tf2onnx", "onnx", "exporting to ONNX")
    if check:
        require("onnxruntime", "onnx", "comparing ONNX files with the model")
    onnx = _Format("onnx", _write_onnx, _run_onnx, Tolerance("max", 1e-4))
    return _export(onnx, model, folder, name, check, images, facts)


def export_keras(
    model: ImageModel,
    folder: str | Path,
    name: str = "model",
    *,
    check: bool = False,
    images: np.ndarray | None = None,
    facts: dict[str, str] | None = None,
) -> list[Path]:
    """Write ``<name>-<signature>.keras`` for each signature: Keras' own layers and nothing else.

    ``keras.models.load_model`` needs no package but Keras for them, on any of its backends.

    Args:
        model: the model.
        folder: as for ``export_onnx``.
        name: as for ``export_onnx``.
        check: compare each file with the model before they are put in place.
        images: as for ``export_onnx``.
        facts: as for ``export_onnx``.

    Returns:
        the files; beside each stands ``.json``, its card.

    Raises:
        GenzooError: if the model has layers that are not Keras' own, or a file differs from it.

    >>> import tempfile
    >>> from keras_genzoo.models import GAN
    >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path] = export_keras(model, folder)
    ...     network = keras.models.load_model(path)
    >>> path.name, network({"z": np.zeros((2, 4))})["images"].shape
    ('model-generate.keras', TensorShape([2, 8, 8, 1]))
    """
    plain = _Format("keras", _write_keras, _run_keras, Tolerance("max", 1e-5))
    return _export(plain, model, folder, name, check, images, facts)


def _export(
    form: _Format,
    model: ImageModel,
    folder: str | Path,
    name: str,
    check: bool,
    images: np.ndarray | None,
    facts: dict[str, str] | None,
) -> list[Path]:
    check_name(name)
    folder, files = Path(folder), []
    inputs = inputs_to_verify(model, images) if check else {}
    with placing(folder) as temporary:
        for signature, network in float32_networks(model).items():
            file = temporary / f"{name}-{signature}.{form.suffix}"
            form.write(network, file)
            networks = {signature: network}
            card = make_card(name, model, networks, facts, images).to_dict()
            if check:
                what = str(folder / file.name)
                card |= verify(networks, inputs, partial(form.run, file), form.tolerance, what)
            write_card(file, card)
            files.append(folder / file.name)
    return files


def _write_onnx(network: keras.Model, path: Path) -> None:
    with held_back_errors(show=False), warnings.catch_warnings():
        # tf2onnx uses NumPy names that are deprecated.
        warnings.simplefilter("ignore")
        try:
            network.export(
                str(path), format="onnx", verbose=False, input_signature=[input_specs(network)]
            )
        except OSError:
            raise
        except Exception as error:  # The converter raises errors of many types.
            raise GenzooError(
                f"ONNX cannot hold {network.name}: {one_line(error)[:300]}; take other layers in "
                "your own networks, or another format"
            ) from error


def _run_onnx(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(name: str, inputs: Arrays) -> Arrays:
        outputs = [output.name for output in session.get_outputs()]
        return dict(zip(outputs, session.run(outputs, inputs), strict=True))

    return run


def _write_keras(network: keras.Model, path: Path) -> None:
    with_keras_layers(network).save(path)


@randomness_kept()
def _run_keras(path: Path) -> Runner:
    network = keras.models.load_model(path)
    return lambda name, inputs: run_network(network, inputs)
