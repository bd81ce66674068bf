"""A running average of a network's weights, for all but training (1806.04498)."""

import keras
import tensorflow as tf

from keras_genzoo.errors import GenzooError
from keras_genzoo.models.checking import one_line, zero_input
from keras_genzoo.models.schedules import between
from keras_genzoo.networks import layers_under


def copy_network(network: keras.Model, input_shape: tuple[int, ...] | list) -> keras.Model:
    """Return an equal network that does not train.

    Args:
        network: a built network.
        input_shape: shape of one input; a list of shapes for several inputs.

    Raises:
        GenzooError: if Keras cannot make the network from its configuration.
    """
    try:
        config = keras.saving.serialize_keras_object(network)
        with layers_under(network.dtype_policy):
            # Safe: the network was built in this process, not read from a file.
            copy = keras.saving.deserialize_keras_object(config, safe_mode=False)
        copy(zero_input(input_shape))
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


def decay_of_step(ema_decay: float, ema_half_life: float, images, step, rise_steps: int = 0):
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


def move_average(average: keras.Model, network: keras.Model, decay) -> None:
    """Move the averaged network towards the network: weights and moving statistics."""
    rate = 1 - decay
    for kept, variable in zip(average.variables, network.variables, strict=True):
        old, new = tf.convert_to_tensor(kept), tf.convert_to_tensor(variable)
        # The states of random layers are integers, which have no average.
        kept.assign(old + tf.cast(rate, new.dtype) * (new - old) if new.dtype.is_floating else new)
