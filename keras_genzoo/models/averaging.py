"""A running average of a network's weights, for all but training (1806.04498)."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.losses.tensors import Tensor
from keras_genzoo.models.checking import example_inputs
from keras_genzoo.models.schedules import between
from keras_genzoo.networks import layers_under
from keras_genzoo.text import one_line


def copy_network(network: keras.Model, *input_shapes: tuple[int, ...]) -> keras.Model:
    """Return an equal network that does not train.

    Args:
        network: a built network.
        *input_shapes: shape of one row of each input.

    Raises:
        GenzooError: if Keras cannot make the network from its configuration.
    """
    try:
        config = keras.saving.serialize_keras_object(network)
        with layers_under(network.dtype_policy):
            # Safe: the network was built in this process, not read from a file.
            copy = keras.saving.deserialize_keras_object(config, safe_mode=False)
        copy(example_inputs(*input_shapes))
        copy.set_weights(network.get_weights())
    except Exception as error:  # A person's own class may fail in any way.
        raise GenzooError(
            f"an average needs a copy of {network.name}, which Keras cannot make: "
            f"{one_line(error)}; give its class a get_config and decorate it with "
            "keras.saving.register_keras_serializable(), or take ema_decay=0"
        ) from error
    copy.trainable = False
    return copy


def decay_of(
    ema_decay: float, ema_half_life: float, policy: keras.DTypePolicy
) -> tuple[float, float]:
    """Return the decay of an average and its half-life in images, of which one at least is 0.

    Raises:
        GenzooError: if both are given, one is out of range, or the weights are of 16 bits.
    """
    if not 0 <= ema_decay < 1:
        raise GenzooError(f"ema_decay must be at least 0 and below 1, not {ema_decay}")
    if not ema_half_life >= 0:
        raise GenzooError(f"ema_half_life must be 0 or more images, not {ema_half_life}")
    if ema_decay and ema_half_life:
        raise GenzooError(
            "ema_decay and ema_half_life say the same in two ways; give one of the two"
        )
    if (ema_decay or ema_half_life) and policy.variable_dtype not in ("float32", "float64"):
        raise GenzooError(
            f"ema_decay needs weights of float32, not {policy.variable_dtype}; "
            "take the policy mixed_bfloat16"
        )
    return float(ema_decay), float(ema_half_life)


def decay_of_step(
    ema_decay: float, ema_half_life: float, images: Tensor, step: Tensor, rise_steps: int = 0
) -> Tensor:
    """Return the decay of a step.

    It is ``min(decay, (1 + step) / (10 + step))``: until ``decay`` is reached, the average is that
    of the last ninth of the run or so, and forgets the initial weights. With ``rise_steps`` it is
    that of a half-life which rises from 0 by half a cosine (2501.05441), which does the same.

    Args:
        ema_decay: the decay, or 0.
        ema_half_life: the half-life in images, or 0.
        images: those of the step, over all replicas.
        step: steps so far, this one included.
        rise_steps: steps in which the half-life rises.
    """
    step, images = tf.cast(step, tf.float32), tf.cast(images, tf.float32)
    if rise_steps:
        return 0.5 ** (images / between(0.0, ema_half_life, step - 1, rise_steps))
    decay = 0.5 ** (images / ema_half_life) if ema_half_life else ema_decay
    return tf.minimum(decay, (1 + step) / (10 + step))


def move_average(average: keras.Model, network: keras.Model, decay: Tensor) -> None:
    """Move the averaged network towards the network: weights and moving statistics."""
    rate = 1 - decay
    for kept, variable in zip(average.variables, network.variables, strict=True):
        old, new = tf.convert_to_tensor(kept), tf.convert_to_tensor(variable)
        # The states of random layers are integers, which have no average.
        kept.assign(old + tf.cast(rate, new.dtype) * (new - old) if new.dtype.is_floating else new)


def averages_of(model: keras.Model) -> list[tuple[keras.Model, keras.Model]]:
    """Return the averaged networks of a model, each with the network that it follows.

    The average of the network ``model.NAME`` is ``model.average_NAME``.
    """
    pairs = [
        (average, getattr(model, name.removeprefix("average_")))
        for name, average in vars(model).items()
        if name.startswith("average_")
    ]
    return [(average, network) for average, network in pairs if average is not None]


def keeps_last_weights(model: keras.Model) -> bool:
    """Whether a model has other weights of its last step besides averaged ones.

    A preset has none: there the averages stand for them, too.
    """
    return any(
        not np.array_equal(kept, variable)
        for average, network in averages_of(model)
        for kept, variable in zip(average.weights, network.weights, strict=True)
    )


@contextlib.contextmanager
def last_weights(model: keras.Model) -> Iterator[None]:
    """Let a model work with the weights of its last step in place of the averaged ones.

    >>> from keras_genzoo.models import GAN
    >>> model = GAN(
    ...     (8, 8, 1), 4, generator_units=(8,), discriminator_units=(8,), ema_decay=0.9
    ... )
    >>> with last_weights(model):
    ...     images = model.generate(2, seed=0)
    """
    pairs = averages_of(model)
    averaged = [average.get_weights() for average, _ in pairs]
    try:
        for average, network in pairs:
            average.set_weights(network.get_weights())
        yield
    finally:
        for (average, _), weights in zip(pairs, averaged, strict=True):
            average.set_weights(weights)
