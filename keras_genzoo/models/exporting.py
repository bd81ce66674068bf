"""What of a model leaves the zoo: functional networks with named inputs and outputs.

The files that they become are written by ``keras_genzoo.export``.
"""

import os
from typing import TYPE_CHECKING, Any

import keras

from keras_genzoo.errors import GenzooError, unknown

# What the class below is mixed into, as a type checker is to see it.
if TYPE_CHECKING:
    from keras import Model as Joined
else:
    Joined = object


class Exportable(Joined):
    """What a model adds to ``keras.Model`` to be used where this package is not installed.

    Subclasses set ``value_range``, give ``signatures``, and set ``prior_signature``: the name of
    the one that turns z ~ N(0, I) into images, None if the model has no such prior.
    """

    prior_signature: str | None = None
    # Signatures that choose codes on the way: where a number is rounded otherwise another code may
    # be chosen, so that files of less than float32 leave them out.
    discrete_signatures: frozenset[str] = frozenset()

    @property
    def has_prior(self) -> bool:
        """Whether training makes images of z ~ N(0, I), so that the model generates."""
        return self.prior_signature is not None

    def signatures(self, batch_size: int | None = None) -> dict[str, keras.Model]:
        """Return what the model can do, as functional networks with named inputs and outputs.

        Images are float32 in [0, 1], whatever the model's own range; statistics are those of
        inference. The first is the one that a server takes when none is named.

        Args:
            batch_size: None leaves the size of a batch free.

        Returns:
            networks by name, each from a dictionary of tensors to a dictionary of tensors.
        """
        raise NotImplementedError

    def to_unit_range(self, images):
        """Return images of the model's range as float32 in [0, 1]."""
        low, high = self.value_range
        scale = keras.layers.Rescaling(1 / (high - low), -low / (high - low), dtype="float32")
        return keras.ops.clip(scale(images), 0.0, 1.0)

    def export(
        self,
        filepath: str | os.PathLike,
        format: str = "tf_saved_model",  # noqa: A002
        verbose: bool = False,
        input_signature: object = None,
        *,
        signature: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Export one signature as ``keras.Model.export`` does, by Keras' own exporters.

        ``keras_genzoo.export`` writes all of them, with versions, types and checks.

        Args:
            filepath: where to write.
            format: ``"tf_saved_model"``, ``"onnx"`` or ``"litert"``.
            verbose: whether Keras tells what it writes.
            input_signature: must be None: the networks name their own inputs.
            signature: a name in ``signatures()``; by default the first.
            **kwargs: options of Keras' exporter.

        Raises:
            GenzooError: if the signature is unknown, or inputs are prescribed.

        >>> import pathlib, tempfile
        >>> import tensorflow as tf
        >>> from keras_genzoo.models import GAN
        >>> model = GAN((8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.export(folder)
        ...     loaded = tf.saved_model.load(folder)
        ...     loaded.serve({"z": tf.zeros((2, 4))})["images"].shape
        TensorShape([2, 8, 8, 1])
        """
        if input_signature is not None:
            raise GenzooError(
                "the inputs of an exported model have fixed names and shapes; leave "
                "input_signature out, and choose with signature="
            )
        networks = self.signatures()
        if signature is not None and signature not in networks:
            raise unknown("signature", signature, networks)
        network = networks[signature or next(iter(networks))]
        network.export(
            filepath,
            format=format,
            verbose=verbose,
            input_signature=[input_specs(network)],
            **kwargs,
        )


def input_specs(network: keras.Model) -> dict[str, keras.InputSpec]:
    """Return shape, type and name of each input of a functional network."""
    return {
        name: keras.InputSpec(shape=tensor.shape, dtype=tensor.dtype, name=name)
        for name, tensor in network.input.items()
    }
