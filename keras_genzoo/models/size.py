"""How much memory the variables of a model take, known before any of them is made."""

import contextlib
import math
import threading
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras.src.backend.common import global_state
from keras.src.backend.common.stateless_scope import in_stateless_scope

from keras_genzoo.memory import refuse_what_does_not_fit
from keras_genzoo.networks import layers_under, randomness_kept

# Networks of narrower layers need at most two GiB; building them is as fast as measuring.
WIDE = 4096
# Where Keras keeps the variables whose creation a stateless scope delays.
_PUT_OFF = "uninitialized_variables"


def network_that_fits(build: Callable[[], keras.Model], what: str, widest: int) -> keras.Model:
    """Return the network that ``build`` makes, if its variables fit into memory.

    Args:
        build: makes the network.
        what: it in words.
        widest: the most units or channels of its layers, inputs included.

    Raises:
        GenzooError: if they do not.
    """
    # The whole model is being measured, and allocates nothing.
    if widest > WIDE and not in_stateless_scope():
        with randomness_kept():
            refuse_large_model(build, what)
    return build()


def refuse_large_model(build: Callable[[], Any], what: str) -> None:
    """Check that the variables of a model fit into memory, before they are made.

    Args:
        build: makes the model.
        what: it in words.

    Raises:
        GenzooError: if they do not.
    """
    # The weights, their gradients, and Adam's two averages.
    refuse_what_does_not_fit(4 * variable_bytes(build), what, "take smaller sizes")


def variable_bytes(build: Callable[[], Any]) -> int:
    """Return the bytes of all variables that ``build`` makes, none of which is allocated.

    What it raises is left for the true call to raise.

    >>> variable_bytes(lambda: keras.layers.Dense(10).build((None, 10**6)))
    40000040
    """
    sizes = []
    policy = keras.config.dtype_policy()

    def measure() -> None:
        # In a thread of its own, since Keras' counted names and delayed variables belong to the
        # thread; in a graph, so that layers that are called compute nothing.
        with (
            contextlib.suppress(Exception),
            tf.Graph().as_default(),
            layers_under(policy),
            keras.StatelessScope(initialize_variables=False),
        ):
            build()
        for variable in global_state.get_global_attribute(_PUT_OFF, []):
            size = tf.as_dtype(variable.dtype).size
            sizes.append(math.prod(variable.shape) * size)

    thread = threading.Thread(target=measure)
    thread.start()
    thread.join()
    return sum(sizes)
