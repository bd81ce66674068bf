"""One file a signature: ONNX, and Keras files that load without this package."""

import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_genzoo.errors import GenzooError
from keras_genzoo.export.card import make_card
from keras_genzoo.export.inputs import Arrays, outputs_of
from keras_genzoo.export.networks import in_float32, of_plain_layers, require
from keras_genzoo.export.verify import Runner, Tolerance, verify
from keras_genzoo.files import write_json, writing
from keras_genzoo.models import ImageModel
from keras_genzoo.models.checking import one_line
from keras_genzoo.models.exporting import input_specs
from keras_genzoo.quiet import held_back_errors

TOLERANCES = {"onnx": Tolerance("max", 1e-4), "keras": Tolerance("max", 1e-5)}


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
        check: compare each file with the model in ONNX Runtime before it is put in place.
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
    return _export(model, folder, name, "onnx", _write_onnx, _onnx_runner, check, images, facts)


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
        check: compare each file with the model before it is put in place.
        images: as for ``export_onnx``.
        facts: as for ``export_onnx``.

    Returns:
        the files; beside each stands ``.json``, its card.

    Raises:
        GenzooError: if Keras cannot copy a person's own layer, or a file differs from the model.

    >>> import tempfile
    >>> from keras_genzoo.models import GAN
    >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path] = export_keras(model, folder)
    ...     network = keras.models.load_model(path)
    >>> path.name, network({"z": np.zeros((2, 4))})["images"].shape
    ('model-generate.keras', TensorShape([2, 8, 8, 1]))
    """
    return _export(model, folder, name, "keras", _write_keras, _keras_runner, check, images, facts)


def _export(
    model: ImageModel,
    folder: str | Path,
    name: str,
    suffix: str,
    write: Callable[[keras.Model, Path], None],
    runner: Callable[[Path], Runner],
    check: bool,
    images: np.ndarray | None,
    facts: dict[str, str] | None,
) -> list[Path]:
    model = in_float32(model)
    files = []
    for signature, network in model.signatures().items():
        card = make_card(name, model, {signature: network}, facts or {}).to_dict()
        path = Path(folder, f"{name}-{signature}.{suffix}")
        with writing(path) as temporary:
            write(network, temporary)
            if check:
                tolerance = TOLERANCES[suffix]
                one = verify(model, runner(temporary), tolerance, str(path), images, only=signature)
                card |= {"tolerance": tolerance._asdict(), "verified": one}
        write_json(path.with_name(f"{path.name}.json"), card | {"bytes": path.stat().st_size})
        files.append(path)
    return files


def _write_onnx(network: keras.Model, path: Path) -> None:
    failure = None
    with held_back_errors(), warnings.catch_warnings():
        # tf2onnx asks NumPy for names of its past.
        warnings.simplefilter("ignore")
        try:
            network.export(
                str(path), format="onnx", verbose=False, input_signature=[input_specs(network)]
            )
        except OSError:
            raise
        except Exception as error:  # What the converter cannot do fails in many ways.
            failure = error
    if failure is not None:
        raise GenzooError(
            f"ONNX cannot hold {network.name}: {one_line(failure)[:300]}; take other layers in "
            "your own networks, or another format"
        ) from failure


def _onnx_runner(path: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(name: str, inputs: Arrays) -> Arrays:
        outputs = [output.name for output in session.get_outputs()]
        return dict(zip(outputs, session.run(outputs, inputs), strict=True))

    return run


def _write_keras(network: keras.Model, path: Path) -> None:
    of_plain_layers(network).save(path)


def _keras_runner(path: Path) -> Runner:
    network = keras.models.load_model(path)
    return lambda name, inputs: outputs_of(network, inputs)
