"""A codebook: vectors of features become the nearest of a few that are learnt (1711.00937)."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from keras_genzoo.losses.tensors import Tensor

# Laplace smoothing of the counts, for the division alone.
EPSILON = 1e-5


@keras.saving.register_keras_serializable("keras_genzoo")
class Codebook(keras.layers.Layer):
    """Features ``(batch, ..., code_dim)`` -> the nearest codes of ``num_codes``.

    The codes are no weights that a gradient trains: ``update`` moves each to the mean of the
    features that it stood for (1711.00937, appendix A.1). With n_k the number of features of code k
    in the global batch and m_k their sum,

        N_k <- decay N_k + (1 - decay) n_k,    M_k <- decay M_k + (1 - decay) m_k,
        e_k = (M_k / c) / smooth(N_k / c),     c = 1 - decay^t after t updates,

    where ``smooth(N_k) = (N_k + 1e-5) / (N + num_codes 1e-5) N`` with N the sum of all N_k. A code
    whose N_k falls below a share of the mean of all is dead, and begins again at a feature of the
    batch, with the mean number. All this is float32 whatever the policy, and the same on one
    replica as on many.

    Args:
        num_codes: number of codes.
        code_dim: size of a code.
        decay: decay of the running means.
        restart_below: share of the mean count below which a code begins again; 0 for never.
        **kwargs: as for any layer.

    >>> codebook = Codebook(4, 2)
    >>> codes = codebook.nearest(ops.ones((3, 7, 7, 2)))
    >>> codes.shape, codebook.lookup(codes).shape
    (TensorShape([3, 7, 7]), TensorShape([3, 7, 7, 2]))
    """

    def __init__(
        self,
        num_codes: int,
        code_dim: int,
        decay: float = 0.99,
        restart_below: float = 0.05,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.num_codes, self.code_dim = int(num_codes), int(code_dim)
        self.decay, self.restart_below = float(decay), float(restart_below)
        self.vectors = self._state("vectors", (num_codes, code_dim), _uniform(num_codes))
        self.counts = self._state("counts", (num_codes,))
        self.sums = self._state("sums", (num_codes, code_dim))
        self.updates = self._state("updates", (), dtype="int64")
        self.built = True

    def _state(
        self, name: str, shape: tuple, initializer: str = "zeros", dtype: str = "float32"
    ) -> keras.Variable:
        # Every replica computes the same new value from sums over all of them.
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        return {
            **super().get_config(),
            "num_codes": self.num_codes,
            "code_dim": self.code_dim,
            "decay": self.decay,
            "restart_below": self.restart_below,
        }

    def call(self, features):
        """Return the vectors of the nearest codes; their gradient is that of the features.

        Straight through: what the gradient of a step function would stop, goes by unchanged.
        """
        features = ops.cast(features, "float32")
        return features + ops.stop_gradient(self.lookup(self.nearest(features)) - features)

    def nearest(self, features):
        """Return the number of the nearest code of each vector, int32 ``(batch, ...)``."""
        vectors = ops.convert_to_tensor(self.vectors)
        # The square of the feature is the same for all codes, and left out.
        products = ops.matmul(ops.cast(features, "float32"), 2 * ops.transpose(vectors))
        return ops.cast(ops.argmax(products - ops.sum(vectors**2, axis=-1), axis=-1), "int32")

    def lookup(self, codes):
        """Return the vectors of codes ``(batch, ...)``, float32 ``(batch, ..., code_dim)``."""
        return ops.take(ops.convert_to_tensor(self.vectors), ops.cast(codes, "int32"), axis=0)

    def counts_of(self, codes):
        """Return how often each code occurs, float32 ``(num_codes,)``."""
        flat = ops.reshape(codes, (-1,))
        return ops.sum(ops.one_hot(flat, self.num_codes, dtype="float32"), axis=0)

    def update(self, features: Tensor, codes: Tensor, order: Tensor) -> None:
        """Move the codes to the features that they stood for, and restart dead ones.

        Args:
            features: this replica's ``(batch, ..., code_dim)``.
            codes: their nearest codes.
            order: random numbers, one for each vector of features of the global batch, the same on
                all replicas: dead codes begin at the vectors with the smallest.
        """
        features = ops.reshape(
            ops.cast(ops.stop_gradient(features), "float32"), (-1, self.code_dim)
        )
        chosen = ops.one_hot(ops.reshape(codes, (-1,)), self.num_codes, dtype="float32")
        batch_counts = _sum_over_replicas(ops.sum(chosen, axis=0))
        batch_sums = _sum_over_replicas(ops.matmul(ops.transpose(chosen), features))
        updates = ops.convert_to_tensor(self.updates) + 1
        weight = 1 - ops.power(self.decay, ops.cast(updates, "float32"))
        counts = self._moved(self.counts, batch_counts) / weight
        sums = self._moved(self.sums, batch_sums) / weight
        total = ops.sum(counts)
        smooth = (counts + EPSILON) / (total + self.num_codes * EPSILON) * total
        # A code that has never stood for anything stays where it is.
        unused = (counts == 0)[:, None]
        vectors = ops.where(unused, ops.convert_to_tensor(self.vectors), sums / smooth[:, None])
        mean = total / self.num_codes
        dead = counts < self.restart_below * mean
        fresh = self._at_features(features, order)
        counts = ops.where(dead, mean, counts)
        sums = ops.where(dead[:, None], mean * fresh, sums)
        self.vectors.assign(ops.where(dead[:, None], fresh, vectors))
        self.counts.assign(counts * weight)
        self.sums.assign(sums * weight)
        self.updates.assign(updates)

    def _moved(self, average, value):
        return self.decay * ops.convert_to_tensor(average) + (1 - self.decay) * value

    def _at_features(self, features, order):
        """Return a vector of features of the global batch for each code, no two the same."""
        places = tf.argsort(order)
        # Only a batch smaller than the codebook, the last of an epoch, gives a vector twice.
        places = tf.gather(places, tf.range(self.num_codes) % tf.size(places))
        count = tf.shape(features)[0]
        context = tf.distribute.get_replica_context()
        own = places - (context.replica_id_in_sync_group * count if context is not None else 0)
        inside = (own >= 0) & (own < count)
        vectors = tf.gather(features, tf.clip_by_value(own, 0, count - 1))
        return _sum_over_replicas(tf.where(inside[:, None], vectors, 0.0))


def _uniform(num_codes: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomUniform(-1 / num_codes, 1 / num_codes)


def _sum_over_replicas(values: Tensor) -> tf.Tensor:
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return values
    return context.all_reduce(tf.distribute.ReduceOp.SUM, values)


def plain_nearest(codebook: Codebook, features: Tensor) -> Tensor:
    """Return the nearest codes of symbolic features, by layers of Keras, as files hold them.

    Args:
        codebook: the codebook; its codes are copied.
        features: a Keras tensor ``(batch, ..., code_dim)``.
    """
    vectors = ops.convert_to_numpy(codebook.vectors)
    scores = keras.layers.Dense(codebook.num_codes, dtype="float32", name="nearness")
    scores.build(features.shape)
    scores.set_weights([2 * vectors.T, -(vectors**2).sum(axis=-1)])
    # Not ``argmax``, in which Keras compares bits of numbers, which LiteRT and ONNX cannot.
    _, nearest = ops.top_k(scores(features), 1)
    return ops.squeeze(nearest, axis=-1)


def plain_lookup(codebook: Codebook, codes: Tensor) -> Tensor:
    """Return the vectors of symbolic codes, by a layer of Keras, as files hold them.

    Args:
        codebook: the codebook; its codes are copied.
        codes: a Keras tensor of integers ``(batch, ...)``.
    """
    table = keras.layers.Embedding(
        codebook.num_codes, codebook.code_dim, dtype="float32", name="codes_to_vectors"
    )
    table.build(codes.shape)
    table.set_weights([ops.convert_to_numpy(codebook.vectors)])
    return table(codes)
