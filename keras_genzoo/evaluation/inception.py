"""The network of the published FIDs: Inception as frozen in 2015, run by TensorFlow itself."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_genzoo.data import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.features import FeatureNetwork, Features

GRAPH = "classify_image_graph_def.pb"
URL = "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"

# The names that the reference implementation reads (TTUR, fid.py; 1606.03498's inception score).
_IMAGES, _POOL, _WEIGHTS = "ExpandDims:0", "pool_3:0", "softmax/logits/MatMul"


class Inception(FeatureNetwork):
    """Features of the last pooling layer (2,048), and logits without bias (1,008).

    The graph resizes by itself, without antialiasing, to 299x299, as the published numbers do.

    Args:
        path: the frozen graph ``classify_image_graph_def.pb``.

    Raises:
        GenzooError: if there is no such file, or it is another graph.
    """

    name = "inception"
    resize = "by the graph: bilinear to 299x299, not antialiased"

    def __init__(self, path: str):
        import tensorflow as tf

        file = Path(path).expanduser()
        if not file.is_file():
            raise GenzooError(
                f"there is no Inception graph at {file}; fetch {URL}, unpack it, and name "
                f"{GRAPH} as inception:PATH"
            )
        content = file.read_bytes()
        self.checksum = hashlib.sha256(content).hexdigest()
        self.details = {"file": str(file)}
        graph = tf.compat.v1.GraphDef()
        try:
            graph.ParseFromString(content)
            weights = next(node.input[1] for node in graph.node if node.name == _WEIGHTS)

            def features(images):
                return tf.import_graph_def(
                    graph, input_map={_IMAGES: images}, return_elements=[_POOL, f"{weights}:0"]
                )

            signature = [tf.TensorSpec((None, None, None, 3), tf.float32)]
            self._function = tf.compat.v1.wrap_function(features, signature)
        except Exception as error:  # Protobuf's errors, and those of foreign graphs.
            raise GenzooError(
                f"{file} is not the Inception graph of 2015: {' '.join(str(error).split())[:200]}; "
                f"it is {GRAPH} of {URL}"
            ) from error

    def of_batch(self, images: np.ndarray) -> Features:
        """Return features and logits; grey images are given three equal channels."""
        colour = np.broadcast_to(images, (*images.shape[:3], 3)).astype("float32")
        import tensorflow as tf

        pooled, weights = self._function(tf.constant(colour))
        features = pooled.numpy().reshape(len(images), -1)
        return Features(features, features @ weights.numpy())


def open_inception(real: Splits, path: str, echo: Callable[[str], None]) -> Inception:
    """Return the network of the frozen graph at ``path``."""
    return Inception(path)
