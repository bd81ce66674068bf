"""An exported SavedModel as a model that generates images; TensorFlow alone runs it."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.generating import Generating
from keras_genzoo.models.latents import Latents
from keras_genzoo.quiet import held_back_errors
from keras_genzoo.reading import read_json
from keras_genzoo.saved_models import CARD, GRAPH
from keras_genzoo.text import one_line, shown

# Operations that act on more than tensors: files, the network, Python, the terminal.
_OUTSIDE = re.compile(
    "File|^Write|^Save|^Restore|Checkpoint|PyFunc|^Debug|Print|Remote|Rpc|Summary|Session|Dataset"
    "|Iterator|Reader|Table|^Send|^Recv|Collective|ImportEvent|Assign"
)
# What an object of a SavedModel may be; a resource would run a function when it is loaded.
_OBJECTS = {
    *("user_object", "function", "bare_concrete_function", "variable", "constant"),
    "captured_tensor",
}


class SavedModel(Generating, Latents):
    """What commands ask of a model that generates images, by the signatures of a SavedModel.

    It draws the noise of a seed as the exported model does, so their images are equal but for the
    last digit. It has no encoder, no likelihood and no solver to choose, whatever the exported
    model has: the number of steps of a solver is fixed in the file.

    Args:
        folder: the folder with ``saved_model.pb``, as ``genzoo export`` writes it.
        num_classes: number of classes of its data, None without.

    Attributes:
        image_shape: ``(height, width, channels)``.
        latent_shape: shape of the noise of one image.
        needs_labels: whether it makes images of a class; it has ``num_classes`` then.
        step: training steps of its weights.
        digest: digest of its weights, as ``training.variables.weights_digest`` gives it of the
            exported model.
        prior_signature: the signature that makes images of noise, None if codes have no prior.

    Raises:
        GenzooError: if the files are damaged or of another program, hold operations that act on
            more than tensors, or no signature makes images of noise.
    """

    value_range = (0.0, 1.0)
    has_encoder = False
    has_likelihood = False
    codes_are_latents = True
    num_classes: Any = None

    def __init__(self, folder: str | os.PathLike, num_classes: int | None = None):
        self.folder, self.num_classes = Path(folder), num_classes
        card = _read_card(self.folder)
        self.step, self.digest = card["step"], card["weights_digest"]
        self._sampling = card["facts"].get("sampling", "")
        _check_graph(self.folder)
        # The signatures hold no reference to what was loaded, whose variables they use.
        self._loaded = _loaded(self.folder)
        self._name, self._signature = _making_images(self._loaded.signatures, self.folder)
        inputs = self._inputs()
        self.latent_shape = tuple(inputs["z"].shape[1:])
        self.latent_dim = self.latent_shape[0] if len(self.latent_shape) == 1 else None
        self.image_shape = tuple(self._signature.structured_outputs["images"].shape[1:])
        self.needs_labels = "class_labels" in inputs
        self.prior_signature = self._name if "generate_seeded" in self._loaded.signatures else None
        if self.needs_labels and not num_classes:
            raise GenzooError(f"{shown(folder)} takes class labels, and its record has no classes")

    def _inputs(self) -> dict[str, tf.TensorSpec]:
        return self._signature.structured_input_signature[1]

    @property
    def has_prior(self) -> bool:
        """Whether the exported model was trained to make images of z ~ N(0, I)."""
        return self.prior_signature is not None

    def why_no_samples(self) -> str | None:
        """Return why the model cannot make images yet: it can."""
        return None

    def sampling_in_words(self) -> str:
        """Return how images are made, as the card says: the solver and its steps, if any."""
        return self._sampling

    def set_sampling(self, **options: Any) -> None:
        """Refuse another way of making images than that of the file.

        Raises:
            GenzooError: if one is asked for.
        """
        given = [name for name, value in options.items() if value is not None]
        if given:
            raise GenzooError(
                f"a SavedModel makes images as it was exported; leave --"
                f"{given[0].replace('_', '-')} out, or name the run or the preset that it was "
                "exported from"
            )

    def make(
        self, z: Tensor, class_labels: Tensor | None = None, training: bool = False
    ) -> tf.Tensor:
        """Return images in [0, 1] of noise, with labels ``(batch,)`` if it needs them.

        Raises:
            GenzooError: if the SavedModel cannot be run.
        """
        given = {"z": tf.cast(z, tf.float32)}
        if self.needs_labels:
            given["class_labels"] = tf.cast(class_labels, self._inputs()["class_labels"].dtype)
        try:
            return self._signature(**given)["images"]
        except tf.errors.ResourceExhaustedError:
            raise
        except Exception as error:  # A damaged graph may fail in any way.
            raise GenzooError(f"{shown(self.folder)} cannot be run: {one_line(error)}") from error

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return the signature that makes images as a network, which can be converted."""
        inputs = {
            name: keras.Input(spec.shape[1:], batch_size, dtype=spec.dtype.name, name=name)
            for name, spec in self._inputs().items()
        }
        outputs = {"images": _Signature(self._signature)(inputs)}
        return {self._name: keras.Model(inputs, outputs, name=self._name)}


class _Signature(keras.layers.Layer):
    """A signature of a SavedModel as a layer."""

    def __init__(self, signature):
        super().__init__()
        self.signature = signature
        # Without these, what is exported would not hold the variables.
        self.saved_variables = list(signature.variables)

    def call(self, inputs):
        return self.signature(**inputs)["images"]


def _read_card(folder: Path) -> dict[str, Any]:
    """Return the card of a SavedModel.

    Raises:
        GenzooError: if it cannot be read, or lacks what this package writes there.
    """
    file = folder / CARD
    try:
        card: Any = read_json(file)
        sound = (
            isinstance(card["step"], int)
            and isinstance(card["weights_digest"], str)
            and isinstance(card["facts"].get("sampling", ""), str)
        )
    except (OSError, ValueError) as error:
        raise GenzooError(f"{shown(file)} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise GenzooError(
            f"{shown(file)} lacks the step or the digest of the weights: the SavedModel was "
            "written by another program or an earlier version; export the run again"
        )
    return card


def _check_graph(folder: Path) -> None:
    """Check that a SavedModel does no more than compute with tensors when it is loaded or run.

    Loading one restores its variables, and runs the functions of other resources, so it may have
    none. What can be called then are the functions of its objects. The functions that save and
    restore variables belong to every SavedModel, and are none of these.

    Raises:
        GenzooError: if it may do more, or cannot be read.
    """
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / GRAPH
    try:
        [graph] = saved_model_pb2.SavedModel.FromString(file.read_bytes()).meta_graphs
        objects = graph.object_graph_def
        operations = _operations(graph.graph_def.library.function, objects.concrete_functions)
    except (OSError, DecodeError, ValueError, KeyError) as error:
        raise GenzooError(f"{shown(file)} is damaged: it holds no model of TensorFlow") from error
    kinds = {node.WhichOneof("kind") for node in objects.nodes}
    if not kinds or kinds - _OBJECTS:
        raise GenzooError(
            f"{shown(file)} holds more than variables and functions, and is not loaded; genzoo "
            "takes only SavedModels that 'genzoo export' wrote"
        )
    for name in sorted(filter(_OUTSIDE.search, operations)):
        raise GenzooError(
            f"{shown(file)} holds the operation {shown(name)}, which does more than compute "
            "images; it is not run"
        )


def _operations(library: Iterable[Any], called: Iterable[str]) -> set[str]:
    """Return the types of the operations of functions, and of the functions that these call.

    Args:
        library: all functions.
        called: names of those that are called from outside.

    Raises:
        KeyError: if one of these is missing.
    """
    functions = {function.signature.name: function for function in library}
    rest, seen, found = list(called), set(called), set()
    while rest:
        for node in functions[rest.pop()].node_def:
            found.add(node.op)
            names = {node.op}
            for value in node.attr.values():
                names |= {value.func.name, *(function.name for function in value.list.func)}
            more = (names & functions.keys()) - seen
            seen |= more
            rest += more
    return found - functions.keys()


def _loaded(folder: Path) -> Any:
    try:
        with held_back_errors(show=False):
            return tf.saved_model.load(str(folder), tags=["serve"])
    except Exception as error:  # Damaged files may fail in any way.
        raise GenzooError(f"cannot load {shown(folder)}: {one_line(error)}") from error


def _making_images(signatures: dict[str, Any], folder: Path) -> tuple[str, Any]:
    """Return the name of the signature that makes images of noise, and the signature.

    Raises:
        GenzooError: if there is none.
    """
    for name, signature in sorted(signatures.items(), key=lambda item: item[0] != "generate"):
        inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
        if "z" not in inputs or not set(inputs) <= {"z", "class_labels"} or "images" not in outputs:
            continue
        z, images = inputs["z"].shape, outputs["images"].shape
        if (
            z.rank
            and z[1:].is_fully_defined()
            and images.rank == 4
            and images[1:].is_fully_defined()
        ):
            return name, signature
    raise GenzooError(
        f"{shown(folder)} has no signature that makes 'images' of 'z' alone, or with "
        f"'class_labels'; it has {', '.join(signatures) or 'none'}"
    )
