"""Sets the dtype policy of layers within a block of code."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def layers_under(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Use this dtype policy for layers that are created in the block, then restore the global one.

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
