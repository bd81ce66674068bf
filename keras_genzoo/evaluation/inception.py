"""The network of the published FIDs: Inception as frozen in 2015, run by TensorFlow itself."""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from keras_genzoo.data import Splits
from keras_genzoo.errors import GenzooError
from keras_genzoo.evaluation.cache import cache_folder, keep, say_damaged
from keras_genzoo.evaluation.features import FeatureNetwork, Features
from keras_genzoo.evaluation.fetching import CHUNK, download
from keras_genzoo.text import shown

if TYPE_CHECKING:
    from tensorflow.compat.v1 import GraphDef

GRAPH = "classify_image_graph_def.pb"
# The object behind http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz,
# over TLS. Its size is published, but no checksum.
URL = (
    "https://storage.googleapis.com/download.tensorflow.org/models/image/imagenet/"
    "inception-2015-12-05.tgz"
)
SIZE = 88_931_400

# The names that the reference implementation reads (TTUR, fid.py; 1606.03498's inception score).
_IMAGES, _POOL, _WEIGHTS = "ExpandDims", "pool_3", "softmax/logits/MatMul"


class Inception(FeatureNetwork):
    """Features of the last pooling layer (2,048), and logits without bias (1,008).

    The graph resizes by itself, without antialiasing, to 299x299, as the published numbers do.

    Args:
        path: the frozen graph ``classify_image_graph_def.pb``.
        content: of the file, if it is at hand.

    Raises:
        GenzooError: if there is no such file, or it is another graph.
    """

    name = "inception"
    resize = "by the graph: bilinear to 299x299, not antialiased"

    def __init__(self, path: str | Path, content: bytes | None = None):
        import tensorflow as tf

        file = path
        if content is None:
            file = Path(path).expanduser()
            content = _content(file)
        self.checksum = hashlib.sha256(content).hexdigest()
        self.details = {"file": str(file)}
        graph = read_graph(content, str(file))
        weights = next(node.input[1] for node in graph.node if node.name == _WEIGHTS)

        def features(images: tf.Tensor) -> list[tf.Tensor]:
            return tf.import_graph_def(
                graph,
                input_map={f"{_IMAGES}:0": images},
                return_elements=[f"{_POOL}:0", f"{weights}:0"],
            )

        signature = [tf.TensorSpec((None, None, None, 3), tf.float32)]
        try:
            self._function = tf.compat.v1.wrap_function(features, signature)
        except Exception as error:  # A foreign graph may fail in any way.
            raise _foreign(str(file), error) from error

    def compute_batch(self, images: np.ndarray) -> Features:
        """Return features and logits; grey images are given three equal channels."""
        colour = np.broadcast_to(images, (*images.shape[:3], 3)).astype("float32")
        import tensorflow as tf

        pooled, weights = self._function(tf.constant(colour))
        features = pooled.numpy().reshape(len(images), -1)
        return Features(features, features @ weights.numpy())


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise GenzooError(
            f"there is no Inception graph at {file}; fetch {URL}, unpack it, and name "
            f"{GRAPH} as inception:PATH"
        )
    return file.read_bytes()


def read_graph(content: bytes, name: str) -> "GraphDef":
    """Return a frozen graph that has the nodes of Inception's.

    Args:
        content: of the file.
        name: what an error calls it.

    Raises:
        GenzooError: if it is no graph, or has not these nodes.
    """
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(content)
    except Exception as error:  # Protobuf's errors have no common class.
        raise _foreign(name, error) from error
    inputs = {node.name: len(node.input) for node in graph.node}
    for node, needed in ((_IMAGES, 0), (_POOL, 1), (_WEIGHTS, 2)):
        if inputs.get(node, -1) < needed:
            raise _foreign(name, f"it has no node '{node}' as that has")
    return graph


def _foreign(name: str, reason: object) -> GenzooError:
    return GenzooError(
        f"{name} is not the Inception graph of 2015: {' '.join(str(reason).split())[:200]}; "
        f"that is {GRAPH} of {URL}"
    )


def fetch_inception(
    url: str = URL, size: int = SIZE, echo: Callable[[str], None] = lambda line: None
) -> Inception:
    """Return the network of the graph in the cache, fetched now if it is not there, or damaged.

    It is taken only if the connection was TLS to its end (where the address says so), the archive
    has the published size and the right sums, and the graph has the expected nodes. Where it cannot
    be kept, it is used all the same.

    Args:
        url: of the archive, a ``.tgz``.
        size: its bytes.
        echo: called with a line when it is fetched, and if it cannot be kept.

    Raises:
        GenzooError: if it cannot be fetched, or is not what is expected.
    """
    file = cache_folder() / "inception" / GRAPH
    if (kept := _read_kept(file, echo)) is not None:
        return kept
    echo(f"fetching the Inception graph, {size / 2**20:.0f} MiB, once; it is kept in {shown(file)}")
    try:
        # Downloaded to memory first, so that a broken connection leaves no file.
        with io.BytesIO() as archive:
            download(url, size, archive)
            content = _unpack(archive)
    except (OSError, EOFError, zlib.error, tarfile.TarError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())
        raise GenzooError(
            f"cannot fetch the Inception graph ({reason}); fetch {url} by other means, unpack it, "
            f"and put {GRAPH} at {file}, or name it as inception:PATH"
        ) from error
    read_graph(content, f"the {GRAPH} in {url}")
    checksum = hashlib.sha256(content).hexdigest()
    is_kept = keep(file, lambda temporary: temporary.write_bytes(content), echo) and keep(
        _checksum_file(file), lambda temporary: temporary.write_text(checksum), echo
    )
    return Inception(file if is_kept else url, content)


def _checksum_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _read_kept(file: Path, echo: Callable[[str], None]) -> Inception | None:
    """Return the network of the kept graph; None if there is none, or it is damaged.

    One that a person has put there has no checksum beside it.
    """
    if not os.path.exists(file):  # noqa: PTH110 - a folder that may not be looked into has none
        return None
    try:
        network = Inception(file)
        checksum = _checksum_file(file)
        if checksum.exists() and checksum.read_text() != network.checksum:
            raise ValueError("its checksum is another")
    except (GenzooError, OSError, ValueError):
        say_damaged(file, "it is fetched anew", echo)
        return None
    return network


def _unpack(archive: IO[bytes]) -> bytes:
    graph = None
    with gzip.open(archive) as content:
        with tarfile.open(fileobj=content, mode="r|") as members:
            for member in members:
                if member.isfile() and Path(member.name).name == GRAPH:
                    file = members.extractfile(member)
                    graph = None if file is None else file.read()
        # Read on to the end of the archive, where its checksum is compared.
        while content.read(CHUNK):
            pass
    if graph is None:
        raise OSError(f"the archive holds no {GRAPH}")
    return graph


def open_inception(real: Splits, path: str, echo: Callable[[str], None]) -> Inception:
    """Return the network of the frozen graph at ``path``; without one, of that in the cache."""
    return Inception(path) if path else fetch_inception(echo=echo)
