"""Seeds the global random generators of Python, NumPy, TensorFlow and Keras, and restores them.

Keras draws initial weights from these generators. They belong to the user's script, so the library
restores their state after it has used them.
"""

import contextlib
import random
from collections.abc import Iterator

import numpy as np
from keras.src.backend.common import global_state
from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR
from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED
from tensorflow.python.eager import context


@contextlib.contextmanager
def randomness_kept() -> Iterator[None]:
    """Restore the state of the global generators at the end of the block; also a decorator.

    Random numbers drawn in the block do not change those that are drawn after it.

    >>> random.seed(1)
    >>> with randomness_kept():
    ...     first = random.random()
    >>> first == random.random()
    True
    """
    eager = context.context()
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    seed, operations = eager._seed, getattr(eager, "_rng", None)
    operations_state = operations and operations.getstate()
    keras_attributes = {
        name: global_state.get_global_attribute(name)
        for name in (GLOBAL_RANDOM_SEED, GLOBAL_SEED_GENERATOR)
    }
    generator = keras_attributes[GLOBAL_SEED_GENERATOR]
    generator_state = None if generator is None else generator.state.numpy()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        eager._seed, eager._rng = seed, operations
        if operations is not None:
            operations.setstate(operations_state)
        for name, value in keras_attributes.items():
            global_state.set_global_attribute(name, value)
        if generator is not None:
            generator.state.assign(generator_state)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators in the block, as ``keras.utils.set_random_seed`` does.

    They are restored at its end. Unlike that function, it does not reset TensorFlow's kernels: an
    operation with its own seed, such as ``tf.random.uniform((), seed=1)``, continues its sequence.

    Args:
        seed: the seed.

    >>> import keras
    >>> random.seed(1)
    >>> state = random.getstate()
    >>> with seeded(0):
    ...     first = keras.layers.Dense(1)(np.ones((1, 1)))
    >>> with seeded(0):
    ...     second = keras.layers.Dense(1)(np.ones((1, 1)))
    >>> bool(first == second), random.getstate() == state
    (True, True)
    """
    with randomness_kept():
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        eager = context.context()
        eager._seed, eager._rng = seed, random.Random(seed)
        global_state.set_global_attribute(GLOBAL_RANDOM_SEED, seed)
        # Keras creates a new generator from the seed when it needs one.
        global_state.set_global_attribute(GLOBAL_SEED_GENERATOR, None)
        yield
