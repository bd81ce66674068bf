"""The prior of a grid of codes: a small causal transformer that draws one code after the other."""

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy.typing as npt
from keras import ops

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.networks.randomness import Dropout


@keras.saving.register_keras_serializable("keras_genzoo")
class CodePrior(keras.layers.Layer):
    """Codes ``(batch, length)`` -> the logits of each, ``(batch, length, num_codes)``.

    The logits of a code depend on the codes before it, row by row, and on its place. A decoder-only
    transformer (1706.03762) with the normalisations before attention and dense layers, and learnt
    positions: with a start token before them, the codes are read one place late.

    Args:
        num_codes: number of codes.
        length: codes of an image.
        width: size of the embeddings.
        blocks: number of blocks.
        heads: heads of attention; they divide the width.
        dropout: share of the outputs of each half block that is dropped in training.
        **kwargs: as for any layer.

    Raises:
        GenzooError: if the heads do not divide the width.

    >>> prior = CodePrior(num_codes=8, length=4, width=16, blocks=1, heads=2)
    >>> prior(ops.zeros((2, 4), "int32")).shape
    TensorShape([2, 4, 8])
    """

    def __init__(
        self,
        num_codes: int,
        length: int,
        width: int = 64,
        blocks: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if width % heads:
            raise GenzooError(
                f"the heads of attention must divide the width: {width} does not divide by {heads}"
            )
        self.num_codes, self.length, self.width = int(num_codes), int(length), int(width)
        self.heads, self.dropout = int(heads), float(dropout)
        policy = {"dtype": self.dtype_policy}
        self.embedding = keras.layers.Embedding(num_codes, width, name="codes", **policy)
        self.blocks = [
            CausalBlock(width, heads, dropout, name=f"block_{index}", **policy)
            for index in range(blocks)
        ]
        self.norm = keras.layers.LayerNormalization(name="norm", **policy)
        self.head = keras.layers.Dense(num_codes, name="logits", **policy)
        normal = keras.initializers.RandomNormal
        self.start = self.add_weight(
            name="start", shape=(1, 1, width), initializer=normal(stddev=0.02)
        )
        self.positions = self.add_weight(
            name="positions", shape=(1, length, width), initializer=normal(stddev=0.02)
        )
        for layer in (*self.blocks, self.norm, self.head):
            layer.build((None, length, width))
        self.embedding.build((None, length))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        return {
            **super().get_config(),
            "num_codes": self.num_codes,
            "length": self.length,
            "width": self.width,
            "blocks": len(self.blocks),
            "heads": self.heads,
            "dropout": self.dropout,
        }

    def call(self, codes, training=False):
        """Return the logits of every code, float32, those of all places at once."""
        features = self.embedding(codes)
        start = ops.broadcast_to(self.start, (ops.shape(codes)[0], 1, self.width))
        start = ops.cast(start, features.dtype)
        features = ops.concatenate([start, features[:, :-1]], axis=1) + self.positions
        for block in self.blocks:
            features = block(features, training=training)
        return ops.cast(self.head(self.norm(features)), "float32")

    def log_probability(self, codes, training=False):
        """Return log P of the codes of each image in nats, float32 ``(batch,)``."""
        log_shares = ops.log_softmax(self(codes, training=training), axis=-1)
        own = ops.one_hot(codes, self.num_codes, dtype="float32")
        return ops.sum(log_shares * own, axis=(1, 2))

    def sample(
        self, z: npt.ArrayLike, temperature: float = 1.0, draw: Callable | None = None
    ) -> Tensor:
        """Return the codes that noise stands for, int32 ``(batch, length)``.

        A number of N(0, I) for each place chooses its code by the inverse of the distribution of
        that code given those before: codes of N(0, I) follow the prior. Keys and values of the
        codes before are kept, so that a place costs one place.

        Args:
            z: noise ``(batch, length)``.
            temperature: what the logits are divided by.
            draw: runs the method ``draw``, in another way than by calling it.
        """
        draw = self.draw if draw is None else draw
        shares = standard_normal_cdf(ops.cast(z, "float32"))
        start, positions = (
            ops.cast(ops.convert_to_tensor(weight), self.compute_dtype)
            for weight in (self.start, self.positions)
        )
        features = ops.broadcast_to(start, (ops.shape(z)[0], 1, self.width))
        caches: list[Any] = []
        codes = []
        for place in range(self.length):
            here = slice(place, place + 1)
            code, features, caches = draw(
                features + positions[:, here], shares[:, here], temperature, caches
            )
            codes.append(code)
        return ops.concatenate(codes, axis=1)

    def draw(
        self, features: Tensor, shares: Tensor, temperature: float, caches: list[Any]
    ) -> tuple[Tensor, Tensor, list[Any]]:
        """Return the codes of one more place, what is known of it, and all keys and values.

        Args:
            features: the code of the place before, and the place, ``(batch, 1, width)``.
            shares: which code is chosen, by its distribution, in [0, 1], ``(batch, 1)``.
            temperature: what the logits are divided by.
            caches: keys and values of the places before, of each block; empty at the first place.
        """
        kept = []
        for index, block in enumerate(self.blocks):
            features, cache = block.step(features, caches[index] if caches else None)
            kept.append(cache)
        logits = ops.cast(self.head(self.norm(features)), "float32")[:, 0] / temperature
        summed = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)
        below = summed[:, :-1] <= shares
        code = ops.sum(ops.cast(below, "int32"), axis=-1, keepdims=True)
        return code, self.embedding(code), kept

    @staticmethod
    def any_place(shape: list[int | None]) -> list[int | None]:
        """Return the shape of an argument of ``draw`` at any place: None is any size."""
        if len(shape) == 4:
            # Keys and values, (batch, heads, places, width / heads).
            return [None, shape[1], None, shape[3]]
        return [None, *shape[1:]] if shape else shape


@keras.saving.register_keras_serializable("keras_genzoo")
class CodeSampler(CodePrior):
    """Noise ``(batch, length)`` -> codes, int32 ``(batch, length)``: a ``CodePrior`` that draws.

    It has the weights of a ``CodePrior`` of the same arguments. The places follow each other
    without a loop, so that any runtime has its operations.

    >>> CodeSampler(num_codes=8, length=4, width=16, heads=2)(ops.zeros((2, 4))).shape
    TensorShape([2, 4])
    """

    def call(self, z):
        """Return the codes that noise stands for."""
        return self.sample(z)


@keras.saving.register_keras_serializable("keras_genzoo")
class CausalBlock(keras.layers.Layer):
    """A block of a transformer in which each place sees itself and those before.

    Args:
        width: size of the features.
        heads: heads of attention.
        dropout: share of the outputs of each half that is dropped in training.
        **kwargs: as for any layer.

    >>> CausalBlock(8, 2)(ops.zeros((2, 5, 8))).shape
    TensorShape([2, 5, 8])
    """

    def __init__(self, width: int, heads: int, dropout: float = 0.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.width, self.heads, self.dropout = int(width), int(heads), float(dropout)
        policy = {"dtype": self.dtype_policy}
        self.norm = keras.layers.LayerNormalization(name="norm", **policy)
        self.projections = keras.layers.Dense(3 * width, name="projections", **policy)
        self.joined = keras.layers.Dense(width, name="joined", **policy)
        self.wide_norm = keras.layers.LayerNormalization(name="wide_norm", **policy)
        self.wide = keras.layers.Dense(4 * width, name="wide", **policy)
        self.narrow = keras.layers.Dense(width, name="narrow", **policy)
        self.drop = Dropout(dropout, **policy) if dropout else None

    def build(self, input_shape):
        """Build all layers."""
        shape = (*input_shape[:-1], self.width)
        for layer in (self.norm, self.projections, self.joined, self.wide_norm, self.wide):
            layer.build(shape)
        self.narrow.build((*input_shape[:-1], 4 * self.width))
        self.built = True

    def get_config(self) -> dict[str, Any]:
        """Return every constructor argument."""
        sizes = {"width": self.width, "heads": self.heads, "dropout": self.dropout}
        return {**super().get_config(), **sizes}

    def call(self, features, training=False):
        """Return the features of all places."""
        queries, keys, values = self._projected(features)
        length = features.shape[1]
        places = ops.arange(length)
        unseen = ops.cast(places[None, :] > places[:, None], "float32")
        attended = self._attended(queries, keys, values, -1e9 * unseen)
        features = features + self._dropped(attended, training)
        return features + self._dropped(self._dense(features), training)

    def step(self, features, cache):
        """Return the features of one more place, and the keys and values so far.

        Args:
            features: ``(batch, 1, width)``.
            cache: keys and values of the places before; None at the first.
        """
        queries, keys, values = self._projected(features)
        if cache is None:
            # The first place sees itself alone.
            attended = self._joined(values)
        else:
            keys = ops.concatenate([cache[0], keys], axis=2)
            values = ops.concatenate([cache[1], values], axis=2)
            attended = self._attended(queries, keys, values, 0.0)
        features = features + attended
        return features + self._dense(features), (keys, values)

    def _projected(self, features):
        """Return queries, keys and values, each ``(batch, heads, places, width / heads)``."""
        size = self.width // self.heads
        projected = self.projections(self.norm(features))
        shape = (-1, projected.shape[1], self.heads, size)
        parts = ops.split(projected, 3, axis=-1)
        return [ops.transpose(ops.reshape(part, shape), (0, 2, 1, 3)) for part in parts]

    def _attended(self, queries, keys, values, mask):
        products = ops.matmul(queries, ops.transpose(keys, (0, 1, 3, 2)))
        products = ops.cast(products, "float32") / math.sqrt(self.width // self.heads)
        shares = ops.cast(ops.softmax(products + mask, axis=-1), values.dtype)
        return self._joined(ops.matmul(shares, values))

    def _joined(self, attended):
        """Return the heads joined, ``(batch, places, width)``."""
        attended = ops.transpose(attended, (0, 2, 1, 3))
        return self.joined(ops.reshape(attended, (-1, attended.shape[1], self.width)))

    def _dense(self, features):
        # The tanh form of GELU: LiteRT has no error function.
        wide = ops.gelu(self.wide(self.wide_norm(features)), approximate=True)
        return self.narrow(wide)

    def _dropped(self, features, training):
        return self.drop(features, training=training) if self.drop is not None else features


def standard_normal_cdf(z):
    """Return the share of N(0, 1) below each number, to 1.5e-7 (Abramowitz and Stegun, 7.1.26).

    Of operations that every runtime has, so that all draw the same codes.

    >>> float(standard_normal_cdf(ops.convert_to_tensor(0.0)))
    0.5
    """
    x = ops.absolute(z) / math.sqrt(2)
    t = 1 / (1 + 0.3275911 * x)
    series = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    value = 0.0
    for coefficient in reversed(series):
        value = (value + coefficient) * t
    tail = 0.5 * value * ops.exp(-x * x)
    return ops.where(z < 0, tail, 1 - tail)
