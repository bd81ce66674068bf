"""The dtype policy of the layers that are made in a block."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def layers_under(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Give layers made in the block this dtype policy, and put the global one back.

    >>> with layers_under("mixed_bfloat16"):
    ...     layer = keras.layers.Dense(2)
    >>> layer.compute_dtype, keras.config.dtype_policy().name
    ('bfloat16', 'float32')
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
